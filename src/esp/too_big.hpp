// The answer to a packet that does not fit the tunnel.     RFC 1191, RFC 8201, RFC 4301 §8.2
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "esp/inner.hpp"
#include "esp/packet.hpp"

namespace cygnet::esp {

/// ICMP errors one worker makes in a second, and at once (RFC 4443 §2.4 (f)).
inline constexpr unsigned kTooBigPerSecond = 50;
inline constexpr unsigned kTooBigBurst = 10;
/// The smallest MTU that is ever announced; smaller packets are sent and fragmented outside.
inline constexpr std::size_t kMtuMin4 = 576;
inline constexpr std::size_t kMtuMin6 = 1280;

/// Replaces the inner packet by "fragmentation needed" (IPv4) or "packet too big" (IPv6) from its
/// destination to its source. False, and nothing is changed: no error may be sent about this
/// packet (an ICMP error, a later fragment, a group address) or the room is too small.
[[nodiscard]] bool make_too_big(Packet& packet, const Inner& inner, std::size_t mtu);

/// At most so many per second.
class RateLimit {
 public:
  /// True when one more may happen.
  [[nodiscard]] bool allow(Instant now);

 private:
  double tokens_ = kTooBigBurst;
  Instant last_;
};

}  // namespace cygnet::esp
