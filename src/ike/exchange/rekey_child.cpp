#include "ike/exchange/rekey_child.hpp"

#include <algorithm>

#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

Bytes spi_bytes(EspSpi spi) {
  Bytes out(4);
  for (std::size_t i = 0; i < 4; ++i) {
    out[i] = static_cast<std::uint8_t>(spi.value() >> (24 - 8 * i));
  }
  return out;
}

std::optional<EspSpi> spi_of(const wire::NotifyPayload& notify) {
  if (notify.protocol != ProtocolId::esp || notify.spi.size() != 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const std::uint8_t byte : notify.spi) value = (value << 8) | byte;
  return EspSpi{value};
}

/// PFS as before: the old SA's group if it had one, else the template's first.
KeId rekey_group(const Child& old) {
  return old.suite.ke != KeId::none ? old.suite.ke : first_group(old.wanted);
}

void retry_before_expiry(Child& child, Context& cx) {
  child.rekeying = false;
  child.rekey_at = cx.now + 6 * kBusyRetry;
}

}  // namespace

void succeed(IkeSa& sa, Context& cx, model::ChildId old, model::ChildId fresh) {
  Child* child = sa.children.find(old);
  if (child == nullptr) return;
  child->successor = fresh;
  child->rekey_at.reset();
  cx.emit(event::ChildRekeyed{.sa = sa.id,
                              .old = old,
                              .fresh = fresh,
                              .connection = sa.connection.name,
                              .name = child->wanted.name});
}

std::optional<Request> RekeyChild::build(IkeSa& sa, Context& cx) {
  Child* child = sa.children.find(old);
  if (child == nullptr || child->deleting || child->successor) {
    abandon(cx, "the Child SA is gone or already replaced");
    return std::nullopt;
  }
  child->rekeying = true;
  if (!spi_in) spi_in = cx.shared.spis.take(cx.rng);
  const auto ready = prepare(keys, rekey_group(*child), cx);
  if (!spi_in || !ready) {
    retry_before_expiry(*child, cx);
    abandon(cx, ready ? "no free SPI" : ready.error().text());
    return std::nullopt;
  }
  std::vector<wire::Payload> offer = offer_child(sa, cx.config, child->wanted, *spi_in, {});
  std::vector<wire::Payload> payloads{wire::NotifyPayload{
      .protocol = ProtocolId::esp, .spi = spi_bytes(child->spi_in), .type = NotifyType::rekey_sa}};
  payloads.push_back(std::move(offer[0]));
  add_key_offer(keys, payloads);
  for (std::size_t i = 1; i < offer.size(); ++i) payloads.push_back(std::move(offer[i]));
  return Request{.exchange = ExchangeType::create_child_sa, .payloads = std::move(payloads)};
}

Step RekeyChild::on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx) {
  Child* child = sa.children.find(old);
  if (const auto* error = find_error(reply)) {
    if (child == nullptr) {
      abandon(cx, "the Child SA is gone");
      return Done{};
    }
    if (error->type == NotifyType::child_sa_not_found) {
      // RFC 7296 §2.25: the peer has lost it; the tunnel itself is still wanted.
      const model::ChildTemplate wanted = child->wanted;
      drop_child(sa, cx, old, "the peer no longer has it");
      abandon(cx, "the peer no longer had it; made anew");
      enqueue(sa, cx, CreateChild{.wanted = wanted});
      return Done{};
    }
    const Step step = on_refused(sa, keys, *error, &child->wanted, cx);
    if (std::holds_alternative<Done>(step)) {
      retry_before_expiry(*child, cx);
      abandon(cx, to_string(error->type));
    }
    return step;
  }
  const auto* nonce = first_of<wire::NoncePayload>(reply);
  auto* state = std::get_if<Established>(&sa.state);
  if (child == nullptr || nonce == nullptr || state == nullptr) {
    abandon(cx, "the Child SA is gone");
    return Done{};
  }
  const model::ChildTemplate wanted = child->wanted;
  auto agreed = take_answer(sa, cx.config, wanted, reply, false);
  auto shared = agreed ? finish(keys, reply, agreed->suite.ke)
                       : Result<Secret>{cygnet::fail("rekey", agreed.error().record.line())};
  auto child_keys = shared ? derive_child(cx.crypto, state->keys, agreed->suite, shared->reveal(),
                                          keys.nonce, nonce->data)
                           : std::unexpected(shared.error());
  if (!child_keys) {
    retry_before_expiry(*child, cx);
    abandon(cx, child_keys.error().text());
    return Done{};
  }
  child->our_attempt = Attempt{.initiator = keys.nonce, .responder = nonce->data};
  const std::optional<Attempt> theirs = child->their_attempt;
  const std::optional<model::ChildId> their_fresh = child->their_fresh;
  const std::optional<Attempt> ours = child->our_attempt;
  const model::ChildId fresh =
      install_child(sa, cx, *agreed, *child_keys,
                    {.spi_in = *spi_in, .we_started = true, .replaces = old})
          .id;
  spi_in.reset();
  if (Child* replaced = sa.children.find(old)) replaced->our_fresh = fresh;
  switch (judge(ours, theirs, sa.initiator)) {
    case RaceVerdict::no_race:
    case RaceVerdict::ours_survives:
      succeed(sa, cx, old, fresh);
      // Whoever rekeyed deletes the old SA (RFC 7296 §2.8).
      enqueue(sa, cx, DeleteChildren{.children = {old}, .why = "rekeyed"});
      break;
    case RaceVerdict::theirs_survives:
      // Our SA lost; the peer deletes the old one and sends on its own.
      if (Child* winner = their_fresh ? sa.children.find(*their_fresh) : nullptr) {
        activate_child(sa, cx, *winner);
        succeed(sa, cx, old, *their_fresh);
        if (Child* loser = sa.children.find(fresh)) loser->successor = *their_fresh;
      }
      enqueue(sa, cx, DeleteChildren{.children = {fresh}, .why = "redundant after a rekey race"});
      break;
  }
  cx.done(std::exchange(request, RequestId{}), true);
  return Done{};
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
    return {wire::NotifyPayload{
        .protocol = rekey.protocol, .spi = rekey.spi, .type = NotifyType::child_sa_not_found}};
  }
  if (old->deleting || old->successor || old->their_fresh) {
    return {wire::NotifyPayload{.type = NotifyType::temporary_failure}};
  }
  const model::ChildId old_id = old->id;
  ChildAnswer answer = answer_create_child(sa, state, request, old_id, cx);
  if (!answer.made) return std::move(answer.payloads);
  old = sa.children.find(old_id);
  old->their_attempt =
      Attempt{.initiator = first_of<wire::NoncePayload>(request)->data, .responder = answer.nonce};
  old->their_fresh = answer.made;
  // While our own rekey of it is under way the verdict comes with the peer's answer.
  const bool race = sa.active && std::holds_alternative<RekeyChild>(*sa.active) &&
                    std::get<RekeyChild>(*sa.active).old == old_id;
  if (!race) succeed(sa, cx, old_id, *answer.made);
  return std::move(answer.payloads);
}

}  // namespace cygnet::ike
