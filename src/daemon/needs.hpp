// What a child needs of the host.
#pragma once

#include <vector>

#include "base/ip.hpp"
#include "host/table.hpp"
#include "model/data_plane.hpp"

namespace cygnet::daemon {

/// Routes, addresses and sources for `child`. A lone peer address inside one of `pools` stands for
/// the whole pool, so that ten thousand clients share a few routes. `own` are the addresses this
/// host has: one inside local_ts becomes the source of our own packets.
[[nodiscard]] host::HostNeeds needs_of(const model::ChildSpec& child,
                                       const std::vector<IpRange>& pools,
                                       const std::vector<IpAddress>& own);

}  // namespace cygnet::daemon
