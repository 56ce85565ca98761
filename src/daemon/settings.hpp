// How the daemon runs: the command line, strongswan.conf, and what neither says.
#pragma once

#include <string>
#include <vector>

#include "config/files.hpp"
#include "config/settings.hpp"
#include "daemon/daemon.hpp"
#include "ike/engine.hpp"

namespace cygnet::daemon {

struct SettingsFile {
  config::Settings settings;
  std::vector<std::string> warnings;  ///< each with its place
};

/// Reads strongswan.conf. It may be missing when nobody has named it; all its faults are in the
/// error's text.
[[nodiscard]] Result<SettingsFile> read_settings(const Options& options, config::Files& files);

/// The command line wins over strongswan.conf.
[[nodiscard]] ike::EngineConfig engine_config(const Options& options,
                                              const config::Settings& settings);

/// ESP threads: as many as are wanted, with strongswan.conf no more than there are processors.
[[nodiscard]] unsigned worker_count(const Options& options, const config::Settings& settings);

}  // namespace cygnet::daemon
