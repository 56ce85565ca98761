// Numbers that cannot be mistaken for one another.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>

namespace cygnet {

/// A number that mixes only with numbers of the same kind: no implicit
/// conversions, no arithmetic unless the kind itself defines some.
template <class T, class Kind>
class Strong {
 public:
  using Value = T;
  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(value) {}
  [[nodiscard]] constexpr T value() const { return value_; }
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

 private:
  T value_{};
};

/// The SPI of one side of an IKE_SA (RFC 7296 §3.1); zero means "not yet chosen".
using IkeSpi = Strong<std::uint64_t, struct IkeSpiKind>;
/// The SPI of one direction of a Child SA (RFC 4303 §2.1); 0-255 are reserved.
using EspSpi = Strong<std::uint32_t, struct EspSpiKind>;

/// Counts exchanges in one direction of one IKE_SA (RFC 7296 §2.2).
class MessageId : public Strong<std::uint32_t, MessageId> {
 public:
  using Strong::Strong;
  /// The following ID, or nothing: IDs never wrap, the IKE_SA must be rekeyed
  /// or closed first (RFC 7296 §2.2).
  [[nodiscard]] constexpr std::optional<MessageId> next() const {
    if (value() == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return MessageId{value() + 1};
  }
};

}  // namespace cygnet
