// Where the log goes: the command line, strongswan.conf and ipsec.conf together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/log_settings.hpp"
#include "daemon/log_sink.hpp"

namespace cygnet::daemon {

/// What the command line says about the log.
struct LogOptions {
  std::vector<std::string> places;       ///< --log: "stderr", "journal", "syslog" or a file's path
  std::optional<model::LogLevel> level;  ///< --log-level
};

/// The places of the command line, or else stderr, and besides them those of strongswan.conf. How
/// much the former are told, the first of these says: --log-level, strongswan.conf's `journal`
/// (or a filelog called stderr), charondebug.
[[nodiscard]] Result<std::vector<LogTarget>> log_targets(
    const LogOptions& options, const config::LogSettings& settings,
    const std::optional<model::LogLevels>& charon_debug);

}  // namespace cygnet::daemon
