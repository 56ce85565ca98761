// What a program's command line consists of, read from its parser: the source of its completions
// and its manual.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cygnet::usage {

/// What stands for an argument or for an option's value. The name says what completes it: FILE is
/// a file, NAME and PEER are what the daemon has, "a|b" is one of these words.
struct Value {
  std::string name;
  std::vector<std::string> choices;
  std::string fallback;  ///< what it is unless given; may be empty
};
/// The words that complete it are the daemon's to tell.
[[nodiscard]] bool is_tunnel(const Value& value);
[[nodiscard]] bool is_file(const Value& value);

struct Argument {
  Value value;
  std::string text;
  bool required = false;
};

struct Option {
  std::vector<std::string> names;  ///< "-h", "--help"
  Value value;                     ///< its name is empty for a flag
  bool value_optional = false;
  std::string text;
  [[nodiscard]] bool takes_value() const { return !value.name.empty() && !value_optional; }
};

/// A program, or a command of one.
struct Command {
  std::string name;
  std::vector<std::string> aliases;
  std::string text;     ///< one sentence
  std::string details;  ///< paragraphs, separated by empty lines
  std::vector<Argument> arguments;
  std::vector<Option> options;
  std::vector<Command> commands;
  bool takes_rest = false;  ///< what follows is another program's command line
};

/// Leaves out what is in the group "", which is hidden.
[[nodiscard]] Command command_of(const CLI::App& app);

/// "cygnet up [OPTIONS] NAME" without the options: "NAME", "[FILE]", "COMMAND".
[[nodiscard]] std::string synopsis(const Command& command);
/// "--timeout SECONDS", "-h, --help", "--watch [SECONDS]".
[[nodiscard]] std::string synopsis(const Option& option);

}  // namespace cygnet::usage
