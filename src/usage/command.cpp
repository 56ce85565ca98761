#include "usage/command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cygnet::usage {
namespace {

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t end = text.find(at);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

Value value_of(std::string name, std::string fallback) {
  Value out{.name = std::move(name), .choices = {}, .fallback = std::move(fallback)};
  if (out.name.find('|') != std::string::npos) out.choices = split(out.name, '|');
  return out;
}

Option option_of(const CLI::Option& from) {
  Option out{.names = {}, .value = {}, .text = from.get_description()};
  for (const std::string& one : from.get_snames()) out.names.push_back("-" + one);
  for (const std::string& one : from.get_lnames()) out.names.push_back("--" + one);
  if (from.get_items_expected_max() == 0) return out;
  out.value = value_of(from.get_type_name(), from.get_default_str());
  out.value_optional = from.get_items_expected_min() == 0;
  return out;
}

/// Choices are the type; else the argument's own name says what it is.
Argument argument_of(const CLI::Option& from) {
  const std::string type = from.get_type_name();
  const bool choices = type.find('|') != std::string::npos;
  return {.value = value_of(choices ? type : from.get_name(true), from.get_default_str()),
          .text = from.get_description(),
          .required = from.get_required()};
}

}  // namespace

bool is_tunnel(const Value& value) { return value.name == "NAME" || value.name == "PEER"; }

bool is_file(const Value& value) { return value.name == "FILE"; }

Command command_of(const CLI::App& app) {
  Command out{.name = app.get_name(),
              .aliases = app.get_aliases(),
              .text = app.get_description(),
              .details = app.get_footer(),
              .arguments = {},
              .options = {},
              .commands = {},
              .takes_rest = app.get_prefix_command()};
  for (const CLI::Option* one : app.get_options()) {
    if (one->get_group().empty()) continue;
    if (one->get_positional()) {
      out.arguments.push_back(argument_of(*one));
    } else {
      out.options.push_back(option_of(*one));
    }
  }
  const auto shown = [](const CLI::App* one) { return !one->get_group().empty(); };
  for (const CLI::App* one : app.get_subcommands(shown)) out.commands.push_back(command_of(*one));
  return out;
}

std::string synopsis(const Command& command) {
  std::string out;
  for (const Argument& one : command.arguments) {
    if (!out.empty()) out += ' ';
    out += fmt::format(fmt::runtime(one.required ? "{}" : "[{}]"), one.value.name);
  }
  if (!command.commands.empty()) out += out.empty() ? "COMMAND" : " COMMAND";
  if (command.takes_rest) out += out.empty() ? "..." : " ...";
  return out;
}

std::string synopsis(const Option& option) {
  std::string out = fmt::format("{}", fmt::join(option.names, ", "));
  if (option.value.name.empty()) return out;
  return out +
         fmt::format(fmt::runtime(option.value_optional ? " [{}]" : " {}"), option.value.name);
}

}  // namespace cygnet::usage
