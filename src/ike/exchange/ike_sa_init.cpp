#include "ike/exchange/ike_sa_init.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/writer.hpp"
#include "ike/exchange/ike_auth.hpp"
#include "ike/limits.hpp"
#include "ike/peer_refusal.hpp"
#include "ike/select.hpp"
#include "registry/vendor.hpp"

namespace cygnet::ike {
namespace {

/// What the peer may sign with. Whoever calls knows whom, and asks for what will do there.
wire::NotifyPayload hash_algorithms(const IkeSa& sa) {
  wire::NotifyPayload notify{.type = NotifyType::signature_hash_algorithms};
  const auto hashes =
      accepted_hashes(sa.initiator ? sa.connection.remote.rules.auth : model::SignatureRule{});
  for (const HashId hash : hashes) {
    notify.data.push_back(static_cast<std::uint8_t>(static_cast<std::uint16_t>(hash) >> 8));
    notify.data.push_back(static_cast<std::uint8_t>(hash));
  }
  return notify;
}

/// What the peer seems to be; empty when no vendor ID tells.
std::string product_in(const std::vector<wire::Payload>& payloads) {
  for (const wire::Payload& payload : payloads) {
    const auto* vendor = std::get_if<wire::VendorIdPayload>(&payload);
    if (vendor == nullptr) continue;
    if (const auto product = product_of(vendor->data); !product.empty())
      return std::string{product};
  }
  return {};
}

/// What the other side's SIGNATURE_HASH_ALGORITHMS and friends say.
void learn_abilities(IkeSa& sa, const std::vector<wire::Payload>& payloads) {
  sa.peer.product = product_in(payloads);
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
  out.push_back(hash_algorithms(sa));
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

  note_message(sa, cx, Way::out, header, payloads);
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

//= RFC7296#2.21.1 "an endpoint that receives an error ... should not immediately act on it"
/// Anybody could have sent this: it is the reason that is given when, after a few quick repeats of
/// the request, nothing better has come.
State doubt(AwaitInitReply&& state, IkeSa& sa, FailureRecord record, Context& cx) {
  cx.attention.push_back(sa.id);
  state.refusal = std::move(record);
  sa.window.doubt(cx.now);
  return std::move(state);
}

/// Anybody could have sent the many COOKIE and INVALID_KE_PAYLOAD answers: beyond the limit they
/// change nothing but the reason that is given when nothing better comes in time.
bool may_restart(AwaitInitReply& state) {
  if (state.restarts < kInitRestartsMax) return true;
  state.refusal = init_failure(
      Reason::peer_refused, "too many COOKIE or INVALID_KE_PAYLOAD answers",
      "the peer does not accept what it asks for itself, or somebody answers in its name");
  return false;
}

/// COOKIE or INVALID_KE_PAYLOAD: the same request again with what they ask for.
State restart(AwaitInitReply&& state, IkeSa& sa, Context& cx) {
  ++state.restarts;
  state.refusal.reset();
  sa.window.restart_init();
  send_init(sa, state, cx);
  return std::move(state);
}

State on_invalid_ke(AwaitInitReply&& state, IkeSa& sa, const wire::NotifyPayload& notify,
                    Context& cx) {
  const KeId wanted = from_wire<KeId>(notify.data).value_or(KeId::none);
  if (wanted == state.group) return std::move(state);  // the answer to what we sent before
  //= RFC7296#1.2 "The initiator MUST again propose its full set of acceptable cryptographic
  //=              suites"
  if (!offers_group(sa.connection, wanted)) {
    return doubt(std::move(state), sa,
                 init_failure(Reason::no_common_proposal, "wants " + to_string(wanted),
                              "add the peer's key exchange group to proposals"),
                 cx);
  }
  if (!may_restart(state)) return std::move(state);
  auto exchange = cx.crypto.begin(wanted, nullptr);
  if (!exchange) {
    fail(sa, cx, init_failure(Reason::internal, exchange.error().text(), ""));
    return Closed{};
  }
  state.exchange = *std::move(exchange);
  state.group = wanted;
  return restart(std::move(state), sa, cx);
}

/// An answer that asks for another request, or refuses; nothing when it is none of these.
std::optional<State> on_notify(AwaitInitReply& state, IkeSa& sa,
                               const std::vector<wire::Payload>& payloads, Context& cx) {
  if (const auto* cookie = find_notify(payloads, NotifyType::cookie)) {
    const bool news = !cookie->data.empty() && cookie->data.size() <= kCookieSizeMax &&
                      cookie->data != state.cookie;
    if (!news || !may_restart(state)) return std::move(state);
    state.cookie = cookie->data;
    return restart(std::move(state), sa, cx);
  }
  if (const auto* notify = find_notify(payloads, NotifyType::invalid_ke_payload)) {
    return on_invalid_ke(std::move(state), sa, *notify, cx);
  }
  if (const auto* error = find_error(payloads)) {
    FailureRecord record = peer_refusal(sa, error->type, nullptr);
    record.phase = "IKE_SA_INIT";
    return doubt(std::move(state), sa, std::move(record), cx);
  }
  return std::nullopt;
}

/// With a NAT, or when one may come (MOBIKE), everything goes on over port 4500 (RFC 7296 §2.23).
void float_ports(IkeSa& sa, const NatVerdict& nat, const EngineConfig& config) {
  const bool wanted = nat.local || nat.remote || sa.connection.mobike || config.force_udp_encap ||
                      sa.connection.encap;
  if (!nat.supported || !wanted || sa.remote.port != kPeerIkePort) return;
  sa.local.port = config.natt_port;
  sa.remote.port = kPeerNattPort;
}

/// Why an IKE_SA cannot go on without its first child in IKE_AUTH, if it would have to.
//= RFC6023#3 "The initiator MUST NOT send the modified IKE_AUTH request if the notification was
//=            not present."
std::optional<FailureRecord> childless_problem(const IkeSa& sa) {
  const bool must = sa.connection.childless == model::Childless::force || !sa.first_child;
  if (!must || sa.peer.childless) return std::nullopt;
  FailureRecord record =
      init_failure(Reason::peer_refused, "no CHILDLESS_IKEV2_SUPPORTED",
                   sa.first_child ? "the peer cannot do RFC 6023; set childless = prefer"
                                  : "the peer cannot do RFC 6023; give the connection a child");
  record.field = "childless";
  return record;
}

}  // namespace

void start_init(IkeSa& sa, Context& cx) {
  sa.state =
      AwaitInitReply{.group = first_ike_group(sa.connection), .nonce = cx.rng.bytes(kNonceSize)};
  auto& state = std::get<AwaitInitReply>(sa.state);
  auto exchange = cx.crypto.begin(state.group, nullptr);
  if (!exchange) {
    FailureRecord record = init_failure(Reason::internal, exchange.error().text(),
                                        "choose another key exchange group in proposals");
    record.field = "proposals";
    return fail(sa, cx, std::move(record));
  }
  state.exchange = *std::move(exchange);
  send_init(sa, state, cx);
}

State on_init_reply(AwaitInitReply&& state, IkeSa& sa, const Received& received,
                    const wire::Message& reply, ByteView datagram, Context& cx) {
  note_message(sa, cx, Way::in, reply.header, reply.payloads);
  if (auto next = on_notify(state, sa, reply.payloads, cx)) return *std::move(next);
  const auto* answer = first_of<wire::SaPayload>(reply.payloads);
  const auto* ke = first_of<wire::KePayload>(reply.payloads);
  const auto* nonce = first_of<wire::NoncePayload>(reply.payloads);
  const bool complete = answer != nullptr && ke != nullptr && nonce != nullptr &&
                        reply.header.spi_r != IkeSpi{} && answer->proposals.size() == 1;
  if (!complete) return std::move(state);  // not an answer; a genuine one may still come

  const auto choice = model::choose(sa.connection.proposals, answer->offers());
  if (!choice || choice->suite.ke != ke->group || ke->group != state.group) {
    return doubt(std::move(state), sa,
                 init_failure(Reason::no_common_proposal, "chose what we did not offer",
                              "the peer's answer breaks RFC 7296 §2.7"),
                 cx);
  }
  auto shared = state.exchange->finish(ke->data);
  if (!shared) {
    return doubt(std::move(state), sa, init_failure(Reason::malformed, shared.error().text(), ""),
                 cx);
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
  if (auto problem = childless_problem(sa)) {
    fail(sa, cx, *std::move(problem));
    return Closed{};
  }
  const NatVerdict nat =
      judge_nat(cx.crypto, reply.header, reply.payloads, received.local, received.remote);
  apply_nat(sa, nat);
  float_ports(sa, nat, cx.config);
  return prove_to_responder(sa,
                            {.keys = *std::move(keys),
                             .nonce_i = std::move(state.nonce),
                             .nonce_r = nonce->data,
                             .init_request = std::move(state.request),
                             .init_response = to_bytes(datagram)},
                            cx);
}

namespace {

/// The response's payloads; `header` is the response's.
std::vector<wire::Payload> init_response(const IkeSa& sa, const wire::Header& header,
                                         std::uint8_t proposal, wire::KePayload ke, Bytes nonce,
                                         Context& cx) {
  wire::SaPayload answer;
  answer.proposals.push_back(
      {.number = proposal, .proposal = model::proposal_of(sa.suite, ProtocolId::ike)});
  std::vector<wire::Payload> out{std::move(answer), std::move(ke),
                                 wire::NoncePayload{.data = std::move(nonce)}};
  add_notifies(sa, cx, header, out);
  if (sa.connection.childless != model::Childless::never) {
    out.push_back(
        wire::NotifyPayload{.protocol = ProtocolId::ike, .type = NotifyType::childless_supported});
  }
  add_certificate_request(sa, cx, out);
  return out;
}

/// What a request for an IKE_SA makes, before there are keys.
IkeSa new_responder(const Received& received, const wire::Message& request,
                    const InitChoice& choice, Context& cx) {
  IkeSa sa{.id = cx.next_sa(),
           .initiator = false,
           .spi_i = request.header.spi_i,
           .spi_r = IkeSpi{cx.rng.u64() | 1},
           .local = received.local,
           .remote = received.remote,
           .connection = *choice.connection,
           .suite = choice.proposal.suite,
           .init_remote = received.remote,
           .born = cx.now,
           .last_inbound = cx.now,
           .half_open_until = cx.now + cx.config.half_open_timeout};
  learn_abilities(sa, request.payloads);
  apply_nat(
      sa, judge_nat(cx.crypto, request.header, request.payloads, received.local, received.remote));
  return sa;
}

InitAnswer refuse_init(const Received& received, NotifyType type, Bytes data = {}) {
  InitAnswer out;
  out.stateless = {wire::NotifyPayload{.type = type, .data = std::move(data)}};
  out.record.local = received.local;
  out.record.remote = received.remote;
  out.record.phase = "IKE_SA_INIT";
  return out;
}

}  // namespace

InitAnswer answer_init(const Received& received, const wire::Message& request, ByteView datagram,
                       Context& cx) {
  const auto& offer = *first_of<wire::SaPayload>(request.payloads);
  const auto& ke = *first_of<wire::KePayload>(request.payloads);
  const auto& nonce = *first_of<wire::NoncePayload>(request.payloads);
  auto choice = select_for_init(
      cx.shared.connections,
      {.local = received.local, .remote = received.remote, .offers = offer.offers()});
  if (!choice) {
    InitAnswer out = refuse_init(received, NotifyType::no_proposal_chosen);
    out.record = std::move(choice).error();
    out.record.product = product_in(request.payloads);
    return out;
  }
  const KeId group = choice->proposal.suite.ke;
  if (group != ke.group) {
    // No refusal: the initiator comes again with this group.
    return {.stateless = {wire::NotifyPayload{.type = NotifyType::invalid_ke_payload,
                                              .data = to_wire(group)}}};
  }
  auto exchanged = cx.crypto.respond(group, ke.data, nullptr);
  if (!exchanged) {
    InitAnswer out = refuse_init(received, NotifyType::invalid_syntax);
    out.record.reason = Reason::malformed;
    out.record.theirs = exchanged.error().text();
    return out;
  }
  IkeSa sa = new_responder(received, request, *choice, cx);
  note_message(sa, cx, Way::in, request.header, request.payloads);
  Bytes our_nonce = cx.rng.bytes(kNonceSize);
  sa.attempt = {.initiator = nonce.data, .responder = our_nonce};
  auto keys = derive_keys(cx.crypto, sa.suite,
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
  const std::vector<wire::Payload> payloads =
      init_response(sa, header, offer.proposals[choice->proposal.theirs].number,
                    {.group = group, .data = std::move(exchanged->public_value)}, our_nonce, cx);
  note_message(sa, cx, Way::out, header, payloads);
  Bytes response = wire::write_message(header, payloads);
  transmit(sa, cx, {response});
  sa.window.response_sent({response});
  sa.state = AwaitAuthRequest{.handshake = {.keys = *std::move(keys),
                                            .nonce_i = nonce.data,
                                            .nonce_r = std::move(our_nonce),
                                            .init_request = to_bytes(datagram),
                                            .init_response = std::move(response)}};
  return {.sa = std::move(sa)};
}

}  // namespace cygnet::ike
