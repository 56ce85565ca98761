// The proof that a peer is where it says.                         RFC 4555 §3.7
#include "ike/exchange/mobike.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "toys/rng.hpp"

namespace cygnet::test {
namespace {

const Endpoint kHere{IpAddress::v4(0xc0000201), 4500};
const Endpoint kThere{IpAddress::v4(0xc0000202), 4500};
const Endpoint kElsewhere{IpAddress::v4(0xcb007109), 4500};

struct Bench {
  ike::Shared shared;
  SeededRng rng{1};
  ike::Actions out;
  std::vector<ike::IkeSa> born;
  std::vector<ike::SaId> attention;
  ike::Context cx{.shared = shared,
                  .config = shared.config,
                  .crypto = crypto::openssl(),
                  .rng = rng,
                  .now = Instant{std::chrono::hours{1}},
                  .out = out,
                  .born = born,
                  .attention = attention};
  ike::IkeSa sa{.id = ike::SaId{1},
                .local = kHere,
                .remote = kThere,
                .children_at = ike::Ends{kHere, kThere}};

  Bench() {
    sa.state = ike::AwaitAuthRequest{};  // any that is not closed
    sa.children.add({.id = model::ChildId{7}});
  }
  bool is_told(std::string_view what) const {
    for (const ike::Action& action : out) {
      const auto* event = std::get_if<ike::Event>(&action);
      const auto* failed = event == nullptr ? nullptr : std::get_if<ike::event::Failed>(event);
      if (failed != nullptr && failed->record.theirs.contains(what)) return true;
    }
    return false;
  }
  std::size_t relocated() const {
    return static_cast<std::size_t>(std::ranges::count_if(out, [](const ike::Action& action) {
      return std::holds_alternative<ike::action::Relocate>(action);
    }));
  }
};

std::vector<wire::Payload> answer(Bytes cookie) {
  return {wire::NotifyPayload{.type = NotifyType::cookie2, .data = std::move(cookie)}};
}

TEST(CheckPath, CookieComesBack_PacketsFollow) {
  Bench b;
  ike::CheckPath check;
  ASSERT_TRUE(check.build(b.sa, b.cx));
  EXPECT_TRUE(
      std::holds_alternative<ike::Done>(check.on_response(b.sa, answer(check.cookie), b.cx)));
  EXPECT_FALSE(b.sa.is_closed());
  EXPECT_EQ(b.relocated(), 1U);
}

//= RFC4555#3.7 test "If the values do not match, the IKE_SA MUST be closed."
TEST(CheckPath, AnotherCookie_EndsTheIkeSa) {
  for (const bool none : {true, false}) {
    Bench b;
    ike::CheckPath check;
    ASSERT_TRUE(check.build(b.sa, b.cx));
    Bytes other = check.cookie;
    other.back() ^= 1;
    static_cast<void>(check.on_response(
        b.sa, none ? std::vector<wire::Payload>{} : answer(std::move(other)), b.cx));
    EXPECT_TRUE(b.sa.is_closed());
    EXPECT_TRUE(b.is_told("COOKIE2"));
    EXPECT_EQ(b.relocated(), 0U);
  }
}

TEST(CheckPath, MovedMeanwhile_AsksAgainWithAnotherCookie) {
  Bench b;
  ike::CheckPath check;
  ASSERT_TRUE(check.build(b.sa, b.cx));
  const Bytes first = check.cookie;
  b.sa.remote = kElsewhere;
  EXPECT_TRUE(std::holds_alternative<ike::Again>(check.on_response(b.sa, answer(first), b.cx)));
  EXPECT_EQ(b.relocated(), 0U);
  ASSERT_TRUE(check.build(b.sa, b.cx));
  EXPECT_NE(check.cookie, first);
}

}  // namespace
}  // namespace cygnet::test
