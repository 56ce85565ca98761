// Inbound ESP SPIs: a slot that is unique among live SAs, and randomness.   docs/architecture.md
#pragma once

#include <deque>
#include <optional>

#include "base/rng.hpp"
#include "model/data_plane.hpp"

namespace cygnet::ike {

/// Hands out SPIs (RFC 4303 §2.1). A slot that was given back is used again as late as possible.
class SpiPool {
 public:
  /// Empty when all 2^20 slots are taken.
  [[nodiscard]] std::optional<EspSpi> take(Rng& rng);
  void give_back(EspSpi spi);

 private:
  std::uint32_t fresh_ = 0;
  std::deque<std::uint32_t> free_;
};

}  // namespace cygnet::ike
