// What a log tells: levels, and the groups of things it tells of.            docs/logging.md
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace cygnet::model {

/// How much it matters, and to whom; docs/logging.md says what belongs where.
enum class LogLevel : std::uint8_t {
  none,     ///< as the level of a place: nothing is told there
  error,    ///< cygnetd cannot do its work; somebody has to act
  warning,  ///< somebody was refused, an attempt failed, a word of the configuration has no effect
  notice,   ///< came up, went down, moved; started, stopped, read its configuration
  info,     ///< what else happens in the life of a tunnel
  debug,    ///< every IKE message, by its payloads
  trace     ///< every datagram that could not leave
};
inline constexpr LogLevel kLogLevels[] = {LogLevel::none,   LogLevel::error, LogLevel::warning,
                                          LogLevel::notice, LogLevel::info,  LogLevel::debug,
                                          LogLevel::trace};
/// As people write it: "warning". Of `none` it is "none".
[[nodiscard]] std::string_view to_string(LogLevel level);
/// strongSwan counts from -1 (nothing) to 4; empty beyond.
[[nodiscard]] std::optional<LogLevel> log_level_of_charon(int number);

/// What a line is about; the names are strongSwan's.
enum class LogGroup : std::uint8_t {
  dmn,  ///< the program itself: start, end, service manager
  ike,  ///< IKE_SAs
  chd,  ///< CHILD_SAs
  cfg,  ///< configuration, clients of the control socket, attempts
  knl,  ///< the host: data plane, routes, addresses
  net,  ///< sockets
  enc   ///< messages and their payloads
};
inline constexpr LogGroup kLogGroups[] = {LogGroup::dmn, LogGroup::ike, LogGroup::chd,
                                          LogGroup::cfg, LogGroup::knl, LogGroup::net,
                                          LogGroup::enc};
/// "ike".
[[nodiscard]] std::string_view to_string(LogGroup group);
/// Empty for a word that is no group of ours.
[[nodiscard]] std::optional<LogGroup> log_group(std::string_view word);
/// Whether strongSwan has a group of this name that we have nothing to tell of.
[[nodiscard]] bool is_foreign_log_group(std::string_view word);

/// Which lines one place wants.
struct LogLevels {
  LogLevel all = LogLevel::info;
  std::map<LogGroup, LogLevel> of;  ///< groups that differ

  [[nodiscard]] bool wants(LogGroup group, LogLevel level) const;
  friend bool operator==(const LogLevels&, const LogLevels&) = default;
};

}  // namespace cygnet::model
