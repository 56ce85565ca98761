// The table of `cygnet` is one: what can be typed is in every shell's completions, in the manual
// and in docs/cli.md, and so are the exit codes.
#include "cli/command_line.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "usage/completion.hpp"

namespace cygnet::cli {
namespace {

std::string read(const std::string& path) {
  std::ifstream file{std::string{CYGNET_SOURCE_DIR} + "/" + path};
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::vector<std::string> names_of(const CommandLine& line) {
  return [&] {
    std::vector<std::string> out;
    for (const usage::Command& one : usage::command_of(line.app()).commands) {
      out.push_back(one.name);
      out.insert(out.end(), one.aliases.begin(), one.aliases.end());
    }
    return out;
  }();
}

/// A word by itself: not a part of another.
bool has_word(const std::string& text, const std::string& word) {
  return std::regex_search(text, std::regex{"(^|[^a-z-])" + word + "([^a-z-]|$)"});
}

TEST(CommandLine, EveryCommand_IsInAllCompletionsTheManualAndTheDocs) {
  const CommandLine line{"1.2"};
  const std::string docs = read("docs/cli.md");
  const std::vector<std::string> names = names_of(line);
  ASSERT_GT(names.size(), 8u);
  for (const std::string& name : names) {
    for (const char* shell : {"bash", "zsh", "fish"}) {
      EXPECT_TRUE(has_word(completion(line, shell), name)) << shell << ": " << name;
    }
    EXPECT_TRUE(has_word(manual(line), "fB" + name)) << name;
    EXPECT_TRUE(std::regex_search(docs, std::regex{"\\| `([a-z-]+`, `)*" + name + "[ `]"})) << name;
  }
}

TEST(CommandLine, EveryOption_IsInAllCompletionsTheManualAndTheDocs) {
  const CommandLine line{"1.2"};
  const std::string docs = read("docs/cli.md");
  std::set<std::string> options;
  for (const usage::Command& command : usage::command_of(line.app()).commands) {
    for (const usage::Option& one : command.options) options.insert(one.names.back());
  }
  options.erase("--help");
  ASSERT_GT(options.size(), 5u);
  for (const std::string& option : options) {
    EXPECT_NE(completion(line, "bash").find("'" + option + "'"), std::string::npos) << option;
    EXPECT_NE(completion(line, "zsh").find("'" + option), std::string::npos) << option;
    EXPECT_NE(completion(line, "fish").find(" -l " + option.substr(2)), std::string::npos)
        << option;
    const std::string in_roff = std::regex_replace(option, std::regex{"-"}, "\\-");
    EXPECT_NE(manual(line).find(in_roff), std::string::npos) << option;
    EXPECT_NE(docs.find(option), std::string::npos) << option;
  }
}

TEST(CommandLine, HiddenCommands_AreNowhere) {
  const CommandLine line{"1.2"};
  for (const std::string& name : names_of(line)) EXPECT_NE(name, usage::kNamesCommand);
  EXPECT_EQ(manual(line).find(usage::kNamesCommand), std::string::npos);
  EXPECT_EQ(line.app().help().find(usage::kNamesCommand), std::string::npos);
}

TEST(CommandLine, ExitCodes_AreTheSameInTheDocsTheManualAndTheHelp) {
  const CommandLine line{"1.2"};
  const std::string docs = read("docs/cli.md");
  std::vector<std::string> in_docs;
  for (std::size_t at = docs.find("| Exit code |"); (at = docs.find("\n| ", at)) < docs.size();) {
    const std::size_t end = docs.find('\n', ++at);
    in_docs.push_back(docs.substr(at, end - at));
    if (docs.compare(end, 3, "\n| ") != 0) break;
  }
  ASSERT_EQ(in_docs.size(), exit_codes().size());
  for (std::size_t i = 0; i < in_docs.size(); ++i) {
    const usage::ExitCode& one = exit_codes()[i];
    EXPECT_EQ(in_docs[i], "| " + std::to_string(one.code) + " | " + one.text + " |");
    EXPECT_NE(manual(line).find(".TP\n\\fB" + std::to_string(one.code)), std::string::npos);
    EXPECT_NE(line.app().help().find(std::to_string(one.code) + "  " + one.text),
              std::string::npos);
  }
}

TEST(CommandLine, Mistakes_EndWithTheCodeForThem) {
  const auto run = [](std::vector<std::string> words) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    return CommandLine{"1.2"}.run(static_cast<int>(argv.size()), argv.data());
  };
  EXPECT_EQ(run({"cygnet"}), 2);
  EXPECT_EQ(run({"cygnet", "nonsense"}), 2);
  EXPECT_EQ(run({"cygnet", "rekey", "all", "home"}), 2);
  EXPECT_EQ(run({"cygnet", "--vici", "unix:///nowhere/at/all", "status"}), 3);
  EXPECT_EQ(run({"cygnet", "--help"}), 0);
  EXPECT_EQ(run({"cygnet", "check", "--lints"}), 0);
}

}  // namespace
}  // namespace cygnet::cli
