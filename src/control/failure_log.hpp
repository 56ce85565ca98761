// The last refusals and failed attempts, for `cygnet why`.
#pragma once

#include <deque>

#include "ike/failure.hpp"

namespace cygnet::control {

/// Records that are kept; older ones go.
inline constexpr std::size_t kFailureRecordsMax = 256;

class FailureLog {
 public:
  void add(ike::FailureRecord record) {
    records_.push_back(std::move(record));
    if (records_.size() > kFailureRecordsMax) records_.pop_front();
  }
  /// Oldest first.
  [[nodiscard]] const std::deque<ike::FailureRecord>& records() const { return records_; }

 private:
  std::deque<ike::FailureRecord> records_;
};

}  // namespace cygnet::control
