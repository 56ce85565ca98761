// The last refusals and failed attempts, for `cygnet why`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>

#include "ike/failure.hpp"

namespace cygnet::control {

/// Records that are kept; older ones go.
inline constexpr std::size_t kFailureRecordsMax = 256;

/// A record, and how often the same was reported: a request that is repeated is refused again.
struct Failure {
  ike::FailureRecord record;  ///< of the last time
  std::uint64_t times = 1;
  std::uint64_t id = 0;  ///< of the last time: 1 for the first report since the start
};

class FailureLog {
 public:
  /// What is kept of it, until the next call.
  const Failure& add(ike::FailureRecord record) {
    Failure fresh{.record = ike::shortened(std::move(record)), .id = ++count_};
    const auto same = std::ranges::find_if(failures_, [&fresh](const Failure& one) {
      return ike::same_failure(one.record, fresh.record);
    });
    if (same != failures_.end()) {
      fresh.times += same->times;
      failures_.erase(same);
    }
    failures_.push_back(std::move(fresh));
    if (failures_.size() > kFailureRecordsMax) failures_.pop_front();
    return failures_.back();
  }
  /// Oldest first, by their last time.
  [[nodiscard]] const std::deque<Failure>& failures() const { return failures_; }

 private:
  std::deque<Failure> failures_;
  std::uint64_t count_ = 0;
};

}  // namespace cygnet::control
