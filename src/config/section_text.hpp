// A tree of sections as the text of swanctl.conf.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "config/section.hpp"

namespace cygnet::config {

enum class Secrets : std::uint8_t {
  written,
  left_out,  ///< `secret` and `pin` below `secrets` become a comment
};

/// The tree as tidy text, keys before subsections, which parse_swanctl_text() reads back as the
/// same values. A list of items becomes one value with commas. Fails for what that syntax cannot
/// say: an empty name or one with blanks or any of {}=#," in it, a key with a '.', NUL in a value,
/// an item with a comma, sections nested deeper than kSectionDepthMax.
[[nodiscard]] Result<std::string> section_text(const Section& root, Secrets secrets);

}  // namespace cygnet::config
