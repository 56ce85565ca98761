// The service manager that has started us, if one has.
#pragma once

#include <string>

namespace cygnet::daemon {

/// Tells it "READY=1", "RELOADING=1", "STOPPING=1" (sd_notify(3)). Nothing happens without
/// NOTIFY_SOCKET; a manager that cannot be reached is told of in the log.
void tell_service_manager(const std::string& state);

}  // namespace cygnet::daemon
