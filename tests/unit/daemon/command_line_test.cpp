// The command line of cygnetd, and the manual that comes from it.
#include "daemon/command_line.hpp"

#include <gtest/gtest.h>

#include <regex>

#include "usage/command.hpp"

namespace cygnet::daemon {
namespace {

std::optional<int> parse(CommandLine& line, std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return line.parse(static_cast<int>(argv.size()), argv.data());
}

TEST(DaemonCommandLine, Options_ReachTheDaemon) {
  CommandLine line{"1.2"};
  EXPECT_EQ(parse(line, {"cygnetd", "--config", "a.conf", "--data-plane", "none", "--log-level",
                         "debug", "--workers", "3", "--retransmit-base", "1.5"}),
            std::nullopt);
  EXPECT_EQ(line.options().config, "a.conf");
  EXPECT_EQ(line.options().plane, PlaneChoice::none);
  EXPECT_EQ(line.options().workers, 3u);
  EXPECT_EQ(line.options().retransmit_base, 1.5);
  EXPECT_EQ(line.options().log.level, model::LogLevel::debug);
}

TEST(DaemonCommandLine, Mistakes_EndWithTheCodeForThem) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"cygnetd", "--nonsense"},
                                             {"cygnetd", "--data-plane", "kernel"},
                                             {"cygnetd", "--workers", "65"},
                                             {"cygnetd", "--ipsec-secrets", "x"}}) {
    CommandLine line{"1.2"};
    EXPECT_EQ(parse(line, words), 2) << words[1];
  }
  CommandLine line{"1.2"};
  EXPECT_EQ(parse(line, {"cygnetd", "--help"}), 0);
}

TEST(DaemonCommandLine, EveryOption_IsInTheManual) {
  const CommandLine line{"1.2"};
  const std::vector<usage::Option> options = usage::command_of(line.app()).options;
  ASSERT_GT(options.size(), 10u);
  for (const usage::Option& one : options) {
    const std::string in_roff = std::regex_replace(one.names.back(), std::regex{"-"}, "\\-");
    EXPECT_NE(line.manual().find("\\fB" + in_roff), std::string::npos) << in_roff;
  }
  EXPECT_EQ(line.manual().find("\\-\\-manual"), std::string::npos);
}

}  // namespace
}  // namespace cygnet::daemon
