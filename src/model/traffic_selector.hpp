// Which packets a Child SA protects.                             RFC 7296 §3.13
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip.hpp"

namespace cygnet::model {

/// Addresses, an IP protocol (0 = any) and ports (for ICMP: type and code, RFC 4301 §4.4.1.1)
/// of one side of a Child SA. Both ends of each range are inclusive.
/// OPAQUE ports are start 65535, end 0.
struct TrafficSelector {
  IpRange range;
  std::uint8_t protocol = 0;
  std::uint16_t start_port = 0;
  std::uint16_t end_port = 65535;

  [[nodiscard]] static TrafficSelector any(IpFamily family);
  [[nodiscard]] static TrafficSelector of(const Prefix& prefix);
  [[nodiscard]] IpFamily family() const { return range.first.family(); }
  /// "10.1.0.0/24", "10.1.0.0/24[tcp/443]", "10.0.0.1..10.0.0.9[udp]", "::/0[99]", and
  /// for ICMP type and code: "0.0.0.0/0[icmp/8]", "0.0.0.0/0[icmp/3(1)]". parse_selector reads it.
  [[nodiscard]] std::string text() const;
  /// True when every packet of `other` is also one of ours.
  [[nodiscard]] bool contains(const TrafficSelector& other) const;

  friend auto operator<=>(const TrafficSelector&, const TrafficSelector&) = default;
};

/// A packet's addresses, protocol and ports, as a trap reports it (RFC 7296 §2.9). For ICMP the
/// source port is the type and the destination port the code, for MIPv6 the source port is the
/// MH type, as the kernel's flows have them.
struct PacketFlow {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;

  /// The two single-packet selectors a narrowing responder wants to see first.
  [[nodiscard]] TrafficSelector source_selector() const;
  [[nodiscard]] TrafficSelector destination_selector() const;
  friend auto operator<=>(const PacketFlow&, const PacketFlow&) = default;
};

/// The packets both select, if any.
[[nodiscard]] std::optional<TrafficSelector> intersect(const TrafficSelector& a,
                                                       const TrafficSelector& b);
/// All pairwise intersections without duplicates or selectors contained in others, in the
/// order of `first`: how a responder narrows (RFC 7296 §2.9).
[[nodiscard]] std::vector<TrafficSelector> intersect(const std::vector<TrafficSelector>& first,
                                                     const std::vector<TrafficSelector>& second);
/// "a, b" for people.
[[nodiscard]] std::string text_of(const std::vector<TrafficSelector>& selectors);

/// A selector of a configuration: `dynamic` stands for the virtual IP, or else the outer
/// address, of its side; its protocol and ports still count.
struct SelectorTemplate {
  bool dynamic = true;
  TrafficSelector selector;

  /// Replaces `dynamic` by each of `hosts`; the any-address stands for its whole family.
  [[nodiscard]] std::vector<TrafficSelector> resolve(const std::vector<IpAddress>& hosts) const;
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const SelectorTemplate&, const SelectorTemplate&) = default;
};

/// "10.1.0.0/24", "dynamic[tcp/22]", "10.0.0.1-10.0.0.9", "0.0.0.0/0[udp/1024-2048]",
/// "2001:db8::/64", "[udp/opaque]" as swanctl.conf writes one.
[[nodiscard]] Result<SelectorTemplate> parse_selector(std::string_view text);

}  // namespace cygnet::model
