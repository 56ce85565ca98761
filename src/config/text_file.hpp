// What the parsers of ipsec.conf and ipsec.secrets share about files. Internal to config.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.hpp"

namespace cygnet::config {

/// The part up to and with the last '/': what relative names in a file start from.
[[nodiscard]] std::string directory_of(const std::string& path);
[[nodiscard]] std::string_view trimmed(std::string_view text);
/// The parts between commas, trimmed, without empty ones.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text);

/// Whether a file can be taken as text: of at most kFileOctetsMax octets, without NUL. A byte
/// order mark is taken off, with a warning.
[[nodiscard]] bool take_text(std::string_view& text, const std::string& path, Diagnostics& diags);

}  // namespace cygnet::config
