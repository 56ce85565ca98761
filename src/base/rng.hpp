// Randomness as an argument.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace cygnet {

/// A source of unpredictable octets (in tests and simulation: of reproducible ones).
class Rng {
 public:
  virtual ~Rng() = default;
  virtual void fill(MutableBytes out) = 0;

  [[nodiscard]] Bytes bytes(std::size_t count) {
    Bytes out(count);
    fill(out);
    return out;
  }
  [[nodiscard]] std::uint64_t u64() {
    std::uint64_t value = 0;
    std::uint8_t raw[8];
    fill(raw);
    for (const std::uint8_t byte : raw) value = (value << 8) | byte;
    return value;
  }
  [[nodiscard]] std::uint32_t u32() { return static_cast<std::uint32_t>(u64() >> 32); }
  /// Uniform in [0, bound); 0 when bound is 0. The bias is below 2^-32 for bounds below 2^32.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : u64() % bound; }
};

}  // namespace cygnet
