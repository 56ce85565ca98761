// The completion script for bash.
#include <fmt/format.h>

#include "usage/completion.hpp"
#include "usage/shell.hpp"

namespace cygnet::usage {
namespace {

/// What stands between @ comes from the table.
constexpr std::string_view kFrame =
    R"sh(# bash completion of @name@, made by: @name@ completion bash

# Offers those of the words that begin with what stands there. They are never evaluated.
_@name@_offer() {
  local one
  for one in "$@"; do
    if [[ $one == "$current"* ]]; then COMPREPLY+=("$(printf %q "$one")"); fi
  done
}

_@name@_tunnels() {
  local -a names
  mapfile -t names < <("$program" ${daemon:+@daemon@ "$daemon"} @names@ 2>/dev/null)
  _@name@_offer "${names[@]}"
}

_@name@_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

_@name@() {
  local program=$1 current=${COMP_WORDS[COMP_CWORD]} path='' option='' daemon='' at=0 i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    # bash cuts words at = and at colons.
    if [[ $word == = ]]; then continue; fi
    if [[ $word == :* ]]; then
      ((++i < COMP_CWORD)) || return 0
      if [[ $option == done:@daemon@ ]]; then daemon+=$word${COMP_WORDS[i]}; fi
      continue
    fi
    if [[ -n $option && $option != done:* ]]; then
      if [[ $option == @daemon@ ]]; then daemon=$word; fi
      option=done:$option
      continue
    fi
    option=''
    case "$path $word" in
@valued@      *' '-*) ;;
@commands@      *) ((++at)) ;;
    esac
  done
  case $option in done:*) option='' ;; esac
  if [[ $current == = ]]; then current=''; fi
  if [[ $current == :* ]]; then return 0; fi
  if [[ -n $option ]]; then
    case "$path $option" in
@values@    esac
  elif [[ $current == -* ]]; then
    case $path in
@options@    esac
  else
    case "$path $at" in
@arguments@    esac
  fi
  return 0
}

complete -F _@name@ @name@
)sh";

/// What completes a value; empty when nothing does.
std::string action_for(const Value& value, const std::string& name) {
  if (!value.choices.empty())
    return fmt::format("_{}_offer {}", name, quoted_words(value.choices, " "));
  if (is_file(value)) return fmt::format("_{}_files", name);
  if (is_tunnel(value)) return fmt::format("_{}_tunnels", name);
  return {};
}

std::string row(const std::string& pattern, const std::string& action) {
  return action.empty() ? "" : fmt::format("      {}) {} ;;\n", in_quotes(pattern), action);
}

std::string step_row(const std::vector<std::string>& patterns, std::string_view action) {
  if (patterns.empty()) return {};
  return fmt::format("      {}) {} ;;\n", quoted_words(patterns, " | "), action);
}

}  // namespace

std::string bash_completion(const Command& program) {
  const std::string& name = program.name;
  std::string values;
  std::string options;
  std::string arguments;
  each_command(program, "", [&](const std::string& path, const Command& command) {
    std::vector<std::string> names;
    for (const Option& option : command.options) {
      for (const std::string& one : option.names) {
        names.push_back(one);
        if (option.takes_value()) values += row(path + " " + one, action_for(option.value, name));
      }
    }
    if (!names.empty()) {
      options += row(path, fmt::format("_{}_offer {}", name, quoted_words(names, " ")));
    }
    if (!command.commands.empty()) {
      arguments += row(path + " 0", fmt::format("_{}_offer {}", name,
                                                quoted_words(command_names(command), " ")));
    }
    for (std::size_t i = 0; i < command.arguments.size(); ++i) {
      arguments += row(fmt::format("{} {}", path, i), action_for(command.arguments[i].value, name));
    }
  });
  const Steps steps = steps_of(program);
  return filled(kFrame, {{"name", name},
                         {"names", kNamesCommand},
                         {"daemon", kDaemonOption},
                         {"valued", step_row(steps.valued, "option=$word")},
                         {"commands", step_row(steps.commands, "path+=\" $word\" at=0")},
                         {"values", values},
                         {"options", options},
                         {"arguments", arguments}});
}

}  // namespace cygnet::usage
