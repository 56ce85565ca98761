// Octet strings: owned, borrowed, printed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace cygnet {

using Bytes = std::vector<std::uint8_t>;
/// Borrowed for the duration of a call unless said otherwise.
using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

[[nodiscard]] Bytes to_bytes(ByteView view);
[[nodiscard]] Bytes to_bytes(std::string_view text);
/// The octets of a text, not copied.
[[nodiscard]] ByteView as_bytes(std::string_view text);
[[nodiscard]] std::string to_string(ByteView bytes);

/// Lower-case hexadecimal without separators.
[[nodiscard]] std::string to_hex(ByteView bytes);
/// The reverse; spaces, colons and line ends between digits are ignored.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);
/// RFC 4648 §4; white space ignored.
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);

void append(Bytes& out, ByteView more);
/// All parts one after the other.
[[nodiscard]] Bytes concat(std::initializer_list<ByteView> parts);
/// Plain comparison; for secrets use crypto::equal_constant_time().
[[nodiscard]] bool equal(ByteView a, ByteView b);

}  // namespace cygnet
