// This host's addresses.
#pragma once

#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"

namespace cygnet::io {

/// The addresses of all interfaces that are up, without link-local ones.
[[nodiscard]] Result<std::vector<IpAddress>> own_addresses();

}  // namespace cygnet::io
