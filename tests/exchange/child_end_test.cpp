// How children end: unused, closed by the peer, or with a peer that is dead.
#include <gtest/gtest.h>

#include "pair.hpp"

namespace cygnet::test {
namespace {

using model::ChildAction;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void wait(Pair& pair, Duration time) {
  for (Duration passed{0}; passed < time; passed += milliseconds{500}) {
    pair.pass(milliseconds{500});
    pair.settle();
  }
}

void up(Pair& pair) {
  pair.initiate();
  pair.settle();
  ASSERT_EQ(pair.a.installed.size(), 1U);
  pair.forget();
}

// --- inactivity ----------------------------------------------------------------------------------

Pair::Options idle_after(Duration time, Duration rekey = Duration{0}) {
  return {.initiator = [time, rekey](model::Connection& c) {
    c.children[0].inactivity = time;
    c.children[0].lifetime = {.rekey = rekey};
  }};
}

TEST(Inactivity, NothingCarried_TheChildIsDeleted) {
  Pair pair(idle_after(seconds{60}));
  up(pair);
  wait(pair, seconds{59});
  EXPECT_EQ(pair.a.installed.size(), 1U);
  wait(pair, seconds{2});
  EXPECT_TRUE(pair.a.installed.empty());
  EXPECT_TRUE(pair.b.installed.empty());
  EXPECT_EQ(pair.a.status().sas.size(), 1U) << "the IKE_SA stays";
  const auto down = pair.a.events_of<ike::event::ChildDown>();
  ASSERT_EQ(down.size(), 1U);
  EXPECT_EQ(down[0].why, "idle for 60 s (inactivity)");
}

// It was used 20 s before it is looked at: it has 40 s left.
TEST(Inactivity, Use_StartsTheTimeAnew) {
  Pair pair(idle_after(seconds{60}));
  up(pair);
  pair.a.idle = seconds{20};
  wait(pair, seconds{61});
  EXPECT_EQ(pair.a.installed.size(), 1U);
  pair.a.idle = seconds{60};
  wait(pair, seconds{38});
  EXPECT_EQ(pair.a.installed.size(), 1U);
  wait(pair, seconds{3});
  EXPECT_TRUE(pair.a.installed.empty());
}

// A rekey is no use: an idle child ends though it is rekeyed more often than that.
TEST(Inactivity, Rekeys_DoNotProlongIt) {
  Pair pair(idle_after(seconds{300}, seconds{50}));
  up(pair);
  wait(pair, seconds{290});
  EXPECT_GE(pair.a.events_of<ike::event::ChildRekeyed>().size(), 4U);
  EXPECT_EQ(pair.a.events_of<ike::event::ChildDown>().size(), 0U);
  wait(pair, seconds{20});
  EXPECT_TRUE(pair.a.installed.empty());
  EXPECT_EQ(pair.a.events_of<ike::event::ChildDown>().size(), 1U);
}

// --- close_action, dpd_action --------------------------------------------------------------------

Pair::Options at_end(ChildAction close, ChildAction dpd) {
  return {.initiator = [close, dpd](model::Connection& c) {
    c.children[0].close_action = close;
    c.children[0].dpd_action = dpd;
    c.dpd_delay = seconds{10};
  }};
}

template <class Wanted>
void expect_wanted(const Pair& pair) {
  const auto wanted = pair.a.events_of<Wanted>();
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_EQ(wanted[0].connection, "home");
  EXPECT_EQ(wanted[0].child, "net");
}

TEST(CloseAction, PeerDeletesTheChild) {
  for (const ChildAction action : {ChildAction::none, ChildAction::trap, ChildAction::start}) {
    Pair pair(at_end(action, ChildAction::none));
    up(pair);
    pair.b.command(ike::command::Terminate{.filter = {.child = "net"}});
    pair.settle();
    if (action == ChildAction::trap) expect_wanted<ike::event::WantRoute>(pair);
    if (action == ChildAction::start) expect_wanted<ike::event::WantUp>(pair);
    EXPECT_EQ(pair.a.events_of<ike::event::WantRoute>().size(), action == ChildAction::trap);
    EXPECT_EQ(pair.a.events_of<ike::event::WantUp>().size(), action == ChildAction::start);
  }
}

TEST(CloseAction, PeerDeletesTheIkeSa) {
  for (const ChildAction action : {ChildAction::trap, ChildAction::start}) {
    Pair pair(at_end(action, ChildAction::none));
    up(pair);
    pair.b.terminate();
    pair.settle();
    action == ChildAction::trap ? expect_wanted<ike::event::WantRoute>(pair)
                                : expect_wanted<ike::event::WantUp>(pair);
  }
}

TEST(CloseAction, WeDeleteIt_NothingFollows) {
  Pair pair(at_end(ChildAction::start, ChildAction::start));
  up(pair);
  pair.a.terminate();
  pair.settle();
  EXPECT_TRUE(pair.a.events_of<ike::event::WantUp>().empty());
}

TEST(DpdAction, PeerIsDead) {
  for (const ChildAction action : {ChildAction::trap, ChildAction::start}) {
    Pair pair(at_end(ChildAction::none, action));
    up(pair);
    pair.lose = [](const ike::action::Send&) { return true; };
    wait(pair, minutes{4});
    EXPECT_TRUE(pair.a.installed.empty());
    action == ChildAction::trap ? expect_wanted<ike::event::WantRoute>(pair)
                                : expect_wanted<ike::event::WantUp>(pair);
  }
}

}  // namespace
}  // namespace cygnet::test
