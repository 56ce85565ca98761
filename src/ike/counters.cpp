#include "ike/counters.hpp"

namespace cygnet::ike {

std::string_view to_string(Counter counter) {
  static constexpr std::string_view kNames[kCounters] = {
      "ike-rekey-init",        "ike-rekey-resp",
      "child-rekey",           "invalid",
      "invalid-spi",           "ike-init-in-req",
      "ike-init-in-resp",      "ike-init-out-req",
      "ike-init-out-resp",     "ike-auth-in-req",
      "ike-auth-in-resp",      "ike-auth-out-req",
      "ike-auth-out-resp",     "create-child-in-req",
      "create-child-in-resp",  "create-child-out-req",
      "create-child-out-resp", "info-in-req",
      "info-in-resp",          "info-out-req",
      "info-out-resp"};
  return kNames[static_cast<std::size_t>(counter)];
}

std::string_view to_string(WakeReason reason) {
  static constexpr std::string_view kNames[kWakeReasons] = {
      "retransmit", "half-open", "rekey-ike", "rekey-child", "expire-child",
      "expire-ike", "liveness",  "keepalive", "inactivity",  "retry"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string_view to_string(Limit limit) {
  static constexpr std::string_view kNames[kLimits] = {
      "half-open", "cookie", "cookie-rate", "refusal-rate", "denial-rate", "peer-requests"};
  return kNames[static_cast<std::size_t>(limit)];
}

}  // namespace cygnet::ike
