// Hands values from thread to thread: bounded, with a descriptor to wait on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "io/unique_fd.hpp"

namespace cygnet::io {

/// A counter to poll on: readable from signal() until clear(). Any thread may signal.
class EventFd {
 public:
  [[nodiscard]] static Result<EventFd> open();
  /// For poll; still owned here.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Makes the descriptor readable.
  void signal() const;
  /// Makes it unreadable again.
  void clear() const;

 private:
  explicit EventFd(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// A queue of at most `limit` values between threads. Full means refused and counted, never
/// blocked: the producer is a packet loop.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t limit) : limit_(limit) {}

  /// False when the queue is full; `value` is then dropped and counted.
  [[nodiscard]] bool push(T value) {
    const std::lock_guard lock{mutex_};
    if (values_.size() >= limit_) {
      ++dropped_;
      return false;
    }
    values_.push_back(std::move(value));
    return true;
  }
  /// Everything in order of arrival; the queue is empty afterwards.
  [[nodiscard]] std::vector<T> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(values_, {});
  }
  [[nodiscard]] bool empty() const {
    const std::lock_guard lock{mutex_};
    return values_.empty();
  }
  /// How many values were refused since the start.
  [[nodiscard]] std::uint64_t dropped() const {
    const std::lock_guard lock{mutex_};
    return dropped_;
  }

 private:
  mutable std::mutex mutex_;
  std::size_t limit_;
  std::vector<T> values_;
  std::uint64_t dropped_ = 0;
};

}  // namespace cygnet::io
