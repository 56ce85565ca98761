// The completion script for zsh.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "usage/completion.hpp"
#include "usage/shell.hpp"

namespace cygnet::usage {
namespace {

constexpr std::string_view kFrame = R"sh(#compdef @name@
# zsh completion of @name@, made by: @name@ completion zsh

_@name@_tunnels() {
  local -a names
  names=(${(f)"$("$program" ${daemon:+@daemon@ "$daemon"} @names@ 2>/dev/null)"})
  compadd -a names
}

@functions@
if [ "$funcstack[1]" = "_@name@" ]; then
  _@name@ "$@"
else
  compdef _@name@ @name@
fi
)sh";

/// Text in an _arguments specification, where brackets and colons mean something.
std::string plain(std::string_view text) {
  std::string out;
  for (const char one : text) {
    if (one == '[' || one == ']' || one == ':' || one == '\\') out += '\\';
    out += one;
  }
  return out;
}

/// "_cygnet_client_add" for " client add".
std::string function_name(const std::string& program, std::string path) {
  for (char& one : path) {
    if (one == ' ' || one == '-') one = '_';
  }
  return "_" + program + path;
}

/// ":NAME:action".
std::string value_text(const Value& value, const std::string& program) {
  std::string action = " ";
  if (!value.choices.empty()) {
    action = fmt::format("({})", fmt::join(value.choices, " "));
  } else if (is_file(value)) {
    action = "_files";
  } else if (is_tunnel(value)) {
    action = fmt::format("_{}_tunnels", program);
  }
  return fmt::format("{}:{}", plain(value.choices.empty() ? value.name : "word"), action);
}

std::string option_text(const Option& option, const std::string& name, const std::string& program) {
  std::string out;
  if (option.names.size() > 1) out += fmt::format("({})", fmt::join(option.names, " "));
  out += name;
  if (!option.value.name.empty() && name.starts_with("--")) out += "=";
  out += fmt::format("[{}]", plain(option.text));
  if (option.value.name.empty()) return out;
  return out + (option.value_optional ? "::" : ":") + value_text(option.value, program);
}

std::string function_of(const std::string& path, const Command& command,
                        const std::string& program) {
  std::string out = fmt::format("{}() {{\n", function_name(program, path));
  const bool leads_on = !command.commands.empty();
  if (path.empty()) out += "  local program=${(Q)words[1]} daemon=''\n";
  if (leads_on) {
    out +=
        "  local curcontext=$curcontext context state state_descr line\n"
        "  typeset -A opt_args\n";
  }
  std::vector<std::string> specs;
  for (const Option& option : command.options) {
    for (const std::string& name : option.names) {
      specs.push_back(option_text(option, name, program));
    }
  }
  for (std::size_t i = 0; i < command.arguments.size(); ++i) {
    const Argument& one = command.arguments[i];
    specs.push_back(
        fmt::format("{}:{}{}", i + 1, one.required ? "" : ":", value_text(one.value, program)));
  }
  if (leads_on) specs.insert(specs.end(), {"1: :->command", "*:: :->rest"});
  if (command.takes_rest) specs.emplace_back("*::arguments: ");
  out +=
      fmt::format("  _arguments {}{}\n", leads_on ? "-C " : "", quoted_words(specs, " \\\n    "));
  if (!leads_on) return out + "}\n";
  std::vector<std::string> names;
  std::string cases;
  for (const Command& one : command.commands) {
    std::vector<std::string> all{one.name};
    all.insert(all.end(), one.aliases.begin(), one.aliases.end());
    for (const std::string& name : all) names.push_back(name + ":" + plain(one.text));
    cases += fmt::format("        {}) {} ;;\n", quoted_words(all, " | "),
                         function_name(program, path + " " + one.name));
  }
  out += fmt::format(
      "  case $state in\n"
      "    command)\n"
      "      local -a commands=({})\n"
      "      _describe -t commands command commands\n"
      "      ;;\n"
      "    rest)\n"
      "      if [[ -n $opt_args[{}] ]]; then daemon=${{(Q)opt_args[{}]}}; fi\n"
      "      case $words[1] in\n{}      esac\n"
      "      ;;\n"
      "  esac\n"
      "}}\n",
      quoted_words(names, " \\\n        "), kDaemonOption, kDaemonOption, cases);
  return out;
}

void add_functions(const std::string& path, const Command& command, const std::string& program,
                   std::string& out) {
  out += function_of(path, command, program);
  out += "\n";
  for (const Command& one : command.commands) {
    add_functions(path + " " + one.name, one, program, out);
  }
}

}  // namespace

std::string zsh_completion(const Command& program) {
  std::string functions;
  add_functions("", program, program.name, functions);
  functions.pop_back();
  return filled(kFrame, {{"name", program.name},
                         {"names", kNamesCommand},
                         {"daemon", kDaemonOption},
                         {"functions", functions}});
}

}  // namespace cygnet::usage
