// Events as lines of the log.
#pragma once

#include <optional>

#include "control/log_line.hpp"
#include "ike/actions.hpp"
#include "vici/message.hpp"

namespace cygnet::control {

/// Event control-log, or log, which tells the `thread`: group and level as strongSwan names and
/// counts them, 0 for what is worth an audit, 1 for what people should see, 2 for messages.
[[nodiscard]] vici::Message log_message(const LogLine& line,
                                        std::optional<unsigned> thread = std::nullopt);

/// The line for an event: what happened to whom, as "name[7]: ...". Nothing for events that only
/// concern the program itself.
[[nodiscard]] std::optional<LogLine> line_of(const ike::Event& event);

}  // namespace cygnet::control
