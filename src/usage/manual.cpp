#include "usage/manual.hpp"

#include <fmt/format.h>

namespace cygnet::usage {
namespace {

/// Nothing in it is a request, and hyphens are those that can be copied.
std::string plain(std::string_view text) {
  std::string out;
  for (const char one : text) {
    switch (one) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      default:
        out += one;
    }
  }
  return out.starts_with('.') ? "\\&" + out : out;
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

/// Words that are choices are typed as they stand; others are replaced.
std::string value_text(const Value& value) {
  if (value.choices.empty()) return italic(value.name);
  std::string out;
  for (const std::string& one : value.choices) {
    if (!out.empty()) out += '|';
    out += bold(one);
  }
  return out;
}

std::string option_text(const Option& option) {
  std::string out;
  for (const std::string& one : option.names) {
    if (!out.empty()) out += ", ";
    out += bold(one);
  }
  if (option.value.name.empty()) return out;
  return out + (option.value_optional ? " [" + value_text(option.value) + "]"
                                      : " " + value_text(option.value));
}

std::string sentence(std::string text) {
  if (!text.empty() && !text.ends_with('.')) text += '.';
  return text;
}

std::string with_default(const std::string& text, const Value& value) {
  if (value.fallback.empty()) return plain(sentence(text));
  return plain(sentence(text)) + fmt::format(" Default: {}.", bold(value.fallback));
}

/// One macro before each paragraph but the first.
std::string paragraphs(std::string_view text, std::string_view macro) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find("\n\n");
    std::string one{text.substr(0, end)};
    while (one.ends_with('\n')) one.pop_back();
    for (char& c : one) c = c == '\n' ? ' ' : c;
    if (!out.empty()) out += fmt::format("{}\n", macro);
    out += plain(one) + "\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
  return out;
}

std::string options_text(const std::vector<Option>& options) {
  std::string out;
  for (const Option& option : options) {
    out +=
        fmt::format(".TP\n{}\n{}\n", option_text(option), with_default(option.text, option.value));
  }
  return out;
}

std::string usage_text(const std::string& name, const Command& command) {
  std::string out = bold(name);
  for (const Option& option : command.options) {
    if (option.names.back() != "--help") out += " [" + option_text(option) + "]";
  }
  for (const Argument& one : command.arguments) {
    out += one.required ? " " + value_text(one.value) : " [" + value_text(one.value) + "]";
  }
  if (command.takes_rest) out += " " + italic("ARGUMENTS") + "...";
  return out;
}

/// Each command that does something, with what leads to it: "client add".
void add_command(const std::string& name, const Command& command, std::string& out) {
  for (const Command& one : command.commands) add_command(name + " " + one.name, one, out);
  if (!command.commands.empty()) return;
  out += fmt::format(".SS {}\n{}\n.PP\n", plain(name), usage_text(name, command));
  out += plain(sentence(command.text)) + "\n";
  for (const std::string& alias : command.aliases) {
    out += fmt::format("The same as {}.\n", bold(alias));
  }
  if (!command.details.empty()) out += ".PP\n" + paragraphs(command.details, ".PP");
  for (const Argument& one : command.arguments) {
    out += fmt::format(".TP\n{}\n{}\n", value_text(one.value), with_default(one.text, one.value));
  }
  std::vector<Option> own;
  for (const Option& option : command.options) {
    if (option.names.back() != "--help") own.push_back(option);
  }
  out += options_text(own);
}

std::string upper(std::string_view text) {
  std::string out{text};
  for (char& one : out) {
    if (one >= 'a' && one <= 'z') one = static_cast<char>(one - 'a' + 'A');
  }
  return out;
}

}  // namespace

std::string manual_page(const Command& program, const ManualFrame& frame) {
  const std::string& name = program.name;
  std::string out = fmt::format(".\\\" Made by the program itself.\n.TH {} {} \"\" \"cygnet {}\"\n",
                                upper(name), frame.section, frame.version);
  // The first sentence without "name: ", as whatis(1) wants it.
  std::string short_text = program.text.substr(0, program.text.find('.'));
  if (short_text.starts_with(name + ": ")) short_text.erase(0, name.size() + 2);
  out += fmt::format(".SH NAME\n{} \\- {}\n", plain(name), plain(short_text));
  out += fmt::format(".SH SYNOPSIS\n{} [{}]", bold(name), italic("OPTIONS"));
  if (!program.commands.empty()) {
    out += fmt::format(" {} [{}]", italic("COMMAND"), italic("ARGUMENTS"));
  }
  out += "\n.SH DESCRIPTION\n" + paragraphs(frame.description, ".PP");
  if (!program.commands.empty()) {
    out += ".SH COMMANDS\n";
    for (const Command& one : program.commands) add_command(one.name, one, out);
  }
  out += ".SH OPTIONS\n" + options_text(program.options);
  out += ".SH EXIT STATUS\n";
  for (const ExitCode& exit : frame.exits) {
    out +=
        fmt::format(".TP\n{}\n{}\n", bold(fmt::to_string(exit.code)), plain(sentence(exit.text)));
  }
  if (!frame.files.empty()) out += ".SH FILES\n";
  for (const ManualFrame::File& file : frame.files) {
    out += fmt::format(".TP\n{}\n{}\n", italic(file.path), plain(sentence(file.text)));
  }
  if (frame.see_also.empty()) return out;
  out += ".SH SEE ALSO\n";
  for (std::size_t i = 0; i < frame.see_also.size(); ++i) {
    const std::string& page = frame.see_also[i];
    const std::size_t at = page.find('(');
    out += fmt::format(".BR {} {}{}\n", plain(page.substr(0, at)), page.substr(at),
                       i + 1 < frame.see_also.size() ? " ," : "");
  }
  return out;
}

}  // namespace cygnet::usage
