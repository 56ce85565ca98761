#include "sim/agenda.hpp"

#include <algorithm>
#include <utility>

namespace cygnet::sim {

void Agenda::put(Instant at, Event event) {
  std::size_t slot = slots_.size();
  if (free_.empty()) {
    slots_.push_back(std::move(event));
  } else {
    slot = free_.back();
    free_.pop_back();
    slots_[slot] = std::move(event);
  }
  heap_.push_back({.at = at, .order = ++order_, .slot = slot});
  std::push_heap(heap_.begin(), heap_.end());
}

Event Agenda::take() {
  std::pop_heap(heap_.begin(), heap_.end());
  const std::size_t slot = heap_.back().slot;
  heap_.pop_back();
  free_.push_back(slot);
  return std::move(slots_[slot]);
}

}  // namespace cygnet::sim
