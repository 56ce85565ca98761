// IP addresses, prefixes, ranges and endpoints, both families alike.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace cygnet {

enum class IpFamily : std::uint8_t { v4 = 4, v6 = 6 };

/// An IPv4 or IPv6 address. Ordered by family, then numerically.
class IpAddress {
 public:
  /// 0.0.0.0
  constexpr IpAddress() = default;
  [[nodiscard]] static IpAddress v4(std::uint32_t host_order);
  /// `raw` has 4 or 16 octets in network order; anything else is an error.
  [[nodiscard]] static Result<IpAddress> from_bytes(ByteView raw);
  /// Dotted quad or RFC 4291 text; no zone, no port.
  [[nodiscard]] static Result<IpAddress> parse(std::string_view text);
  /// 0.0.0.0 or ::
  [[nodiscard]] static IpAddress any(IpFamily family);
  /// 255.255.255.255 or ffff:...:ffff
  [[nodiscard]] static IpAddress last(IpFamily family);

  [[nodiscard]] IpFamily family() const { return family_; }
  [[nodiscard]] bool is_v4() const { return family_ == IpFamily::v4; }
  [[nodiscard]] bool is_any() const;
  /// 32 or 128
  [[nodiscard]] unsigned bits() const { return is_v4() ? 32 : 128; }
  /// 4 or 16 octets in network order; lives as long as this address.
  [[nodiscard]] ByteView bytes() const { return ByteView{raw_}.first(is_v4() ? 4 : 16); }
  [[nodiscard]] std::string text() const;

  /// This address plus `offset`; nothing when that leaves the family's space.
  [[nodiscard]] Result<IpAddress> plus(std::uint64_t offset) const;
  /// `this - from` saturated to 2^64-1; 0 when `from` is greater or of the other family.
  [[nodiscard]] std::uint64_t distance_from(const IpAddress& from) const;

  friend auto operator<=>(const IpAddress& a, const IpAddress& b) = default;

 private:
  IpFamily family_ = IpFamily::v4;
  std::array<std::uint8_t, 16> raw_{};  // v4 uses the first four, the rest stay zero
};

/// An address block: the first `length` bits count, the others are zero.
class Prefix {
 public:
  constexpr Prefix() = default;
  /// Host bits of `address` are cleared. `length` above the family's bits is cut to them.
  Prefix(const IpAddress& address, unsigned length);
  /// "10.0.0.0/8", "2001:db8::/32" or a lone address (a /32 or /128).
  [[nodiscard]] static Result<Prefix> parse(std::string_view text);

  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] unsigned length() const { return length_; }
  [[nodiscard]] IpAddress first() const { return address_; }
  [[nodiscard]] IpAddress last() const;
  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] std::string text() const;

  friend auto operator<=>(const Prefix&, const Prefix&) = default;

 private:
  IpAddress address_;
  unsigned length_ = 0;
};

/// Both ends inclusive, same family.
struct IpRange {
  IpAddress first;
  IpAddress last;

  [[nodiscard]] bool contains(const IpAddress& address) const {
    return first.family() == address.family() && first <= address && address <= last;
  }
  /// The fewest prefixes that cover exactly this range, in order (at most 254 for v6).
  [[nodiscard]] std::vector<Prefix> prefixes() const;
  [[nodiscard]] std::string text() const;

  friend auto operator<=>(const IpRange&, const IpRange&) = default;
};

/// A UDP endpoint.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  /// "192.0.2.1[500]" as IPsec people write it.
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace cygnet
