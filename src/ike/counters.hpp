// How many messages of which kind, for each connection and in all; why the engine was woken, and
// what its limits have turned away.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace cygnet::ike {

/// The order of strongSwan's counters, and the names that operators know them by.
enum class Counter : std::uint8_t {
  ike_rekey_init,
  ike_rekey_resp,
  child_rekey,
  invalid,
  invalid_spi,
  ike_init_in_req,
  ike_init_in_resp,
  ike_init_out_req,
  ike_init_out_resp,
  ike_auth_in_req,
  ike_auth_in_resp,
  ike_auth_out_req,
  ike_auth_out_resp,
  create_child_in_req,
  create_child_in_resp,
  create_child_out_req,
  create_child_out_resp,
  info_in_req,
  info_in_resp,
  info_out_req,
  info_out_resp,
};
inline constexpr std::size_t kCounters = 21;
/// "ike-rekey-init".
[[nodiscard]] std::string_view to_string(Counter counter);

/// Why the engine wants to be called.
enum class WakeReason : std::uint8_t {
  retransmit,
  half_open,
  rekey_ike,
  rekey_child,
  expire_child,
  expire_ike,
  liveness,
  keepalive,
  inactivity,
  retry
};
inline constexpr std::size_t kWakeReasons = 10;
/// "rekey-ike".
[[nodiscard]] std::string_view to_string(WakeReason reason);

/// What was not done because there is a limit to it.
enum class Limit : std::uint8_t {
  half_open,      ///< an initiator beyond half_open_max, or beyond its address's share, was dropped
  cookie,         ///< an initiator was asked for a cookie first
  cookie_rate,    ///< ... and one was not even asked (kCookieRate)
  refusal_rate,   ///< IKE_SA_INIT was not refused but dropped (kInitRefusalRate)
  denial_rate,    ///< INVALID_IKE_SPI was not sent (kInvalidSpiRate)
  peer_requests,  ///< a peer that asks too much was told TEMPORARY_FAILURE
};
inline constexpr std::size_t kLimits = 6;
/// "half-open".
[[nodiscard]] std::string_view to_string(Limit limit);

using Counts = std::array<std::uint64_t, kCounters>;

/// Counts since the start; those of messages since their last reset.
class CounterBook {
 public:
  /// Names of connections are those of the configuration, so their number is bounded by it.
  void add(std::string_view connection, Counter counter) {
    ++all_[static_cast<std::size_t>(counter)];
    if (connection.empty()) return;
    auto at = of_.find(connection);
    if (at == of_.end()) at = of_.emplace(std::string{connection}, Counts{}).first;
    ++at->second[static_cast<std::size_t>(counter)];
  }
  void add(WakeReason reason) { ++wakes_[static_cast<std::size_t>(reason)]; }
  void add(Limit limit) { ++limits_[static_cast<std::size_t>(limit)]; }
  [[nodiscard]] std::uint64_t of(WakeReason reason) const {
    return wakes_[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t of(Limit limit) const {
    return limits_[static_cast<std::size_t>(limit)];
  }
  [[nodiscard]] const Counts& all() const { return all_; }
  [[nodiscard]] const std::map<std::string, Counts, std::less<>>& of_connections() const {
    return of_;
  }
  void reset() { all_ = {}; }
  /// False when nothing has been counted for that connection.
  bool reset(std::string_view connection) {
    const auto at = of_.find(connection);
    if (at == of_.end()) return false;
    of_.erase(at);
    return true;
  }
  void reset_connections() { of_.clear(); }

 private:
  Counts all_{};
  std::array<std::uint64_t, kWakeReasons> wakes_{};
  std::array<std::uint64_t, kLimits> limits_{};
  std::map<std::string, Counts, std::less<>> of_;
};

}  // namespace cygnet::ike
