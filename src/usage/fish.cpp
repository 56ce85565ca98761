// The completion script for fish.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "usage/completion.hpp"
#include "usage/shell.hpp"

namespace cygnet::usage {
namespace {

constexpr std::string_view kFrame =
    R"sh(# fish completion of @name@, made by: @name@ completion fish

# Walks through what has been typed: the command, the option that waits for its value, how many
# arguments there are, and the daemon to ask.
function __@name@_walk
    set -l path ''
    set -l option ''
    set -l daemon ''
    set -l at 0
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test -n "$option"
            test "$option" = @daemon@; and set daemon $word
            set option ''
            continue
        end
        switch "$path $word"
@valued@            case '* @daemon@=*'
                set daemon (string replace -- @daemon@= '' $word)
            case '* -*'
@commands@            case '*'
                set at (math $at + 1)
        end
    end
    printf '%s\n' "$path" "$option" $at "$daemon"
end

function __@name@_in
    set -l state (__@name@_walk)
    test "$state[1]" = "$argv[1]"
end

function __@name@_at
    set -l state (__@name@_walk)
    test "$state[1]" = "$argv[1]" -a -z "$state[2]" -a "$state[3]" = "$argv[2]"
end

function __@name@_tunnels
    set -l state (__@name@_walk)
    set -l program (commandline -opc)[1]
    set -l daemon
    test -n "$state[4]"; and set daemon @daemon@ $state[4]
    command $program $daemon @names@ 2>/dev/null
end

complete -c @name@ -f
@rows@)sh";

std::string text_in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char one : text) {
    if (one == '\'' || one == '\\') out += '\\';
    out += one;
  }
  return out + "'";
}

/// What completes a value, as options of `complete`.
std::string source_of(const Value& value, const std::string& program) {
  if (!value.choices.empty()) {
    return fmt::format(" -a {}", text_in_quotes(fmt::format("{}", fmt::join(value.choices, " "))));
  }
  if (is_file(value)) return " -F";
  if (is_tunnel(value)) return fmt::format(" -a '(__{}_tunnels)'", program);
  return {};
}

std::string option_row(const std::string& path, const Option& option, const std::string& program) {
  std::string out = fmt::format("complete -c {} -n '__{}_in \"{}\"'", program, program, path);
  for (const std::string& name : option.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (option.takes_value())
    out += (is_file(option.value) ? " -r" : " -x") + source_of(option.value, program);
  return out + " -d " + text_in_quotes(option.text) + "\n";
}

std::string case_row(const std::vector<std::string>& patterns, std::string_view action) {
  if (patterns.empty()) return {};
  std::string out = "            case";
  for (const std::string& one : patterns) out += " " + text_in_quotes(one);
  return out + fmt::format("\n                {}\n", action);
}

}  // namespace

std::string fish_completion(const Command& program) {
  const std::string& name = program.name;
  std::string rows;
  each_command(program, "", [&](const std::string& path, const Command& command) {
    for (const Option& option : command.options) rows += option_row(path, option, name);
    const auto at = [&](std::size_t place) {
      return fmt::format("complete -c {} -n '__{}_at \"{}\" {}'", name, name, path, place);
    };
    for (const Command& one : command.commands) {
      std::vector<std::string> all{one.name};
      all.insert(all.end(), one.aliases.begin(), one.aliases.end());
      for (const std::string& word : all) {
        rows += fmt::format("{} -a {} -d {}\n", at(0), word, text_in_quotes(one.text));
      }
    }
    for (std::size_t i = 0; i < command.arguments.size(); ++i) {
      const std::string source = source_of(command.arguments[i].value, name);
      if (!source.empty()) rows += at(i) + source + "\n";
    }
  });
  const Steps steps = steps_of(program);
  return filled(
      kFrame,
      {{"name", name},
       {"names", kNamesCommand},
       {"daemon", kDaemonOption},
       {"valued", case_row(steps.valued, "set option $word")},
       {"commands", case_row(steps.commands, "set path \"$path $word\"\n                set at 0")},
       {"rows", rows}});
}

}  // namespace cygnet::usage
