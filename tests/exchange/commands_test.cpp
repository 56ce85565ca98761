// What operators and the data plane ask of an engine.
#include <gtest/gtest.h>

#include "insider.hpp"

namespace cygnet::test {
namespace {

using std::chrono::seconds;

void up(Pair& pair) {
  pair.initiate();
  pair.settle();
  ASSERT_EQ(pair.a.installed.size(), 1U);
  pair.forget();
}

/// How request 9 ended: empty when well.
std::string outcome(const Node& node) {
  for (const auto& done : node.events_of<ike::event::CommandDone>()) {
    if (done.request == ike::RequestId{9}) return done.success ? "" : done.error;
  }
  return "no answer";
}
std::string run(Pair& pair, ike::Command command) {
  pair.a.events.clear();
  pair.a.command(std::move(command));
  pair.settle();
  return outcome(pair.a);
}
ike::command::Initiate initiate(Pair& pair, const char* connection, const char* child) {
  return {.request = ike::RequestId{9},
          .connection = connection,
          .child = child,
          .local = pair.a.address,
          .remote = pair.b.address};
}
ike::command::Route route(Pair& pair, const char* child) {
  return {.request = ike::RequestId{9},
          .connection = "home",
          .child = child,
          .local = pair.a.address,
          .remote = pair.b.address};
}
model::PacketFlow packet() {
  return {.source = IpAddress::v4(0xc0000201),
          .destination = IpAddress::v4(0x0a010005),
          .protocol = 6,
          .source_port = 40'000,
          .destination_port = 443};
}

/// TSi, then TSr of a message, as text.
std::vector<std::string> selectors_in(const std::vector<wire::Payload>& payloads) {
  std::vector<std::string> out;
  for (const wire::Payload& payload : payloads) {
    if (const auto* ts = std::get_if<wire::TsPayload>(&payload)) {
      out.push_back(model::text_of(ts->selectors));
    }
  }
  return out;
}

TEST(Commands, NamesThatAreNotThere) {
  Pair pair;
  EXPECT_NE(run(pair, initiate(pair, "nowhere", "net")).find("nowhere"), std::string::npos);
  EXPECT_NE(run(pair, initiate(pair, "home", "nothing")).find("nothing"), std::string::npos);
  EXPECT_NE(run(pair, route(pair, "nothing")).find("nothing"), std::string::npos);
  EXPECT_EQ(run(pair, ike::command::Terminate{.request = ike::RequestId{9}}), "nothing matches");
  EXPECT_EQ(run(pair, ike::command::Rekey{.request = ike::RequestId{9}}), "nothing matches");
  EXPECT_EQ(run(pair, ike::command::Unroute{.request = ike::RequestId{9}}), "not routed");
  pair.a.command(ike::command::Readdress{.sa = ike::SaId{77}, .local = std::nullopt});
  EXPECT_TRUE(pair.a.outbox.empty());
}

TEST(Commands, WhatIsUpAlready_IsDone) {
  Pair pair;
  up(pair);
  EXPECT_EQ(run(pair, initiate(pair, "home", "net")), "");
  EXPECT_EQ(pair.transcript(), "");
}

// Terminated before it is up: nobody is told, the command that waits is.
TEST(Commands, TerminateDuringTheHandshake) {
  Pair pair;
  pair.a.command(initiate(pair, "home", "net"));
  pair.a.command(ike::command::Terminate{});
  EXPECT_EQ(outcome(pair.a), "terminated by command");
  EXPECT_TRUE(pair.a.status().sas.empty());
}

// A group that the library cannot do: whoever asked for the tunnel hears so.
TEST(Commands, InitiateWithAGroupThereIsNot_Fails) {
  crypto::Provider without = crypto::openssl();
  without.begin = [](KeId group, Rng*) -> Result<std::unique_ptr<crypto::KeyExchange>> {
    return fail("key exchange", "not available: " + to_string(group));
  };
  Pair pair{{.crypto = without}};
  EXPECT_NE(run(pair, initiate(pair, "home", "net")).find("not available"), std::string::npos);
  EXPECT_TRUE(pair.a.status().sas.empty());
}

TEST(Commands, RekeyOfAChildByItsId) {
  Pair pair;
  up(pair);
  const auto id = pair.a.status().sas[0].children[0].id;
  EXPECT_EQ(
      run(pair, ike::command::Rekey{.request = ike::RequestId{9}, .filter = {.child_id = id}}), "");
  EXPECT_EQ(pair.a.events_of<ike::event::ChildRekeyed>().size(), 1U);
}

// Two calls at once, to two addresses of one gateway, make one tunnel.
TEST(Commands, InitiateWhileTheConnectionIsBeingMade_JoinsIt) {
  Pair pair;
  pair.lose = [](const ike::action::Send&) { return true; };
  ike::command::Initiate first = initiate(pair, "home", "net");
  first.request = ike::RequestId{8};
  pair.a.command(std::move(first));
  pair.settle();
  ike::command::Initiate second = initiate(pair, "home", "net");
  second.remote.address = IpAddress::v4(0xc6336463);
  pair.a.command(std::move(second));
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  pair.lose = nullptr;
  pair.pass(std::chrono::seconds{1});
  pair.settle();
  EXPECT_EQ(outcome(pair.a), "");
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  EXPECT_EQ(pair.a.installed.size(), 1U);
}

TEST(Traps, RoutedOnceAndTakenAway) {
  Pair pair;
  EXPECT_EQ(run(pair, route(pair, "net")), "");
  EXPECT_EQ(run(pair, route(pair, "net")), "") << "again is no error";
  ASSERT_EQ(pair.a.installed.size(), 1U);
  EXPECT_EQ(pair.a.installed.begin()->second.spec.action, model::PolicyAction::trap);
  EXPECT_EQ(run(pair,
                ike::command::Unroute{
                    .request = ike::RequestId{9}, .connection = "home", .child = "net"}),
            "");
  EXPECT_TRUE(pair.a.installed.empty());
}

// A configuration that has changed replaces the trap: at no time there is none.
TEST(Traps, RoutedWithOtherSelectors_AreReplaced) {
  Pair pair;
  EXPECT_EQ(run(pair, route(pair, "net")), "");
  const model::ChildId old = pair.a.installed.begin()->first;
  model::Connection changed = basic_connection(true);
  changed.children[0].remote_ts = {*model::parse_selector("10.2.0.0/24")};
  pair.a.command(ike::command::PutConnection{changed});
  ike::Actions out;
  pair.a.engine.handle(ike::Command{route(pair, "net")}, pair.a.now, out);
  ASSERT_EQ(out.size(), 3U);
  const auto* install = std::get_if<ike::action::Install>(&out[0]);
  const auto* remove = std::get_if<ike::action::Remove>(&out[1]);
  ASSERT_TRUE(install != nullptr && remove != nullptr);
  EXPECT_EQ(install->child.remote_ts[0].range.first, IpAddress::v4(0x0a020000));
  EXPECT_EQ(remove->child, old);
  const ike::Status status = pair.a.status();
  ASSERT_EQ(status.routed.size(), 1U);
  EXPECT_EQ(status.routed[0].id, install->child.id);
}

// The plane does not take the new one: the old one guards on, and control hears of it.
TEST(Traps, ReplacementThatFails_TheOldOneStands) {
  Pair pair;
  EXPECT_EQ(run(pair, route(pair, "net")), "");
  model::Connection changed = basic_connection(true);
  changed.children[0].remote_ts = {*model::parse_selector("10.2.0.0/24")};
  pair.a.command(ike::command::PutConnection{changed});
  EXPECT_EQ(run(pair, route(pair, "net")), "");
  const model::ChildId next = pair.a.installed.begin()->first;
  pair.a.installed.erase(next);  // as if it had never been
  pair.a.plane(model::plane::InstallFailed{.child = next, .error = Error{"no room"}});
  ASSERT_EQ(pair.a.installed.size(), 1U);
  EXPECT_EQ(model::text_of(pair.a.installed.begin()->second.spec.remote_ts), "10.1.0.0/24");
  const auto told = pair.a.events_of<ike::event::Unrouted>();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].old_one_stands);
  ASSERT_EQ(pair.a.status().routed.size(), 1U);
  EXPECT_EQ(pair.a.status().routed[0].id, pair.a.installed.begin()->first);
}

TEST(Traps, WithoutAPeer_AreRefused) {
  Pair pair;
  ike::command::Route nobody = route(pair, "net");
  nobody.remote.address = IpAddress::any(IpFamily::v4);
  EXPECT_NE(run(pair, nobody).find("remote_addrs"), std::string::npos);
}

TEST(Traps, Shunts_CallNobody) {
  for (const auto mode : {model::ChildMode::pass, model::ChildMode::drop}) {
    Pair pair({.initiator = [mode](model::Connection& c) { c.children[0].mode = mode; }});
    ike::command::Route shunt = route(pair, "net");
    shunt.remote = {};
    EXPECT_EQ(run(pair, shunt), "");
    ASSERT_EQ(pair.a.installed.size(), 1U);
    EXPECT_EQ(pair.a.installed.begin()->second.spec.action, mode == model::ChildMode::pass
                                                                ? model::PolicyAction::pass
                                                                : model::PolicyAction::drop);
  }
}

//= RFC7296#2.9 test: the packet that asked goes first in the selectors.
TEST(Traps, Acquire_AsksForTheTunnelThenForTheChild) {
  model::ChildId trap;
  Insider insider{{}, [&trap](Pair& pair) {
                    EXPECT_EQ(run(pair, route(pair, "net")), "");
                    trap = pair.a.installed.begin()->first;
                    pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet()});
                    ASSERT_EQ(pair.a.events_of<ike::event::WantUp>().size(), 1U);
                    pair.initiate();
                  }};
  Pair& pair = insider.pair;
  EXPECT_EQ(pair.a.installed.size(), 2U);
  // The child goes, the IKE_SA stays: the next packet makes a child on it.
  pair.a.command(ike::command::Terminate{.filter = {.child = "net"}});
  pair.settle();
  pair.forget();
  pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet()});
  pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet()});
  ASSERT_EQ(pair.a.outbox.size(), 1U);
  EXPECT_EQ(selectors_in(insider.read(pair.a.outbox[0].bytes)),
            (std::vector<std::string>{"192.0.2.1/32[tcp/40000], 192.0.2.1/32",
                                      "10.1.0.5/32[tcp/443], 10.1.0.0/24"}));
  pair.settle();
  EXPECT_EQ(pair.a.installed.size(), 2U);
  const model::ChildSpec& made = pair.a.installed.rbegin()->second.spec;
  EXPECT_EQ(model::text_of(made.local_ts), "192.0.2.1/32");
  EXPECT_EQ(model::text_of(made.remote_ts), "10.1.0.0/24") << "the whole, not only the packet's";
  EXPECT_EQ(pair.transcript(),
            "a CREATE_CHILD_SA #3 request SA Ni KE TSi TSr\n"
            "b CREATE_CHILD_SA #3 response SA Nr KE TSi TSr\n");
  pair.a.plane(model::plane::Acquire{.trap = model::ChildId{99}, .packet = packet()});
}

TEST(Volume, SoftLimit_Rekeys_HardLimit_Deletes) {
  Pair pair;
  up(pair);
  pair.a.plane(model::plane::Expire{.child = pair.a.status().sas[0].children[0].id, .hard = false});
  pair.settle();
  EXPECT_EQ(pair.a.events_of<ike::event::ChildRekeyed>().size(), 1U);
  pair.a.plane(model::plane::Expire{.child = pair.a.status().sas[0].children[0].id, .hard = true});
  pair.settle();
  EXPECT_TRUE(pair.a.status().sas[0].children.empty());
  EXPECT_TRUE(pair.b.status().sas[0].children.empty());
}

TEST(Plane, WhatCannotBeInstalled_IsDeletedAndReported) {
  Pair pair;
  up(pair);
  const auto id = pair.a.status().sas[0].children[0].id;
  pair.a.plane(model::plane::InstallFailed{id, Error{.operation = "no room"}});
  pair.settle();
  EXPECT_EQ(pair.a.failures(ike::Reason::install_failed), 1U);
  EXPECT_TRUE(pair.b.status().sas[0].children.empty());
  EXPECT_EQ(run(pair, route(pair, "net")), "");
  const model::ChildId trap = pair.a.installed.rbegin()->first;
  pair.a.events.clear();
  pair.a.plane(model::plane::InstallFailed{trap, Error{.operation = "no room"}});
  EXPECT_EQ(pair.a.failures(ike::Reason::install_failed), 1U);
}

// Goodbye to everybody, also to those who are not up yet, and traps go.
TEST(Shutdown, TellsAllAndIsQuiet) {
  Pair pair;
  up(pair);
  EXPECT_EQ(run(pair, route(pair, "net")), "");
  pair.a.rekey_child();
  pair.a.rekey_ike();
  pair.a.command(ike::command::Shutdown{});
  pair.settle();
  EXPECT_EQ(pair.a.events_of<ike::event::Quiet>().size(), 1U);
  EXPECT_TRUE(pair.a.installed.empty());
  EXPECT_TRUE(pair.b.status().sas.empty());
  Pair other;
  other.initiate();
  other.a.command(ike::command::Shutdown{});
  EXPECT_EQ(other.a.events_of<ike::event::Quiet>().size(), 1U);
}

}  // namespace
}  // namespace cygnet::test
