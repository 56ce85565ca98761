// The anti-replay window as a ring of words that is never shifted.            RFC 6479
#include "esp/replay.hpp"

#include <algorithm>
#include <bit>

namespace cygnet::esp {
namespace {

constexpr unsigned kWordBits = 64;
constexpr std::uint64_t kHalfSpace = std::uint64_t{1} << 31;

std::uint64_t join(std::uint64_t high, std::uint32_t low) { return (high << 32) | low; }

// Without a window there is no Tl - W + 1 to compare with: the nearest number is meant.
std::uint64_t nearest(std::uint64_t top, std::uint32_t low) {
  const std::uint64_t high = top >> 32;
  const std::uint64_t same = join(high, low);
  if (same + kHalfSpace < top && high < 0xffffffffU) return join(high + 1, low);
  if (high > 0 && same > top + kHalfSpace) return join(high - 1, low);
  return same;
}

}  // namespace

ReplayWindow::ReplayWindow(std::uint32_t size, bool esn)
    : size_(std::min(size, kReplayWindowMax)), esn_(esn) {
  // One word more than the window: the word being filled may be only partly inside it.
  if (size_ > 0) ring_.resize(std::bit_ceil((size_ + kWordBits - 1) / kWordBits + 1));
}

//= RFC4303#A2.2 "Case A: Tl >= (W - 1) ... Case B: Tl < (W - 1)"
std::optional<std::uint64_t> ReplayWindow::expand(std::uint32_t low) const {
  if (!esn_) return low;
  if (size_ == 0) return nearest(top_, low);
  const std::uint64_t high = top_ >> 32;
  const auto top_low = static_cast<std::uint32_t>(top_);
  const std::uint32_t bottom = top_low - size_ + 1;  // wraps in case B, as the RFC means it
  if (top_low >= size_ - 1) {                        // case A: the window is in one subspace
    if (low >= bottom) return join(high, low);
    if (high == 0xffffffffU) return std::nullopt;
    return join(high + 1, low);
  }
  if (low < bottom) return join(high, low);  // case B: the window began in the subspace before
  if (high == 0) return std::nullopt;        // ... of which there is none
  return join(high - 1, low);
}

bool ReplayWindow::fresh(std::uint64_t sequence) const {
  if (size_ == 0) return true;
  if (sequence == 0) return false;  // RFC 4303 §3.3.3: the first packet has number 1
  if (sequence > top_) return true;
  if (top_ - sequence >= size_) return false;
  const std::uint64_t word = ring_[(sequence / kWordBits) & (ring_.size() - 1)];
  return ((word >> (sequence % kWordBits)) & 1) == 0;
}

ReplayWindow::Verdict ReplayWindow::accept(std::uint64_t sequence) {
  if (!fresh(sequence)) return Verdict::replayed;
  const bool newest = sequence > top_;
  if (newest && size_ > 0) {
    const std::uint64_t from = top_ / kWordBits;
    const std::uint64_t steps = std::min<std::uint64_t>(sequence / kWordBits - from, ring_.size());
    for (std::uint64_t step = 1; step <= steps; ++step) {
      ring_[(from + step) & (ring_.size() - 1)] = 0;
    }
  }
  if (newest) top_ = sequence;
  if (size_ > 0) {
    ring_[(sequence / kWordBits) & (ring_.size() - 1)] |= std::uint64_t{1}
                                                          << (sequence % kWordBits);
  }
  return newest ? Verdict::newest : Verdict::accepted;
}

}  // namespace cygnet::esp
