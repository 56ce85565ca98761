#include "model/identity.hpp"

namespace cygnet::model {

Identity Identity::address(const IpAddress& ip) {
  return {.type = ip.is_v4() ? IdType::ipv4_addr : IdType::ipv6_addr, .data = to_bytes(ip.bytes())};
}

}  // namespace cygnet::model
