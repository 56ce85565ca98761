// What somebody without any key can do to an engine.              RFC 7296 §2.6, §2.21.1, §2.21.4
#include <gtest/gtest.h>

#include "ike/limits.hpp"
#include "pair.hpp"
#include "wire/message.hpp"

namespace cygnet::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void feed(Node& to, const ike::action::Send& sent, const Bytes& bytes) {
  ike::Actions out;
  to.engine.handle(ike::Datagram{.local = sent.remote, .remote = sent.local, .bytes = bytes},
                   to.now, out);
  to.carry_out(std::move(out));
}

/// a's first message, which b has not seen.
ike::action::Send first_message(Pair& pair) {
  pair.initiate();
  ike::action::Send out = std::move(pair.a.outbox.front());
  pair.a.outbox.clear();
  return out;
}

/// The same request with another nonce.
Bytes with_nonce(const Bytes& request, int number) {
  auto message = *wire::parse_message(request);
  for (wire::Payload& payload : message.payloads) {
    if (auto* nonce = std::get_if<wire::NoncePayload>(&payload)) {
      nonce->data = Bytes(32, static_cast<std::uint8_t>(number));
      nonce->data[0] = static_cast<std::uint8_t>(number >> 8);
    }
  }
  return wire::write_message(message.header, message.payloads);
}

void wait(Pair& pair, Duration time) {
  for (Duration passed{0}; passed < time; passed += milliseconds{100}) {
    pair.pass(milliseconds{100});
    pair.settle();
  }
}

Bytes error_answer(const Bytes& request, NotifyType type, Bytes data = {}) {
  wire::Header header = *wire::parse_header(request);
  header.response = true;
  header.initiator = false;
  return wire::write_message(header, {wire::NotifyPayload{.type = type, .data = std::move(data)}});
}

// One address, one SPI, a new nonce each time: no more than one IKE_SA, and one answer.
TEST(Stranger, SameSpiAgainAndAgain_HoldsOnePlace) {
  Pair pair;
  const ike::action::Send first = first_message(pair);
  for (int i = 0; i < 2000; ++i) feed(pair.b, first, with_nonce(first.bytes, i));
  EXPECT_EQ(pair.b.status().sas.size(), 1U);
  EXPECT_EQ(pair.b.status().half_open, 1U);
  EXPECT_EQ(pair.b.outbox.size(), 1U);
  wait(pair, seconds{61});
  EXPECT_EQ(pair.b.status().half_open, 0U);
  EXPECT_TRUE(pair.b.status().sas.empty());
}

// Who wants a connection up calls: whoever has only begun to call us may be anybody.
TEST(Stranger, HalfOpenIkeSa_IsNotUsedByInitiate) {
  Pair pair;
  const ike::action::Send first = first_message(pair);
  feed(pair.b, first, with_nonce(first.bytes, 1));
  pair.b.outbox.clear();
  pair.initiate_from(pair.b, "net");
  ASSERT_EQ(pair.b.outbox.size(), 1U);
  EXPECT_EQ(wire::parse_header(pair.b.outbox.front().bytes)->exchange, ExchangeType::ike_sa_init);
}

TEST(Stranger, HalfOpenIkeSa_DoesNotSwallowATrap) {
  Pair pair;
  const ike::action::Send first = first_message(pair);
  pair.b.command(ike::command::Route{.request = ike::RequestId{7},
                                     .connection = "home",
                                     .child = "net",
                                     .local = pair.b.address,
                                     .remote = pair.a.address});
  feed(pair.b, first, first.bytes);
  pair.b.plane(model::plane::Acquire{
      .trap = pair.b.status().routed.at(0).id,
      .packet = {.source = IpAddress::v4(0x0a010005), .destination = pair.a.address.address}});
  EXPECT_EQ(pair.b.events_of<ike::event::WantUp>().size(), 1U);
}

// RFC 7296 §2.1: the request was repeated before its answer came, so the answer comes twice.
TEST(Stranger, AnotherGroupAskedForTwice_StillEstablishes) {
  Pair pair({.initiator = [](model::Connection& c) {
    c.proposals = *model::parse_proposals("aes128gcm16-prfsha256-x25519-ecp256", ProtocolId::ike);
  }});
  pair.initiate();
  ASSERT_TRUE(pair.deliver_from(pair.a));
  pair.b.outbox.push_back(pair.b.outbox.front());
  pair.settle();
  EXPECT_EQ(pair.a.installed.size(), 1U) << pair.transcript();
  EXPECT_EQ(pair.a.events_of<ike::event::Failed>().size(), 0U);
}

TEST(Stranger, CookieAskedForManyTimes_StillEstablishes) {
  Pair pair({.config_b = {.cookie_threshold = 0}});
  pair.initiate();
  for (int i = 0; i < 6; ++i) feed(pair.b, pair.a.outbox.front(), pair.a.outbox.front().bytes);
  pair.settle();
  EXPECT_EQ(pair.a.installed.size(), 1U) << pair.transcript();
  EXPECT_EQ(pair.b.engine.counters().of(ike::Limit::cookie), 7U);
  EXPECT_EQ(pair.b.engine.counters().of(ike::Limit::half_open), 0U);
}

//= RFC7296#2.21.1 test
// An error that anybody could have sent is believed when nothing better comes.
TEST(Stranger, ForgedRefusal_DoesNotEndTheAttempt) {
  Pair pair;
  pair.initiate();
  const ike::action::Send sent = pair.a.outbox.front();
  const ike::action::Send answer{.local = sent.remote, .remote = sent.local, .bytes = {}};
  for (int i = 0; i < 5; ++i) {
    feed(pair.a, answer, error_answer(sent.bytes, NotifyType::no_proposal_chosen));
  }
  EXPECT_EQ(pair.a.events_of<ike::event::CommandDone>().size(), 0U);
  pair.settle();
  EXPECT_EQ(pair.a.installed.size(), 1U) << pair.transcript();
}

//= RFC7296#2.6 test "between 1 and 64 octets in length (inclusive)"
TEST(Stranger, CookieThatIsTooLong_IsIgnored) {
  for (const std::size_t beyond : {0U, 1U}) {
    Pair pair;
    pair.initiate();
    const ike::action::Send sent = pair.a.outbox.front();
    const ike::action::Send answer{.local = sent.remote, .remote = sent.local, .bytes = {}};
    feed(pair.a, answer,
         error_answer(sent.bytes, NotifyType::cookie, Bytes(ike::kCookieSizeMax + beyond, 7)));
    EXPECT_EQ(pair.a.outbox.size(), 2U - beyond);
  }
}

//= RFC7296#2.21.1 test
// kInitRestartsMax. More COOKIEs than any peer asks for do not end the attempt: what came of it in
// time counts, and if that is nothing they are the reason.
TEST(Stranger, ForgedCookies_DoNotEndTheAttempt) {
  for (const bool answered : {true, false}) {
    Pair pair;
    pair.initiate();
    const ike::action::Send sent = pair.a.outbox.front();
    const ike::action::Send answer{.local = sent.remote, .remote = sent.local, .bytes = {}};
    for (std::uint8_t i = 0; i < 20; ++i) {
      feed(pair.a, answer, error_answer(sent.bytes, NotifyType::cookie, Bytes(8, i)));
      feed(pair.a, answer, error_answer(sent.bytes, NotifyType::invalid_ke_payload, {0, 19}));
    }
    EXPECT_EQ(pair.a.outbox.size(), 1U + ike::kInitRestartsMax);
    EXPECT_EQ(pair.a.events_of<ike::event::CommandDone>().size(), 0U);
    // The newest request is the one that gets through, or none.
    pair.a.outbox.erase(pair.a.outbox.begin(), pair.a.outbox.end() - 1);
    pair.lose = [answered](const ike::action::Send&) { return !answered; };
    wait(pair, minutes{3});
    EXPECT_EQ(pair.a.installed.size(), answered ? 1U : 0U) << pair.transcript();
    EXPECT_EQ(pair.a.failures(ike::Reason::peer_refused), answered ? 0U : 1U);
  }
}

TEST(Stranger, GenuineRefusal_IsReportedSoon) {
  Pair pair({.responder = [](model::Connection& c) {
    c.proposals = *model::parse_proposals("aes256gcm16-prfsha384-ecp384", ProtocolId::ike);
  }});
  pair.initiate();
  pair.settle();
  wait(pair, seconds{3});
  EXPECT_EQ(pair.a.failures(ike::Reason::no_common_proposal), 1U);
  const auto done = pair.a.events_of<ike::event::CommandDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_FALSE(done[0].success);
}

// Refusals cost the one who refuses, and fill its log: they are few.
TEST(Stranger, Refusals_AreFew) {
  Pair pair({.responder = [](model::Connection& c) {
    c.proposals = *model::parse_proposals("aes256gcm16-prfsha384-ecp384", ProtocolId::ike);
  }});
  const ike::action::Send first = first_message(pair);
  for (int i = 0; i < 1000; ++i) feed(pair.b, first, with_nonce(first.bytes, i));
  EXPECT_EQ(pair.b.outbox.size(), 50U);
  EXPECT_EQ(pair.b.events_of<ike::event::Failed>().size(), 50U);
  pair.b.outbox.clear();
  pair.pass(pair.b, seconds{1});
  feed(pair.b, first, first.bytes);
  EXPECT_EQ(pair.b.outbox.size(), 1U) << "a second later there is room again";
}

}  // namespace
}  // namespace cygnet::test
