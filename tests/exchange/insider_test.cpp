// What an authenticated peer may say that is wrong.               RFC 7296 §2.21.3, threats.md B3
#include "insider.hpp"

#include <gtest/gtest.h>

#include "base/writer.hpp"
#include "ike/limits.hpp"

namespace cygnet::test {
namespace {

bool has(const std::vector<wire::Payload>& payloads, NotifyType type) {
  for (const wire::Payload& payload : payloads) {
    const auto* notify = std::get_if<wire::NotifyPayload>(&payload);
    if (notify != nullptr && notify->type == type) return true;
  }
  return false;
}

Pair::Options kept_up() {
  return {.responder = [](model::Connection& c) { c.children[0].keep_up = true; }};
}

void expect_ended_and_wanted(const Insider& insider) {
  EXPECT_TRUE(insider.pair.b.status().sas.empty());
  EXPECT_EQ(insider.pair.b.events_of<ike::event::Failed>().size(), 1U);
  EXPECT_EQ(insider.pair.b.events_of<ike::event::WantUp>().size(), 1U);
}

//= RFC7296#2.21.3 test "this error notification is considered fatal in both peers"
TEST(Insider, RequestThatDoesNotParse_EndsTheIkeSa) {
  Insider insider{kept_up()};
  const auto answer = insider.ask(ExchangeType::informational,
                                  wire::Chain{.first = PayloadType::del, .bytes = {1, 2, 3}});
  EXPECT_TRUE(has(answer, NotifyType::invalid_syntax));
  expect_ended_and_wanted(insider);
}

TEST(Insider, RequestThatLacksAPayload_EndsTheIkeSa) {
  Insider insider{kept_up()};
  const auto answer =
      insider.ask(ExchangeType::create_child_sa, {wire::NoncePayload{.data = Bytes(32, 1)}});
  EXPECT_TRUE(has(answer, NotifyType::invalid_syntax));
  expect_ended_and_wanted(insider);
}

TEST(Insider, InvalidSyntaxAsAnAnswer_EndsTheIkeSa) {
  Insider insider{kept_up()};
  insider.pair.b.rekey_child();
  insider.answer({wire::NotifyPayload{.type = NotifyType::invalid_syntax}});
  expect_ended_and_wanted(insider);
}

//= RFC7296#2.5 test "the message MUST be rejected" — but the IKE_SA lives on
TEST(Insider, UnknownCriticalPayload_IsAnsweredAndForgotten) {
  Insider insider;
  const auto answer = insider.ask(
      ExchangeType::informational,
      {wire::UnknownPayload{.type = static_cast<PayloadType>(200), .critical = true, .data = {1}}});
  EXPECT_TRUE(has(answer, NotifyType::unsupported_critical_payload));
  EXPECT_EQ(insider.pair.b.status().sas.size(), 1U);
}

// However fast it asks for new children and keys: beyond a limit it hears that we are busy.
TEST(Insider, RequestsWithoutEnd_AreAnsweredTemporaryFailure) {
  Insider insider;
  int busy = 0;
  for (int i = 0; i < 200; ++i) {
    const auto answer = insider.ask(
        ExchangeType::create_child_sa,
        {wire::SaPayload{.proposals = {{.number = 1,
                                        .spi = {0xc0, 0, 1, static_cast<std::uint8_t>(i)},
                                        .proposal = model::parse_proposals("aes128gcm16-x25519",
                                                                           ProtocolId::esp)
                                                        ->front()}}},
         wire::NoncePayload{.data = Bytes(32, 1)},
         wire::KePayload{.group = KeId::curve25519, .data = Bytes(32, 9)},
         wire::TsPayload{.initiator = true,
                         .selectors = {model::TrafficSelector::any(IpFamily::v4)}},
         wire::TsPayload{.initiator = false,
                         .selectors = {model::TrafficSelector::any(IpFamily::v4)}}});
    busy += has(answer, NotifyType::temporary_failure) ? 1 : 0;
  }
  EXPECT_EQ(busy, 200 - 65);
}

// kEarlyDeletesMax: a peer may delete a child before we have its answer that tells us of it.
TEST(Insider, DeletesOfChildrenWeWereNotToldOf_AreRememberedUpToALimit) {
  for (const std::size_t remembered : {ike::kEarlyDeletesMax - 1, ike::kEarlyDeletesMax}) {
    Insider insider{{.responder = [](model::Connection& c) {
      c.children.push_back(c.children[0]);
      c.children[1].name = "more";
    }}};
    Pair& pair = insider.pair;
    pair.initiate_from(pair.b, "more");
    const auto asked = pair.b.outbox;
    wire::DeletePayload deletes{.protocol = ProtocolId::esp};
    for (std::uint32_t i = 0; i <= ike::kEarlyDeletesMax; ++i) {
      deletes.spis.push_back(EspSpi{0xc0000100 + i});
    }
    const EspSpi spi = deletes.spis[remembered];
    insider.ask(ExchangeType::informational, {std::move(deletes)});
    pair.b.outbox = asked;
    const model::Suite suite{
        .encr = EncrId::aes_gcm_16, .key_bits = 128, .ke = KeId::curve25519, .esn = EsnId::none};
    insider.answer(
        {wire::SaPayload{.proposals = {{.number = 1,
                                        .spi = to_wire(spi),
                                        .proposal = model::proposal_of(suite, ProtocolId::esp)}}},
         wire::NoncePayload{.data = Bytes(32, 1)},
         wire::KePayload{.group = KeId::curve25519, .data = Bytes(32, 9)},
         wire::TsPayload{.initiator = true,
                         .selectors = {model::TrafficSelector::any(IpFamily::v4)}},
         wire::TsPayload{.initiator = false,
                         .selectors = {model::TrafficSelector::any(IpFamily::v4)}}});
    EXPECT_EQ(pair.b.installed.size(), remembered < ike::kEarlyDeletesMax ? 1U : 2U);
  }
}

}  // namespace
}  // namespace cygnet::test
