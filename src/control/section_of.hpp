// A vici message as a configuration's section.
#pragma once

#include <string>

#include "config/section.hpp"
#include "vici/message.hpp"

namespace cygnet::control {

/// The same tree, as if it stood in a file: values, lists and subsections in order. `origin` is
/// what diagnostics name in place of a file.
[[nodiscard]] config::Section section_of(std::string name, const vici::Message& message,
                                         const std::string& origin);

}  // namespace cygnet::control
