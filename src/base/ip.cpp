#include "base/ip.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cygnet {
namespace {

void set_host_bits(std::span<std::uint8_t> raw, unsigned length, bool value) {
  for (unsigned bit = length; bit < raw.size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    if (value) {
      raw[bit / 8] = static_cast<std::uint8_t>(raw[bit / 8] | mask);
    } else {
      raw[bit / 8] = static_cast<std::uint8_t>(raw[bit / 8] & ~mask);
    }
  }
}

IpAddress with_host_bits(const IpAddress& address, unsigned length, bool value) {
  Bytes raw = to_bytes(address.bytes());
  set_host_bits(raw, length, value);
  return *IpAddress::from_bytes(raw);
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress out;
  for (int i = 0; i < 4; ++i) {
    out.raw_[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  }
  return out;
}

Result<IpAddress> IpAddress::from_bytes(ByteView raw) {
  if (raw.size() != 4 && raw.size() != 16) {
    return fail("IP address", fmt::format("{} octets, expected 4 or 16", raw.size()));
  }
  IpAddress out;
  out.family_ = raw.size() == 4 ? IpFamily::v4 : IpFamily::v6;
  std::ranges::copy(raw, out.raw_.begin());
  return out;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy{text};
  std::uint8_t raw[16];
  if (copy.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, copy.c_str(), raw) == 1) return from_bytes(ByteView{raw, 4});
    if (inet_pton(AF_INET6, copy.c_str(), raw) == 1) return from_bytes(ByteView{raw, 16});
  }
  return fail("IP address", fmt::format("'{}' is neither an IPv4 nor an IPv6 address", text));
}

IpAddress IpAddress::any(IpFamily family) {
  IpAddress out;
  out.family_ = family;
  return out;
}

IpAddress IpAddress::last(IpFamily family) { return with_host_bits(any(family), 0, true); }

bool IpAddress::is_any() const {
  return std::ranges::all_of(bytes(), [](std::uint8_t byte) { return byte == 0; });
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  return inet_ntop(is_v4() ? AF_INET : AF_INET6, raw_.data(), buffer, sizeof buffer);
}

Result<IpAddress> IpAddress::plus(std::uint64_t offset) const {
  Bytes raw = to_bytes(bytes());
  std::uint64_t carry = offset;
  for (std::size_t i = raw.size(); i-- > 0 && carry != 0;) {
    // Adding the low octet first keeps the sum within 64 bits.
    const std::uint64_t sum = raw[i] + (carry & 0xff);
    raw[i] = static_cast<std::uint8_t>(sum);
    carry = (carry >> 8) + (sum >> 8);
  }
  if (carry != 0) return fail("IP address", "past the end of the address space");
  return from_bytes(raw);
}

std::uint64_t IpAddress::distance_from(const IpAddress& from) const {
  if (family_ != from.family_ || *this < from) return 0;
  const ByteView high = bytes();
  const ByteView low = from.bytes();
  Bytes difference(high.size());
  int borrow = 0;
  for (std::size_t i = high.size(); i-- > 0;) {
    const int value = high[i] - low[i] - borrow;
    borrow = value < 0 ? 1 : 0;
    difference[i] = static_cast<std::uint8_t>(value & 0xff);
  }
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < difference.size(); ++i) {
    if (i + 8 < difference.size()) {
      if (difference[i] != 0) return ~std::uint64_t{0};
    } else {
      out = (out << 8) | difference[i];
    }
  }
  return out;
}

Prefix::Prefix(const IpAddress& address, unsigned length)
    : address_(with_host_bits(address, std::min(length, address.bits()), false)),
      length_(std::min(length, address.bits())) {}

Result<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  CYG_TRY(const IpAddress address, IpAddress::parse(text.substr(0, slash)));
  if (slash == std::string_view::npos) return Prefix{address, address.bits()};
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (code != std::errc{} || end != digits.data() + digits.size() || length > address.bits()) {
    return fail("prefix",
                fmt::format("'{}': the length after '/' must be 0 to {}", text, address.bits()));
  }
  return Prefix{address, length};
}

IpAddress Prefix::last() const { return with_host_bits(address_, length_, true); }

bool Prefix::contains(const IpAddress& address) const {
  return address.family() == address_.family() && address_ <= address && address <= last();
}

std::string Prefix::text() const { return fmt::format("{}/{}", address_.text(), length_); }

std::vector<Prefix> IpRange::prefixes() const {
  std::vector<Prefix> out;
  IpAddress at = first;
  while (at <= last) {
    unsigned length = at.bits();
    // Widen while the block still starts at `at` and ends within the range.
    while (length > 0) {
      const Prefix wider{at, length - 1};
      if (wider.first() != at || wider.last() > last) break;
      --length;
    }
    const Prefix block{at, length};
    out.push_back(block);
    if (block.last() == last) break;
    const auto next = block.last().plus(1);
    if (!next) break;
    at = *next;
  }
  return out;
}

std::string IpRange::text() const {
  const std::vector<Prefix> blocks = prefixes();
  if (blocks.size() == 1) return blocks[0].text();
  return fmt::format("{}..{}", first.text(), last.text());
}

std::string Endpoint::text() const { return fmt::format("{}[{}]", address.text(), port); }

}  // namespace cygnet
