// The controller: configuration in, commands out; clients asked and answered.
#include "control/controller.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/swanctl_parser.hpp"
#include "toys/rng.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::control {
namespace {

using std::chrono::seconds;

/// A world without SAs, unless a test puts some there.
struct FakeView final : View {
  ike::Status status() const override { return now; }
  std::optional<model::SaStats> stats(model::ChildId) const override { return known; }
  std::vector<ike::Path> paths(const std::vector<IpAddress>& remotes) override {
    return {{IpAddress::v4(1), remotes.front()}};
  }
  const ike::CounterBook& counters() const override { return book; }
  ProcessStats process() const override { return {.threads = 3, .idle = 2, .memory = 4096}; }
  std::string wall_clock_text(Instant) const override { return "Nov 26 14:20:01 2026"; }
  std::optional<model::SaStats> known;
  ike::Status now;
  ike::CounterBook book;
};

struct Bench {
  Bench() : controller(crypto::openssl(), rng, {.version = "1"}, {}) {}

  /// Configures; the faults, empty when it was accepted.
  std::string configure(const std::string& text) {
    test::MemoryFiles files;
    config::Diagnostics diags;
    const config::Section root = config::parse_swanctl_text(text, "c", files, diags);
    config::Loaded loaded = config::load_swanctl(root, files, "/d", diags);
    const bool done = controller.configure(std::move(loaded), diags, at, effects);
    EXPECT_EQ(done, !diags.has_errors());
    return diags.text();
  }
  void request(const std::string& command, vici::Message message, std::uint64_t client = 1) {
    controller.handle(ClientId{client}, {command, std::move(message)}, view, at, effects);
  }
  void event(ike::Event one) { controller.handle(one, view, at, effects); }
  void tick(Instant now) {
    at = now;
    controller.tick(at, effects);
  }

  /// What was asked for since the last call, one word or two each.
  std::string taken() {
    std::string out;
    for (const Effect& effect : std::exchange(effects, {})) {
      const std::string text = std::visit([&](const auto& one) { return this->name(one); }, effect);
      if (!text.empty()) out += (out.empty() ? "" : ", ") + text;
    }
    return out;
  }
  std::string name(const effect::Tell& tell) {
    return std::visit(
        [this]<class C>(const C& command) -> std::string {
          if constexpr (std::is_same_v<C, ike::command::PutConnection>) {
            return "put " + command.connection.name;
          } else if constexpr (std::is_same_v<C, ike::command::DropConnection>) {
            return "drop " + command.name;
          } else if constexpr (std::is_same_v<C, ike::command::ArrangeConnections>) {
            return "arrange " + fmt::format("{}", fmt::join(command.names, " "));
          } else if constexpr (std::is_same_v<C, ike::command::SetAuthorities>) {
            return "authorities " + std::to_string(command.authorities.size());
          } else if constexpr (std::is_same_v<C, ike::command::Initiate>) {
            last_request = command.request;
            last_remote = command.remote;
            return "initiate " + command.connection + "/" + command.child;
          } else if constexpr (std::is_same_v<C, ike::command::Route>) {
            last_request = command.request;
            return "route " + command.connection + "/" + command.child;
          } else if constexpr (std::is_same_v<C, ike::command::Unroute>) {
            return "unroute " + command.connection + "/" + command.child;
          } else if constexpr (std::is_same_v<C, ike::command::Terminate>) {
            last_request = command.request;
            return "terminate " + command.filter.connection + "/" + command.filter.child;
          } else if constexpr (std::is_same_v<C, ike::command::Rekey>) {
            last_request = command.request;
            return "rekey " + command.filter.connection + "/" + command.filter.child;
          } else {
            return "shutdown";
          }
        },
        tell.command);
  }
  std::string name(const effect::Resolve& resolve) {
    last_request = resolve.request;
    const auto* host = std::get_if<model::HostName>(&resolve.target.remote);
    return "resolve " +
           (host != nullptr ? host->name : std::get<IpRange>(resolve.target.remote).first.text());
  }
  static std::string name(const effect::Reload&) { return "reload"; }
  static std::string name(const effect::Respond& respond) {
    return "answer " + std::to_string(respond.client.value()) + " " +
           std::string{respond.message.text("success")} +
           (respond.message.text("errmsg").empty()
                ? ""
                : ": " + std::string{respond.message.text("errmsg")});
  }
  static std::string name(const effect::Stream& stream) { return "stream " + stream.event; }
  static std::string name(const effect::Publish& publish) { return "event " + publish.event; }
  static std::string name(const effect::ResetCounters& reset) {
    return "reset " + (reset.each ? "each" : reset.connection);
  }
  static std::string name(const effect::ReloadSettings&) { return "reload settings"; }
  static std::string name(const effect::Log&) { return ""; }

  test::SeededRng rng{1};
  FakeView view;
  Controller controller;
  Effects effects;
  Instant at{seconds{100}};
  ike::RequestId last_request;
  Endpoint last_remote;  ///< that an Initiate goes to
};

vici::Message message(std::initializer_list<std::pair<const char*, const char*>> values) {
  vici::Message out;
  for (const auto& [key, value] : values) out.add(key, value);
  return out;
}

std::string psk(const std::string& connections) {
  return "auth { local { auth = psk\n id = a.example }\n remote { auth = psk } }\n"
         "connections { " +
         connections + " }\nsecrets { ike { secret = x } }\n";
}
const std::string kHome = psk("home : auth { remote_addrs = 192.0.2.1\n children { net { } } }");
const std::string kStarted =
    psk("home : auth { remote_addrs = gw.example\n children { net { start_action = start } } }");
const Result<Route> kRoute = Route{{IpAddress::v4(1), 500}, {IpAddress::v4(2), 500}};

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
  b.event(ike::event::ChildDown{.connection = "home", .name = "net", .why = "by command"});
  EXPECT_EQ(b.taken(), "");
  // Asked for again, it is kept up again.
  b.event(ike::event::ChildUp{.connection = "home", .name = "net"});
  b.event(ike::event::ChildDown{.connection = "home", .name = "net", .why = "no answer"});
  EXPECT_EQ(b.taken(), "resolve gw.example");
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
  EXPECT_EQ(b.taken(), "set 1, resolve gw.example");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  EXPECT_EQ(b.taken(), "route home/net");
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  EXPECT_EQ(b.configure(psk("home : auth { remote_addrs = gw.example\n children { net { } } }")),
            "");
  EXPECT_EQ(b.taken(), "set 1, unroute home/net");
}

TEST(Controller, Shunts_NeedNobodyToCall) {
  Bench b;
  EXPECT_EQ(b.configure(psk("lan : auth { children { out { mode = pass\n start_action = trap\n"
                            "remote_ts = 192.168.0.0/16 } } }")),
            "");
  EXPECT_EQ(b.taken(), "put lan, route lan/out");
}

// --- clients -------------------------------------------------------------------------------------

TEST(Client, Initiate_IsAnsweredWhenItIsDone) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  b.request("initiate", message({{"child", "net"}, {"ike", "home"}}));
  EXPECT_EQ(b.taken(), "resolve 192.0.2.1");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  EXPECT_EQ(b.taken(), "initiate home/net");
  b.event(ike::event::Note{.connection = "home", .text = "hello"});
  EXPECT_EQ(b.taken(), "stream control-log");
  b.event(ike::event::Note{.connection = "other", .text = "hello"});
  EXPECT_EQ(b.taken(), "");
  b.event(ike::event::CommandDone{b.last_request, false, "the peer is angry"});
  EXPECT_EQ(b.taken(), "answer 1 no: the peer is angry");
}

TEST(Client, Initiate_OfNobody) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  b.request("initiate", message({{"child", "nett"}}));
  EXPECT_EQ(b.taken(), "answer 1 no: no child 'nett'");
  EXPECT_EQ(b.configure(psk("any : auth { children { net { } } }")), "");
  b.taken();
  b.request("initiate", message({{"child", "net"}}));
  EXPECT_EQ(b.taken().substr(0, 50), "answer 1 no: connection 'any' has no peer to call:");
}

TEST(Client, Timeout_AnswersOnceAndTheAttemptGoesOn) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  b.request("initiate", message({{"child", "net"}, {"timeout", "2000"}}));
  b.taken();
  EXPECT_EQ(b.controller.deadline(), b.at + seconds{2});
  b.tick(b.at + seconds{2});
  EXPECT_EQ(b.taken(), "answer 1 no: timeout: still trying, see the log");
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  EXPECT_EQ(b.taken(), "");
}

TEST(Client, NoWait_IsAnsweredAtOnce) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  b.request("initiate", message({{"child", "net"}, {"timeout", "-1"}}));
  EXPECT_EQ(b.taken(), "answer 1 yes, resolve 192.0.2.1");
}

TEST(Client, Gone_IsNotAnswered) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  b.request("initiate", message({{"child", "net"}}));
  b.taken();
  b.controller.disconnected(ClientId{1});
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  EXPECT_EQ(b.taken(), "");
}

TEST(Client, Terminate_NeedsAFilterAndStopsTheTries) {
  Bench b;
  EXPECT_EQ(b.configure(kStarted), "");
  b.taken();
  b.request("terminate", {});
  EXPECT_EQ(b.taken(), "answer 1 no: say which: child, ike, child-id or ike-id");
  b.controller.resolved(b.last_request, fail("x"), b.effects, b.at);
  ASSERT_TRUE(b.controller.deadline().has_value());
  b.request("terminate", message({{"ike", "home"}}));
  EXPECT_EQ(b.taken(), "terminate home/");
  EXPECT_FALSE(b.controller.deadline().has_value());
  b.event(ike::event::CommandDone{b.last_request, false, "nothing matches"});
  EXPECT_EQ(b.taken(), "answer 1 no: nothing matches");
}

// The name is being looked up: what comes of it is of no interest any more.
TEST(Client, Terminate_EndsAnAttemptThatLooksUpItsPeer) {
  Bench b;
  EXPECT_EQ(b.configure(kStarted), "");
  b.taken();
  const ike::RequestId pending = b.last_request;
  b.request("terminate", message({{"ike", "home"}}));
  b.taken();
  b.event(ike::event::CommandDone{b.last_request, false, "nothing matches"});
  b.taken();
  b.controller.resolved(pending, kRoute, b.effects, b.at);
  EXPECT_EQ(b.taken(), "");
  EXPECT_FALSE(b.controller.deadline().has_value());
}

// The client that waits for it hears of its end.
TEST(Client, Terminate_AnswersWhoeverWaitsForTheAttempt) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  b.request("initiate", message({{"child", "net"}}), 1);
  b.taken();
  b.request("terminate", message({{"child", "net"}}), 2);
  EXPECT_EQ(b.taken(), "answer 1 no: terminated by command, terminate /net");
}

TEST(Client, ListsAreStreamedThenAnswered) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  b.view.now.sas.push_back({.id = ike::SaId{7}, .connection = "home"});
  b.view.now.sas.push_back({.id = ike::SaId{8}, .connection = "other"});
  b.request("list-sas", {});
  EXPECT_EQ(b.taken(), "stream list-sa, stream list-sa, answer 1 ");
  b.request("list-sas", message({{"ike-id", "8"}}));
  EXPECT_EQ(b.taken(), "stream list-sa, answer 1 ");
  b.request("list-conns", {});
  EXPECT_EQ(b.taken(), "stream list-conn, answer 1 ");
  b.event(ike::event::Failed{.record = {.connection = "home"}});
  b.taken();
  b.request("cygnet-failures", {});
  EXPECT_EQ(b.taken(), "stream cygnet-failure, answer 1 ");
}

// Everything the catalogue offers is answered, exactly once.
TEST(Client, EveryCommand_IsAnswered) {
  for (const std::string& command : Controller::catalogue().commands) {
    SCOPED_TRACE(command);
    Bench b;
    EXPECT_EQ(b.configure(kHome), "");
    b.taken();
    b.request(command, {});
    std::size_t answers = 0;
    for (const Effect& effect : b.effects) {
      answers += std::holds_alternative<effect::Respond>(effect) ||
                 std::holds_alternative<effect::Reload>(effect) ||
                 std::holds_alternative<effect::ReloadSettings>(effect);
    }
    EXPECT_EQ(answers, 1u);
  }
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
}  // namespace cygnet::control
