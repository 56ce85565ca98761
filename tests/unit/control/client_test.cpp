// The commands of the vici socket, and what clients wait for.
#include "unit/control/bench.hpp"

namespace cygnet::control::test {
namespace {

using std::chrono::seconds;

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

// Both tell how many there were; of a rekey nothing has ended.
TEST(Client, TerminateAndRekey_TellTheMatches) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.view.now.sas.push_back({.id = ike::SaId{7}, .connection = "home"});
  for (const char* command : {"terminate", "rekey"}) {
    b.taken();
    b.request(command, message({{"ike", "home"}}));
    b.taken();
    b.event(ike::event::CommandDone{b.last_request, true, ""});
    EXPECT_EQ(b.taken(), "answer 1 yes");
    EXPECT_EQ(b.answer.text("matches"), "1");
    EXPECT_EQ(b.answer.text("terminated", "absent"),
              std::string_view{command} == "terminate" ? "1" : "absent");
  }
}

// Nothing selected is a slip, not everything; a child selects the IKE_SAs that have it.
TEST(Client, Reauthentication_OfWhatIsSelected) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  for (const std::uint32_t id : {7U, 8U}) {
    b.view.now.sas.push_back({.id = ike::SaId{id},
                              .connection = "home",
                              .state = ike::IkeStatus::State::established,
                              .first_initiator = true,
                              .remote = {IpAddress::v4(0xc0000200 + id), 500}});
  }
  b.view.now.sas[1].children.push_back({.id = model::ChildId{3}, .name = "net"});
  b.taken();
  b.request("rekey", message({{"reauth", "yes"}}));
  EXPECT_EQ(b.taken(), "answer 1 no: say which: child, ike, child-id or ike-id");
  for (const auto& [key, value] : {std::pair{"child", "net"}, {"child-id", "3"}}) {
    b.request("rekey", message({{"reauth", "yes"}, {key, value}}));
    EXPECT_EQ(b.taken(), "resolve 192.0.2.8, answer 1 yes");
    EXPECT_EQ(b.answer.text("matches"), "1");
  }
  b.request("rekey", message({{"reauth", "yes"}, {"child-id", "4"}}));
  EXPECT_EQ(b.taken().substr(0, 12), "answer 1 no:");
}

// 2^32 + 1 is not 1.
TEST(Client, IdsThatAreNone_AreRefused) {
  Bench b;
  for (const char* id : {"4294967297", "x", "-1", ""}) {
    for (const char* key : {"ike-id", "child-id"}) {
      for (const char* command : {"terminate", "rekey", "list-sas"}) {
        b.request(command, message({{key, id}}));
        EXPECT_EQ(b.taken(), fmt::format("answer 1 no: {}: not a number of 32 bits", key));
      }
    }
  }
}

TEST(Client, NegativeLoglevel_IsSilent) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.request("initiate", message({{"child", "net"}, {"loglevel", "-1"}}));
  b.taken();
  b.event(ike::event::Note{.connection = "home", .text = "hello"});
  EXPECT_EQ(b.taken(), "");
}

// Too many wait: no more can be asked for, but all can be seen and taken down.
TEST(Client, Operations_AreLimited) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  for (std::uint64_t client = 1; client <= kOperationsMax; ++client) {
    b.request("initiate", message({{"child", "net"}}), client);
  }
  b.taken();
  b.request("initiate", message({{"child", "net"}}), 0);
  b.request("install", message({{"child", "net"}}), 0);
  b.request("rekey", message({{"child", "net"}}), 0);
  EXPECT_EQ(b.taken(),
            "answer 0 no: too many requests, answer 0 no: too many requests, "
            "answer 0 no: too many requests");
  b.request("version", {}, 0);
  b.request("stats", {}, 0);
  b.request("terminate", message({{"ike-id", "1"}}), 0);
  b.request("unload-conn", message({{"name", "home"}}), 0);
  EXPECT_EQ(b.taken(), "answer 0 , answer 0 , terminate /, answer 0 yes, drop home, reset home");
}

TEST(Client, Terminate_OfAnIkeSaThatConnects_StopsTheTries) {
  Bench b;
  EXPECT_EQ(b.configure(kStarted), "");
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.taken();
  const ike::RequestId attempt = b.last_request;
  b.view.now.sas.push_back({.id = ike::SaId{7}, .connection = "home"});
  b.request("terminate", message({{"ike-id", "7"}}));
  b.taken();
  b.event(ike::event::CommandDone{attempt, false, "terminated"});
  EXPECT_FALSE(b.controller.deadline().has_value());
}

TEST(Client, Uninstall_EndsAnInstallThatLooksUpItsPeer) {
  Bench b;
  EXPECT_EQ(b.configure(psk("home : auth { remote_addrs = gw.example\n"
                            "children { net { start_action = trap } } }")),
            "");
  b.taken();
  const ike::RequestId pending = b.last_request;
  b.request("install", message({{"child", "net"}}), 2);
  b.taken();
  b.request("uninstall", message({{"child", "net"}}));
  EXPECT_EQ(b.taken(), "answer 2 no: uninstalled by command, unroute home/net");
  b.controller.resolved(pending, kRoute, b.effects, b.at);
  EXPECT_EQ(b.taken(), "");
  EXPECT_FALSE(b.controller.deadline().has_value());
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

// A refused request that is repeated, or a gateway that stays away, is one record that counts.
TEST(Client, TheSameFailureAgain_IsCounted) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.event(ike::event::Failed{.record = {.at = b.at, .connection = "home"}});
  b.event(ike::event::Failed{.record = {.at = b.at, .connection = "other"}});
  b.at = b.at + seconds{5};
  b.event(ike::event::Failed{.record = {.at = b.at, .connection = "home"}});
  b.taken();
  b.request("cygnet-failures", {});
  std::string told;
  for (const Effect& effect : b.effects) {
    const auto* stream = std::get_if<effect::Stream>(&effect);
    if (stream == nullptr) continue;
    told += fmt::format("{} {} times, {} s ago; ", stream->message.text("connection"),
                        stream->message.text("times"), stream->message.text("age"));
  }
  EXPECT_EQ(told, "other 1 times, 5 s ago; home 2 times, 0 s ago; ");
}

TEST(Client, ANameWithoutAddress_IsAFailure) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.request("initiate", message({{"ike", "home"}, {"child", "net"}}));
  b.taken();
  b.controller.resolved(b.last_request, fail("look up 'gw.example'", "not found"), b.effects, b.at);
  EXPECT_EQ(b.taken(), "answer 1 no: look up 'gw.example': not found");
  b.request("cygnet-failures", {});
  const auto* told = std::get_if<effect::Stream>(&b.effects.front());
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->message.text("reason"), "unreachable");
  EXPECT_EQ(told->message.text("field"), "remote_addrs");
  EXPECT_NE(told->message.text("theirs").find("gw.example"), std::string::npos);
}

// Each failure is told when it happens, as cygnet-failures tells it later: also those that
// strongSwan has no alert for.
TEST(Client, Failures_AreToldWhenTheyHappen) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.event(ike::event::Failed{.record = {.connection = "home", .reason = ike::Reason::limit}});
  b.event(ike::event::Failed{.record = {.connection = "home", .reason = ike::Reason::psk_wrong}});
  b.taken();
  EXPECT_EQ(b.published, (std::vector<std::string>{"cygnet-failure", "alert", "cygnet-failure"}));
  b.request("cygnet-failures", {});
  b.taken();
  ASSERT_EQ(b.streamed.size(), 2u);
  EXPECT_EQ(b.streamed[0].text("id"), "1");
  EXPECT_EQ(b.streamed[1].text("id"), "2");
  EXPECT_EQ(b.streamed[1].text("reason"), "psk_wrong");

  b.published.clear();
  b.view.heard = false;
  b.event(ike::event::Failed{.record = {.connection = "home", .reason = ike::Reason::limit}});
  b.taken();
  EXPECT_EQ(b.published, std::vector<std::string>{});
}

// A peer's proposals can be longer than a value of vici; the record of them is not.
TEST(FailureLog, Texts_AreBounded) {
  FailureLog log;
  const std::string much(100'000, 'x');
  const Failure& kept =
      log.add({.remote_identity = much, .theirs = much, .candidates = {{"a", "b", much, much}}});
  EXPECT_EQ(kept.record.theirs.size(), 1024u);
  EXPECT_TRUE(kept.record.theirs.ends_with("x..."));
  EXPECT_EQ(kept.record.remote_identity.size(), 1024u);
  EXPECT_EQ(kept.record.candidates[0].theirs.size(), 256u);
}

// The oldest go, and the numbers of the others stay.
TEST(FailureLog, Numbers_StayWithTheirRecords) {
  FailureLog log;
  for (std::size_t i = 0; i < kFailureRecordsMax + 3; ++i) {
    EXPECT_EQ(log.add({.connection = std::to_string(i + 1)}).id, i + 1);
  }
  EXPECT_EQ(log.failures().size(), kFailureRecordsMax);
  EXPECT_EQ(log.failures()[0].id, 4u);
  EXPECT_EQ(log.failures()[0].record.connection, "4");
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

// Ten thousand connections are told part by part, so that others are served in between.
TEST(Listing, LongOnes_AreToldPartByPart) {
  Bench b;
  std::string all;
  for (std::size_t i = 0; i < kPartsAtOnce + 10; ++i) {
    all += fmt::format("c{} : auth {{ children {{ net {{ }} }} }}\n", i);
  }
  EXPECT_EQ(b.configure(psk(all)), "");
  b.taken();
  b.request("list-conns", {});
  const std::string first = b.taken();
  EXPECT_TRUE(first.ends_with("stream list-conn, resume")) << first;
  ASSERT_EQ(b.streamed.size(), kPartsAtOnce);
  static_assert(kPartsAtOnce == 64, "c64 is the next");
  b.request("unload-conn", message({{"name", "c64"}}), 2);
  b.taken();
  b.controller.resume(ClientId{1}, b.view, b.at, b.effects);
  const std::string rest = b.taken();
  EXPECT_TRUE(rest.ends_with("stream list-conn, answer 1 ")) << rest;
  EXPECT_EQ(b.streamed.size(), kPartsAtOnce + 9) << "but for the one that has gone";
  b.controller.resume(ClientId{1}, b.view, b.at, b.effects);
  EXPECT_EQ(b.taken(), "");
}

TEST(Listing, OfAClientThatHasGone_Ends) {
  Bench b;
  for (std::size_t i = 0; i < kPartsAtOnce + 1; ++i) {
    b.view.now.sas.push_back({.id = ike::SaId{static_cast<std::uint32_t>(i + 1)}});
  }
  b.request("list-sas", {});
  EXPECT_TRUE(b.taken().ends_with("resume"));
  b.controller.disconnected(ClientId{1});
  b.controller.resume(ClientId{1}, b.view, b.at, b.effects);
  EXPECT_EQ(b.taken(), "");
}

}  // namespace
}  // namespace cygnet::control::test
