#include "control/log_line.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/upper_case.hpp"

namespace cygnet::control {
namespace {

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
}

/// Octets of the character that begins at `at` if it is one to print, else 0. Overlong forms,
/// surrogates and C1 controls are none.
std::size_t printable(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  if (!continues(text, at + 1)) return 0;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  if (first >= 0xc2 && first < 0xe0) return first == 0xc2 && second < 0xa0 ? 0 : 2;
  if (!continues(text, at + 2)) return 0;
  if (first >= 0xe0 && first < 0xf0) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (!continues(text, at + 3) || first < 0xf0 || first > 0xf4) return 0;
  return (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90) ? 0 : 4;
}

/// Line and paragraph separator, and what turns the direction of writing: they change how the rest
/// of the line looks.
bool misleads(std::string_view character) {
  if (character.size() != 3 || character[0] != '\xe2') return false;
  const bool separates = character[1] == '\x80' && character[2] >= '\xa8' && character[2] <= '\xae';
  const bool marks = character[1] == '\x80' && (character[2] == '\x8e' || character[2] == '\x8f');
  const bool isolates = character[1] == '\x81' && character[2] >= '\xa6' && character[2] <= '\xa9';
  return separates || marks || isolates;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (out.size() >= kLogTextMax) {
      return out + fmt::format("... ({} octets more)", text.size() - at);
    }
    const std::size_t size = printable(text, at);
    const std::string_view character = text.substr(at, std::max<std::size_t>(size, 1));
    if (size != 0 && !misleads(character)) {
      out += character;
    } else {
      for (const char octet : character) {
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(octet));
      }
    }
    at += character.size();
  }
  return out;
}

LogLine& LogLine::with(std::string_view name, std::string field, bool told) {
  if (!field.empty()) fields.push_back({name, std::move(field), told});
  return *this;
}

std::string_view LogLine::value(std::string_view name) const {
  const auto at = std::ranges::find(fields, name, &LogField::name);
  return at == fields.end() ? std::string_view{} : std::string_view{at->value};
}

std::string LogLine::text() const {
  std::string out = sentence;
  for (const LogField& field : fields) {
    if (field.told) out += fmt::format("; {}: {}", field.name, field.value);
  }
  return escaped(out);
}

int syslog_priority(model::LogLevel level) {
  switch (level) {
    case model::LogLevel::none:
    case model::LogLevel::error:
      return 3;
    case model::LogLevel::warning:
      return 4;
    case model::LogLevel::notice:
      return 5;
    case model::LogLevel::info:
      return 6;
    case model::LogLevel::debug:
    case model::LogLevel::trace:
      return 7;
  }
  return 7;
}

std::vector<std::string> journal_fields(const LogLine& line, std::string_view identifier) {
  std::vector<std::string> out{
      "MESSAGE=" + line.text(),
      fmt::format("PRIORITY={}", syslog_priority(line.level)),
      fmt::format("SYSLOG_IDENTIFIER={}", identifier),
      fmt::format("CYGNET_GROUP={}", to_string(line.group)),
  };
  if (!line.event.empty()) out.push_back(fmt::format("CYGNET_EVENT={}", line.event));
  for (const LogField& field : line.fields) {
    out.push_back(fmt::format("CYGNET_{}={}", upper_case(field.name), escaped(field.value)));
  }
  return out;
}

}  // namespace cygnet::control
