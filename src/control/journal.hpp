// Events as lines of the log.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ike/actions.hpp"
#include "vici/message.hpp"

namespace cygnet::control {

/// One line, and what it is about, for logs that keep fields.
struct LogLine {
  int level = 1;  ///< 0 warning, 1 information, 2 debug
  std::string text;
  std::string_view event{};  ///< what kind of thing has happened, as in "ike-up"; may be empty
  std::string connection{};
  ike::SaId sa{};
  std::string peer{};     ///< its address
  std::string peer_id{};  ///< its identity
  std::string reason{};   ///< of a failure: ike::Reason
  std::string phase{};
};

/// Event control-log, or log, which tells the `thread`: `level` as strongSwan counts them, 1 for
/// what people should see.
[[nodiscard]] vici::Message log_message(const LogLine& line,
                                        std::optional<unsigned> thread = std::nullopt);

/// The line for an event: what happened to whom, as "name[7]: ...". Nothing for events that only
/// concern the program itself.
[[nodiscard]] std::optional<LogLine> line_of(const ike::Event& event);

}  // namespace cygnet::control
