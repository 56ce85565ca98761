// Whether an engine, its plane and the other end agree.
#pragma once

#include <string>
#include <vector>

#include "ike/status.hpp"
#include "sim/stage/plane.hpp"

namespace cygnet::sim {

/// What an engine believes in that its plane does not hold so: a child that is not installed
/// (unless the plane refused it), or with other SPIs, or other traps. Empty: nothing.
[[nodiscard]] std::string misbelief(const ike::Status& status, const Plane& plane);

/// Installed children that the engine does not tell of: they may stay for a while.
[[nodiscard]] std::vector<model::ChildId> unowned(const ike::Status& status, const Plane& plane);

/// Whether each Child SA that both planes hold, by both its SPIs, has the same keys at both.
[[nodiscard]] bool same_keys(const Plane& one, const Plane& other);

}  // namespace cygnet::sim
