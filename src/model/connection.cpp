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

}  // namespace cygnet::model
