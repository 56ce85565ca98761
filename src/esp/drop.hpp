// Why a packet went nowhere: every drop has a name and a counter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cygnet::esp {

/// Reasons, in no order. `none` is not a drop.
enum class Drop : std::uint8_t {
  none,
  // outbound, from the host
  inner_malformed,     ///< not a complete IPv4 or IPv6 packet
  no_policy,           ///< matches no child, trap or shunt
  policy_drop,         ///< a drop shunt says so
  policy_pass,         ///< a pass shunt says so, but clear text cannot leave through the tunnel
  fragment_opaque,     ///< a later fragment that only a port selector could have decided on
  trap_full,           ///< the trap already holds its packets
  trap_stale,          ///< held, but no child came in time
  expired,             ///< the child's hard limit was reached
  sequence_exhausted,  ///< the sequence number would wrap (RFC 4303 §3.3.3)
  too_big,             ///< over the path MTU with DF; answered by ICMP
  too_big_quiet,       ///< the same, but the ICMP limit was reached
  no_room,             ///< the caller's buffer has too little head or tail room
  crypto_failed,       ///< the library failed to encrypt
  // inbound, from the peer
  runt,               ///< too short for ESP with this SA
  unknown_spi,        ///< no SA has this SPI
  bad_alignment,      ///< ciphertext is no multiple of the block size
  replayed,           ///< seen already or left of the window (RFC 4303 §3.4.3)
  bad_icv,            ///< forged or damaged
  bad_padding,        ///< pad length or pad octets are wrong (RFC 4303 §2.4)
  bad_next_header,    ///< not a tunnelled IP packet
  dummy,              ///< next header 59: traffic flow padding, meant to be dropped
  bad_inner,          ///< the inner packet contradicts itself or its next header
  selector_mismatch,  ///< the inner packet is not of this SA (RFC 4301 §5.2)
  ecn_illegal,        ///< CE outside, Not-ECT inside (RFC 6040 §4.2)
  count_,
};
inline constexpr std::size_t kDropReasons = static_cast<std::size_t>(Drop::count_);

/// How often each reason happened.
struct DropCounts {
  std::array<std::uint64_t, kDropReasons> by_reason{};
  [[nodiscard]] std::uint64_t of(Drop reason) const {
    return by_reason[static_cast<std::size_t>(reason)];
  }
};

/// The enumerator's name, for metrics and people.
[[nodiscard]] std::string_view to_string(Drop reason);

}  // namespace cygnet::esp
