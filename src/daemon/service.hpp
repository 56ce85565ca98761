// The service manager that has started us, if one has.
#pragma once

#include <string>

#include "base/error.hpp"

namespace cygnet::daemon {

/// Tells it "READY=1", "RELOADING=1", "STOPPING=1" (sd_notify(3)). Nothing happens without
/// NOTIFY_SOCKET.
[[nodiscard]] Result<void> tell_service_manager(const std::string& state);

}  // namespace cygnet::daemon
