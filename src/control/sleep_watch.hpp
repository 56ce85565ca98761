// Whether the machine has slept.
#pragma once

#include <optional>

#include "base/time.hpp"

namespace cygnet::control {

/// A wake-up that comes so much later than it was due was slept through.
inline constexpr Duration kSleptMin = std::chrono::seconds{10};

/// Compares wake-ups with the alarms that were set. The clock must go on during sleep.
class SleepWatch {
 public:
  /// The next alarm; nothing: there is none.
  void expect(std::optional<Instant> at) { expected_ = at; }
  /// Something has woken us; true when it should have been the alarm, long before.
  [[nodiscard]] bool slept(Instant now) const { return expected_ && now - *expected_ >= kSleptMin; }

 private:
  std::optional<Instant> expected_;
};

}  // namespace cygnet::control
