#include "daemon/service.hpp"

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <system_error>

namespace cygnet::daemon {

void tell_service_manager(const std::string& state) {
  const int result = ::sd_notify(0, state.c_str());
  if (result >= 0) return;
  spdlog::warn("tell the service manager '{}': {}", state,
               std::generic_category().message(-result));
}

}  // namespace cygnet::daemon
