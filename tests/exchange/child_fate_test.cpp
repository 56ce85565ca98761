// What becomes of children when commands, limits and refusals meet exchanges that are under way.
//                                                                 RFC 7296 §2.8, §2.21, §2.25
#include <gtest/gtest.h>

#include <algorithm>

#include "ike/limits.hpp"
#include "pair.hpp"
#include "wire/message.hpp"

namespace cygnet::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void wait(Pair& pair, Duration time) {
  for (Duration passed{0}; passed < time; passed += milliseconds{100}) {
    pair.pass(milliseconds{100});
    pair.settle();
  }
}

void up(Pair& pair) {
  pair.initiate();
  pair.settle();
  ASSERT_EQ(pair.a.installed.size(), 1U);
}

using Adjust = std::function<void(model::Connection&)>;

/// A second child, "more", between 10.2.0.0/24 at b and a.
Adjust with_more(bool initiator, Adjust rest = {}) {
  return [initiator, rest](model::Connection& c) {
    c.children.push_back(c.children[0]);
    c.children[1].name = "more";
    auto& far = initiator ? c.children[1].remote_ts : c.children[1].local_ts;
    far = {*model::parse_selector("10.2.0.0/24")};
    if (rest) rest(c);
  };
}

std::vector<std::string> children_of(const Node& node) {
  std::vector<std::string> out;
  for (const auto& sa : node.status().sas) {
    for (const auto& child : sa.children) out.push_back(child.name);
  }
  std::ranges::sort(out);
  return out;
}

/// How request 9 ended; "" when it has not.
std::string outcome(const Node& node) {
  for (const auto& done : node.events_of<ike::event::CommandDone>()) {
    if (done.request == ike::RequestId{9}) return done.success ? "done" : done.error;
  }
  return "";
}
void terminate_child(Node& node, const std::string& child) {
  node.command(ike::command::Terminate{.request = ike::RequestId{9}, .filter = {.child = child}});
}

// --- terminate -----------------------------------------------------------------------------------

TEST(Terminate, DuringOurRekey_EndsTheNewChildToo) {
  Pair pair;
  up(pair);
  pair.a.rekey_child();
  terminate_child(pair.a, "net");
  pair.settle();
  wait(pair, seconds{10});
  EXPECT_EQ(outcome(pair.a), "done");
  EXPECT_TRUE(children_of(pair.a).empty()) << pair.transcript();
  EXPECT_TRUE(children_of(pair.b).empty());
}

TEST(Terminate, DuringThePeersRekey_EndsTheNewChildToo) {
  Pair pair;
  up(pair);
  pair.a.command(ike::command::Readdress{
      .sa = pair.a.status().sas[0].id, .local = pair.a.address.address});  // a life sign goes first
  pair.b.rekey_child();
  terminate_child(pair.a, "net");
  pair.settle();
  wait(pair, seconds{10});
  EXPECT_EQ(outcome(pair.a), "done");
  EXPECT_TRUE(children_of(pair.a).empty()) << pair.transcript();
  EXPECT_TRUE(children_of(pair.b).empty());
}

// The child is being made just now, or waits to be made.
TEST(Terminate, WhileItIsMade_EndsIt) {
  for (const bool queued : {false, true}) {
    Pair pair({.initiator = with_more(true), .responder = with_more(false)});
    up(pair);
    if (queued) pair.a.rekey_child();
    pair.initiate_from(pair.a, "more");
    terminate_child(pair.a, "more");
    pair.settle();
    wait(pair, seconds{10});
    EXPECT_EQ(outcome(pair.a), "done") << "queued: " << queued;
    EXPECT_EQ(children_of(pair.a), std::vector<std::string>{"net"}) << pair.transcript();
    EXPECT_EQ(children_of(pair.b), std::vector<std::string>{"net"});
  }
}

TEST(Terminate, OnlyChildDuringTheHandshake_EndsTheAttempt) {
  Pair pair;
  pair.initiate();
  terminate_child(pair.a, "net");
  EXPECT_EQ(outcome(pair.a), "done");
  EXPECT_TRUE(pair.a.status().sas.empty());
}

// More commands than the queue holds: a Delete always finds room, and says what is true.
TEST(Terminate, FullQueue_StillEnds) {
  Pair pair;
  up(pair);
  bool deaf = true;
  pair.lose = [&deaf](const auto&) { return deaf; };
  for (int i = 0; i < 70; ++i) pair.a.rekey_child();
  pair.a.command(ike::command::Terminate{.request = ike::RequestId{9}});
  EXPECT_EQ(outcome(pair.a), "");
  deaf = false;
  wait(pair, seconds{30});
  EXPECT_EQ(outcome(pair.a), "done");
  EXPECT_TRUE(pair.a.status().sas.empty());
  EXPECT_TRUE(pair.b.status().sas.empty());
}

// --- limits --------------------------------------------------------------------------------------

// The peer has rekeyed the child, and its Delete is late: the hard limit of the old one lets the
// new one send.
TEST(HardLimit, OfAChildThePeerHasRekeyed_TheNewOneSends) {
  for (const bool volume : {false, true}) {
    Pair pair({.initiator = [](model::Connection& c) {
      c.children[0].lifetime = {.rekey = Duration{0}, .life = minutes{10}, .jitter = Duration{0}};
    }});
    up(pair);
    const auto old = pair.a.installed.begin()->first;
    pair.b.rekey_child();
    ASSERT_TRUE(pair.deliver_from(pair.b));
    const auto fresh = pair.a.installed.rbegin()->first;
    ASSERT_FALSE(pair.a.installed.at(fresh).outbound);
    if (volume) {
      pair.a.plane(model::plane::Expire{.child = old, .hard = true});
    } else {
      pair.pass(pair.a, minutes{10} + seconds{1});
    }
    EXPECT_TRUE(pair.a.installed.at(fresh).outbound) << "volume: " << volume;
  }
}

// The machine slept past the hard limit of the IKE_SA: what is to stay up is wanted again.
TEST(HardLimit, OfTheIkeSa_StartedChildrenComeBack) {
  Pair pair({.initiator = [](model::Connection& c) {
    c.children[0].start_action = model::ChildAction::start;
    c.lifetime = {.rekey = seconds{90}, .life = seconds{100}, .jitter = Duration{0}};
  }});
  up(pair);
  pair.pass(minutes{2});
  const auto wanted = pair.a.events_of<ike::event::WantUp>();
  ASSERT_EQ(wanted.size(), 1U);
  // The one that ends is not taken for the one that is wanted.
  pair.initiate_from(pair.a, "net");
  pair.settle();
  wait(pair, seconds{10});
  EXPECT_EQ(children_of(pair.a), std::vector<std::string>{"net"}) << pair.transcript();
  EXPECT_TRUE(pair.mirrored());
}

// The peer is dead, which shows when the child has come to its limit: it is ending then, and what
// is to replace it, if anything, is under way. Its dpd_action holds all the same.
TEST(HardLimit, OfAChildWhosePeerIsDead_ItsDpdActionHolds) {
  for (const bool stays_up : {false, true}) {
    Pair pair({.initiator = [stays_up](model::Connection& c) {
      c.children[0].dpd_action = model::ChildAction::start;
      if (stays_up) c.children[0].start_action = model::ChildAction::start;
    }});
    up(pair);
    pair.lose = [](const auto&) { return true; };
    pair.a.plane(model::plane::Expire{.child = pair.a.installed.begin()->first, .hard = true});
    wait(pair, minutes{3});
    EXPECT_EQ(pair.a.failures(ike::Reason::no_response), 1U);
    EXPECT_EQ(pair.a.events_of<ike::event::WantUp>().size(), 1U) << "stays up: " << stays_up;
  }
}

/// b rekeys the IKE_SA and its request never arrives: it is busy for as long as it repeats it.
void make_b_busy(Pair& pair) {
  pair.lose = [&pair](const ike::action::Send& sent) {
    const auto header = wire::parse_header(sent.bytes);
    return sent.local.address == pair.b.address.address && !header->response &&
           header->exchange == ExchangeType::create_child_sa;
  };
  pair.b.rekey_ike();
}

// The child's end is answered, what replaces it is refused for minutes: queued for later, under way
// or given up, it is not forgotten.
TEST(HardLimit, OfAChildWhosePeerIsBusyForMinutes_ItIsWantedAgain) {
  Pair pair(
      {.initiator =
           [](model::Connection& c) { c.children[0].start_action = model::ChildAction::start; },
       .config_b = {.retransmit = {.timeout = seconds{10}, .base = 1, .tries = 100}}});
  up(pair);
  make_b_busy(pair);
  pair.a.plane(model::plane::Expire{.child = pair.a.installed.begin()->first, .hard = true});
  wait(pair, ike::kBusyMax);
  EXPECT_TRUE(children_of(pair.a).empty());
  EXPECT_EQ(pair.a.events_of<ike::event::WantUp>().size(), 0U);
  wait(pair, 2 * ike::kBusyRetry);
  EXPECT_EQ(pair.a.events_of<ike::event::IkeDown>().size(), 1U) << pair.transcript();
  EXPECT_EQ(pair.a.events_of<ike::event::WantUp>().size(), 1U);
}

// The peer breaks the protocol, or closes the IKE_SA, before the child's end is answered.
TEST(HardLimit, OfAChildWhosePeerClosesTheIkeSa_ItsCloseActionHolds) {
  Pair pair({.initiator = [](model::Connection& c) {
    c.children[0].close_action = model::ChildAction::start;
  }});
  up(pair);
  pair.a.plane(model::plane::Expire{.child = pair.a.installed.begin()->first, .hard = true});
  pair.a.outbox.clear();
  pair.b.terminate();
  ASSERT_TRUE(pair.deliver_from(pair.b));
  EXPECT_TRUE(pair.a.status().sas.empty());
  EXPECT_EQ(pair.a.events_of<ike::event::WantUp>().size(), 1U);
}

// It is not reauthenticated as well.
TEST(HardLimit, OfTheIkeSa_EndsItsOtherPlans) {
  Pair pair({.initiator = [](model::Connection& c) {
    c.children[0].start_action = model::ChildAction::start;
    c.lifetime = {.rekey = Duration{0}, .life = seconds{100}, .jitter = Duration{0}};
    c.reauth_time = seconds{101};
  }});
  up(pair);
  pair.lose = [](const auto&) { return true; };
  pair.pass(seconds{100});
  pair.pass(seconds{20});
  EXPECT_EQ(pair.a.events_of<ike::event::WantUp>().size(), 1U);
  EXPECT_EQ(pair.a.events_of<ike::event::WantReauth>().size(), 0U);
}

// --- refusals ------------------------------------------------------------------------------------

//= RFC7296#2.21.2 test "does not automatically cause the IKE SA to be deleted"
TEST(Refusal, OfTheFirstChild_LeavesTheOthers) {
  Pair pair({.initiator = with_more(true,
                                    [](model::Connection& c) {
                                      c.children[0].remote_ts = {
                                          *model::parse_selector("10.99.0.0/24")};
                                    }),
             .responder = with_more(false)});
  pair.initiate_from(pair.a, "");
  pair.settle();
  wait(pair, seconds{10});
  EXPECT_EQ(children_of(pair.a), std::vector<std::string>{"more"}) << pair.transcript();
  EXPECT_TRUE(pair.a.events_of<ike::event::ChildDown>().empty());
}

TEST(Refusal, OfTheOnlyChild_EndsTheIkeSa) {
  Pair pair({.initiator = [](model::Connection& c) {
    c.children[0].remote_ts = {*model::parse_selector("10.99.0.0/24")};
  }});
  pair.initiate();
  pair.settle();
  wait(pair, seconds{1});
  EXPECT_TRUE(pair.a.status().sas.empty());
  EXPECT_TRUE(pair.b.status().sas.empty());
}

// A peer that is too busy for ever is given up, and what is to stay up is wanted again.
//= RFC7296#2.25 test "it SHOULD conclude that the state information is out of sync and close the
//=                    IKE SA"
TEST(Refusal, TemporaryFailureForMinutes_EndsTheIkeSa) {
  Pair pair({.initiator = [](model::Connection& c) { c.children[0].keep_up = true; },
             .config_b = {.retransmit = {.timeout = seconds{10}, .base = 1, .tries = 100}}});
  up(pair);
  make_b_busy(pair);
  pair.a.rekey_child();
  wait(pair, ike::kBusyMax);
  EXPECT_EQ(pair.a.events_of<ike::event::IkeDown>().size(), 0U);
  wait(pair, 2 * ike::kBusyRetry);
  EXPECT_EQ(pair.a.events_of<ike::event::IkeDown>().size(), 1U) << pair.transcript();
  EXPECT_EQ(pair.a.events_of<ike::event::WantUp>().size(), 1U);
}

// An answer that we cannot take has made a child at the peer: it is deleted there.
TEST(Refusal, OfThePeersAnswer_TakesItsChildAway) {
  const auto moves = [](model::Connection& c) { c.mobike = true; };
  Pair pair({.initiator = with_more(true, moves), .responder = with_more(false, moves)});
  up(pair);
  pair.initiate_from(pair.a, "more");
  ASSERT_TRUE(pair.deliver_from(pair.a));
  ASSERT_EQ(pair.b.installed.size(), 2U);
  // Its selectors are those of the address that a has left just now.
  const IpAddress other = IpAddress::v4(0xc6336409);
  pair.a.command(ike::command::Readdress{.sa = pair.a.status().sas[0].id, .local = other});
  pair.settle();
  wait(pair, seconds{10});
  EXPECT_EQ(pair.a.installed.size(), 1U);
  EXPECT_EQ(pair.b.installed.size(), 1U) << pair.transcript();
}

TEST(Refusal, ByOurPlane_TakesThePeersChildAway) {
  Pair pair({.initiator = with_more(true), .responder = with_more(false)});
  up(pair);
  pair.a.refuse_installs = true;
  pair.initiate_from(pair.a, "more");
  pair.settle();
  wait(pair, seconds{10});
  EXPECT_EQ(pair.b.installed.size(), 1U) << pair.transcript();
}

// --- reauthentication ----------------------------------------------------------------------------

TEST(Reauthentication, AChildThatIsRefusedNow_IsDown) {
  Pair pair(
      {.initiator = with_more(true, [](model::Connection& c) { c.children[1].keep_up = true; }),
       .responder = with_more(false)});
  up(pair);
  pair.initiate_from(pair.a, "more");
  pair.settle();
  const auto old = pair.a.status().sas[0];
  pair.b.command(ike::command::PutConnection{basic_connection(false)});
  pair.a.events.clear();
  pair.initiate_from(pair.a, "", old.id);
  pair.settle();
  wait(pair, seconds{10});
  EXPECT_EQ(children_of(pair.a), std::vector<std::string>{"net"}) << pair.transcript();
  const auto down = pair.a.events_of<ike::event::ChildDown>();
  ASSERT_EQ(down.size(), 1U);
  EXPECT_EQ(down[0].name, "more");
}

TEST(Reauthentication, AChildMadeMeanwhile_ComesAlong) {
  Pair pair({.initiator = with_more(true), .responder = with_more(false)});
  up(pair);
  const auto old = pair.a.status().sas[0];
  pair.initiate_from(pair.a, "", old.id);
  pair.initiate_from(pair.a, "more");
  pair.settle();
  wait(pair, seconds{10});
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  EXPECT_EQ(children_of(pair.a), (std::vector<std::string>{"more", "net"})) << pair.transcript();
  EXPECT_TRUE(pair.mirrored());
  EXPECT_TRUE(pair.a.events_of<ike::event::ChildDown>().empty());
}

// With unique = replace the gateway lets the old IKE_SA carry until the caller has moved.
TEST(Reauthentication, UnderUniqueReplace_MakesBeforeItBreaks) {
  Pair pair({.initiator = with_more(true), .responder = with_more(false, [](model::Connection& c) {
                                             c.unique = model::Uniqueness::replace;
                                           })});
  up(pair);
  pair.initiate_from(pair.a, "more");
  pair.settle();
  const auto old = pair.a.status().sas[0];
  pair.a.events.clear();
  pair.initiate_from(pair.a, "", old.id);
  pair.settle();
  wait(pair, seconds{20});
  EXPECT_TRUE(pair.a.events_of<ike::event::ChildDown>().empty()) << pair.transcript();
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  EXPECT_EQ(pair.b.status().sas.size(), 1U);
  EXPECT_EQ(children_of(pair.b), (std::vector<std::string>{"more", "net"}));
}

// --- greed ---------------------------------------------------------------------------------------

// A peer that rekeys again and again and deletes nothing.
TEST(Greed, RekeysWithoutDeletes_AreFew) {
  Pair pair({.trace = false});
  up(pair);
  for (int i = 0; i < 300; ++i) {
    pair.a.rekey_ike();
    pair.deliver_from(pair.a);
    pair.deliver_from(pair.b);
    pair.a.outbox.clear();
  }
  EXPECT_LE(pair.b.status().sas.size(), 8U);
}

// kAncestorsMax. a deletes some: the others of the row count all the same.
TEST(Greed, RekeysWithoutDeletes_AreCountedOverTheWholeRow) {
  for (const int deletes_each : {1000, 4, 2}) {
    Pair pair({.trace = false});
    up(pair);
    int number = 1;
    pair.lose = [&](const ike::action::Send& sent) {
      return sent.local.address == pair.a.address.address && number % deletes_each != 0 &&
             wire::parse_header(sent.bytes)->exchange == ExchangeType::informational;
    };
    for (; number <= 60; ++number) {
      pair.a.rekey_ike();
      pair.settle();
    }
    EXPECT_EQ(pair.b.status().sas.size(), ike::kAncestorsMax + 1) << deletes_each;
  }
}

// kLingeringMax: replaced ones still receive for some seconds.
TEST(Greed, ReplacedChildren_AreFew) {
  Pair pair({.trace = false});
  up(pair);
  for (int i = 0; i < 100; ++i) {
    pair.a.rekey_child();
    pair.settle();
    pair.pass(ike::kPeerRequestInterval);
  }
  EXPECT_EQ(pair.b.events_of<ike::event::ChildRekeyed>().size(), 100U);
  EXPECT_EQ(pair.b.installed.size(), ike::kLingeringMax + 1);
  wait(pair, ike::kRekeyedLinger);
  EXPECT_EQ(pair.b.installed.size(), 1U);
}

TEST(Greed, ChildRekeysWithoutEnd_AreFew) {
  Pair pair({.trace = false});
  up(pair);
  for (int i = 0; i < 300; ++i) {
    pair.a.rekey_child();
    pair.settle();
  }
  EXPECT_LE(pair.b.installed.size(), 80U) << "replaced ones linger for some seconds";
}

// A gateway that gives more addresses than it was asked for.
TEST(Greed, AddressesNobodyAskedFor_AreNotTaken) {
  const auto adjust = [](model::Connection& c) {
    c.vips = {IpAddress::any(IpFamily::v4)};
    c.children.push_back(c.children[0]);
    c.children[1].name = "more";
    c.children[1].local_ts.clear();
    for (int i = 0; i < 16; ++i) {
      c.children[1].local_ts.push_back(
          *model::parse_selector("dynamic[tcp/" + std::to_string(1000 + i) + "]"));
    }
  };
  Pair pair({.initiator = adjust,
             .responder = [](model::Connection& c) { c.pools = {"pool"}; },
             .nodes =
                 [](Node&, Node& b) {
                   for (std::uint32_t i = 1; i <= 16; ++i)
                     b.pool.push_back(IpAddress::v4(0x0a090000 + i));
                   b.generous = true;
                 }});
  up(pair);
  EXPECT_EQ(pair.a.status().sas.at(0).local_vips.size(), 1U);
  pair.initiate_from(pair.a, "more");
  pair.settle();
}

}  // namespace
}  // namespace cygnet::test
