// Names in capitals: types of credentials come in any case, fields of the journal in this one.
#pragma once

#include <string>
#include <string_view>

namespace cygnet::control {

/// Letters of ASCII only.
[[nodiscard]] inline std::string upper_case(std::string_view text) {
  std::string out{text};
  for (char& one : out) {
    if (one >= 'a' && one <= 'z') one = static_cast<char>(one - 'a' + 'A');
  }
  return out;
}

}  // namespace cygnet::control
