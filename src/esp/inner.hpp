// The packet inside a tunnel: what selectors, TOS and fragmentation need.    RFC 791, RFC 8200
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "model/traffic_selector.hpp"

namespace cygnet::esp {

/// Protocol numbers we look at.
inline constexpr std::uint8_t kIpv4 = 4;
inline constexpr std::uint8_t kIpv6 = 41;
inline constexpr std::uint8_t kNoNextHeader = 59;
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kIcmp6 = 58;

/// IPv6 extension headers that are walked before the upper layer counts as unknown.
inline constexpr unsigned kExtensionHeadersMax = 8;

/// Facts of one IPv4 or IPv6 packet.
struct Inner {
  /// Ports are 0 when `ports_known` is false; for ICMP both are type * 256 + code.
  model::PacketFlow flow;
  bool protocol_known = true;  ///< false: a later IPv6 fragment or too many extension headers
  bool ports_known = false;
  bool later_fragment = false;  ///< not the first fragment
  std::size_t size = 0;         ///< octets by its own length field
  std::size_t header_size = 0;  ///< octets of IPv4 header with options, or 40
  std::uint8_t tos = 0;
  bool dont_fragment = false;  ///< IPv4 DF; always with IPv6

  [[nodiscard]] bool is_v4() const { return flow.source.is_v4(); }
};

/// Nothing when `packet` is no complete IP packet. Octets beyond its own length are allowed
/// (traffic flow confidentiality padding, RFC 4303 §2.7).
[[nodiscard]] std::optional<Inner> parse_inner(ByteView packet);

/// Whether a selector pair takes a packet; `opaque`: it would, were the ports not hidden.
enum class Match : std::uint8_t { no, opaque, yes };

/// RFC 4301 §4.4.1.1. Packets without visible ports match only "any" and OPAQUE port ranges;
/// of ICMP the sender's selector holds the type and code (§4.4.1.3).
[[nodiscard]] Match match(const model::TrafficSelector& source,
                          const model::TrafficSelector& destination, const Inner& inner);

/// Writes the TOS or traffic class of a packet that parse_inner() accepted, and mends the IPv4
/// header checksum (RFC 1624).
void set_tos(MutableBytes packet, std::uint8_t tos);

/// The ECN field of the inner header after decapsulation; nothing: drop (RFC 6040 §4.2, figure 4).
[[nodiscard]] std::optional<std::uint8_t> decapsulate_ecn(std::uint8_t inner, std::uint8_t outer);

/// The Internet checksum of `bytes` on top of a partial `sum` (RFC 1071).
[[nodiscard]] std::uint16_t internet_checksum(ByteView bytes, std::uint32_t sum = 0);

}  // namespace cygnet::esp
