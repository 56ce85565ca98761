// Events as lines of the log.
#pragma once

#include <optional>
#include <string>

#include "ike/actions.hpp"

namespace cygnet::control {

/// 0 warning, 1 information, 2 debug.
struct LogLine {
  int level = 1;
  std::string text;
};

/// The line for an event: what happened to whom, as "name[7]: ...". Nothing for events that only
/// concern the program itself.
[[nodiscard]] std::optional<LogLine> line_of(const ike::Event& event);

}  // namespace cygnet::control
