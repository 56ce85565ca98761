// IKE_AUTH as its initiator.                                      RFC 7296 §1.2, §2.15, §2.16
#include <algorithm>

#include "ike/child_sa.hpp"
#include "ike/exchange/configuration.hpp"
#include "ike/exchange/ike_auth_common.hpp"
#include "ike/exchange/mobike.hpp"
#include "ike/identity_advice.hpp"
#include "ike/peer_refusal.hpp"
#include "ike/select.hpp"
#include "pki/identity.hpp"

namespace cygnet::ike {
namespace {

/// A pattern with wildcards is no identity to ask for.
bool has_wildcard(const model::Identity& id) {
  return std::ranges::find(id.data, '*') != id.data.end();
}

State abort_auth(IkeSa& sa, Context& cx, FailureRecord record) {
  record.phase = "IKE_AUTH";
  fail(sa, cx, std::move(record));
  return Closed{};
}

/// The peer proved nothing, or something wrong: it is told, then forgotten (RFC 7296 §2.21.2).
State refuse_responder(IkeSa& sa, Context& cx, AwaitAuthReply& sent, FailureRecord record) {
  if (sent.spi_in) cx.shared.spis.give_back(*sent.spi_in);
  Handshake& handshake = sent.handshake;
  sa.state = AwaitAuthRequest{.handshake = std::move(handshake)};
  send_request(sa, cx,
               {.exchange = ExchangeType::informational,
                .payloads = {wire::NotifyPayload{.type = NotifyType::authentication_failed}}});
  return abort_auth(sa, cx, std::move(record));
}

/// Of each family no more addresses than were asked for.
void keep_wanted(const std::vector<IpAddress>& asked, std::vector<IpAddress>& given) {
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    auto left = std::ranges::count(asked, family, &IpAddress::family);
    std::erase_if(given,
                  [&](const IpAddress& one) { return one.family() == family && --left < 0; });
  }
}

/// Takes the addresses of CFG_REPLY. False when we asked for some and got none.
bool take_configuration(IkeSa& sa, Context& cx, const std::vector<wire::Payload>& reply) {
  if (sa.connection.vips.empty()) return true;
  const auto* cp = first_of<wire::CpPayload>(reply);
  if (cp == nullptr) return false;
  answer::Leased lease = read_configuration(*cp);
  keep_wanted(sa.connection.vips, lease.addresses);
  if (lease.addresses.empty()) return false;
  sa.local_vips = lease.addresses;
  sa.dns = lease.dns;
  sa.dns_domains = lease.dns_domains;
  cx.emit(event::VirtualIps{.sa = sa.id,
                            .connection = sa.connection.name,
                            .addresses = std::move(lease.addresses),
                            .dns = std::move(lease.dns),
                            .dns_domains = std::move(lease.dns_domains),
                            .subnets = std::move(lease.subnets)});
  return true;
}

/// The packet's own address stands for nothing where the gateway gives us another.
std::optional<model::PacketFlow> first_trigger(const IkeSa& sa) {
  return sa.connection.vips.empty() ? sa.first_trigger : std::nullopt;
}

/// RFC 6023: the first child is made by an exchange of its own, after this one.
void postpone_first_child(IkeSa& sa) {
  const bool childless = sa.connection.childless == model::Childless::force ||
                         sa.connection.childless == model::Childless::prefer;
  if (!sa.first_child || !sa.peer.childless || !childless) return;
  sa.tasks.emplace_front(CreateChild{.wanted = *std::exchange(sa.first_child, std::nullopt),
                                     .trigger = sa.first_trigger,
                                     .request = std::exchange(sa.first_request, RequestId{})});
}

/// Addresses and first child of an authenticated IKE_SA, or why there is none.
std::optional<FailureRecord> take_first_child(IkeSa& sa, Context& cx, const AwaitAuthReply& sent,
                                              const SkKeys& keys,
                                              const std::vector<wire::Payload>& reply) {
  const model::ChildTemplate* wanted = sa.first_child ? &*sa.first_child : nullptr;
  const auto* error = find_error(reply);
  if (error != nullptr) return peer_refusal(sa, error->type, wanted);
  if (!take_configuration(sa, cx, reply)) {
    return FailureRecord{.reason = Reason::no_pool,
                         .field = "vips",
                         .theirs = "no address in the answer",
                         .advice = "give the gateway's connection a pool, or remove vips here"};
  }
  if (wanted == nullptr || !sent.spi_in) return std::nullopt;  // childless (RFC 6023)
  auto agreed = take_answer(sa, cx.config, *wanted, reply, true);
  if (!agreed) return std::move(agreed.error().record);
  auto child_keys = derive_child(cx.crypto, keys, agreed->suite, {}, sent.handshake.nonce_i,
                                 sent.handshake.nonce_r);
  if (!child_keys) {
    return FailureRecord{.reason = Reason::internal, .ours = child_keys.error().text()};
  }
  const Child& child =
      install_child(sa, cx, *agreed, *child_keys,
                    {.spi_in = *sent.spi_in, .we_started = true, .attempt = sa.attempt});
  announce_child(sa, cx, child.id);
  return std::nullopt;
}

}  // namespace

State prove_to_responder(IkeSa& sa, Handshake handshake, Context& cx) {
  auto ask = ask_own_proof(sa, cx, handshake);
  if (!ask) {
    return abort_auth(sa, cx, {.reason = Reason::internal, .ours = ask.error().text()});
  }
  return ProveToResponder{.ask = *ask, .handshake = std::move(handshake)};
}

State on_own_proof(ProveToResponder&& state, IkeSa& sa, const Answer& answer, Context& cx) {
  auto payloads = proof_payloads(sa, answer);
  if (!payloads) return abort_auth(sa, cx, std::move(payloads).error());
  const wire::Payload auth = std::move(payloads->back());
  payloads->pop_back();

  if (sa.initial_contact) {
    payloads->push_back(wire::NotifyPayload{.type = NotifyType::initial_contact});
  }
  add_certificate_request(sa, cx, *payloads);
  if (sa.connection.remote.id && !has_wildcard(*sa.connection.remote.id)) {
    payloads->push_back(wire::IdPayload{.initiator = false, .id = *sa.connection.remote.id});
  }
  add_mobike_supported(sa, *payloads);
  payloads->push_back(auth);
  AwaitAuthReply next;
  postpone_first_child(sa);
  if (!sa.connection.vips.empty()) payloads->push_back(configuration_request(sa.connection.vips));
  if (sa.first_child) {
    next.spi_in = cx.shared.spis.take(cx.rng);
    if (!next.spi_in) return abort_auth(sa, cx, {.reason = Reason::limit, .ours = "no free SPI"});
    for (wire::Payload& payload :
         offer_child(sa, cx.config, *sa.first_child, *next.spi_in,
                     {.in_ike_auth = true, .trigger = first_trigger(sa)})) {
      payloads->push_back(std::move(payload));
    }
  }
  next.handshake = std::move(state.handshake);
  sa.state = std::move(next);
  send_request(sa, cx, {.exchange = ExchangeType::ike_auth, .payloads = *std::move(payloads)});
  return std::move(sa.state);
}

State on_auth_reply(AwaitAuthReply&& state, IkeSa& sa, std::vector<wire::Payload> reply,
                    Context& cx) {
  sa.window.response_taken();
  sa.last_inbound = cx.now;
  const auto* auth = first_of<wire::AuthPayload>(reply);
  const wire::IdPayload* id_r = find_id(reply, false);
  if (auth == nullptr || id_r == nullptr) {
    const auto* error = find_error(reply);
    return abort_auth(sa, cx,
                      error != nullptr
                          ? peer_refusal(sa, error->type, nullptr)
                          : FailureRecord{.reason = Reason::malformed, .theirs = "no IDr or AUTH"});
  }
  sa.remote_id = id_r->id;
  if (!pki::match_identity(sa.connection.remote.id, id_r->id)) {
    return refuse_responder(sa, cx, state,
                            {.reason = Reason::identity_mismatch,
                             .field = "remote.id",
                             .ours = pki::to_text(sa.connection.remote.id),
                             .theirs = pki::to_text(id_r->id),
                             .advice = identity_advice(sa.connection.remote.id, id_r->id)});
  }
  if (class_of(auth->method) != sa.connection.remote.method) {
    return refuse_responder(sa, cx, state,
                            {.reason = Reason::auth_method_mismatch,
                             .field = "remote.auth",
                             .ours = std::string{to_string(sa.connection.remote.method)},
                             .theirs = to_string(auth->method),
                             .advice = "use the same authentication on both ends"});
  }
  auto ask = ask_judgement(sa, cx, state.handshake, reply, id_r->id);
  if (!ask) {
    return refuse_responder(sa, cx, state, {.reason = Reason::limit, .theirs = ask.error().text()});
  }
  model::Identity identity = id_r->id;
  return JudgeResponder{.ask = *ask,
                        .sent = std::move(state),
                        .reply = std::move(reply),
                        .id_r = std::move(identity)};
}

State on_judgement(JudgeResponder&& state, IkeSa& sa, const Answer& answer, Context& cx) {
  auto peer = judge_peer(sa, cx, state.sent.handshake, state.reply, state.id_r, answer);
  if (!peer) {
    return refuse_responder(sa, cx, state.sent, std::move(peer).error());
  }
  learn_authorities(sa, state.reply);
  learn_mobike(sa, state.reply);
  learn_addresses(sa, state.reply);
  SkKeys& keys = state.sent.handshake.keys;
  become_established(sa, cx);
  auto problem = take_first_child(sa, cx, state.sent, keys, state.reply);
  sa.state = Established{.keys = std::move(keys), .peer = *std::move(peer)};
  const RequestId request = std::exchange(sa.first_request, RequestId{});
  if (!problem) {
    cx.done(request, true);
    return std::move(sa.state);
  }
  if (state.sent.spi_in) cx.shared.spis.give_back(*state.sent.spi_in);
  problem->phase = "IKE_AUTH";
  FailureRecord described = *problem;
  described.initiator = true;
  described.remote = sa.remote;
  described.connection = sa.connection.name;
  report(sa, cx, *std::move(problem));
  cx.done(request, false, described.line());
  sa.ends_bare = "its first Child SA was refused";
  return std::move(sa.state);
}

}  // namespace cygnet::ike
