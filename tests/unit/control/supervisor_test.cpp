// When a child is tried, and when again.
#include "control/supervisor.hpp"

#include <gtest/gtest.h>

#include "toys/rng.hpp"

namespace cygnet::control {
namespace {

using std::chrono::seconds;
const ChildKey kNet{"home", "net"};
Instant at(int s) { return {seconds{s}}; }

TEST(Supervisor, WantedChild_IsDueAtOnceAndOnlyOnce) {
  Supervisor one;
  one.want(kNet, at(5), 0);
  EXPECT_EQ(one.deadline(), at(5));
  EXPECT_EQ(one.take_due(at(5)), std::vector<ChildKey>{kNet});
  EXPECT_TRUE(one.take_due(at(500)).empty());
  EXPECT_FALSE(one.deadline().has_value());
  EXPECT_EQ(one.attempts(kNet), 1u);
}

// Pauses double up to five minutes; randomness only shortens them, by a quarter at most.
TEST(Supervisor, Failures_MakeThePausesLonger) {
  test::SeededRng rng{1};
  Supervisor one;
  one.want(kNet, at(0), 0);
  Instant now = at(0);
  Duration nominal = kRetryMin;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(one.take_due(now).size(), 1u);
    const auto pause = one.failed(kNet, now, rng);
    ASSERT_TRUE(pause.has_value());
    EXPECT_LE(*pause, nominal);
    EXPECT_GE(*pause, nominal * 3 / 4);
    now = now + *pause;
    EXPECT_EQ(one.deadline(), now);
    nominal = std::min<Duration>(nominal * 2, kRetryMax);
  }
}

TEST(Supervisor, Limit_EndsTheTries) {
  test::SeededRng rng{1};
  Supervisor one;
  one.want(kNet, at(0), 2);
  ASSERT_EQ(one.take_due(at(0)).size(), 1u);
  ASSERT_TRUE(one.failed(kNet, at(0), rng).has_value());
  ASSERT_EQ(one.take_due(at(100)).size(), 1u);
  EXPECT_FALSE(one.failed(kNet, at(100), rng).has_value());
  EXPECT_FALSE(one.deadline().has_value());
  EXPECT_TRUE(one.take_due(at(1000)).empty());
}

// Up and lost again and again within seconds: pauses grow as after failures.
TEST(Supervisor, SuccessThatDoesNotLast_CountsAsAFailure) {
  Supervisor one;
  Instant now = at(0);
  one.want(kNet, now, 0);
  Duration pause{0};
  for (const int expected : {0, 2, 4, 8, 16}) {
    ASSERT_EQ(one.take_due(now + pause).size(), 1u) << expected;
    now = now + pause;
    one.succeeded(kNet, now);
    EXPECT_FALSE(one.deadline().has_value());
    one.want(kNet, now, 0);
    pause = *one.deadline() - now;
    EXPECT_EQ(pause, std::chrono::seconds{expected});
  }
}

TEST(Supervisor, SuccessThatLasts_IsForgotten) {
  Supervisor one;
  one.want(kNet, at(0), 0);
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(one.take_due(at(100 * i)).size(), 1u);
    one.succeeded(kNet, at(100 * i));
    one.want(kNet, at(100 * i + 100), 0);
    EXPECT_EQ(one.deadline(), at(100 * i + 100));
  }
}

// Traffic for a child whose next try is minutes away: it is tried now.
TEST(Supervisor, WantAgain_EndsThePause) {
  test::SeededRng rng{1};
  Supervisor one;
  one.want(kNet, at(0), 0);
  ASSERT_EQ(one.take_due(at(0)).size(), 1u);
  one.want(kNet, at(0), 0);
  EXPECT_TRUE(one.take_due(at(0)).empty()) << "an attempt is under way";
  ASSERT_TRUE(one.failed(kNet, at(0), rng).has_value());
  one.want(kNet, at(1), 0);
  EXPECT_EQ(one.take_due(at(1)).size(), 1u);
}

// The network changes while an attempt is under way: it goes on, and if it fails the pauses are
// short again.
TEST(Supervisor, HurryDuringAnAttempt_StartsOverWithShortPauses) {
  test::SeededRng rng{1};
  Supervisor one;
  one.want(kNet, at(0), 0);
  Instant now = at(0);
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(one.take_due(now).size(), 1u);
    now = now + *one.failed(kNet, now, rng);
  }
  ASSERT_EQ(one.take_due(now).size(), 1u);
  one.hurry(now);
  EXPECT_TRUE(one.take_due(now + kRetryMax).empty()) << "one attempt at a time";
  const auto pause = one.failed(kNet, now, rng);
  ASSERT_TRUE(pause.has_value());
  EXPECT_LE(*pause, kRetryMin);
}

// ... and one that waits is due at once.
TEST(Supervisor, HurryDuringAPause_EndsIt) {
  test::SeededRng rng{1};
  Supervisor one;
  one.want(kNet, at(0), 0);
  ASSERT_EQ(one.take_due(at(0)).size(), 1u);
  ASSERT_TRUE(one.failed(kNet, at(0), rng).has_value());
  one.hurry(at(1));
  EXPECT_EQ(one.deadline(), at(1));
  EXPECT_EQ(one.take_due(at(1)).size(), 1u);
}

TEST(Supervisor, Forgotten_IsNotTriedAgain) {
  test::SeededRng rng{1};
  Supervisor one;
  one.want(kNet, at(0), 0);
  ASSERT_EQ(one.take_due(at(0)).size(), 1u);
  one.forget(kNet);
  EXPECT_FALSE(one.failed(kNet, at(0), rng).has_value());
  EXPECT_TRUE(one.take_due(at(1000)).empty());
}

}  // namespace
}  // namespace cygnet::control
