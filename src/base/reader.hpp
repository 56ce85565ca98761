// Reads big-endian wire formats without ever reading past the end.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "base/bytes.hpp"
#include "base/strong.hpp"

namespace cygnet {

/// Why bytes could not be parsed.
enum class ParseFault : std::uint8_t {
  none,
  truncated,       ///< fewer octets than a length or the format promises
  trailing_bytes,  ///< octets left over after a complete value
  bad_length,      ///< a length field contradicts the format
  bad_value,       ///< a field holds a value the format forbids
  too_many,        ///< a named limit of ours was exceeded
  unsupported,     ///< well-formed, but of a version or kind we must refuse
};

[[nodiscard]] std::string_view to_string(ParseFault fault);

/// A fault, its offset in the bytes given to the Reader, and what was being parsed.
struct ParseError {
  ParseFault fault = ParseFault::none;
  std::size_t offset = 0;
  std::string_view what;  ///< a string literal, e.g. "SA payload"

  [[nodiscard]] std::string text() const;
};

namespace detail {
template <class T>
struct WireValue {
  using Type = T;
};
template <class T>
  requires std::is_enum_v<T>
struct WireValue<T> {
  using Type = std::underlying_type_t<T>;
};
template <class T>
  requires requires { typename T::Value; }
struct WireValue<T> {
  using Type = typename T::Value;
};
}  // namespace detail

/// A cursor over borrowed bytes. After the first fault it yields zeros and empty views, so a
/// parser is straight-line code; only `finish()` hands a value out.
class Reader {
 public:
  constexpr explicit Reader(ByteView bytes, std::string_view what = "message")
      : bytes_(bytes), what_(what) {}

  /// The next unsigned integer, enumeration or Strong number in network byte order.
  template <class T>
  [[nodiscard]] constexpr T be() {
    using Wire = typename detail::WireValue<T>::Type;
    static_assert(std::unsigned_integral<Wire>);
    const ByteView raw = take(sizeof(Wire));
    Wire value = 0;
    for (const std::uint8_t byte : raw) {
      value = static_cast<Wire>((static_cast<std::uint64_t>(value) << 8) | byte);
    }
    return static_cast<T>(value);
  }

  /// The next `count` octets, or an empty view and a fault.
  constexpr ByteView take(std::size_t count) {
    if (count > bytes_.size() - at_) {
      fail(ParseFault::truncated);
      return {};
    }
    const ByteView out = bytes_.subspan(at_, count);
    at_ += count;
    return out;
  }
  constexpr void skip(std::size_t count) { static_cast<void>(take(count)); }

  /// Everything that is left.
  constexpr ByteView rest() { return take(bytes_.size() - at_); }

  /// A reader over the next `count` octets, for a nested structure.
  [[nodiscard]] constexpr Reader sub(std::size_t count, std::string_view what) {
    return Reader{take(count), what};
  }

  /// Remembers the first fault and its offset, then reads as empty.
  constexpr void fail(ParseFault fault) {
    if (fault_ == ParseFault::none) {
      fault_ = fault;
      fault_at_ = at_;
    }
    at_ = bytes_.size();
  }
  constexpr void require(bool condition, ParseFault fault = ParseFault::bad_length) {
    if (!condition) fail(fault);
  }
  /// Adopts a nested parser's fault.
  constexpr void absorb(const ParseError& error) {
    if (fault_ == ParseFault::none) what_ = error.what;
    fail(error.fault);
  }

  [[nodiscard]] constexpr bool ok() const { return fault_ == ParseFault::none; }
  [[nodiscard]] constexpr bool empty() const { return at_ == bytes_.size(); }
  [[nodiscard]] constexpr std::size_t remaining() const { return bytes_.size() - at_; }
  [[nodiscard]] constexpr std::size_t offset() const { return at_; }
  [[nodiscard]] constexpr ParseError error() const { return {fault_, fault_at_, what_}; }

  /// The value if there was no fault and nothing is left over.
  template <class T>
  [[nodiscard]] constexpr Result<T, ParseError> finish(T value) {
    if (fault_ == ParseFault::none && !empty()) fail(ParseFault::trailing_bytes);
    if (fault_ != ParseFault::none) return std::unexpected(error());
    return value;
  }

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
  ParseFault fault_ = ParseFault::none;
  std::size_t fault_at_ = 0;
  std::string_view what_;
};

/// The mirror of to_wire(): a number that fills `bytes` to the last octet, else nothing.
template <class T>
[[nodiscard]] constexpr std::optional<T> from_wire(ByteView bytes) {
  Reader reader{bytes};
  const T value = reader.be<T>();
  if (!reader.ok() || !reader.empty()) return std::nullopt;
  return value;
}

}  // namespace cygnet
