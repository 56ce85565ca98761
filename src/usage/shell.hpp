// What the three shells have in common. Internal to usage.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "usage/command.hpp"

namespace cygnet::usage {

/// In single quotes, as bash and zsh read them.
[[nodiscard]] inline std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char one : text) {
    if (one == '\'') {
      out += "'\\''";
    } else {
      out += one;
    }
  }
  return out + "'";
}

/// `frame` with each "@key@" of the list replaced; what is put in is not looked through again.
[[nodiscard]] inline std::string filled(
    std::string_view frame,
    const std::vector<std::pair<std::string_view, std::string>>& replacements) {
  std::string out;
  while (true) {
    const std::size_t start = frame.find('@');
    const std::size_t end = start == std::string_view::npos ? start : frame.find('@', start + 1);
    if (end == std::string_view::npos) return out.append(frame);
    const std::string_view key = frame.substr(start + 1, end - start - 1);
    const auto found =
        std::ranges::find(replacements, key, [](const auto& one) { return one.first; });
    if (found == replacements.end()) {
      out += frame.substr(0, end);
      frame.remove_prefix(end);
      continue;
    }
    out.append(frame.substr(0, start)).append(found->second);
    frame.remove_prefix(end + 1);
  }
}

/// Calls `use(path, command)` for the program (path "") and each command of it (" up", " a b"),
/// under each of its names.
template <class Use>
void each_command(const Command& command, const std::string& path, const Use& use) {
  use(path, command);
  for (const Command& one : command.commands) {
    each_command(one, path + " " + one.name, use);
    for (const std::string& alias : one.aliases) each_command(one, path + " " + alias, use);
  }
}

/// The words, each quoted, with `separator` between them.
[[nodiscard]] inline std::string quoted_words(const std::vector<std::string>& words,
                                              std::string_view separator) {
  std::string out;
  for (const std::string& one : words) {
    if (!out.empty()) out += separator;
    out += in_quotes(one);
  }
  return out;
}

/// What can stand behind " up": names of commands with their aliases.
[[nodiscard]] inline std::vector<std::string> command_names(const Command& command) {
  std::vector<std::string> out;
  for (const Command& one : command.commands) {
    out.push_back(one.name);
    out.insert(out.end(), one.aliases.begin(), one.aliases.end());
  }
  return out;
}

/// Options that take the next word, as " up --timeout"; and what leads to a command, as " up".
struct Steps {
  std::vector<std::string> valued;
  std::vector<std::string> commands;
};
[[nodiscard]] inline Steps steps_of(const Command& program) {
  Steps out;
  each_command(program, "", [&out](const std::string& path, const Command& command) {
    if (!path.empty()) out.commands.push_back(path);
    for (const Option& option : command.options) {
      if (!option.takes_value()) continue;
      for (const std::string& name : option.names) out.valued.push_back(path + " " + name);
    }
  });
  return out;
}

}  // namespace cygnet::usage
