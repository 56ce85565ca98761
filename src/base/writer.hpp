// Writes big-endian wire formats; lengths are filled in, never computed by hand.
#pragma once

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/reader.hpp"

namespace cygnet {

/// Appends to a growing buffer. The mirror of Reader.
class Writer {
 public:
  /// An unsigned integer, enumeration or Strong number in network byte order.
  template <class T>
  void be(T value) {
    using Wire = typename detail::WireValue<T>::Type;
    static_assert(std::unsigned_integral<Wire>);
    Wire raw = 0;
    if constexpr (requires { value.value(); }) {
      raw = value.value();
    } else {
      raw = static_cast<Wire>(value);
    }
    for (int shift = static_cast<int>(sizeof(Wire) * 8) - 8; shift >= 0; shift -= 8) {
      bytes_.push_back(static_cast<std::uint8_t>(raw >> shift));
    }
  }
  void put(ByteView bytes) { append(bytes_, bytes); }
  void zeros(std::size_t count) { bytes_.resize(bytes_.size() + count); }

  /// Runs `body`, then writes into the 16-bit field at `field_offset` how many octets there
  /// are from `start` to here. The caller's data model must keep that below 65 536.
  template <class Body>
  void sized16(std::size_t start, std::size_t field_offset, Body&& body) {
    body();
    const std::size_t length = bytes_.size() - start;
    CYG_CHECK(length <= 0xffff);
    patch16(field_offset, static_cast<std::uint16_t>(length));
  }
  void patch16(std::size_t offset, std::uint16_t value) {
    bytes_[offset] = static_cast<std::uint8_t>(value >> 8);
    bytes_[offset + 1] = static_cast<std::uint8_t>(value);
  }
  void patch32(std::size_t offset, std::uint32_t value) {
    patch16(offset, static_cast<std::uint16_t>(value >> 16));
    patch16(offset + 2, static_cast<std::uint16_t>(value));
  }
  void patch8(std::size_t offset, std::uint8_t value) { bytes_[offset] = value; }

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] ByteView view() const { return bytes_; }
  [[nodiscard]] Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

/// A number as it stands in an SPI field or a notify's data: in network byte order.
template <class T>
[[nodiscard]] Bytes to_wire(T value) {
  Writer writer;
  writer.be(value);
  return writer.take();
}

}  // namespace cygnet
