#include "ike/exchange/ike_sa_init.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/writer.hpp"
#include "ike/exchange/ike_auth.hpp"
#include "ike/limits.hpp"
#include "ike/peer_refusal.hpp"
#include "ike/select.hpp"

namespace cygnet::ike {
namespace {

wire::NotifyPayload hash_algorithms() {
  wire::NotifyPayload notify{.type = NotifyType::signature_hash_algorithms};
  for (const HashId hash : announced_hashes()) {
    notify.data.push_back(static_cast<std::uint8_t>(static_cast<std::uint16_t>(hash) >> 8));
    notify.data.push_back(static_cast<std::uint8_t>(hash));
  }
  return notify;
}

/// What the other side's SIGNATURE_HASH_ALGORITHMS and friends say.
void learn_abilities(IkeSa& sa, const std::vector<wire::Payload>& payloads) {
  sa.peer.fragmentation = sa.connection.fragmentation != model::Fragmentation::no &&
                          find_notify(payloads, NotifyType::fragmentation_supported) != nullptr;
  if (const auto* notify = find_notify(payloads, NotifyType::signature_hash_algorithms)) {
    sa.peer.digital_signature = true;
    Reader hashes{notify->data};
    while (hashes.remaining() >= 2 && sa.peer.hashes.size() < kHashesMax) {
      sa.peer.hashes.push_back(hashes.be<HashId>());
    }
  }
  sa.peer.childless = find_notify(payloads, NotifyType::childless_supported) != nullptr;
  learn_authorities(sa, payloads);
}

/// The payloads both sides' first messages share.
void add_notifies(const IkeSa& sa, Context& cx, const wire::Header& header,
                  std::vector<wire::Payload>& out) {
  const bool force = cx.config.force_udp_encap || sa.connection.encap;
  for (wire::Payload& notify :
       nat_notifies(cx.crypto, cx.rng, header, sa.local, sa.remote, force)) {
    out.push_back(std::move(notify));
  }
  if (sa.connection.fragmentation != model::Fragmentation::no) {
    out.push_back(wire::NotifyPayload{.type = NotifyType::fragmentation_supported});
  }
  out.push_back(hash_algorithms());
}

void apply_nat(IkeSa& sa, const NatVerdict& verdict) {
  sa.nat_local = verdict.local;
  sa.nat_remote = verdict.remote;
}

KeId first_ike_group(const model::Connection& connection) {
  for (const model::Proposal& proposal : connection.proposals) {
    for (const model::Transform& transform : proposal.of(TransformType::ke)) {
      return static_cast<KeId>(transform.id);
    }
  }
  return KeId::none;
}

bool offers_group(const model::Connection& connection, KeId group) {
  return std::ranges::any_of(connection.proposals,
                             [group](const model::Proposal& p) { return p.offers(group); });
}

/// Builds and sends the request for what `state` knows now.
void send_init(IkeSa& sa, AwaitInitReply& state, Context& cx) {
  const wire::Header header{.spi_i = sa.spi_i,
                            .exchange = ExchangeType::ike_sa_init,
                            .initiator = true,
                            .id = MessageId{0}};
  std::vector<wire::Payload> payloads;
  // The cookie comes first, everything else stays as it was (RFC 7296 §2.6).
  if (!state.cookie.empty()) {
    payloads.push_back(wire::NotifyPayload{.type = NotifyType::cookie, .data = state.cookie});
  }
  wire::SaPayload offer;
  for (const model::Proposal& proposal : sa.connection.proposals) {
    if (offer.proposals.size() == wire::kProposalsMax) break;
    offer.proposals.push_back(
        {.number = static_cast<std::uint8_t>(offer.proposals.size() + 1), .proposal = proposal});
  }
  payloads.push_back(std::move(offer));
  payloads.push_back(
      wire::KePayload{.group = state.group, .data = to_bytes(state.exchange->public_value())});
  payloads.push_back(wire::NoncePayload{.data = state.nonce});
  add_notifies(sa, cx, header, payloads);

  trace(sa, cx, "send", header, payloads);
  state.request = wire::write_message(header, payloads);
  transmit(sa, cx, {state.request});
  sa.window.request_sent({state.request}, cx.now, retransmit_rule(sa, cx.config));
}

FailureRecord init_failure(Reason reason, std::string theirs, std::string advice) {
  return {.phase = "IKE_SA_INIT",
          .reason = reason,
          .field = reason == Reason::no_common_proposal ? "proposals" : "",
          .theirs = std::move(theirs),
          .advice = std::move(advice)};
}

/// COOKIE or INVALID_KE_PAYLOAD: the same request again with what they ask for.
State restart(AwaitInitReply&& state, IkeSa& sa, Context& cx) {
  if (++state.restarts > kInitRestartsMax) {
    fail(sa, cx,
         init_failure(Reason::peer_refused, "too many COOKIE or INVALID_KE_PAYLOAD answers",
                      "the peer does not accept what it asks for itself"));
    return Closed{};
  }
  sa.window.restart_init();
  send_init(sa, state, cx);
  return std::move(state);
}

State on_invalid_ke(AwaitInitReply&& state, IkeSa& sa, const wire::NotifyPayload& notify,
                    Context& cx) {
  const KeId wanted = from_wire<KeId>(notify.data).value_or(KeId::none);
  //= RFC7296#1.2 "The initiator MUST again propose its full set of acceptable cryptographic
  //=              suites"
  if (!offers_group(sa.connection, wanted) || wanted == state.group) {
    fail(sa, cx,
         init_failure(Reason::no_common_proposal, "wants " + to_string(wanted),
                      "add the peer's key exchange group to proposals"));
    return Closed{};
  }
  auto exchange = cx.crypto.begin(wanted, nullptr);
  if (!exchange) {
    fail(sa, cx, init_failure(Reason::internal, exchange.error().text(), ""));
    return Closed{};
  }
  state.exchange = *std::move(exchange);
  state.group = wanted;
  return restart(std::move(state), sa, cx);
}

}  // namespace

void start_init(IkeSa& sa, Context& cx) {
  AwaitInitReply state{.group = first_ike_group(sa.connection), .nonce = cx.rng.bytes(kNonceSize)};
  auto exchange = cx.crypto.begin(state.group, nullptr);
  if (!exchange) {
    return fail(sa, cx,
                init_failure(Reason::internal, exchange.error().text(),
                             "choose another key exchange group in proposals"));
  }
  state.exchange = *std::move(exchange);
  send_init(sa, state, cx);
  sa.state = std::move(state);
}

State on_init_reply(AwaitInitReply&& state, IkeSa& sa, const Received& received,
                    const wire::Message& reply, ByteView datagram, Context& cx) {
  if (const auto* cookie = find_notify(reply.payloads, NotifyType::cookie)) {
    if (cookie->data.empty() || cookie->data.size() > kCookieSizeMax) return std::move(state);
    state.cookie = cookie->data;
    return restart(std::move(state), sa, cx);
  }
  if (const auto* notify = find_notify(reply.payloads, NotifyType::invalid_ke_payload)) {
    return on_invalid_ke(std::move(state), sa, *notify, cx);
  }
  if (const auto* error = find_error(reply.payloads)) {
    // Anybody could have sent this (RFC 7296 §2.21.1), but a peer that means it sends nothing
    // else; the command fails now and the supervisor may try again.
    FailureRecord record = peer_refusal(sa, error->type, nullptr);
    record.phase = "IKE_SA_INIT";
    fail(sa, cx, std::move(record));
    return Closed{};
  }
  const auto* answer = first_of<wire::SaPayload>(reply.payloads);
  const auto* ke = first_of<wire::KePayload>(reply.payloads);
  const auto* nonce = first_of<wire::NoncePayload>(reply.payloads);
  const bool complete = answer != nullptr && ke != nullptr && nonce != nullptr &&
                        reply.header.spi_r != IkeSpi{} && answer->proposals.size() == 1;
  if (!complete) return std::move(state);  // not an answer; a genuine one may still come

  const auto choice = model::choose(sa.connection.proposals, answer->offers());
  if (!choice || choice->suite.ke != ke->group || ke->group != state.group) {
    fail(sa, cx,
         init_failure(Reason::no_common_proposal, "chose what we did not offer",
                      "the peer's answer breaks RFC 7296 §2.7"));
    return Closed{};
  }
  auto shared = state.exchange->finish(ke->data);
  if (!shared) {
    fail(sa, cx, init_failure(Reason::malformed, shared.error().text(), ""));
    return Closed{};
  }
  sa.spi_r = reply.header.spi_r;
  sa.suite = choice->suite;
  auto keys = derive_keys(cx.crypto, sa.suite,
                          {.shared = shared->reveal(),
                           .nonce_i = state.nonce,
                           .nonce_r = nonce->data,
                           .spi_i = sa.spi_i,
                           .spi_r = sa.spi_r});
  if (!keys) {
    fail(sa, cx, init_failure(Reason::internal, keys.error().text(), ""));
    return Closed{};
  }
  sa.window.response_taken();
  sa.last_inbound = cx.now;
  sa.attempt = {.initiator = state.nonce, .responder = nonce->data};
  learn_abilities(sa, reply.payloads);
  //= RFC6023#3 "The initiator MUST NOT send the modified IKE_AUTH request if the notification was
  //=            not present."
  if (sa.connection.childless == model::Childless::force && !sa.peer.childless) {
    FailureRecord record = init_failure(Reason::peer_refused, "no CHILDLESS_IKEV2_SUPPORTED",
                                        "the peer cannot do RFC 6023; set childless = prefer");
    record.field = "childless";
    fail(sa, cx, std::move(record));
    return Closed{};
  }
  const NatVerdict nat =
      judge_nat(cx.crypto, reply.header, reply.payloads, received.local, received.remote);
  apply_nat(sa, nat);
  // With a NAT, or when one may come (MOBIKE), everything goes on over port 4500 (RFC 7296 §2.23).
  const bool float_ports = nat.local || nat.remote || sa.connection.mobike ||
                           cx.config.force_udp_encap || sa.connection.encap;
  if (nat.supported && float_ports && sa.remote.port == cx.config.ike_port) {
    sa.local.port = cx.config.natt_port;
    sa.remote.port = cx.config.natt_port;
  }
  return prove_to_responder(sa,
                            {.keys = *std::move(keys),
                             .nonce_i = std::move(state.nonce),
                             .nonce_r = nonce->data,
                             .init_request = std::move(state.request),
                             .init_response = to_bytes(datagram)},
                            cx);
}

InitAnswer answer_init(const Received& received, const wire::Message& request, ByteView datagram,
                       Context& cx) {
  const auto& offer = *first_of<wire::SaPayload>(request.payloads);
  const auto& ke = *first_of<wire::KePayload>(request.payloads);
  const auto& nonce = *first_of<wire::NoncePayload>(request.payloads);
  auto choice = select_for_init(
      cx.shared.connections,
      {.local = received.local, .remote = received.remote, .offers = offer.offers()});
  const auto refuse = [](NotifyType type, Bytes data = {}) {
    return InitAnswer{.sa = std::nullopt,
                      .stateless = {wire::NotifyPayload{.type = type, .data = std::move(data)}}};
  };
  if (!choice) {
    FailureRecord record = std::move(choice).error();
    record.at = cx.now;
    cx.emit(event::Failed{.record = std::move(record)});
    return refuse(NotifyType::no_proposal_chosen);
  }
  const model::Suite& suite = choice->proposal.suite;
  if (suite.ke != ke.group) return refuse(NotifyType::invalid_ke_payload, to_wire(suite.ke));

  auto exchanged = cx.crypto.respond(ke.group, ke.data, nullptr);
  if (!exchanged) {
    cx.emit(event::Failed{.record = {.at = cx.now,
                                     .local = received.local,
                                     .remote = received.remote,
                                     .phase = "IKE_SA_INIT",
                                     .reason = Reason::malformed,
                                     .theirs = exchanged.error().text()}});
    return refuse(NotifyType::invalid_syntax);
  }
  IkeSa sa{.id = cx.next_sa(),
           .initiator = false,
           .spi_i = request.header.spi_i,
           .spi_r = IkeSpi{cx.rng.u64() | 1},
           .local = received.local,
           .remote = received.remote,
           .connection = *choice->connection,
           .suite = suite,
           .init_remote = received.remote,
           .born = cx.now,
           .last_inbound = cx.now,
           .half_open_until = cx.now + cx.config.half_open_timeout};
  learn_abilities(sa, request.payloads);
  apply_nat(
      sa, judge_nat(cx.crypto, request.header, request.payloads, received.local, received.remote));
  const Bytes our_nonce = cx.rng.bytes(kNonceSize);
  sa.attempt = {.initiator = nonce.data, .responder = our_nonce};
  auto keys = derive_keys(cx.crypto, suite,
                          {.shared = exchanged->shared.reveal(),
                           .nonce_i = nonce.data,
                           .nonce_r = our_nonce,
                           .spi_i = sa.spi_i,
                           .spi_r = sa.spi_r});
  if (!keys) return {};

  wire::Header header = request.header;
  header.spi_r = sa.spi_r;
  header.initiator = false;
  header.response = true;
  std::vector<wire::Payload> payloads;
  wire::SaPayload answer;
  answer.proposals.push_back({.number = offer.proposals[choice->proposal.theirs].number,
                              .proposal = model::proposal_of(suite, ProtocolId::ike)});
  payloads.push_back(std::move(answer));
  payloads.push_back(
      wire::KePayload{.group = ke.group, .data = std::move(exchanged->public_value)});
  payloads.push_back(wire::NoncePayload{.data = our_nonce});
  add_notifies(sa, cx, header, payloads);
  if (sa.connection.childless != model::Childless::never) {
    payloads.push_back(
        wire::NotifyPayload{.protocol = ProtocolId::ike, .type = NotifyType::childless_supported});
  }
  add_certificate_request(sa, cx, payloads);
  trace(sa, cx, "send", header, payloads);
  Bytes response = wire::write_message(header, payloads);
  transmit(sa, cx, {response});
  sa.window.response_sent({response});
  sa.state = AwaitAuthRequest{.handshake = {.keys = *std::move(keys),
                                            .nonce_i = nonce.data,
                                            .nonce_r = our_nonce,
                                            .init_request = to_bytes(datagram),
                                            .init_response = std::move(response)}};
  return {.sa = std::move(sa), .stateless = {}};
}

}  // namespace cygnet::ike
