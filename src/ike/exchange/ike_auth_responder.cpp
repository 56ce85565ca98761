// IKE_AUTH as its responder.                                      RFC 7296 §1.2, §2.15, §2.21.2
#include <algorithm>

#include "ike/child_sa.hpp"
#include "ike/exchange/configuration.hpp"
#include "ike/exchange/ike_auth_common.hpp"
#include "ike/exchange/mobike.hpp"
#include "ike/limits.hpp"
#include "ike/select.hpp"
#include "pki/identity.hpp"

namespace cygnet::ike {
namespace {

wire::NotifyPayload notify(NotifyType type, Bytes data = {}) {
  return {.type = type, .data = std::move(data)};
}

/// Answers with an error alone and forgets the peer. Every failure to authenticate looks alike
/// from outside; the record has the reason.
State refuse_initiator(IkeSa& sa, Context& cx, Handshake& handshake, FailureRecord record,
                       NotifyType type = NotifyType::authentication_failed) {
  record.phase = "IKE_AUTH";
  sa.state = AwaitAuthRequest{.handshake = std::move(handshake)};
  send_response(sa, cx, expected_request(sa, ExchangeType::ike_auth), {notify(type)});
  fail(sa, cx, std::move(record));
  // The refusal may get lost: its repeat is answered for a while.
  sa.linger_until = cx.now + kClosedLinger;
  return std::move(sa.state);
}

/// The first child, after everything else is settled: payloads for the answer.
std::vector<wire::Payload> answer_first_child(IkeSa& sa, Context& cx, const Handshake& handshake,
                                              const std::vector<wire::Payload>& request) {
  if (first_of<wire::SaPayload>(request) == nullptr) return {};  // childless (RFC 6023)
  const auto refuse = [&](FailureRecord record, NotifyType type) {
    record.phase = "IKE_AUTH";
    report(sa, cx, std::move(record));
    return std::vector<wire::Payload>{notify(type)};
  };
  if (sa.connection.childless == model::Childless::force) {
    return refuse({.reason = Reason::childless_only,
                   .field = "childless",
                   .ours = "force",
                   .theirs = "a child in IKE_AUTH",
                   .advice = "set childless = allow, or prefer or force at the peer"},
                  NotifyType::no_additional_sas);
  }
  auto agreed = answer_offer(sa, cx.config, request, {.in_ike_auth = true});
  if (!agreed) return refuse(std::move(agreed.error().record), agreed.error().notify);
  const auto spi_in = cx.shared.spis.take(cx.rng);
  auto keys = derive_child(cx.crypto, handshake.keys, agreed->suite, {}, handshake.nonce_i,
                           handshake.nonce_r);
  if (!spi_in || !keys) {
    if (spi_in) cx.shared.spis.give_back(*spi_in);
    return refuse({.reason = spi_in ? Reason::internal : Reason::limit,
                   .ours = spi_in ? keys.error().text() : "no free SPI"},
                  NotifyType::no_additional_sas);
  }
  Child& child = install_child(
      sa, cx, *agreed, *keys,
      {.spi_in = *spi_in, .hold_outbound = sa.reauthenticates, .attempt = sa.attempt});
  if (sa.reauthenticates) child.activate_at = cx.now + kHoldOutboundMax;
  announce_child(sa, cx, child.id);
  return answer_child(*agreed, *spi_in);
}

State finish(IkeSa& sa, Context& cx, Handshake& handshake, PeerAuthenticated peer,
             const std::vector<wire::Payload>& request, std::vector<wire::Payload> answer,
             std::optional<NotifyType> address_failure) {
  become_established(sa, cx);
  learn_mobike(sa, request);
  if (sa.peer.mobike) {
    add_mobike_supported(sa, answer);
    add_addresses(sa, cx, answer);
  }
  if (address_failure) {
    answer.push_back(notify(*address_failure));
  } else {
    for (wire::Payload& payload : answer_first_child(sa, cx, handshake, request)) {
      answer.push_back(std::move(payload));
    }
  }
  sa.state = Established{.keys = std::move(handshake.keys), .peer = std::move(peer)};
  send_response(sa, cx, expected_request(sa, ExchangeType::ike_auth), answer);
  return std::move(sa.state);
}

}  // namespace

State on_auth_request(AwaitAuthRequest&& state, IkeSa& sa, std::vector<wire::Payload> request,
                      Context& cx) {
  const wire::IdPayload* id_i = find_id(request, true);
  const wire::IdPayload* id_r = find_id(request, false);
  const auto* auth = first_of<wire::AuthPayload>(request);
  const std::optional<model::AuthClass> method =
      auth != nullptr ? class_of(auth->method) : std::nullopt;
  if (!method) {
    return refuse_initiator(sa, cx, state.handshake,
                            {.remote_identity = pki::to_text(id_i->id),
                             .reason = Reason::auth_method_mismatch,
                             .field = "remote.auth",
                             .theirs = auth == nullptr ? "EAP" : to_string(auth->method),
                             .advice = "configure the peer for a certificate or a pre-shared key"});
  }
  AuthFacts facts{.local = sa.local,
                  .remote = sa.init_remote,
                  .suite = sa.suite,
                  .id_i = id_i->id,
                  .method = *method};
  if (id_r != nullptr) facts.id_r = id_r->id;
  auto selected = select_for_auth(cx.shared.connections, facts);
  sa.remote_id = id_i->id;
  if (!selected) {
    return refuse_initiator(sa, cx, state.handshake, std::move(selected).error());
  }
  sa.connection = **selected;
  sa.initial_contact = find_notify(request, NotifyType::initial_contact) != nullptr;
  learn_authorities(sa, request);
  auto ask = ask_judgement(sa, cx, state.handshake, request, id_i->id);
  if (!ask) {
    return refuse_initiator(sa, cx, state.handshake,
                            {.reason = Reason::limit, .theirs = ask.error().text()});
  }
  model::Identity identity = id_i->id;
  return JudgeInitiator{.ask = *ask,
                        .handshake = std::move(state.handshake),
                        .request = std::move(request),
                        .id_i = std::move(identity)};
}

State on_judgement(JudgeInitiator&& state, IkeSa& sa, const Answer& answer, Context& cx) {
  auto peer = judge_peer(sa, cx, state.handshake, state.request, state.id_i, answer);
  if (!peer) return refuse_initiator(sa, cx, state.handshake, std::move(peer).error());
  const bool childless = first_of<wire::SaPayload>(state.request) == nullptr;
  if (childless && sa.connection.childless == model::Childless::never) {
    return refuse_initiator(sa, cx, state.handshake,
                            {.reason = Reason::malformed,
                             .field = "childless",
                             .ours = "never",
                             .theirs = "IKE_AUTH without SA, TSi and TSr",
                             .advice = "set childless = allow (RFC 6023)"},
                            NotifyType::invalid_syntax);
  }
  auto ask = ask_own_proof(sa, cx, state.handshake);
  if (!ask) {
    return refuse_initiator(sa, cx, state.handshake,
                            {.reason = Reason::internal, .ours = ask.error().text()});
  }
  return ProveToInitiator{.ask = *ask,
                          .handshake = std::move(state.handshake),
                          .peer = *std::move(peer),
                          .request = std::move(state.request)};
}

State on_own_proof(ProveToInitiator&& state, IkeSa& sa, const Answer& answer, Context& cx) {
  if (sa.crowded) {
    return refuse_initiator(sa, cx, state.handshake,
                            {.reason = Reason::limit,
                             .ours = "IKE_SAs of one identity with one connection",
                             .advice = "the peer neither deletes its IKE_SAs nor lets us do it"});
  }
  auto proof = proof_payloads(sa, answer);
  if (!proof) return refuse_initiator(sa, cx, state.handshake, std::move(proof).error());

  const auto* cp = first_of<wire::CpPayload>(state.request);
  const std::vector<IpAddress> requested =
      cp != nullptr ? requested_addresses(*cp) : std::vector<IpAddress>{};
  if (requested.empty() || sa.connection.pools.empty()) {
    return finish(sa, cx, state.handshake, std::move(state.peer), state.request, *std::move(proof),
                  std::nullopt);
  }
  const AskId ask = cx.next_ask(sa.id);
  cx.out.emplace_back(Ask{.id = ask,
                          .what = ask::Lease{.connection = sa.connection.name,
                                             .remote = *sa.remote_id,
                                             .sa = sa.id,
                                             .requested = requested,
                                             .unique = sa.connection.unique}});
  return LeaseAddresses{.ask = ask,
                        .handshake = std::move(state.handshake),
                        .peer = std::move(state.peer),
                        .request = std::move(state.request),
                        .proof = *std::move(proof)};
}

State on_lease(LeaseAddresses&& state, IkeSa& sa, const Answer& answer, Context& cx) {
  std::optional<NotifyType> failure;
  std::vector<wire::Payload> payloads = std::move(state.proof);
  if (const auto* lease = std::get_if<answer::Leased>(&answer.result)) {
    sa.remote_vips = lease->addresses;
    sa.leased = true;
    payloads.push_back(configuration_reply(*lease));
  } else if (const auto* refused = std::get_if<answer::Refused>(&answer.result)) {
    FailureRecord record = record_of(*refused);
    record.phase = "IKE_AUTH";
    report(sa, cx, std::move(record));
    //= RFC7296#3.15.4 "it responds with an INTERNAL_ADDRESS_FAILURE notification. The IKE SA is
    //=                 still created even if the initial Child SA cannot be created"
    failure = NotifyType::internal_address_failure;
  } else if (CYG_BUG(true)) {
    failure = NotifyType::internal_address_failure;
  }
  return finish(sa, cx, state.handshake, std::move(state.peer), state.request, std::move(payloads),
                failure);
}

}  // namespace cygnet::ike
