// strongswan.conf.
#include "config/settings.hpp"

#include <gtest/gtest.h>

#include "config/swanctl_parser.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::config {
namespace {

Settings load(const std::string& text, std::string& faults) {
  test::MemoryFiles files;
  Diagnostics diags;
  const Section root = parse_swanctl_text(text, "s.conf", files, diags);
  const Settings out = load_settings(root, diags);
  faults = diags.text();
  return out;
}

TEST(Settings, OursAreRead) {
  std::string faults;
  const Settings out = load(
      "charon {\n retransmit_timeout = 2.5\n retransmit_tries = 3\n keep_alive = 10s\n"
      " half_open_timeout = 30\n cookie_threshold = 0\n fragment_size = 1400\n}\n",
      faults);
  EXPECT_EQ(faults, "");
  EXPECT_EQ(out.retransmit_timeout, 2.5);
  EXPECT_EQ(out.retransmit_tries, 3U);
  EXPECT_EQ(out.keep_alive, Duration{std::chrono::seconds{10}});
  EXPECT_EQ(out.half_open_timeout, Duration{std::chrono::seconds{30}});
  EXPECT_EQ(out.cookie_threshold, 0U);
  EXPECT_EQ(out.fragment_size, 1400U);
  EXPECT_FALSE(out.retransmit_base.has_value());
}

// What Debian installs is full of other programs' and plugins' keys.
TEST(Settings, OthersPassInSilence) {
  std::string faults;
  static_cast<void>(
      load("charon {\n load_modular = yes\n plugins {\n gmp { load = yes } }\n}\n"
           "charon-nm { ca_dir = /etc }\npool { load = x }\n",
           faults));
  EXPECT_EQ(faults, "");
}

TEST(Settings, OutOfBounds_AreFaults) {
  for (const char* line :
       {"retransmit_timeout = 0", "retransmit_timeout = 1e300", "retransmit_base = 0.5",
        "retransmit_tries = 4000000000", "half_open_timeout = 0s", "fragment_size = 10"}) {
    std::string faults;
    static_cast<void>(load("charon {\n " + std::string{line} + "\n}\n", faults));
    EXPECT_NE(faults.find("s.conf:2:"), std::string::npos) << line;
  }
}

TEST(Settings, Faults_AreAtTheirPlace) {
  std::string faults;
  static_cast<void>(load("charon {\n retransmit_base = fast\n retransmit_tries = -1\n}\n", faults));
  EXPECT_NE(faults.find("s.conf:2:"), std::string::npos) << faults;
  EXPECT_NE(faults.find("s.conf:3:"), std::string::npos) << faults;
}

// charon-systemd's section wins over charon's, key by key, as it does for that program.
TEST(Settings, SectionOfCharonSystemd_Wins) {
  std::string faults;
  const Settings out = load(
      "charon-systemd {\n port = 1500\n journal { default = 2 }\n plugins { attr { dns = 10.0.0.2 "
      "}}\n}\n"
      "charon {\n port = 2500\n port_nat_t = 2501\n journal { default = 0\n ike = 3 }\n"
      " plugins { attr { dns = 10.0.0.1\n nbns = 10.0.0.3 } }\n}\n",
      faults);
  EXPECT_EQ(faults, "");
  EXPECT_EQ(out.port, 1500);
  EXPECT_EQ(out.port_nat_t, 2501);
  ASSERT_TRUE(out.log.journal.has_value());
  EXPECT_EQ(out.log.journal->all, model::LogLevel::debug);
  EXPECT_EQ(out.log.journal->of.at(model::LogGroup::ike), model::LogLevel::trace);
  EXPECT_EQ(out.dns, std::vector{IpAddress::v4(0x0a000002)});
  EXPECT_EQ(out.nbns, std::vector{IpAddress::v4(0x0a000003)});
}

TEST(Settings, HostAndServers_AreRead) {
  std::string faults;
  const Settings out = load(
      "charon {\n install_routes = no\n install_virtual_ip = no\n routing_table = 17\n"
      " routing_table_prio = 18\n threads = 32\n dos_protection = no\n dns1 = 10.0.0.1\n"
      " dns2 = 2001:db8::1\n nbns1 = 10.0.0.3\n plugins { vici { socket = unix:///run/v }\n"
      " attr { dns = 10.0.0.4, 10.0.0.5 } }\n}\n",
      faults);
  EXPECT_EQ(faults, "");
  EXPECT_EQ(out.install_routes, false);
  EXPECT_EQ(out.install_virtual_ip, false);
  EXPECT_EQ(out.routing_table, 17U);
  EXPECT_EQ(out.routing_table_prio, 18U);
  EXPECT_EQ(out.threads, 32U);
  EXPECT_EQ(out.dos_protection, false);
  EXPECT_EQ(out.vici_socket, "unix:///run/v");
  EXPECT_EQ(out.dns.size(), 4U);
  EXPECT_EQ(out.nbns.size(), 1U);
}

TEST(Settings, LogPlaces_AreRead) {
  std::string faults;
  const Settings out = load(
      "charon {\n filelog {\n  main { path = /var/log/charon.log\n append = no\n default = 1\n"
      " ike = 2\n asn = 4\n time_format = %b\n flush_line = yes }\n  /var/log/old.log { knl = -1 "
      "}\n"
      "  stderr { default = 0 }\n }\n syslog {\n  identifier = vpn\n  daemon { }\n auth { default "
      "= -1 }\n"
      " }\n}\n",
      faults);
  EXPECT_EQ(faults, "");
  using model::LogLevel;
  const std::vector<LogPlace> expected{
      {.kind = LogPlace::Kind::file,
       .name = "/var/log/charon.log",
       .append = false,
       .levels = {.all = LogLevel::info, .of = {{model::LogGroup::ike, LogLevel::debug}}}},
      {.kind = LogPlace::Kind::file,
       .name = "/var/log/old.log",
       .levels = {.all = LogLevel::info, .of = {{model::LogGroup::knl, LogLevel::none}}}},
      {.kind = LogPlace::Kind::file, .name = "stderr", .levels = {.all = LogLevel::notice}},
      {.kind = LogPlace::Kind::syslog, .name = "daemon"},
      {.kind = LogPlace::Kind::syslog, .name = "auth", .levels = {.all = LogLevel::none}}};
  EXPECT_EQ(out.log.places, expected);
  EXPECT_EQ(out.log.syslog_identifier, "vpn");
}

TEST(Settings, WhatCannotBe_IsAFaultAtItsPlace) {
  for (const char* line : {"port = 0",
                           "port = 70000",
                           "port = 4500",
                           "port_nat_t = 500",
                           "port_nat_t = ike",
                           "install_routes = perhaps",
                           "routing_table = 254",
                           "routing_table_prio = 3",
                           "threads = 0",
                           "threads = many",
                           "dns1 = gw.example",
                           "nbns1 = 10.0.0.0/24",
                           "dos_protection = 2",
                           "filelog { a { path = /l\n default = 5 } }",
                           "filelog { a { path = charon.log } }",
                           "filelog { a { path = /l\n job = x } }",
                           "filelog { a { path = /l\n append = 3 } }",
                           "syslog { deamon { } }",
                           "journal { default = -2 }",
                           "plugins { vici { socket = tcp://127.0.0.1:4502 } }",
                           "plugins { attr { dns = here } }"}) {
    std::string faults;
    static_cast<void>(load("charon {\n " + std::string{line} + "\n}\n", faults));
    EXPECT_NE(faults.find("error"), std::string::npos) << line;
    EXPECT_NE(faults.find("s.conf:"), std::string::npos) << line;
    EXPECT_EQ(faults.find("s.conf:1:"), std::string::npos) << line << ": " << faults;
  }
}

TEST(Settings, OnlyAStart_ChangesSockets) {
  Settings before;
  Settings after;
  after.cookie_threshold = 3;
  after.log.journal.emplace();
  EXPECT_TRUE(keys_for_a_start(before, after).empty());
  after.port = 1500;
  after.vici_socket = "unix:///run/v";
  EXPECT_EQ(keys_for_a_start(before, after),
            (std::vector<std::string_view>{"port", "plugins.vici.socket"}));
}

TEST(CharonDebug, SetsGroups) {
  const auto levels = parse_charondebug("ike 2, knl 0,any -1 , tls 4");
  ASSERT_TRUE(levels.has_value()) << levels.error().text();
  EXPECT_EQ(levels->all, model::LogLevel::none);
  EXPECT_EQ(levels->of, (std::map<model::LogGroup, model::LogLevel>{
                            {model::LogGroup::ike, model::LogLevel::debug},
                            {model::LogGroup::knl, model::LogLevel::notice}}));
  EXPECT_EQ(parse_charondebug(""), model::LogLevels{});
}

TEST(CharonDebug, Faults) {
  for (const char* text : {"ike", "ike 5", "ike two", "ikey 2", "2", "ike=2"}) {
    EXPECT_FALSE(parse_charondebug(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace cygnet::config
