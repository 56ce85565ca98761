// Where strongSwan's files want the log, and how much of it.                docs/logging.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.hpp"
#include "config/section.hpp"
#include "config/values.hpp"
#include "model/log.hpp"

namespace cygnet::config {

/// A section below `filelog` or `syslog`.
struct LogPlace {
  enum class Kind : std::uint8_t { file, syslog } kind = Kind::file;
  std::string name;    ///< the file's path, "stderr", "stdout"; the facility
  bool append = true;  ///< or empty the file at the start
  model::LogLevels levels{};
  friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

struct LogSettings {
  std::vector<LogPlace> places;
  std::optional<model::LogLevels> journal;       ///< of the place that is there anyway
  std::optional<std::string> syslog_identifier;  ///< the program's name there
  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

/// Reads `filelog`, `syslog` and `journal` of the daemon's section; what cannot be is an error at
/// its place.
[[nodiscard]] LogSettings load_log_settings(const Section& daemon, Diagnostics& diags);

/// charondebug of ipsec.conf, as "ike 2, knl 0".
[[nodiscard]] Result<model::LogLevels> parse_charondebug(std::string_view text);
inline constexpr ValueType<model::LogLevels> kCharonDebug{"levels by group", parse_charondebug,
                                                          nullptr};

}  // namespace cygnet::config
