#include "ike/exchange/create_child.hpp"

#include <algorithm>

#include "base/writer.hpp"
#include "ike/exchange/delete.hpp"
#include "ike/limits.hpp"
#include "ike/peer_refusal.hpp"

namespace cygnet::ike {
namespace {

ChildAnswer refuse(IkeSa& sa, Context& cx, FailureRecord record, NotifyType type, Bytes data = {}) {
  record.phase = "CREATE_CHILD_SA";
  report(sa, cx, std::move(record));
  return {.payloads = {wire::NotifyPayload{.type = type, .data = std::move(data)}}};
}

}  // namespace

Result<void> prepare(KeyOffer& keys, KeId group, Context& cx) {
  if (keys.nonce.empty()) keys.nonce = cx.rng.bytes(kNonceSize);
  if (keys.group == KeId::none) keys.group = group;
  if (keys.group == KeId::none || keys.exchange) return {};
  CYG_TRY(keys.exchange, cx.crypto.begin(keys.group, nullptr));
  return {};
}

void add_key_offer(const KeyOffer& keys, std::vector<wire::Payload>& out) {
  out.push_back(wire::NoncePayload{.data = keys.nonce});
  if (keys.exchange) {
    out.push_back(
        wire::KePayload{.group = keys.group, .data = to_bytes(keys.exchange->public_value())});
  }
}

Result<Secret> finish(KeyOffer& keys, const std::vector<wire::Payload>& reply, KeId agreed) {
  if (agreed == KeId::none) return Secret{};
  const auto* ke = first_of<wire::KePayload>(reply);
  if (ke == nullptr || ke->group != agreed || agreed != keys.group || !keys.exchange) {
    return cygnet::fail("key exchange", "the answer's KE payload does not fit its proposal");
  }
  return keys.exchange->finish(ke->data);
}

Step on_refused(IkeSa& sa, KeyOffer& keys, const wire::NotifyPayload& reason,
                const model::ChildTemplate* child, Context& cx) {
  if (reason.type == NotifyType::temporary_failure) {
    //= RFC7296#2.25 "If a peer continues to receive TEMPORARY_FAILURE on the same IKE SA after
    //=               several minutes, it SHOULD conclude that the state information is out of sync
    //=               and close the IKE SA."
    const Instant since = keys.busy_since.value_or(cx.now);
    if (cx.now - since > kBusyMax) {
      end_and_want_again(sa, cx, "the peer has been too busy for minutes");
      return Done{};
    }
    // The peer is busy with this SA; both sides jitter so that they part.
    keys = KeyOffer{.nonce = {}, .busy_since = since};
    return RetryAt{cx.now + kBusyRetry +
                   Duration{static_cast<std::int64_t>(
                       cx.rng.below(static_cast<std::uint64_t>(kBusyRetry.count())))}};
  }
  const auto group = from_wire<KeId>(reason.data);
  if (reason.type == NotifyType::invalid_ke_payload && group && keys.restarts < kInitRestartsMax) {
    const KeId wanted = *group;
    const auto& ours = child == nullptr ? sa.connection.proposals : child->esp_proposals;
    const bool offered = std::ranges::any_of(
        ours, [wanted](const model::Proposal& proposal) { return proposal.offers(wanted); });
    if (offered) {
      keys = KeyOffer{.group = wanted, .restarts = keys.restarts + 1};
      return Again{};
    }
  }
  FailureRecord record = peer_refusal(sa, reason.type, child);
  record.phase = "CREATE_CHILD_SA";
  report(sa, cx, std::move(record));
  return Done{};
}

std::optional<Request> CreateChild::build(IkeSa& sa, Context& cx) {
  // Somebody else, here or there, has made it while this task waited.
  const bool there = std::ranges::any_of(sa.children.all(), [this](const Child& child) {
    return child.wanted.name == wanted.name && child.is_current() &&
           (!trigger || carries(child.local_ts, child.remote_ts, *trigger));
  });
  if (there) {
    if (spi_in) cx.shared.spis.give_back(*std::exchange(spi_in, std::nullopt));
    cx.done(std::exchange(request, RequestId{}), true);
    return std::nullopt;
  }
  if (sa.children.full()) {
    abandon(cx, "too many Child SAs");
    return std::nullopt;
  }
  if (wanted.mode == model::ChildMode::transport && !cx.config.transport_mode) {
    abandon(cx, "transport mode is not available on this data plane; set mode = tunnel");
    return std::nullopt;
  }
  if (!spi_in) spi_in = cx.shared.spis.take(cx.rng);
  const auto ready = prepare(keys, first_group(wanted), cx);
  if (!spi_in || !ready) {
    abandon(cx, ready ? "no free SPI" : ready.error().text());
    return std::nullopt;
  }
  std::vector<wire::Payload> payloads =
      offer_child(sa, cx.config, wanted, *spi_in, {.trigger = trigger});
  std::vector<wire::Payload> offer{std::move(payloads[0])};
  add_key_offer(keys, offer);
  for (std::size_t i = 1; i < payloads.size(); ++i) offer.push_back(std::move(payloads[i]));
  return Request{.exchange = ExchangeType::create_child_sa, .payloads = std::move(offer)};
}

Step CreateChild::on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx) {
  if (const auto* error = find_error(reply)) {
    const bool ended = is_ending(sa);
    const Step step = on_refused(sa, keys, *error, &wanted, cx);
    if (!std::holds_alternative<Done>(step)) return step;
    // Given up for this answer, and no command hears of it.
    const bool lost = !ended && is_ending(sa) && request == RequestId{};
    if (lost) want_again(sa, cx, {wanted}, "the peer has been too busy for minutes");
    abandon(cx, to_string(error->type));
    return step;
  }
  const auto* nonce = first_of<wire::NoncePayload>(reply);
  auto agreed = take_answer(sa, cx.config, wanted, reply, false);
  if (agreed && is_useless(sa, *agreed)) {
    agreed = std::unexpected(
        Refusal{.record = {.phase = "CREATE_CHILD_SA",
                           .reason = Reason::no_common_selectors,
                           .field = "remote_ts",
                           .ours = trigger->destination.text(),
                           .theirs = text_of(agreed->remote_ts),
                           .advice = "the peer does not let us there; ask for less in remote_ts"}});
  }
  auto* state = std::get_if<Established>(&sa.state);
  if (!agreed || nonce == nullptr || state == nullptr) {
    if (!agreed) report(sa, cx, std::move(agreed.error().record));
    delete_orphan(sa, cx, spi_in);
    abandon(cx, "the peer's answer does not fit");
    return Done{};
  }
  auto shared = finish(keys, reply, agreed->suite.ke);
  auto child_keys = shared ? derive_child(cx.crypto, state->keys, agreed->suite, shared->reveal(),
                                          keys.nonce, nonce->data)
                           : std::unexpected(shared.error());
  if (!child_keys) {
    delete_orphan(sa, cx, spi_in);
    abandon(cx, child_keys.error().text());
    return Done{};
  }
  if (std::ranges::find(sa.early_deletes, agreed->spi_out) != sa.early_deletes.end()) {
    abandon(cx, "the peer deleted the Child SA at once");
    return Done{};
  }
  const Child& child =
      install_child(sa, cx, *agreed, *child_keys,
                    {.spi_in = *spi_in,
                     .we_started = true,
                     .attempt = {.initiator = keys.nonce, .responder = nonce->data}});
  announce_child(sa, cx, child.id);
  spi_in.reset();
  drop_duplicate(sa, cx, child.id);
  cx.done(std::exchange(request, RequestId{}), true);
  return Done{};
}

/// A further child of its template, asked for by a packet that it would not carry.
bool CreateChild::is_useless(const IkeSa& sa, const Agreement& agreed) const {
  if (!trigger || carries(agreed.local_ts, agreed.remote_ts, *trigger)) return false;
  return std::ranges::any_of(sa.children.all(), [this](const Child& child) {
    return child.wanted.name == wanted.name && child.is_current();
  });
}

void CreateChild::abandon(Context& cx, const std::string& why) {
  if (spi_in) cx.shared.spis.give_back(*spi_in);
  spi_in.reset();
  cx.done(std::exchange(request, RequestId{}), false, why);
}

void drop_duplicate(IkeSa& sa, Context& cx, model::ChildId fresh) {
  const Child* made = sa.children.find(fresh);
  if (made == nullptr) return;
  const auto twin = std::ranges::find_if(sa.children.all(), [&](const Child& other) {
    return other.id != made->id && other.is_current() && other.we_made != made->we_made &&
           other.wanted.name == made->wanted.name && other.local_ts == made->local_ts &&
           other.remote_ts == made->remote_ts;
  });
  if (twin == sa.children.all().end()) return;
  Child& ours = made->we_made ? *sa.children.find(fresh) : *twin;
  const Child& theirs = made->we_made ? *twin : *made;
  if (judge(ours.attempt, theirs.attempt, sa.initiator) != RaceVerdict::theirs_survives) return;
  ours.redundant = true;
  enqueue(sa, cx, DeleteChildren{.children = {ours.id}, .why = "both ends made it at once"});
}

ChildAnswer answer_create_child(IkeSa& sa, Established& state,
                                const std::vector<wire::Payload>& request,
                                std::optional<model::ChildId> rekeyed, Context& cx) {
  if (sa.children.full()) {
    return refuse(sa, cx, {.reason = Reason::limit, .ours = "Child SAs of one IKE_SA"},
                  NotifyType::no_additional_sas);
  }
  const Child* old = rekeyed ? sa.children.find(*rekeyed) : nullptr;
  auto agreed = answer_offer(sa, cx.config, request, {.rekeyed = old});
  if (!agreed) return refuse(sa, cx, std::move(agreed.error().record), agreed.error().notify);

  const auto* ke = first_of<wire::KePayload>(request);
  const auto& nonce = *first_of<wire::NoncePayload>(request);
  const KeId group = agreed->suite.ke;
  Secret shared;
  std::optional<wire::KePayload> ke_answer;
  if (group != KeId::none) {
    // Another group than the proposal we take: name the one we want (RFC 7296 §1.3).
    if (ke == nullptr || ke->group != group) {
      return {.payloads = {wire::NotifyPayload{.type = NotifyType::invalid_ke_payload,
                                               .data = to_wire(group)}}};
    }
    auto exchanged = cx.crypto.respond(group, ke->data, nullptr);
    if (!exchanged) {
      return refuse(sa, cx, {.reason = Reason::malformed, .theirs = exchanged.error().text()},
                    NotifyType::invalid_syntax);
    }
    shared = std::move(exchanged->shared);
    ke_answer = wire::KePayload{.group = group, .data = std::move(exchanged->public_value)};
  }
  const Bytes our_nonce = cx.rng.bytes(kNonceSize);
  auto keys =
      derive_child(cx.crypto, state.keys, agreed->suite, shared.reveal(), nonce.data, our_nonce);
  const auto spi_in = cx.shared.spis.take(cx.rng);
  if (!keys || !spi_in) {
    if (spi_in) cx.shared.spis.give_back(*spi_in);
    return refuse(sa, cx, {.reason = spi_in ? Reason::internal : Reason::limit},
                  NotifyType::no_additional_sas);
  }
  ChildAnswer out{.payloads = answer_child(*agreed, *spi_in),
                  .attempt = {.initiator = nonce.data, .responder = our_nonce}};
  std::vector<wire::Payload> keyed{wire::NoncePayload{.data = our_nonce}};
  if (ke_answer) keyed.push_back(*std::move(ke_answer));
  out.payloads.insert(out.payloads.begin() + 1, std::make_move_iterator(keyed.begin()),
                      std::make_move_iterator(keyed.end()));
  // The peer may not have this one before it has our answer, and another that carries meanwhile.
  Child& made = install_child(sa, cx, *agreed, *keys,
                              {.spi_in = *spi_in,
                               .hold_outbound = old != nullptr || sa.reauthenticates,
                               .replaces = rekeyed,
                               .attempt = out.attempt});
  if (old == nullptr && sa.reauthenticates) made.activate_at = cx.now + kHoldOutboundMax;
  out.made = made.id;
  if (!rekeyed) drop_duplicate(sa, cx, *out.made);
  return out;
}

}  // namespace cygnet::ike
