#include "control/target.hpp"

#include <fmt/format.h>

namespace cygnet::control {

Result<Target> target_of(const model::Connection& connection, unsigned attempt) {
  std::vector<model::AddressPattern> callable;
  for (const model::AddressPattern& address : connection.remote_addrs) {
    if (is_single(address)) callable.push_back(address);
  }
  if (callable.empty()) {
    return fail(fmt::format("connection '{}' has no peer to call", connection.name),
                "set remote_addrs to the peer's address or host name");
  }
  const std::size_t turn = attempt == 0 ? 0 : (attempt - 1) % callable.size();
  Target out{.remote = callable[turn],
             .local = {},
             .remote_port = connection.remote_port,
             .local_port = connection.local_port};
  for (const model::AddressPattern& address : connection.local_addrs) {
    if (is_single(address)) out.local.push_back(address);
  }
  return out;
}

}  // namespace cygnet::control
