#include "ike/spi.hpp"

namespace cygnet::ike {
namespace {

constexpr std::uint32_t kSlots = 1U << model::kSpiSlotBits;
constexpr std::uint32_t kRandomParts = (1U << (32 - model::kSpiSlotBits)) - 1;
/// So many slots rest before one is used again: late packets meet nobody's SA, tables stay small.
constexpr std::size_t kReuseDistance = 256;

}  // namespace

std::optional<EspSpi> SpiPool::take(Rng& rng) {
  std::uint32_t slot = 0;
  if (free_.size() >= kReuseDistance || (fresh_ == kSlots && !free_.empty())) {
    slot = free_.front();
    free_.pop_front();
  } else if (fresh_ < kSlots) {
    slot = fresh_++;
  } else {
    return std::nullopt;
  }
  // The random part is never zero, so the SPI is never in the reserved range 0-255.
  const auto random = static_cast<std::uint32_t>(1 + rng.below(kRandomParts));
  return EspSpi{(random << model::kSpiSlotBits) | slot};
}

void SpiPool::give_back(EspSpi spi) { free_.push_back(model::spi_slot(spi)); }

}  // namespace cygnet::ike
