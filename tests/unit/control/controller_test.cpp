// The controller: configuration in, commands out; the core's questions answered.
#include "unit/control/bench.hpp"

namespace cygnet::control::test {
namespace {

using std::chrono::seconds;

TEST(Controller, StartAction_BringsTheChildUp) {
  Bench b;
  EXPECT_EQ(b.configure(kStarted), "");
  EXPECT_EQ(b.taken(), "put home, resolve gw.example");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  EXPECT_EQ(b.taken(), "initiate home/net");
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  EXPECT_EQ(b.taken(), "");
  EXPECT_FALSE(b.controller.deadline().has_value());
}

// "never drops a tunnel by itself": a started child is tried until it is up, whatever failed.
TEST(Controller, FailedStart_IsTriedAgain) {
  Bench b;
  EXPECT_EQ(b.configure(kStarted), "");
  b.taken();
  b.controller.resolved(b.last_request, fail("look up 'gw.example'", "no network"), b.effects,
                        b.at);
  EXPECT_EQ(b.taken(), "");
  ASSERT_TRUE(b.controller.deadline().has_value());
  b.tick(*b.controller.deadline());
  EXPECT_EQ(b.taken(), "resolve gw.example");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.taken();
  b.event(ike::event::CommandDone{b.last_request, false, "no answer"});
  ASSERT_TRUE(b.controller.deadline().has_value());
  b.tick(*b.controller.deadline());
  EXPECT_EQ(b.taken(), "resolve gw.example");
}

// The name is looked up at each try: where it leads now is called, not where it led before.
TEST(Controller, NameWithANewAddress_IsCalledThere) {
  Bench b;
  EXPECT_EQ(b.configure(kStarted), "");
  b.taken();
  for (const std::uint32_t last : {2U, 2U, 9U}) {
    const Endpoint remote{IpAddress::v4(0xc0000200 + last), 500};
    b.controller.resolved(b.last_request, Route{{IpAddress::v4(1), 500}, remote}, b.effects, b.at);
    EXPECT_EQ(b.taken(), "initiate home/net");
    EXPECT_EQ(b.last_remote, remote);
    b.event(ike::event::CommandDone{b.last_request, false, "no answer"});
    ASSERT_TRUE(b.controller.deadline().has_value());
    b.tick(*b.controller.deadline());
    EXPECT_EQ(b.taken(), "resolve gw.example");
  }
}

// Traffic asks for a child: that many attempts, then none until traffic asks again.
TEST(Controller, Keyingtries_LimitWhatTrafficWants) {
  for (const unsigned tries : {1U, 3U}) {
    Bench b;
    EXPECT_EQ(b.configure(psk("home : auth { remote_addrs = gw.example\n keyingtries = " +
                              std::to_string(tries) + "\n children { net { } } }")),
              "");
    b.taken();
    for (int packets = 0; packets < 2; ++packets) {
      b.event(ike::event::WantUp{.connection = "home", .child = "net", .why = "traffic"});
      for (unsigned i = 1; i <= tries; ++i) {
        EXPECT_EQ(b.taken(), "resolve gw.example") << "attempt " << i << " of " << tries;
        b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
        b.taken();
        b.event(ike::event::CommandDone{b.last_request, false, "no answer"});
        ASSERT_EQ(b.controller.deadline().has_value(), i < tries);
        if (i < tries) b.tick(*b.controller.deadline());
      }
      EXPECT_EQ(b.taken(), "");
    }
  }
}

// 0 is for ever; so is a child that is to stay up, whatever the number.
TEST(Controller, Keyingtries_DoNotLimitForEver) {
  for (const char* what : {"keyingtries = 0\n children { net { } }",
                           "keyingtries = 2\n children { net { start_action = start } }",
                           "keyingtries = 2\n children { net { keep_up = yes } }"}) {
    Bench b;
    EXPECT_EQ(
        b.configure(psk(std::string{"home : auth { remote_addrs = gw.example\n "} + what + " }")),
        "");
    b.event(ike::event::WantUp{.connection = "home", .child = "net", .why = "traffic"});
    for (int i = 0; i < 20; ++i) {
      b.taken();
      b.controller.resolved(b.last_request, fail("no network"), b.effects, b.at);
      ASSERT_TRUE(b.controller.deadline().has_value()) << what << ", attempt " << i;
      b.tick(*b.controller.deadline());
    }
  }
}

constexpr const char* kKeptUp =
    "home : auth { remote_addrs = gw.example\n children { net { keep_up = yes } } }";

// Nothing asks for it, and nothing but the operator ends it.
TEST(Controller, KeptUpChild_ComesBackAtOnce) {
  Bench b;
  EXPECT_EQ(b.configure(psk(kKeptUp)), "");
  EXPECT_EQ(b.taken(), "put home, resolve gw.example");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  b.taken();
  b.event(ike::event::ChildDown{.connection = "home", .name = "net", .why = "no answer"});
  EXPECT_EQ(b.taken(), "resolve gw.example");
}

TEST(Controller, KeptUpChild_TakenDownByTheOperator_StaysDown) {
  Bench b;
  EXPECT_EQ(b.configure(psk(kKeptUp)), "");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  b.taken();
  b.request("terminate", vici::Message{}.add("ike", "home"));
  b.taken();
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  b.taken();
  b.event(ike::event::ChildDown{.connection = "home", .name = "net", .why = "by command"});
  EXPECT_EQ(b.taken(), "");
  // Asked for again, it is kept up again.
  b.event(ike::event::ChildUp{.connection = "home", .name = "net"});
  b.event(ike::event::ChildDown{.connection = "home", .name = "net", .why = "no answer"});
  EXPECT_EQ(b.taken(), "resolve gw.example");
}

// `cygnet down`, then `cygnet up` while the gateway is away: it is tried until it is up, although
// the client that asked has long been told that its own attempt has failed.
TEST(Controller, KeptUpChild_AskedForAgain_IsTriedUntilItIsUp) {
  for (const char* ask : {"child", "ike"}) {
    SCOPED_TRACE(ask);
    Bench b;
    EXPECT_EQ(b.configure(psk(kKeptUp)), "");
    b.taken();
    b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
    b.taken();
    b.event(ike::event::CommandDone{b.last_request, true, ""});
    b.request("terminate", message({{"ike", "home"}}));
    b.event(ike::event::ChildDown{.connection = "home", .name = "net", .why = "by command"});
    b.taken();
    b.event(ike::event::CommandDone{b.last_request, true, ""});
    b.taken();
    b.request("initiate", message({{ask, std::string_view{ask} == "ike" ? "home" : "net"}}));
    EXPECT_EQ(b.taken(), "resolve gw.example");
    b.controller.resolved(b.last_request, fail("no network"), b.effects, b.at);
    EXPECT_EQ(b.taken(), "answer 1 no: no network");
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(b.controller.deadline().has_value());
      b.tick(*b.controller.deadline());
      EXPECT_EQ(b.taken(), "resolve gw.example");
      b.controller.resolved(b.last_request, fail("no network"), b.effects, b.at);
      b.taken();
    }
    b.tick(*b.controller.deadline());
    b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
    b.taken();
    b.event(ike::event::CommandDone{b.last_request, true, ""});
    EXPECT_FALSE(b.controller.deadline().has_value());
    b.event(ike::event::ChildDown{.connection = "home", .name = "net", .why = "no answer"});
    b.tick(b.at + seconds{15});
    EXPECT_EQ(b.taken(), "resolve gw.example");
  }
}

// The client's attempt is the attempt: there is no other beside it unless it takes long.
TEST(Controller, KeptUpChild_AskedForAgain_IsCalledOnce) {
  Bench b;
  EXPECT_EQ(b.configure(psk(kKeptUp)), "");
  b.request("terminate", message({{"ike", "home"}}));
  b.taken();
  b.request("initiate", message({{"child", "net"}}));
  EXPECT_EQ(b.taken(), "resolve gw.example");
  b.tick(b.at);
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  EXPECT_EQ(b.taken(), "initiate home/net");
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  EXPECT_FALSE(b.controller.deadline().has_value());
}

// Somebody throws it out as soon as it is up: pauses grow, it never becomes a storm.
TEST(Controller, KeptUpChild_ThrownOutAtOnce_IsCalledWithPauses) {
  Bench b;
  EXPECT_EQ(b.configure(psk(kKeptUp)), "");
  b.taken();
  int calls = 0;
  const Instant start = b.at;
  while (b.at - start < seconds{60}) {
    b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
    if (b.taken().find("initiate") != std::string::npos) ++calls;
    b.event(ike::event::ChildUp{.connection = "home", .name = "net"});
    b.event(ike::event::CommandDone{b.last_request, true, ""});
    b.event(ike::event::ChildDown{.connection = "home", .name = "net", .why = "by the peer"});
    if (b.taken().find("resolve") != std::string::npos) continue;
    ASSERT_TRUE(b.controller.deadline().has_value());
    b.tick(*b.controller.deadline());
    b.taken();
  }
  EXPECT_GE(calls, 5);
  EXPECT_LE(calls, 10);
}

TEST(Controller, KeptUpChild_LostAfterAWhile_IsCalledAtOnce) {
  Bench b;
  EXPECT_EQ(b.configure(psk(kKeptUp)), "");
  b.taken();
  for (int i = 0; i < 5; ++i) {
    b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
    b.event(ike::event::CommandDone{b.last_request, true, ""});
    b.taken();
    b.at = b.at + seconds{31};
    b.event(ike::event::ChildDown{.connection = "home", .name = "net", .why = "no answer"});
    EXPECT_EQ(b.taken(), "resolve gw.example");
  }
}

TEST(Controller, KeptUpChild_PausesAreShort) {
  Bench b;
  EXPECT_EQ(b.configure(psk(kKeptUp)), "");
  for (int failures = 0; failures < 12; ++failures) {
    b.taken();
    b.controller.resolved(b.last_request, fail("no network"), b.effects, b.at);
    ASSERT_TRUE(b.controller.deadline().has_value());
    EXPECT_LE(*b.controller.deadline() - b.at, seconds{15});
    b.tick(*b.controller.deadline());
  }
  b.taken();
  b.controller.resolved(b.last_request, fail("no network"), b.effects, b.at);
  b.taken();
  b.controller.network_changed(b.at, b.effects);
  EXPECT_EQ(b.taken(), "resolve gw.example") << "a change of the network ends the pause";
}

TEST(Controller, RemoteAddresses_TakeTurns) {
  Bench b;
  EXPECT_EQ(b.configure(psk("home : auth { remote_addrs = a.example, 10.0.0.0/8, b.example\n"
                            "children { net { start_action = start } } }")),
            "");
  EXPECT_EQ(b.taken(), "put home, resolve a.example");
  b.controller.resolved(b.last_request, fail("x"), b.effects, b.at);
  b.tick(*b.controller.deadline());
  EXPECT_EQ(b.taken(), "resolve b.example");
}

TEST(Controller, Reload_StartsOnlyWhatIsNew) {
  Bench b;
  EXPECT_EQ(b.configure(kStarted), "");
  b.taken();
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.taken();
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  EXPECT_EQ(b.configure(kStarted), "");
  EXPECT_EQ(b.taken(), "");
  EXPECT_EQ(b.configure(psk("home : auth { remote_addrs = other.example\n"
                            "children { net { start_action = start } } }")),
            "");
  EXPECT_EQ(b.taken(), "terminate home/, put home, resolve other.example");
}

// How long a child lives, and what follows its end, count from the next time on: no packet is lost
// because somebody has edited a number. The attempt finds it up.
TEST(Controller, Reload_OfALifetime_InterruptsNothing) {
  const auto with = [](const char* more) {
    return psk("home : auth { remote_addrs = gw.example\n children { net { start_action = start\n" +
               std::string{more} + " } } }");
  };
  for (const char* more : {"rekey_time = 50m", "dpd_action = start", "keep_up = yes"}) {
    Bench b;
    EXPECT_EQ(b.configure(with("")), "");
    b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
    b.taken();
    b.event(ike::event::CommandDone{b.last_request, true, ""});
    EXPECT_EQ(b.configure(with(more)), "");
    EXPECT_EQ(b.taken(), "put home, resolve gw.example") << more;
  }
  Bench b;
  EXPECT_EQ(b.configure(with("")), "");
  b.taken();
  EXPECT_EQ(b.configure(with("remote_ts = 10.1.0.0/24")), "");
  EXPECT_EQ(b.taken().substr(0, 15), "terminate home/") << "that is another tunnel";
}

TEST(Controller, BadConfiguration_ChangesNothing) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  EXPECT_NE(b.configure("connections { home { encap = maybe } }"), "");
  EXPECT_EQ(b.taken(), "");
  b.request("initiate", message({{"child", "net"}}));
  EXPECT_EQ(b.taken(), "resolve 192.0.2.1");
}

TEST(Controller, ConnectionWithoutCertificate_IsRefusedAtLoad) {
  Bench b;
  EXPECT_NE(b.configure("connections { c { } }").find("no certificate"), std::string::npos);
}

TEST(Controller, Traps_AreRoutedAndTakenAwayWithTheirConnection) {
  Bench b;
  const std::string trap =
      psk("home : auth { remote_addrs = 192.0.2.1\n children { net { start_action = trap } } }");
  EXPECT_EQ(b.configure(trap), "");
  EXPECT_EQ(b.taken(), "put home, resolve 192.0.2.1");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  EXPECT_EQ(b.taken(), "route home/net");
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  EXPECT_EQ(b.configure(trap), "");
  EXPECT_EQ(b.taken(), "");
  EXPECT_EQ(b.configure(kHome), "");
  EXPECT_EQ(b.taken(), "unroute home/net, put home");
}

// A trap that has changed stays until the new one is there: nothing leaves in the clear while a
// name is looked up, or if it cannot be.
TEST(Controller, Reload_ReplacesAChangedTrap) {
  Bench b;
  const auto trap = [](const char* network) {
    return psk(
        "home : auth { remote_addrs = gw.example\n children { net { start_action = trap\n"
        "remote_ts = " +
        std::string{network} + " } } }");
  };
  EXPECT_EQ(b.configure(trap("10.1.0.0/24")), "");
  b.taken();
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.taken();
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  EXPECT_EQ(b.configure(trap("10.2.0.0/24")), "");
  EXPECT_EQ(b.taken(), "put home, resolve gw.example");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  EXPECT_EQ(b.taken(), "route home/net");
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  EXPECT_EQ(b.configure(psk("home : auth { remote_addrs = gw.example\n children { net { } } }")),
            "");
  EXPECT_EQ(b.taken(), "unroute home/net, put home");
}

TEST(Controller, Shunts_NeedNobodyToCall) {
  Bench b;
  EXPECT_EQ(b.configure(psk("lan : auth { children { out { mode = pass\n start_action = trap\n"
                            "remote_ts = 192.168.0.0/16 } } }")),
            "");
  EXPECT_EQ(b.taken(), "put lan, route lan/out");
}

// A child that has ended is to wait for traffic; one that does already is left alone.
TEST(Controller, WantRoute_InstallsATrap) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  const ike::event::WantRoute wanted{.connection = "home", .child = "net", .why = "it was closed"};
  b.event(wanted);
  EXPECT_EQ(b.taken(), "resolve 192.0.2.1");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  EXPECT_EQ(b.taken(), "route home/net");
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  b.event(wanted);
  b.event(ike::event::WantRoute{.connection = "gone", .child = "net", .why = ""});
  EXPECT_EQ(b.taken(), "");
}

// The packet that asks comes along, so that its selectors can go first.
TEST(Controller, TrafficWantsATunnel_ThePacketComesAlong) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  const model::PacketFlow packet{.source = IpAddress::v4(1), .destination = IpAddress::v4(2)};
  b.event(ike::event::WantUp{
      .connection = "home", .child = "net", .why = "traffic", .trigger = packet});
  b.taken();
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  ASSERT_EQ(b.effects.size(), 1u);
  const auto& tell = std::get<effect::Tell>(b.effects[0]);
  EXPECT_EQ(std::get<ike::command::Initiate>(tell.command).trigger, packet);
}

// A gateway with several addresses is reauthenticated at the one where it is.
TEST(Controller, Reauthentication_CallsWhereThePeerIs) {
  Bench b;
  EXPECT_EQ(b.configure(psk("home : auth { remote_addrs = gw.example, 192.0.2.1\n"
                            "children { net { } } }")),
            "");
  b.taken();
  b.event(ike::event::WantReauth{
      .sa = ike::SaId{4}, .connection = "home", .remote = IpAddress::v4(0xc0000209)});
  EXPECT_EQ(b.taken(), "resolve 192.0.2.9");
}

TEST(Controller, TrapThatIsGone_CanBeWantedAgain) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  const ike::event::WantRoute wanted{.connection = "home", .child = "net", .why = "closed"};
  b.event(wanted);
  b.taken();
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  b.taken();
  b.event(ike::event::Unrouted{.connection = "home", .child = "net"});
  b.event(wanted);
  EXPECT_EQ(b.taken(), "resolve 192.0.2.1");
}

// The data plane says only afterwards that it cannot: the trap is tried again, with pauses that
// grow, and a reload that changes nothing about it does not have to help.
TEST(Controller, TrapThatCouldNotBeInstalled_IsTriedAgain) {
  Bench b;
  EXPECT_EQ(b.configure(psk("home : auth { remote_addrs = gw.example\n"
                            "children { net { start_action = trap } } }")),
            "");
  EXPECT_EQ(b.taken(), "put home, resolve gw.example");
  Duration before{0};
  for (int failures = 0; failures < 5; ++failures) {
    b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
    EXPECT_EQ(b.taken(), "route home/net");
    b.event(ike::event::CommandDone{b.last_request, true, ""});
    b.event(ike::event::Unrouted{.connection = "home", .child = "net"});
    EXPECT_EQ(b.taken(), "");
    ASSERT_TRUE(b.controller.deadline().has_value()) << "after failure " << failures;
    const Duration pause = *b.controller.deadline() - b.at;
    EXPECT_GT(pause, before);
    before = pause;
    b.tick(*b.controller.deadline());
    EXPECT_EQ(b.taken(), "resolve gw.example");
  }
}

TEST(Controller, TrapThatWasTakenAway_IsNotTriedAgain) {
  Bench b;
  EXPECT_EQ(b.configure(psk("home : auth { remote_addrs = gw.example\n"
                            "children { net { start_action = trap } } }")),
            "");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.taken();
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  b.request("uninstall", message({{"child", "net"}}));
  b.event(ike::event::Unrouted{.connection = "home", .child = "net"});
  b.taken();
  EXPECT_FALSE(b.controller.deadline().has_value());
  // Until somebody asks for it again.
  b.request("install", message({{"child", "net"}}), 2);
  b.taken();
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.taken();
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  EXPECT_FALSE(b.controller.deadline().has_value());
  b.event(ike::event::Unrouted{.connection = "home", .child = "net"});
  EXPECT_TRUE(b.controller.deadline().has_value());
}

// A thousand children that are due at once are not called at once; each has its turn.
TEST(Controller, Attempts_AreLimited) {
  Bench b;
  std::string children;
  for (std::size_t i = 0; i < 2 * kAttemptsMax; ++i) {
    children += fmt::format("net{} {{ start_action = start }}\n", i);
  }
  EXPECT_EQ(
      b.configure(psk("home : auth { remote_addrs = gw.example\n children { " + children + " } }")),
      "");
  std::vector<ike::RequestId> requests;
  const auto taken = [&] {
    std::size_t count = 0;
    for (const Effect& effect : std::exchange(b.effects, {})) {
      if (const auto* one = std::get_if<effect::Resolve>(&effect)) {
        requests.push_back(one->request);
        ++count;
      }
    }
    return count;
  };
  EXPECT_EQ(taken(), kAttemptsMax);
  EXPECT_FALSE(b.controller.deadline().has_value()) << "there is no room: nothing to wake for";
  b.tick(b.at + seconds{1});
  EXPECT_EQ(taken(), 0u);
  b.controller.resolved(requests[0], fail("no network"), b.effects, b.at);
  EXPECT_LE(b.controller.deadline(), b.at);
  b.tick(b.at);
  EXPECT_EQ(taken(), 1u);
  // The first is due again, but so are those who have not had their turn.
  b.at = b.at + seconds{60};
  for (std::size_t i = 1; i < kAttemptsMax; ++i) {
    b.controller.resolved(requests[i], fail("no network"), b.effects, b.at);
  }
  b.tick(b.at);
  EXPECT_EQ(taken(), kAttemptsMax - 1);
  EXPECT_EQ(requests.size(), 2 * kAttemptsMax);
  b.controller.resolved(requests.back(), kRoute, b.effects, b.at);
  b.taken();
  b.event(ike::event::CommandDone{requests.back(), true, ""});
  b.tick(b.at);
  EXPECT_EQ(b.taken(), "resolve gw.example") << "now the first";
}

// The packet that asked is forgotten with what it asked for.
TEST(Controller, Reload_ForgetsTheTrigger) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.event(ike::event::WantUp{.connection = "home",
                             .child = "net",
                             .why = "traffic",
                             .trigger = model::PacketFlow{.source = IpAddress::v4(1)}});
  EXPECT_EQ(b.configure("connections { }"), "");
  b.taken();
  EXPECT_EQ(b.configure(kStarted), "");
  b.taken();
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  ASSERT_EQ(b.effects.size(), 1u);
  const auto& tell = std::get<effect::Tell>(b.effects[0]);
  EXPECT_FALSE(std::get<ike::command::Initiate>(tell.command).trigger.has_value());
}

// --- asks ----------------------------------------------------------------------------------------

TEST(Answer, ConnectionThatIsGone_IsRefused) {
  Bench b;
  const ike::Answer answer =
      b.controller.answer({ike::AskId{3}, ike::ask::Lease{.connection = "gone"}}, b.view, {});
  EXPECT_EQ(answer.id, ike::AskId{3});
  EXPECT_EQ(std::get<ike::answer::Refused>(answer.result).reason, ike::Reason::no_connection);
}

TEST(Answer, ChildUse_IsTheLaterOfBothWays) {
  Bench b;
  const ike::Ask ask{ike::AskId{4}, ike::ask::ChildUse{.child = model::ChildId{1}}};
  const auto answered = [&] { return b.controller.answer(ask, b.view, {}).result; };
  EXPECT_TRUE(std::holds_alternative<ike::answer::Refused>(answered())) << "an unknown child";
  b.view.known = model::SaStats{};
  EXPECT_EQ(std::get<ike::answer::ChildUse>(answered()).idle, std::nullopt);
  b.view.known->idle_out = std::chrono::seconds{7};
  EXPECT_EQ(std::get<ike::answer::ChildUse>(answered()).idle, std::chrono::seconds{7});
  b.view.known->idle_in = std::chrono::seconds{3};
  EXPECT_EQ(std::get<ike::answer::ChildUse>(answered()).idle, std::chrono::seconds{3});
}

TEST(Answer, Paths_AreTheDaemonsToKnow) {
  Bench b;
  const IpAddress remote = IpAddress::v4(2);
  const ike::Ask ask{ike::AskId{5}, ike::ask::Paths{.remotes = {remote}}};
  const auto answer = b.controller.answer(ask, b.view, {});
  const auto& paths = std::get<ike::answer::Paths>(answer.result).paths;
  ASSERT_EQ(paths.size(), 1u);
  EXPECT_EQ(paths[0].remote, remote);
}

}  // namespace
}  // namespace cygnet::control::test
