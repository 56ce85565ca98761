#include "config/section_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/swanctl_parser.hpp"
#include "config/text_file.hpp"

namespace cygnet::config {
namespace {

Result<std::string> name_text(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= kNameOctetsMax &&
                    name.find_first_of("{}=#\", ") == std::string::npos &&
                    std::ranges::none_of(name, control);
  if (!fits) return fail(fmt::format("'{}' cannot be a name in swanctl.conf", name));
  std::string out;
  for (const char c : name) out.append(c == ':' ? 2 : 1, c);
  return out;
}

/// Whether the parser takes the value as it stands: words with single spaces between them.
bool plain(std::string_view value) {
  return !value.starts_with(' ') && !value.ends_with(' ') &&
         value.find("  ") == std::string_view::npos &&
         value.find_first_of("#}\"\\") == std::string_view::npos && !value.starts_with('{') &&
         std::ranges::none_of(value, control);
}

std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    switch (c) {
      case '"':
      case '\\':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += c;
    }
  }
  return out + '"';
}

Result<std::string> value_of(const Key& key) {
  for (const std::string& item : key.items) {
    if (item.find(',') == std::string::npos) continue;
    return fail(fmt::format("'{}' has a list with a comma in an item", key.name));
  }
  std::string value = key.items.empty() ? key.value : fmt::format("{}", fmt::join(key.items, ", "));
  if (value.size() > kValueOctetsMax || value.find('\0') != std::string::npos) {
    return fail(fmt::format("the value of '{}' is too long or no text", key.name));
  }
  return value;
}

class Printer {
 public:
  explicit Printer(Secrets secrets) : secrets_(secrets) {}

  Result<void> inside(const Section& section, std::size_t depth, bool secret);
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  Result<void> key(const Key& key, const std::string& indent, bool secret);

  Secrets secrets_;
  std::string text_;
};

Result<void> Printer::key(const Key& key, const std::string& indent, bool secret) {
  CYG_TRY(const std::string name, name_text(key.name));
  if (name.find('.') != std::string::npos) {
    return fail(fmt::format("'{}' cannot be a key in swanctl.conf", name));
  }
  if (secret && secrets_ == Secrets::left_out && (name == "secret" || name == "pin")) {
    text_ += fmt::format("{}# {} is left out\n", indent, name);
    return {};
  }
  CYG_TRY(const std::string value, value_of(key));
  text_ += fmt::format("{}{} =", indent, name);
  if (!value.empty()) text_ += " " + (plain(value) ? value : quoted(value));
  text_ += '\n';
  return {};
}

Result<void> Printer::inside(const Section& section, std::size_t depth, bool secret) {
  if (depth > kSectionDepthMax) return fail(fmt::format("sections nest deeper than {}", depth));
  const std::string indent(depth * 2, ' ');
  for (const Key& one : section.keys) CYG_TRY_DO(key(one, indent, secret));
  for (const Section& inner : section.sections) {
    CYG_TRY(const std::string name, name_text(inner.name));
    // What stands in the first two levels is long enough to be set apart.
    if (depth < 2 && !text_.empty() && !text_.ends_with("{\n")) text_ += '\n';
    text_ += fmt::format("{}{} {{\n", indent, name);
    CYG_TRY_DO(inside(inner, depth + 1, secret || (depth == 0 && inner.name == "secrets")));
    text_ += indent + "}\n";
  }
  return {};
}

}  // namespace

Result<std::string> section_text(const Section& root, Secrets secrets) {
  Printer printer{secrets};
  CYG_TRY_DO(printer.inside(root, 0, false));
  return std::move(printer).text();
}

}  // namespace cygnet::config
