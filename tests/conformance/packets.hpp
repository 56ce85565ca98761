// Inner IP packets for data plane tests.                          RFC 791, RFC 8200
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/writer.hpp"

namespace cygnet::test {

/// What a packet should look like; the rest is fixed.
struct PacketSpec {
  const char* source = "10.1.0.1";
  const char* destination = "10.2.0.1";
  std::uint8_t protocol = 17;
  std::uint16_t source_port = 1000;  ///< for ICMP: type * 256 + code
  std::uint16_t destination_port = 2000;
  std::size_t payload = 32;  ///< octets behind the 8 octets of upper header
  std::uint8_t tos = 0;
  bool dont_fragment = true;          ///< IPv4 only
  std::uint16_t fragment_offset = 0;  ///< in units of 8 octets
};

[[nodiscard]] inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }
[[nodiscard]] inline Endpoint endpoint(const char* text, std::uint16_t port = 4500) {
  return {ip(text), port};
}

/// The Internet checksum, written a second time so that tests do not trust the engine's.
[[nodiscard]] inline std::uint16_t checksum_of(ByteView bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? static_cast<std::uint32_t>(bytes[i]) << 8 : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

inline void write_upper(Writer& out, const PacketSpec& spec) {
  if (spec.protocol == 1 || spec.protocol == 58) {
    out.be(spec.source_port);
    out.zeros(6);
  } else {
    out.be(spec.source_port);
    out.be(spec.destination_port);
    out.be(static_cast<std::uint16_t>(8 + spec.payload));
    out.be(std::uint16_t{0});
  }
  for (std::size_t i = 0; i < spec.payload; ++i) out.be(static_cast<std::uint8_t>(i * 7));
}

/// An IPv4 or IPv6 packet, by the family of its addresses.
[[nodiscard]] inline Bytes make_packet(const PacketSpec& spec) {
  Writer out;
  const IpAddress source = ip(spec.source);
  const IpAddress destination = ip(spec.destination);
  if (source.is_v4()) {
    out.be(std::uint8_t{0x45});
    out.be(spec.tos);
    out.be(static_cast<std::uint16_t>(28 + spec.payload));
    out.be(std::uint16_t{0x1234});
    out.be(static_cast<std::uint16_t>((spec.dont_fragment ? 0x4000 : 0) | spec.fragment_offset));
    out.be(std::uint8_t{64});
    out.be(spec.protocol);
    out.be(std::uint16_t{0});
    out.put(source.bytes());
    out.put(destination.bytes());
    out.patch16(10, checksum_of(out.view()));
    write_upper(out, spec);
    return out.take();
  }
  const bool fragment = spec.fragment_offset != 0;
  out.be(static_cast<std::uint32_t>(0x60000000U | (static_cast<std::uint32_t>(spec.tos) << 20)));
  out.be(static_cast<std::uint16_t>(8 + spec.payload + (fragment ? 8 : 0)));
  out.be(fragment ? std::uint8_t{44} : spec.protocol);
  out.be(std::uint8_t{64});
  out.put(source.bytes());
  out.put(destination.bytes());
  if (fragment) {
    out.be(spec.protocol);
    out.be(std::uint8_t{0});
    out.be(static_cast<std::uint16_t>(spec.fragment_offset << 3));
    out.be(std::uint32_t{7});
  }
  write_upper(out, spec);
  return out.take();
}

}  // namespace cygnet::test
