// What a reload changes, told before it is done and as it is done.
#include "control/plan.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "control/option_text.hpp"
#include "unit/control/bench.hpp"

namespace cygnet::control::test {
namespace {

/// The streamed changes, one line each: "changed connection home: a: 1 -> 2; goes down net".
std::string told(Bench& b) {
  std::string out;
  for (const vici::Message& one : std::exchange(b.streamed, {})) {
    out += fmt::format("{} {} {}", one.text("change"), one.text("what"), one.text("name"));
    if (const vici::Message* options = one.find("options")) {
      for (const vici::Item& item : options->items()) {
        const auto& option = std::get<vici::Message>(item.content);
        out += fmt::format("; {}: {} -> {}", option.text("option"), option.text("before"),
                           option.text("after"));
      }
    }
    for (const char* list : {"goes-down", "unrouted"}) {
      if (one.list(list) != nullptr) {
        out += fmt::format("; {} {}", list, fmt::join(*one.list(list), " "));
      }
    }
    out += "\n";
  }
  return out;
}

void bring_up(Bench& b, const std::string& connection, const std::string& child) {
  ike::IkeStatus sa{.id = ike::SaId{7}, .connection = connection};
  sa.children.push_back({.connection = connection, .name = child});
  b.view.now.sas.push_back(std::move(sa));
}

std::string started(const std::string& more, const std::string& child = "") {
  return "home : auth { remote_addrs = gw.example\n " + more +
         "\n children { net { start_action = start\n " + child + " } } }\n";
}

TEST(Plan, TellsEverything_AndChangesNothing) {
  Bench b;
  EXPECT_EQ(b.configure(psk(started("") + "old : auth { children { net { } } }") +
                        "pools { p { addrs = 10.9.0.0/24 }\n q { addrs = 10.8.0.0/24 } }"),
            "");
  b.taken();
  bring_up(b, "home", "net");
  const std::string next =
      psk(started("rekey_time = 2h", "remote_ts = 10.2.0.0/24") + "fresh : auth { }") +
      "pools { p { addrs = 10.9.0.0/25\n dns = 10.9.0.1 } }"
      "secrets { ike-b { id = b.example\n secret = y } }";
  EXPECT_EQ(b.reload(next, true), "");
  EXPECT_EQ(b.taken(),
            "stream cygnet-change, stream cygnet-change, stream cygnet-change, stream "
            "cygnet-change, stream cygnet-change, stream cygnet-change, answer 1 yes");
  const std::string plan = told(b);
  EXPECT_EQ(plan,
            "removed connection old\n"
            "changed connection home; rekey_time: 4h -> 2h; life_time: 264m -> 132m; rand_time: "
            "24m -> 12m; children.net.remote_ts: dynamic -> 10.2.0.0/24; goes-down net\n"
            "added connection fresh\n"
            "changed pool p; addrs: 10.9.0.1-10.9.0.254 -> 10.9.0.1-10.9.0.126; dns:  -> 10.9.0.1\n"
            "removed pool q\n"
            "added secret ike-b\n");

  // The same once more: nothing was changed by it. And the same when it is done.
  EXPECT_EQ(b.reload(next, true), "");
  b.taken();
  EXPECT_EQ(told(b), plan);
  EXPECT_EQ(b.reload(next, false), "");
  EXPECT_NE(b.taken().find("drop old"), std::string::npos);
  EXPECT_EQ(told(b), plan);
  EXPECT_EQ(b.reload(next, true), "");
  EXPECT_EQ(b.taken(), "answer 1 yes");
}

// What the plan says goes down is what is taken down.
TEST(Plan, TunnelsThatGoDown_AreThoseThatAreTerminated) {
  struct Case {
    const char* more;
    const char* child;
    bool down;
  };
  for (const Case& one : {Case{"dpd_delay = 10s", "", false}, Case{"", "rekey_time = 2h", false},
                          Case{"", "remote_ts = 10.1.0.0/24", true},
                          Case{"proposals = aes128-sha256-ecp256", "", true}}) {
    SCOPED_TRACE(std::string{one.more} + one.child);
    Bench b;
    EXPECT_EQ(b.configure(psk(started(""))), "");
    b.taken();
    bring_up(b, "home", "net");
    EXPECT_EQ(b.reload(psk(started(one.more, one.child)), false), "");
    EXPECT_EQ(b.taken().find("terminate home/") != std::string::npos, one.down);
    EXPECT_EQ(told(b).find("goes-down net") != std::string::npos, one.down);
  }
}

TEST(Plan, TrapsThatGo) {
  Bench b;
  const std::string trap =
      "home : auth { remote_addrs = 192.0.2.1\n children { net { start_action "
      "= trap } } }";
  EXPECT_EQ(b.configure(psk(trap)), "");
  b.taken();
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.taken();
  b.event(ike::event::CommandDone{.request = b.last_request, .success = true});
  b.taken();
  EXPECT_EQ(b.reload(kHome, false), "");
  EXPECT_NE(b.taken().find("unroute home/net"), std::string::npos);
  EXPECT_EQ(told(b),
            "changed connection home; children.net.start_action: trap -> none; unrouted net\n");
}

TEST(Plan, ChildrenThatComeAndGo_AreNames) {
  Bench b;
  EXPECT_EQ(b.configure(psk("home : auth { children { a { }\n b { } } }")), "");
  EXPECT_EQ(b.reload(psk("home : auth { children { b { }\n c { } } }"), true), "");
  b.taken();
  EXPECT_EQ(told(b), "changed connection home; children: a, b -> b, c\n");
}

TEST(Plan, Order_CountsAsAChange) {
  Bench b;
  EXPECT_EQ(b.configure(psk("a : auth { }\n b : auth { }")), "");
  EXPECT_EQ(b.reload(psk("b : auth { }\n a : auth { }"), true), "");
  b.taken();
  EXPECT_EQ(told(b), "changed order connections\n");
}

TEST(Plan, Secrets_AreTold_TheirValuesNever) {
  Bench b;
  const auto with = [](const std::string& secret, const std::string& owner) {
    return "secrets { ike-a { id = " + owner + "\n secret = " + secret + " } }";
  };
  EXPECT_EQ(b.configure(with("hidden-one", "a.example")), "");
  b.taken();
  for (const std::string& next :
       {with("hidden-two", "a.example"), with("hidden-one", "b.example")}) {
    EXPECT_EQ(b.reload(next, true), "");
    b.taken();
    for (const vici::Message& one : b.streamed) {
      EXPECT_EQ(vici::to_text(one).find("hidden"), std::string::npos);
    }
    EXPECT_EQ(told(b), "changed secret ike-a\n");
  }
}

TEST(Plan, FaultsAreTheAnswer_AndNothingChanges) {
  for (const bool only_plan : {true, false}) {
    Bench b;
    EXPECT_EQ(b.configure(kHome), "");
    b.taken();
    EXPECT_NE(b.reload("connections { home { encap = maybe } }", only_plan), "");
    const std::string taken = b.taken();
    EXPECT_TRUE(taken.starts_with("answer 1 no: load the configuration:\nc:1:")) << taken;
    EXPECT_EQ(b.reload(kHome, true), "");
    EXPECT_EQ(b.taken(), "answer 1 yes");
  }
}

// However many faults there are, they fit into an answer.
TEST(Plan, ManyFaults_AreCut) {
  Effects out;
  Controller::refuse_reload(ClientId{1}, std::string(100'000, 'x'), out);
  const auto& answer = std::get<effect::Respond>(out.at(0)).message;
  EXPECT_TRUE(answer.text("errmsg").ends_with("x\n..."));
  EXPECT_TRUE(vici::write_message(answer).has_value());
}

// Two connections that are not equal differ in an option, whichever field it is.
TEST(OptionChanges, EveryField_HasAnOption) {
  using model::Connection;
  const std::vector<std::pair<const char*, std::function<void(Connection&)>>> edits{
      {"local_addrs", [](auto& c) { c.local_addrs = {model::HostName{"h"}}; }},
      {"remote_addrs", [](auto& c) { c.remote_addrs = {model::HostName{"h"}}; }},
      {"local_port", [](auto& c) { c.local_port = 4500; }},
      {"remote_port", [](auto& c) { c.remote_port = 4500; }},
      {"vips", [](auto& c) { c.vips = {IpAddress::v4(0)}; }},
      {"pools", [](auto& c) { c.pools = {"p"}; }},
      {"encap", [](auto& c) { c.encap = true; }},
      {"mobike", [](auto& c) { c.mobike = false; }},
      {"fragmentation", [](auto& c) { c.fragmentation = model::Fragmentation::no; }},
      {"send_certreq", [](auto& c) { c.send_certreq = false; }},
      {"send_cert", [](auto& c) { c.send_cert = model::SendCert::never; }},
      {"unique", [](auto& c) { c.unique = model::Uniqueness::replace; }},
      {"childless", [](auto& c) { c.childless = model::Childless::force; }},
      {"keyingtries", [](auto& c) { c.keyingtries = 0; }},
      {"dpd_delay", [](auto& c) { c.dpd_delay = std::chrono::seconds{30}; }},
      {"rekey_time", [](auto& c) { c.lifetime.rekey = std::chrono::milliseconds{1500}; }},
      {"life_packets", [](auto& c) { c.lifetime.life_packets = 9; }},
      {"reauth_time", [](auto& c) { c.reauth_time = std::chrono::hours{1}; }},
      {"local.auth", [](auto& c) { c.local.method = model::AuthClass::psk; }},
      {"local.certs", [](auto& c) { c.local.certs = {Bytes{1}}; }},
      {"remote.certs", [](auto& c) { c.remote.certs = {Bytes{1}}; }},
      {"remote.revocation", [](auto& c) { c.remote.revocation = model::Revocation::strict; }},
      {"children.net.mode", [](auto& c) { c.children[0].mode = model::ChildMode::drop; }},
      {"children.net.replay_window", [](auto& c) { c.children[0].replay_window = 0; }},
      {"children.net.copy_dscp", [](auto& c) { c.children[0].copy_dscp = model::CopyDscp::yes; }},
      {"children.net.keep_up", [](auto& c) { c.children[0].keep_up = true; }},
      {"children", [](auto& c) { c.children.push_back({.name = "more"}); }},
  };
  Connection before{.name = "home"};
  before.children.push_back({.name = "net"});
  EXPECT_TRUE(option_changes(before, before).empty());
  for (const auto& [option, edit] : edits) {
    Connection after = before;
    edit(after);
    const std::vector<OptionChange> changes = option_changes(before, after);
    ASSERT_EQ(changes.size(), 1u) << option;
    EXPECT_EQ(changes[0].option, option);
    EXPECT_NE(changes[0].before, changes[0].after);
  }
}

}  // namespace
}  // namespace cygnet::control::test
