#include "config/conversion_note.hpp"

#include <fmt/format.h>

namespace cygnet::config {

std::string ConversionNote::line() const {
  return fmt::format("{}: {}: {}", place.text(),
                     severity == NoteSeverity::warning ? "warning" : "note", text);
}

}  // namespace cygnet::config
