// This host's addresses.
#pragma once

#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"

namespace cygnet::io {

enum class Interfaces { all, no_loopback };

/// The addresses of the interfaces that are up, without link-local ones.
[[nodiscard]] Result<std::vector<IpAddress>> own_addresses(Interfaces which = Interfaces::all);

}  // namespace cygnet::io
