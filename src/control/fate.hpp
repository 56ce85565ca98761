// What a change of the configuration means for what is up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/configuration.hpp"

namespace cygnet::control {

/// Whether the configuration asks for a trap or a shunt at once.
[[nodiscard]] bool is_routed(const model::ChildTemplate& child);

/// Whether a child stays what it was: its own section, and its connection's line.
[[nodiscard]] bool same_child(const ConnectionChange& change, std::string_view name);

/// The children whose tunnels are taken down; {""} for all of the connection. `change` has a
/// `before`.
[[nodiscard]] std::vector<std::string> tunnels_that_end(const ConnectionChange& change);

/// Whether a trap or shunt of `child` is taken away. One that is only configured differently stays
/// until its successor replaces it: finding out whom to call may take a while, or fail.
[[nodiscard]] bool route_ends(const ConnectionChange& change, const model::ChildTemplate& child);

}  // namespace cygnet::control
