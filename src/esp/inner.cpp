// The packet inside a tunnel, read without trusting it.            RFC 791, RFC 8200
#include "esp/inner.hpp"

#include <algorithm>

namespace cygnet::esp {
namespace {

constexpr std::size_t kIpv6Header = 40;

std::uint16_t be16(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>((bytes[at] << 8) | bytes[at + 1]);
}

bool has_ports(std::uint8_t protocol) {
  // TCP, UDP, DCCP, SCTP and UDP-Lite start with source and destination port.
  return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 || protocol == 136;
}

bool is_icmp(std::uint8_t protocol) { return protocol == kIcmp || protocol == kIcmp6; }

void read_ports(ByteView upper, Inner& out) {
  if (out.later_fragment || !out.protocol_known) return;
  if (has_ports(out.flow.protocol) && upper.size() >= 4) {
    out.flow.source_port = be16(upper, 0);
    out.flow.destination_port = be16(upper, 2);
    out.ports_known = true;
  } else if (is_icmp(out.flow.protocol) && upper.size() >= 2) {
    out.flow.source_port = out.flow.destination_port = be16(upper, 0);
    out.ports_known = true;
  }
}

std::optional<Inner> parse_v4(ByteView packet) {
  if (packet.size() < 20) return std::nullopt;
  Inner out;
  out.header_size = (packet[0] & 0x0fU) * 4U;
  out.size = be16(packet, 2);
  if (out.header_size < 20 || out.size < out.header_size || out.size > packet.size()) {
    return std::nullopt;
  }
  out.tos = packet[1];
  const std::uint16_t fragment = be16(packet, 6);
  out.dont_fragment = (fragment & 0x4000U) != 0;
  out.later_fragment = (fragment & 0x1fffU) != 0;
  out.flow.protocol = packet[9];
  out.flow.source = *IpAddress::from_bytes(packet.subspan(12, 4));
  out.flow.destination = *IpAddress::from_bytes(packet.subspan(16, 4));
  read_ports(packet.first(out.size).subspan(out.header_size), out);
  return out;
}

bool is_extension(std::uint8_t header) {
  // Hop-by-hop, routing, fragment, AH, destination options, mobility is an upper layer.
  return header == 0 || header == 43 || header == 44 || header == 51 || header == 60;
}

// Walks to the upper layer; a fragment header tells whether the rest is there at all.
void walk_v6(ByteView packet, Inner& out) {
  std::uint8_t header = packet[6];
  std::size_t at = kIpv6Header;
  for (unsigned count = 0; is_extension(header); ++count) {
    if (count == kExtensionHeadersMax || out.later_fragment || out.size - at < 8) {
      out.protocol_known = false;
      return;
    }
    std::size_t length = (packet[at + 1] + 1U) * 8U;
    if (header == 44) {
      length = 8;
      out.later_fragment = (be16(packet, at + 2) & 0xfff8U) != 0;
    } else if (header == 51) {
      length = (packet[at + 1] + 2U) * 4U;
    }
    if (out.size - at < length) {
      out.protocol_known = false;
      return;
    }
    header = packet[at];
    at += length;
  }
  out.flow.protocol = header;
  read_ports(packet.first(out.size).subspan(at), out);
}

std::optional<Inner> parse_v6(ByteView packet) {
  if (packet.size() < kIpv6Header) return std::nullopt;
  Inner out;
  out.header_size = kIpv6Header;
  out.size = kIpv6Header + be16(packet, 4);
  if (out.size > packet.size()) return std::nullopt;
  out.tos = static_cast<std::uint8_t>((packet[0] << 4) | (packet[1] >> 4));
  out.dont_fragment = true;
  out.flow.source = *IpAddress::from_bytes(packet.subspan(8, 16));
  out.flow.destination = *IpAddress::from_bytes(packet.subspan(24, 16));
  walk_v6(packet, out);
  return out;
}

bool any_port(const model::TrafficSelector& ts) {
  return ts.start_port == 0 && ts.end_port == 65535;
}
bool opaque_port(const model::TrafficSelector& ts) { return ts.start_port > ts.end_port; }

Match match_port(const model::TrafficSelector& ts, bool known, std::uint16_t port) {
  if (any_port(ts)) return Match::yes;
  if (!known) return opaque_port(ts) ? Match::yes : Match::opaque;
  return ts.start_port <= port && port <= ts.end_port ? Match::yes : Match::no;
}

}  // namespace

std::optional<Inner> parse_inner(ByteView packet) {
  if (packet.empty()) return std::nullopt;
  switch (packet[0] >> 4) {
    case 4:
      return parse_v4(packet);
    case 6:
      return parse_v6(packet);
    default:
      return std::nullopt;
  }
}

Match match(const model::TrafficSelector& source, const model::TrafficSelector& destination,
            const Inner& inner) {
  if (!source.range.contains(inner.flow.source)) return Match::no;
  if (!destination.range.contains(inner.flow.destination)) return Match::no;
  for (const std::uint8_t protocol : {source.protocol, destination.protocol}) {
    if (protocol == 0) continue;
    if (!inner.protocol_known) return Match::opaque;
    if (protocol != inner.flow.protocol) return Match::no;
  }
  const Match sent = match_port(source, inner.ports_known, inner.flow.source_port);
  if (is_icmp(inner.flow.protocol) && inner.protocol_known) return sent;
  const Match to = match_port(destination, inner.ports_known, inner.flow.destination_port);
  return std::min(sent, to);
}

void set_tos(MutableBytes packet, std::uint8_t tos) {
  if (packet[0] >> 4 == 6) {
    packet[0] = static_cast<std::uint8_t>(0x60U | (tos >> 4));
    packet[1] = static_cast<std::uint8_t>((packet[1] & 0x0fU) | ((tos & 0x0fU) << 4));
    return;
  }
  const std::uint16_t old_word = be16(packet, 0);
  packet[1] = tos;
  const std::uint16_t new_word = be16(packet, 0);
  // RFC 1624 eqn. 3: HC' = ~(~HC + ~m + m')
  std::uint32_t sum = static_cast<std::uint16_t>(~be16(packet, 10));
  sum += static_cast<std::uint16_t>(~old_word);
  sum += new_word;
  sum = (sum & 0xffffU) + (sum >> 16);
  sum = (sum & 0xffffU) + (sum >> 16);
  const auto checksum = static_cast<std::uint16_t>(~sum);
  packet[10] = static_cast<std::uint8_t>(checksum >> 8);
  packet[11] = static_cast<std::uint8_t>(checksum);
}

std::optional<std::uint8_t> decapsulate_ecn(std::uint8_t inner, std::uint8_t outer) {
  constexpr std::uint8_t kNotEct = 0;
  constexpr std::uint8_t kEct1 = 1;
  constexpr std::uint8_t kCe = 3;
  inner &= 3U;
  outer &= 3U;
  if (inner == kNotEct) {
    if (outer == kCe) return std::nullopt;
    return kNotEct;
  }
  // Severity: CE, ECT(1), ECT(0), Not-ECT.
  if (inner == kCe || outer == kCe) return kCe;
  if (inner == kEct1 || outer == kEct1) return kEct1;
  return inner;
}

std::uint16_t internet_checksum(ByteView bytes, std::uint32_t sum) {
  std::uint64_t total = sum;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) total += be16(bytes, i);
  if (bytes.size() % 2 != 0) total += static_cast<std::uint64_t>(bytes.back()) << 8;
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return static_cast<std::uint16_t>(~total);
}

}  // namespace cygnet::esp
