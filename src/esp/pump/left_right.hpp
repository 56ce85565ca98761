// Two copies of a value: readers always have one that nobody writes. docs/adr/0002-snapshots.md
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

namespace cygnet::esp::pump {

/// One writer, a fixed number of readers. Readers never wait and take no lock; the writer waits
/// until the readers that still look at the old copy are done with it.
template <class T>
class LeftRight {
 public:
  explicit LeftRight(std::size_t readers) : readers_(readers) {}

  /// A reader's hold on the present copy; do not block while it lives.
  class Reading {
   public:
    Reading(LeftRight& owner, std::size_t reader) : phase_(owner.readers_[reader].phase) {
      // Sequentially consistent with write(): either the writer sees this odd phase, or we see
      // the copy it has just made current.
      phase_.fetch_add(1, std::memory_order_seq_cst);
      value_ = &owner.copies_[owner.current_.load(std::memory_order_seq_cst)];
    }
    ~Reading() { phase_.fetch_add(1, std::memory_order_release); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    const T& operator*() const { return *value_; }

   private:
    std::atomic<std::uint64_t>& phase_;
    const T* value_;
  };

  /// Applies `change` to both copies, one after the other; it must do the same to both. When it
  /// returns, every reader sees the change and none sees what was there before.
  template <class ChangeFunction>
  void write(ChangeFunction&& change) {
    const std::size_t old = current_.load(std::memory_order_relaxed);
    change(copies_[1 - old]);
    current_.store(1 - old, std::memory_order_seq_cst);
    wait_for_readers();
    change(copies_[old]);
  }

  /// The present copy, for the writer itself.
  [[nodiscard]] const T& current() const {
    return copies_[current_.load(std::memory_order_relaxed)];
  }
  /// Returns when no reader can still hold what it saw before the call.
  void wait_for_readers() const {
    for (const Reader& reader : readers_) {
      const std::uint64_t phase = reader.phase.load(std::memory_order_seq_cst);
      if (phase % 2 == 0) continue;
      while (reader.phase.load(std::memory_order_acquire) == phase) std::this_thread::yield();
    }
  }

 private:
  struct alignas(64) Reader {
    std::atomic<std::uint64_t> phase{0};  // odd while reading
  };
  std::array<T, 2> copies_{};
  std::atomic<std::size_t> current_{0};
  std::vector<Reader> readers_;
};

}  // namespace cygnet::esp::pump
