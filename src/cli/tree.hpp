// Walking through what the daemon answers.
#pragma once

#include <string>
#include <string_view>

#include "vici/message.hpp"

namespace cygnet::cli {

/// Calls `use(name, section)` for each section of `message`, in order.
template <class Use>
void each_section(const vici::Message& message, const Use& use) {
  for (const vici::Item& item : message.items()) {
    if (const auto* section = std::get_if<vici::Message>(&item.content)) use(item.name, *section);
  }
}

/// The items of the list `name` in one line; empty when there is none.
[[nodiscard]] inline std::string joined(const vici::Message& from, std::string_view name,
                                        std::string_view separator = ", ") {
  std::string out;
  if (const vici::List* list = from.list(name)) {
    for (const std::string& item : *list) {
      if (!out.empty()) out += separator;
      out += item;
    }
  }
  return out;
}

/// Text for a terminal that holds what peers have chosen: its control characters, but for the ends
/// of our lines, become question marks.
[[nodiscard]] inline std::string printable(std::string text) {
  for (char& one : text) {
    const bool control = (static_cast<unsigned char>(one) < 0x20 && one != '\n') || one == 0x7f;
    if (control) one = '?';
  }
  return text;
}

}  // namespace cygnet::cli
