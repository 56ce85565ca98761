#include "model/connection.hpp"

#include <algorithm>

namespace cygnet::model {

std::string_view to_string(AuthClass method) {
  switch (method) {
    case AuthClass::pubkey:
      return "pubkey";
    case AuthClass::psk:
      return "psk";
  }
  return "unknown";
}

const ChildTemplate* Connection::find_child(std::string_view child) const {
  const auto at = std::ranges::find(children, child, &ChildTemplate::name);
  return at == children.end() ? nullptr : &*at;
}

bool is_single(const AddressPattern& address) {
  const auto* range = std::get_if<IpRange>(&address);
  return std::holds_alternative<HostName>(address) ||
         (range != nullptr && range->first == range->last);
}

bool Connection::is_callable() const { return std::ranges::any_of(remote_addrs, is_single); }

}  // namespace cygnet::model
