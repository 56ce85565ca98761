// One line of the log: a sentence for people, fields for programs.           docs/logging.md
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/log.hpp"

namespace cygnet::control {

/// Octets of a line's text and of a field's value; what is beyond is cut off and counted.
inline constexpr std::size_t kLogTextMax = 8192;

struct LogField {
  std::string_view name;  ///< one of docs/logging.md: "peer_id"
  std::string value;      ///< as it is; whoever writes it out escapes it
  bool told = false;      ///< whether the text ends with it
};

/// What happened, once, for every place that keeps it. Fields hold text only: a Secret has none.
struct LogLine {
  model::LogLevel level = model::LogLevel::info;
  model::LogGroup group = model::LogGroup::ike;
  std::string sentence{};
  std::string_view event{};  ///< what kind of thing has happened, as in "ike-up"; may be empty
  std::vector<LogField> fields{};

  /// Adds a field, unless it is empty. `told`: the text ends with it.
  LogLine& with(std::string_view name, std::string value, bool told = false);
  /// Empty when there is none of that name.
  [[nodiscard]] std::string_view value(std::string_view name) const;
  /// "sentence; name: value; ..." on one line: what peers have chosen cannot end it.
  [[nodiscard]] std::string text() const;
};

/// Control characters and octets that are no UTF-8 as \xNN, at most kLogTextMax octets.
[[nodiscard]] std::string escaped(std::string_view text);

/// The syslog priority of a level: 3 for an error, 7 for debug and trace.
[[nodiscard]] int syslog_priority(model::LogLevel level);

/// The line as fields of systemd's journal, "NAME=value" each: MESSAGE, PRIORITY,
/// SYSLOG_IDENTIFIER, CYGNET_GROUP, CYGNET_EVENT and CYGNET_<FIELD> for each field.
[[nodiscard]] std::vector<std::string> journal_fields(const LogLine& line,
                                                      std::string_view identifier);

}  // namespace cygnet::control
