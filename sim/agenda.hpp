// What will happen in a virtual world, and when.
#pragma once

#include <functional>
#include <vector>

#include "base/time.hpp"
#include "sim/stage/plane.hpp"

namespace cygnet::sim {

struct Event {
  enum class Kind : std::uint8_t {
    arrival,  ///< of `packet`, wherever it leads
    wake,     ///< of `node`, if its alarm is still set for now
    fault,
    traffic,
    action  ///< anything else
  } kind{};
  std::size_t node = 0;
  Packet packet{};
  std::function<void()> action{};
};

/// Events by time; those of one instant in the order they were put in.
class Agenda {
 public:
  void put(Instant at, Event event);
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  /// When the first one is due. There is one.
  [[nodiscard]] Instant next() const { return heap_.front().at; }
  [[nodiscard]] Event take();

 private:
  // Events are large: the heap moves their places around instead.
  struct Entry {
    Instant at;
    std::uint64_t order = 0;
    std::size_t slot = 0;
    /// Whether it comes after the other one; the heap's first is the one that none comes before.
    friend bool operator<(const Entry& a, const Entry& b) {
      return a.at != b.at ? b.at < a.at : b.order < a.order;
    }
  };
  std::vector<Entry> heap_;
  std::vector<Event> slots_;
  std::vector<std::size_t> free_;
  std::uint64_t order_ = 0;
};

}  // namespace cygnet::sim
