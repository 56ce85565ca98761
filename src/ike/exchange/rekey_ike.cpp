#include "ike/exchange/rekey_ike.hpp"

#include <algorithm>

#include "base/writer.hpp"
#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

std::optional<IkeSpi> spi_from(const Bytes& bytes) {
  const auto spi = from_wire<IkeSpi>(bytes);
  return spi && spi->value() != 0 ? spi : std::nullopt;
}

/// What the rekeyed SA keeps of the old one.
IkeSa successor_of(const IkeSa& old, Context& cx, bool initiator) {
  IkeSa fresh{.id = cx.next_sa(),
              .initiator = initiator,
              .first_initiator = old.first_initiator,
              .local = old.local,
              .remote = old.remote,
              .connection = old.connection,
              .peer = old.peer,
              .nat_local = old.nat_local,
              .nat_remote = old.nat_remote,
              .local_id = old.local_id,
              .remote_id = old.remote_id,
              .init_remote = old.init_remote,
              .standing = Standing::undecided,
              .rekeyed_from = old.id,
              .first_of_row = old.row(),
              .attempt = old.attempt,
              .born = cx.now,
              .linger_until = cx.now + kRekeyedIkeLinger};
  return fresh;
}

void retry_before_expiry(IkeSa& sa, Context& cx) {
  sa.race.ours = OurRekey::none;
  sa.rekey_at = cx.now + 6 * kBusyRetry;
}

/// Exchanges that change Child SAs; a rekey of the IKE_SA must not cross them (RFC 7296 §2.25.2).
bool changes_children(const std::optional<Task>& active) {
  return active && !std::holds_alternative<Liveness>(*active) &&
         !std::holds_alternative<RekeyIke>(*active);
}

}  // namespace

void hand_over(IkeSa& old, IkeSa& fresh, Context& cx) {
  fresh.children = std::move(old.children);
  old.children = {};
  fresh.lingering = std::exchange(old.lingering, {});
  fresh.retirement = std::exchange(old.retirement, std::nullopt);
  // It may have moved since the new one was made.
  fresh.local = old.local;
  fresh.remote = old.remote;
  fresh.nat_local = old.nat_local;
  fresh.nat_remote = old.nat_remote;
  fresh.paths = std::move(old.paths);
  fresh.children_at = old.children_at;
  fresh.local_vips = old.local_vips;
  fresh.remote_vips = old.remote_vips;
  fresh.dns = old.dns;
  fresh.dns_domains = old.dns_domains;
  fresh.leased = old.leased;
  fresh.instead_of = old.instead_of;
  fresh.reauth_at = std::exchange(old.reauth_at, std::nullopt);
  fresh.doomed = std::exchange(old.doomed, {});
  fresh.ends_bare = std::exchange(old.ends_bare, {});
  fresh.asked = std::exchange(old.asked, {});
  fresh.requests = old.requests;
  for (Task& task : old.tasks) {
    if (auto* rekey = std::get_if<RekeyIke>(&task)) {
      cx.done(std::exchange(rekey->request, RequestId{}), true);  // the peer's rekey served it
    } else {
      fresh.tasks.push_back(std::move(task));
    }
  }
  old.tasks.clear();
  for (IkeSa::Delayed& later : old.delayed) {
    if (auto* rekey = std::get_if<RekeyIke>(&later.task)) {
      cx.done(std::exchange(rekey->request, RequestId{}), true);
    } else {
      fresh.delayed.push_back(std::move(later));
    }
  }
  old.delayed.clear();
  old.standing = Standing::outlived;
  old.rekey_at.reset();
  old.expires_at.reset();
  old.linger_until = cx.now + kRekeyedIkeLinger;
  fresh.standing = Standing::current;
  fresh.linger_until.reset();
  start_lifetime(fresh, cx);
  cx.emit(event::IkeRekeyed{.old = old.id,
                            .fresh = fresh.id,
                            .connection = old.connection.name,
                            .before = snapshot(old),
                            .after = snapshot(fresh)});
  cx.attention.push_back(old.id);
  cx.attention.push_back(fresh.id);
}

std::optional<Request> RekeyIke::build(IkeSa& sa, Context& cx) {
  if (!sa.is_current() || sa.race.their_attempt) {
    cx.done(std::exchange(request, RequestId{}), true);  // the peer's rekey serves it
    return std::nullopt;
  }
  const auto ready = prepare(keys, sa.suite.ke, cx);
  if (!ready) {
    retry_before_expiry(sa, cx);
    abandon(cx, ready.error().text());
    return std::nullopt;
  }
  if (spi == IkeSpi{}) spi = IkeSpi{cx.rng.u64() | 1};
  wire::SaPayload offer;
  for (const model::Proposal& proposal : sa.connection.proposals) {
    if (offer.proposals.size() == wire::kProposalsMax) break;
    offer.proposals.push_back({.number = static_cast<std::uint8_t>(offer.proposals.size() + 1),
                               .spi = to_wire(spi),
                               .proposal = proposal});
  }
  std::vector<wire::Payload> payloads{std::move(offer)};
  add_key_offer(keys, payloads);
  sa.race.ours = OurRekey::under_way;
  return Request{.exchange = ExchangeType::create_child_sa, .payloads = std::move(payloads)};
}

Step RekeyIke::on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx) {
  cx.attention.push_back(sa.id);  // the engine draws the conclusion
  if (const auto* error = find_error(reply)) {
    sa.race.ours = OurRekey::failed;
    if (!sa.is_current() || sa.race.their_attempt) {
      cx.done(std::exchange(request, RequestId{}), true);  // the peer has rekeyed it for us
      return Done{};
    }
    const Step step = on_refused(sa, keys, *error, nullptr, cx);
    if (std::holds_alternative<Done>(step)) {
      retry_before_expiry(sa, cx);
      abandon(cx, to_string(error->type));
    }
    return step;
  }
  const auto* answer = first_of<wire::SaPayload>(reply);
  const auto* nonce = first_of<wire::NoncePayload>(reply);
  auto* state = std::get_if<Established>(&sa.state);
  const bool complete =
      answer != nullptr && nonce != nullptr && state != nullptr && answer->proposals.size() == 1;
  const auto choice = complete ? model::choose(sa.connection.proposals, answer->offers())
                               : std::unexpected(model::Mismatch{});
  const auto peer_spi = complete ? spi_from(answer->proposals[0].spi) : std::nullopt;
  if (!choice || !peer_spi) {
    retry_before_expiry(sa, cx);
    abandon(cx, "the peer's answer does not fit the offer");
    return Done{};
  }
  IkeSa fresh = successor_of(sa, cx, true);
  fresh.spi_i = spi;
  fresh.spi_r = *peer_spi;
  fresh.suite = choice->suite;
  auto shared = finish(keys, reply, choice->suite.ke);
  auto fresh_keys = shared ? derive_rekeyed(cx.crypto, state->keys, fresh.suite,
                                            {.shared = shared->reveal(),
                                             .nonce_i = keys.nonce,
                                             .nonce_r = nonce->data,
                                             .spi_i = fresh.spi_i,
                                             .spi_r = fresh.spi_r})
                           : std::unexpected(shared.error());
  if (!fresh_keys) {
    retry_before_expiry(sa, cx);
    abandon(cx, fresh_keys.error().text());
    return Done{};
  }
  fresh.state = Established{.keys = *std::move(fresh_keys), .peer = state->peer};
  sa.race.ours = OurRekey::made;
  sa.race.our_attempt = {.initiator = keys.nonce, .responder = nonce->data};
  sa.our_fresh = fresh.id;
  cx.born.push_back(std::move(fresh));
  cx.shared.counters.add(sa.connection.name, Counter::ike_rekey_init);
  cx.done(std::exchange(request, RequestId{}), true);
  return Done{};
}

void RekeyIke::abandon(Context& cx, const std::string& why) {
  cx.done(std::exchange(request, RequestId{}), false, why);
}

std::vector<wire::Payload> answer_rekey_ike(IkeSa& sa, Established& state,
                                            const std::vector<wire::Payload>& request,
                                            Context& cx) {
  const auto notify = [](NotifyType type, Bytes data = {}) {
    return std::vector<wire::Payload>{wire::NotifyPayload{.type = type, .data = std::move(data)}};
  };
  //= RFC7296#2.25.2 "If a peer receives a request to rekey an IKE SA that it is currently trying
  //=                 to close [or] while creating, rekeying, or closing a Child SA of that IKE SA,
  //=                 it SHOULD reply with TEMPORARY_FAILURE."
  if (!sa.is_current() || changes_children(sa.active) ||
      reply_to_rekey(sa.race) == RekeyReply::temporary_failure) {
    return notify(NotifyType::temporary_failure);
  }
  const auto& offer = *first_of<wire::SaPayload>(request);
  const auto& ke = *first_of<wire::KePayload>(request);
  const auto& nonce = *first_of<wire::NoncePayload>(request);
  const auto choice = model::choose(sa.connection.proposals, offer.offers());
  if (!choice) {
    report(sa, cx,
           {.phase = "CREATE_CHILD_SA",
            .reason = Reason::no_common_proposal,
            .field = "proposals (" + to_string(choice.error().type) + ")",
            .ours = choice.error().ours,
            .theirs = choice.error().theirs,
            .advice = "both ends must list a common proposal for the rekey too"});
    return notify(NotifyType::no_proposal_chosen);
  }
  const auto peer_spi = spi_from(offer.proposals[choice->theirs].spi);
  if (!peer_spi) return notify(NotifyType::invalid_syntax);
  const KeId group = choice->suite.ke;
  if (ke.group != group) {
    return notify(NotifyType::invalid_ke_payload, to_wire(group));
  }
  auto exchanged = cx.crypto.respond(group, ke.data, nullptr);
  if (!exchanged) return notify(NotifyType::invalid_syntax);

  IkeSa fresh = successor_of(sa, cx, false);
  fresh.spi_i = *peer_spi;
  fresh.spi_r = IkeSpi{cx.rng.u64() | 1};
  fresh.suite = choice->suite;
  const Bytes our_nonce = cx.rng.bytes(kNonceSize);
  auto keys = derive_rekeyed(cx.crypto, state.keys, fresh.suite,
                             {.shared = exchanged->shared.reveal(),
                              .nonce_i = nonce.data,
                              .nonce_r = our_nonce,
                              .spi_i = fresh.spi_i,
                              .spi_r = fresh.spi_r});
  if (!keys) return notify(NotifyType::temporary_failure);
  fresh.state = Established{.keys = *std::move(keys), .peer = state.peer};

  wire::SaPayload answer;
  answer.proposals.push_back({.number = offer.proposals[choice->theirs].number,
                              .spi = to_wire(fresh.spi_r),
                              .proposal = model::proposal_of(fresh.suite, ProtocolId::ike)});
  sa.race.their_attempt = {.initiator = nonce.data, .responder = our_nonce};
  sa.their_fresh = fresh.id;
  cx.born.push_back(std::move(fresh));
  cx.shared.counters.add(sa.connection.name, Counter::ike_rekey_resp);
  return {std::move(answer), wire::NoncePayload{.data = our_nonce},
          wire::KePayload{.group = group, .data = std::move(exchanged->public_value)}};
}

}  // namespace cygnet::ike
