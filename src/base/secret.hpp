// Key material.
#pragma once

#include <cstring>

#include "base/bytes.hpp"

namespace cygnet {

/// Key material. Moves, never copies; wiped when it dies or is overwritten.
/// Not printable, not comparable: use crypto::equal_constant_time().
class Secret {
 public:
  Secret() = default;
  /// `size` zero octets, to be filled through `fill()`.
  explicit Secret(std::size_t size) : bytes_(size) {}
  /// Takes a copy of `bytes`; the caller still owns (and should wipe) the original.
  explicit Secret(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      bytes_ = std::move(other.bytes_);
      other.bytes_.clear();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  [[nodiscard]] ByteView reveal() const { return bytes_; }  // greppable: who looks at keys?
  [[nodiscard]] MutableBytes fill() { return bytes_; }      // for the primitive that makes it
  [[nodiscard]] Secret clone() const {
    return Secret{ByteView{bytes_}};
  }  // greppable: who duplicates keys?
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  void wipe() {
    if (!bytes_.empty()) explicit_bzero(bytes_.data(), bytes_.size());
  }
  Bytes bytes_;
};

}  // namespace cygnet
