#include "ike/counters.hpp"

namespace cygnet::ike {

std::string_view to_string(Counter counter) {
  static constexpr std::string_view kNames[kCounters] = {
      "ike-rekey-init",       "ike-rekey-resp",        "child-rekey",           "invalid",
      "invalid-spi",          "ike-init-in-req",       "ike-init-in-resp",      "ike-init-out-req",
      "ike-init-out-resp",    "ike-auth-in-req",       "ike-auth-in-resp",      "ike-auth-out-req",
      "ike-auth-out-resp",    "create-child-in-req",   "create-child-in-resp",  "create-child-out-req",
      "create-child-out-resp", "info-in-req",          "info-in-resp",          "info-out-req",
      "info-out-resp"};
  return kNames[static_cast<std::size_t>(counter)];
}

}  // namespace cygnet::ike
