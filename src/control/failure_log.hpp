// The last refusals and failed attempts, for `cygnet why`.
#pragma once

#include <deque>
#include <map>

#include "ike/failure.hpp"

namespace cygnet::control {

/// Records that are kept; older ones go, their count stays.
inline constexpr std::size_t kFailureRecordsMax = 256;

class FailureLog {
 public:
  void add(ike::FailureRecord record) {
    ++counts_[record.reason];
    records_.push_back(std::move(record));
    if (records_.size() > kFailureRecordsMax) records_.pop_front();
  }
  /// Oldest first.
  [[nodiscard]] const std::deque<ike::FailureRecord>& records() const { return records_; }
  [[nodiscard]] const std::map<ike::Reason, std::uint64_t>& counts() const { return counts_; }

 private:
  std::deque<ike::FailureRecord> records_;
  std::map<ike::Reason, std::uint64_t> counts_;
};

}  // namespace cygnet::control
