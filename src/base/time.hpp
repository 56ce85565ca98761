// Time as an argument: nothing pure ever reads a clock.
#pragma once

#include <chrono>
#include <compare>

namespace cygnet {

using Duration = std::chrono::nanoseconds;

/// A point on a clock that never goes back (in the daemon: CLOCK_BOOTTIME). Only differences
/// mean something.
struct Instant {
  Duration since_start{0};

  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
  friend constexpr Instant operator+(Instant at, Duration more) { return {at.since_start + more}; }
  friend constexpr Instant operator-(Instant at, Duration less) { return {at.since_start - less}; }
  friend constexpr Duration operator-(Instant a, Instant b) {
    return a.since_start - b.since_start;
  }
};

/// Calendar time in UTC, for certificates.
using WallTime = std::chrono::sys_seconds;

}  // namespace cygnet
