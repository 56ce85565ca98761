#include "ike/exchange/rekey_child.hpp"

#include <algorithm>

#include "base/writer.hpp"
#include "ike/exchange/delete.hpp"
#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

std::optional<EspSpi> spi_of(const wire::NotifyPayload& notify) {
  if (notify.protocol != ProtocolId::esp) return std::nullopt;
  return from_wire<EspSpi>(notify.spi);
}

/// PFS as before: the old SA's group if it had one, else the template's first.
KeId rekey_group(const Child& old) {
  return old.suite.ke != KeId::none ? old.suite.ke : first_group(old.wanted);
}

void retry_before_expiry(Child& child, Context& cx) {
  child.rekeying = false;
  child.race.ours = OurRekey::none;
  child.rekey_at = cx.now + 6 * kBusyRetry;
}

/// Draws the conclusion from what is known about the old child's race, once it can be drawn.
void settle_race(IkeSa& sa, Context& cx, model::ChildId old) {
  const Child* child = sa.children.find(old);
  if (child == nullptr || child->successor) return;
  switch (conclude(child->race, sa.initiator)) {
    case Survivor::undecided:
    case Survivor::none:
      return;
    case Survivor::ours: {
      if (Child* loser = child->their_fresh ? sa.children.find(*child->their_fresh) : nullptr) {
        loser->redundant = true;  // its creator, the peer, deletes it
      }
      succeed(sa, cx, old, *child->our_fresh);
      // Whoever made the survivor deletes the old one (RFC 7296 §2.8).
      return enqueue(sa, cx, DeleteChildren{.children = {old}, .why = "rekeyed"});
    }
    case Survivor::theirs:
      // We send on it when the peer does, or when the peer deletes the old one (RFC 7296 §2.8).
      return succeed(sa, cx, old, *child->their_fresh);
  }
}

}  // namespace

void succeed(IkeSa& sa, Context& cx, model::ChildId old, model::ChildId fresh) {
  Child* child = sa.children.find(old);
  if (child == nullptr) return;
  child->successor = fresh;
  child->rekey_at.reset();
  cx.shared.counters.add(sa.connection.name, Counter::child_rekey);
  cx.emit(event::ChildRekeyed{.sa = sa.id,
                              .old = old,
                              .fresh = fresh,
                              .connection = sa.connection.name,
                              .name = child->wanted.name,
                              .status = snapshot(sa, {old, fresh})});
}

std::optional<Request> RekeyChild::build(IkeSa& sa, Context& cx) {
  Child* child = sa.children.find(old);
  if (child == nullptr || !child->is_current()) {
    abandon(cx, "the Child SA is gone or already replaced");
    return std::nullopt;
  }
  child->rekeying = true;
  wanted = child->wanted;
  if (!spi_in) spi_in = cx.shared.spis.take(cx.rng);
  const auto ready = prepare(keys, rekey_group(*child), cx);
  if (!spi_in || !ready) {
    retry_before_expiry(*child, cx);
    abandon(cx, ready ? "no free SPI" : ready.error().text());
    return std::nullopt;
  }
  child->race.ours = OurRekey::under_way;
  std::vector<wire::Payload> offer = offer_child(sa, cx.config, wanted, *spi_in, {});
  std::vector<wire::Payload> payloads{wire::NotifyPayload{
      .protocol = ProtocolId::esp, .spi = to_wire(child->spi_in), .type = NotifyType::rekey_sa}};
  payloads.push_back(std::move(offer[0]));
  add_key_offer(keys, payloads);
  for (std::size_t i = 1; i < offer.size(); ++i) payloads.push_back(std::move(offer[i]));
  return Request{.exchange = ExchangeType::create_child_sa, .payloads = std::move(payloads)};
}

Step RekeyChild::on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx) {
  if (const auto* error = find_error(reply)) return on_error(sa, *error, cx);
  const auto* nonce = first_of<wire::NoncePayload>(reply);
  auto* state = std::get_if<Established>(&sa.state);
  auto agreed = take_answer(sa, cx.config, wanted, reply, false);
  auto shared = agreed && nonce != nullptr && state != nullptr
                    ? finish(keys, reply, agreed->suite.ke)
                    : Result<Secret>{cygnet::fail("rekey", "the peer's answer does not fit")};
  auto child_keys = shared ? derive_child(cx.crypto, state->keys, agreed->suite, shared->reveal(),
                                          keys.nonce, nonce->data)
                           : std::unexpected(shared.error());
  Child* child = sa.children.find(old);
  if (!child_keys) {
    if (!agreed) report(sa, cx, std::move(agreed.error().record));
    if (child != nullptr) retry_before_expiry(*child, cx);
    delete_orphan(sa, cx, spi_in);
    abandon(cx, child_keys.error().text());
    return Done{};
  }
  if (std::ranges::find(sa.early_deletes, agreed->spi_out) != sa.early_deletes.end()) {
    // The peer had its new child replaced the old one, and deleted it again: it wants neither.
    abandon(cx, "the peer deleted the new Child SA at once");
    if (child != nullptr) {
      enqueue(sa, cx, DeleteChildren{.children = {old}, .why = "deleted by the peer"});
    }
    return Done{};
  }
  const Attempt attempt{.initiator = keys.nonce, .responder = nonce->data};
  RekeyFacts facts = child != nullptr ? child->race : RekeyFacts{};
  facts.ours = OurRekey::made;
  facts.our_attempt = attempt;
  const bool lost =
      child != nullptr ? conclude(facts, sa.initiator) == Survivor::theirs : superseded;
  Child& fresh = install_child(sa, cx, *agreed, *child_keys,
                               {.spi_in = *spi_in,
                                .we_started = true,
                                .hold_outbound = lost,
                                .replaces = child != nullptr ? std::optional{old} : std::nullopt,
                                .attempt = attempt});
  fresh.redundant = lost;
  const model::ChildId fresh_id = fresh.id;
  spi_in.reset();
  child = sa.children.find(old);
  if (child != nullptr) {
    child->race = std::move(facts);
    child->our_fresh = fresh_id;
    child->rekeying = false;
    settle_race(sa, cx, old);
  }
  if (lost) {
    enqueue(sa, cx, DeleteChildren{.children = {fresh_id}, .why = "redundant after a rekey race"});
  } else if (child == nullptr) {
    // The peer gave the old one up after its answer, which was late: this one is what there is.
    announce_child(sa, cx, fresh_id);
  }
  cx.done(std::exchange(request, RequestId{}), true);
  return Done{};
}

Step RekeyChild::on_error(IkeSa& sa, const wire::NotifyPayload& error, Context& cx) {
  Child* child = sa.children.find(old);
  if (child == nullptr) {
    abandon(cx, "the Child SA is gone");
    return Done{};
  }
  child->race.ours = OurRekey::failed;
  if (conclude(child->race, sa.initiator) == Survivor::theirs) {
    settle_race(sa, cx, old);
    child->rekeying = false;
    if (spi_in) cx.shared.spis.give_back(*std::exchange(spi_in, std::nullopt));
    cx.done(std::exchange(request, RequestId{}), true);  // the peer has rekeyed it for us
    return Done{};
  }
  if (error.type == NotifyType::child_sa_not_found) {
    // RFC 7296 §2.25: the peer has lost it; the tunnel itself is still wanted.
    drop_child(sa, cx, old, "the peer no longer has it");
    abandon(cx, "the peer no longer had it; made anew");
    enqueue(sa, cx, CreateChild{.wanted = wanted});
    return Done{};
  }
  const Step step = on_refused(sa, keys, error, &wanted, cx);
  if (std::holds_alternative<Done>(step)) {
    retry_before_expiry(*child, cx);
    abandon(cx, to_string(error.type));
  }
  return step;
}

void RekeyChild::abandon(Context& cx, const std::string& why) {
  if (spi_in) cx.shared.spis.give_back(*spi_in);
  spi_in.reset();
  cx.done(std::exchange(request, RequestId{}), false, why);
}

std::vector<wire::Payload> answer_rekey_child(IkeSa& sa, Established& state,
                                              const std::vector<wire::Payload>& request,
                                              const wire::NotifyPayload& rekey, Context& cx) {
  const auto spi = spi_of(rekey);
  // The SPI is the one the sender of the request would expect in packets to it: our outbound.
  Child* old = spi ? sa.children.find_by_spi_out(*spi) : nullptr;
  if (old == nullptr) {
    // A child that a request of ours has made there is not known here before its answer comes.
    const bool coming = sa.active && (std::holds_alternative<CreateChild>(*sa.active) ||
                                      std::holds_alternative<RekeyChild>(*sa.active));
    if (coming) return {wire::NotifyPayload{.type = NotifyType::temporary_failure}};
    return {wire::NotifyPayload{
        .protocol = rekey.protocol, .spi = rekey.spi, .type = NotifyType::child_sa_not_found}};
  }
  if (old->successor || old->redundant ||
      reply_to_rekey(old->race) == RekeyReply::temporary_failure) {
    return {wire::NotifyPayload{.type = NotifyType::temporary_failure}};
  }
  const model::ChildId old_id = old->id;
  ChildAnswer answer = answer_create_child(sa, state, request, old_id, cx);
  if (!answer.made) return std::move(answer.payloads);
  old = sa.children.find(old_id);
  old->race.their_attempt = std::move(answer.attempt);
  old->their_fresh = answer.made;
  // While our own rekey of it is under way the verdict comes with the peer's answer.
  settle_race(sa, cx, old_id);
  return std::move(answer.payloads);
}

}  // namespace cygnet::ike
