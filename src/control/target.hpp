// Where a connection calls.
#pragma once

#include "base/error.hpp"
#include "control/effects.hpp"

namespace cygnet::control {

/// The peer to call at the `attempt`th try (from 1): addresses and names of remote_addrs take
/// turns; ranges and %any cannot be called. An error when none can.
[[nodiscard]] Result<Target> target_of(const model::Connection& connection, unsigned attempt);

}  // namespace cygnet::control
