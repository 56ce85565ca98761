// Which files the daemon's command line stands for.
#pragma once

#include "base/error.hpp"
#include "config/load_all.hpp"
#include "daemon/daemon.hpp"

namespace cygnet::daemon {

/// What there is to be read now: without --config a missing swanctl.conf is none, and without
/// --ipsec-secrets so is a missing ipsec.secrets beside ipsec.conf.
[[nodiscard]] config::Sources sources_of(const Options& options,
                                         const std::vector<IpAddress>& own_addresses);

}  // namespace cygnet::daemon
