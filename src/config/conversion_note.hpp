// What a conversion changed or left out, for whoever has to decide whether that is right.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "config/section.hpp"

namespace cygnet::config {

enum class NoteSeverity : std::uint8_t {
  info,     ///< good to know
  warning,  ///< something the file relied on is different or missing now
};

struct ConversionNote {
  Place place;
  NoteSeverity severity = NoteSeverity::info;
  std::string text;  ///< what it meant, what it means now

  /// "file:line:column: note: text", or "... warning: text".
  [[nodiscard]] std::string line() const;
  friend auto operator<=>(const ConversionNote&, const ConversionNote&) = default;
};

}  // namespace cygnet::config
