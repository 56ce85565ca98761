// ICMP "fragmentation needed" and ICMPv6 "packet too big".      RFC 792, RFC 1191 §4, RFC 4443 §3.2
#include "esp/too_big.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace cygnet::esp {
namespace {

constexpr std::size_t kIcmpHeader = 8;
constexpr std::size_t kQuoteMax4 = 576 - 20 - kIcmpHeader;   // RFC 1812 §4.3.2.3
constexpr std::size_t kQuoteMax6 = 1280 - 40 - kIcmpHeader;  // RFC 4443 §2.4 (c)

void put16(MutableBytes out, std::size_t at, std::size_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

bool is_group(const IpAddress& address) {
  const std::uint8_t first = address.bytes()[0];
  return address.is_v4() ? first >= 224 : first == 0xff;
}

// RFC 1122 §3.2.2, RFC 4443 §2.4 (e): no errors about errors, fragments, groups, nobody.
bool may_answer(const Inner& inner) {
  if (inner.later_fragment || is_group(inner.flow.destination)) return false;
  if (inner.flow.source.is_any() || is_group(inner.flow.source)) return false;
  const unsigned type = inner.flow.source_port >> 8;
  if (inner.protocol_known && inner.flow.protocol == kIcmp && inner.is_v4()) {
    return inner.ports_known && (type == 0 || type == 8 || type >= 13);
  }
  if (inner.protocol_known && inner.flow.protocol == kIcmp6) {
    return inner.ports_known && type >= 128;
  }
  return true;
}

void write_v4(MutableBytes out, const Inner& inner, std::size_t mtu) {
  out[0] = 0x45;
  put16(out, 2, out.size());
  out[8] = 64;
  out[9] = kIcmp;
  std::ranges::copy(inner.flow.destination.bytes(), out.begin() + 12);
  std::ranges::copy(inner.flow.source.bytes(), out.begin() + 16);
  put16(out, 10, internet_checksum(out.first(20)));
  const MutableBytes icmp = out.subspan(20);
  icmp[0] = 3;
  icmp[1] = 4;
  put16(icmp, 6, mtu);
  put16(icmp, 2, internet_checksum(icmp));
}

void write_v6(MutableBytes out, const Inner& inner, std::size_t mtu) {
  out[0] = 0x60;
  const MutableBytes icmp = out.subspan(40);
  put16(out, 4, icmp.size());
  out[6] = kIcmp6;
  out[7] = 64;
  std::ranges::copy(inner.flow.destination.bytes(), out.begin() + 8);
  std::ranges::copy(inner.flow.source.bytes(), out.begin() + 24);
  icmp[0] = 2;
  put16(icmp, 4, mtu >> 16);
  put16(icmp, 6, mtu & 0xffff);
  // The pseudo-header's addresses, length and next header (RFC 8200 §8.1).
  const auto partial = static_cast<std::uint16_t>(~internet_checksum(out.subspan(8, 32)));
  const std::size_t sum = partial + icmp.size() + kIcmp6;
  put16(icmp, 2, internet_checksum(icmp, static_cast<std::uint32_t>(sum)));
}

}  // namespace

bool make_too_big(Packet& packet, const Inner& inner, std::size_t mtu) {
  const std::size_t header = inner.is_v4() ? 20 : 40;
  const std::size_t front = header + kIcmpHeader;
  if (!may_answer(inner) || packet.offset < front) return false;
  const std::size_t quote = std::min(packet.size, inner.is_v4() ? kQuoteMax4 : kQuoteMax6);
  packet.offset -= front;
  packet.size = front + quote;
  const MutableBytes out = packet.data();
  std::ranges::fill(out.first(front), std::uint8_t{0});
  if (inner.is_v4()) {
    write_v4(out, inner, mtu);
  } else {
    write_v6(out, inner, mtu);
  }
  return true;
}

bool RateLimit::allow(Instant now) {
  const double seconds = std::chrono::duration<double>(now - last_).count();
  tokens_ = std::min<double>(kTooBigBurst, tokens_ + seconds * kTooBigPerSecond);
  last_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace cygnet::esp
