// strongswan.conf and the command line.
#include "daemon/settings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "unit/config/memory_files.hpp"

namespace cygnet::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Result<ike::EngineConfig> engine_config(const Options& options, config::Files& files) {
  CYG_TRY(const SettingsFile read, read_settings(options, files));
  return daemon::engine_config(options, read.settings);
}

constexpr const char* kConf =
    "charon {\n retransmit_timeout = 1.5\n retransmit_tries = 2\n"
    " cookie_threshold = 7\n keep_alive = 0s\n}\n";

TEST(EngineConfig, WithoutAFile_IsOurs) {
  test::MemoryFiles files;
  const auto config = engine_config({}, files);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->retransmit.timeout, ike::EngineConfig{}.retransmit.timeout);
}

TEST(EngineConfig, TheFileThatIsThere_IsRead) {
  test::MemoryFiles files{{{"/etc/strongswan.conf", kConf}}};
  const auto config = engine_config({}, files);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->retransmit.timeout, Duration{milliseconds{1500}});
  EXPECT_EQ(config->handshake.tries, 2U);
  EXPECT_EQ(config->cookie_threshold, 7U);
  EXPECT_EQ(config->keepalive, Duration{0});
}

TEST(EngineConfig, TheCommandLineWins) {
  test::MemoryFiles files{{{"/etc/strongswan.conf", kConf}}};
  Options options;
  options.retransmit_tries = 9;
  const auto config = engine_config(options, files);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->retransmit.tries, 9U);
  EXPECT_EQ(config->retransmit.timeout, Duration{milliseconds{1500}});
}

// 0 is strongSwan's word for off, not for always.
TEST(EngineConfig, ThresholdOfZero_IsNone) {
  test::MemoryFiles files{
      {{"/etc/strongswan.conf", "charon {\n block_threshold = 0\n cookie_threshold = 0\n}\n"}}};
  const auto config = engine_config({}, files);
  ASSERT_TRUE(config.has_value());
  EXPECT_GT(config->block_threshold_per_ip, std::size_t{1'000'000});
  EXPECT_GT(config->cookie_threshold, std::size_t{1'000'000});
}

TEST(EngineConfig, DevNull_IsNone) {
  test::MemoryFiles files{{{"/etc/strongswan.conf", kConf}}};
  Options options;
  options.strongswan_conf = "/dev/null";
  const auto config = engine_config(options, files);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->retransmit.tries, ike::EngineConfig{}.retransmit.tries);
}

// Whoever names a file wants it read.
TEST(EngineConfig, NamedFileThatIsMissing_IsAnError) {
  test::MemoryFiles files;
  Options options;
  options.strongswan_conf = "/run/other.conf";
  EXPECT_FALSE(engine_config(options, files).has_value());
}

TEST(EngineConfig, Faults_AreTold) {
  test::MemoryFiles files{{{"/etc/strongswan.conf", "charon {\n retransmit_base = fast\n}\n"}}};
  const auto config = engine_config({}, files);
  ASSERT_FALSE(config.has_value());
  EXPECT_NE(config.error().text().find("/etc/strongswan.conf:2:"), std::string::npos)
      << config.error().text();
}

TEST(EngineConfig, WithoutDosProtection_NobodyIsBlocked) {
  test::MemoryFiles files{{{"/etc/strongswan.conf", "charon {\n dos_protection = no\n}\n"}}};
  const auto config = engine_config({}, files);
  ASSERT_TRUE(config.has_value());
  EXPECT_GT(config->block_threshold_per_ip, std::size_t{1'000'000});
  EXPECT_GT(config->cookie_threshold_per_network, std::size_t{1'000'000});
}

TEST(EngineConfig, PortsAreTheirs) {
  test::MemoryFiles files{
      {{"/etc/strongswan.conf", "charon {\n port = 1500\n port_nat_t = 1501\n}\n"}}};
  const auto config = engine_config({}, files);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->ike_port, 1500);
  EXPECT_EQ(config->natt_port, 1501);
}

// What is suspicious is told, with its place; includes are followed.
TEST(ReadSettings, WarningsAndIncludes) {
  test::MemoryFiles files{
      {{"/etc/strongswan.conf", "charon {\n port = 1500\n port = 1600\n include d/*.conf\n}\n"},
       {"/etc/d/a.conf", "port_nat_t = 1601\n"}}};
  const auto read = read_settings({}, files);
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->warnings.size(), 1U);
  EXPECT_NE(read->warnings[0].find("/etc/strongswan.conf:3:"), std::string::npos);
  EXPECT_EQ(read->settings.port, 1600);
  EXPECT_EQ(read->settings.port_nat_t, 1601);
}

// strongSwan's 16 threads on a small machine are one for each processor.
TEST(WorkerCount, IsWithinTheProcessors) {
  const unsigned processors = std::max(std::thread::hardware_concurrency(), 1U);
  config::Settings settings;
  EXPECT_LE(worker_count({}, settings), 4U);
  settings.threads = 1;
  EXPECT_EQ(worker_count({}, settings), 1U);
  settings.threads = 1000;
  EXPECT_EQ(worker_count({}, settings), processors);
  EXPECT_EQ(worker_count({.workers = 9}, settings), 9U) << "the command line wins";
}

/// What is said of a strongswan.conf; empty when it is taken.
std::string faults(const std::string& text) {
  test::MemoryFiles files{{{"/etc/strongswan.conf", text}}};
  const auto config = engine_config({}, files);
  if (config) {
    EXPECT_EQ(config->retransmit.tries, 3U) << text.substr(0, 100);
    return "";
  }
  return config.error().text();
}

void expect_fault(const std::string& text, const std::string& fault) {
  const std::string found = faults(text);
  EXPECT_NE(found.find("\n/etc/strongswan.conf:" + fault), std::string::npos) << found;
}

TEST(EngineConfig, HostileFiles_AreToldAtTheirPlace) {
  const std::string good = "charon {\n retransmit_tries = 3\n}\n";
  EXPECT_EQ(faults(good), "");
  EXPECT_EQ(faults("charon {\r\n retransmit_tries = 3\r\n}\r\n"), "");
  EXPECT_EQ(faults("\xef\xbb\xbf" + good), "") << "a warning only";
  const std::string long_text(1'000'000, 'x');
  EXPECT_EQ(faults("# " + long_text + "\n" + good), "");
  expect_fault(good + "a = " + long_text + "\n", "4:5: error: value longer than 65535 octets");
  expect_fault(good + long_text + " = 1\n", "4:1: error: name longer than 240 characters");
  expect_fault(good + std::string{"a = \0", 5}, "4:5: error: NUL octet: this is not a text file");
  expect_fault(good + "include /etc/strongswan.conf\n", "4:9: error: include");
  expect_fault(good + "a : b { }\nb : a { }\n", "4:5: error: ");
}

}  // namespace
}  // namespace cygnet::daemon
