// How the engine runs: the command line, strongswan.conf, and what neither says.
#pragma once

#include "config/files.hpp"
#include "daemon/daemon.hpp"
#include "ike/engine.hpp"

namespace cygnet::daemon {

/// The command line wins over strongswan.conf. That file may be missing when nobody has named it;
/// all its faults are in the error's text.
[[nodiscard]] Result<ike::EngineConfig> engine_config(const Options& options, config::Files& files);

}  // namespace cygnet::daemon
