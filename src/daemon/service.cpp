#include "daemon/service.hpp"

#include <systemd/sd-daemon.h>

#include <system_error>

namespace cygnet::daemon {

Result<void> tell_service_manager(const std::string& state) {
  const int result = ::sd_notify(0, state.c_str());
  if (result >= 0) return {};
  return fail("tell the service manager '" + state + "'", std::generic_category().message(-result));
}

}  // namespace cygnet::daemon
