// How often something may happen.
#pragma once

#include <algorithm>

#include "base/time.hpp"

namespace cygnet::ike {

/// How fast somebody may ask for something: `burst` at once, then one each `interval`.
class Pace {
 public:
  [[nodiscard]] bool take(Instant now, Duration interval, unsigned burst) {
    const Instant from = std::max(due_, now);
    if (from - now > interval * burst) return false;
    due_ = from + interval;
    return true;
  }

 private:
  Instant due_;
};

/// Something that is done at most so often in one second.
class PerSecond {
 public:
  explicit PerSecond(unsigned max) : max_(max) {}
  [[nodiscard]] bool admits(Instant now) {
    if (now - since_ >= std::chrono::seconds{1}) {
      since_ = now;
      count_ = 0;
    }
    return ++count_ <= max_;
  }

 private:
  unsigned max_;
  unsigned count_ = 0;
  Instant since_;
};

}  // namespace cygnet::ike
