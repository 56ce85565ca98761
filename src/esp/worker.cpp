// What both directions of a worker share: drops, events, traps, limits.      RFC 4301 §4.4.2
#include "esp/worker.hpp"

#include <algorithm>
#include <utility>

namespace cygnet::esp {

void Worker::drop(Packet& packet, Drop reason) {
  packet.verdict = Verdict::drop;
  packet.reason = reason;
  drops_[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
}

std::vector<model::PlaneEvent> Worker::take_events() { return std::exchange(events_, {}); }

void Worker::add_drops(DropCounts& out) const {
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    out.by_reason[i] += drops_[i].load(std::memory_order_relaxed);
  }
}

void Worker::tell_soft(Child& child) {
  if (child.soft_told.exchange(true, std::memory_order_relaxed)) return;
  events_.push_back(model::plane::Expire{.child = child.id, .hard = false});
}

void Worker::stop(Child& child) {
  if (child.stopped.exchange(true, std::memory_order_relaxed)) return;
  events_.push_back(model::plane::Expire{.child = child.id, .hard = true});
}

void Worker::hold(Child& trap, Packet& packet, const Inner& inner, Instant now) {
  std::int64_t due = trap.acquire_at.load(std::memory_order_relaxed);
  const std::int64_t later = (now + kAcquireInterval).since_start.count();
  if (now.since_start.count() >= due &&
      trap.acquire_at.compare_exchange_strong(due, later, std::memory_order_relaxed)) {
    events_.push_back(model::plane::Acquire{.trap = trap.id, .packet = inner.flow});
  }
  std::size_t stale = 0;
  bool kept = false;
  {
    const TinyGuard guard{trap.held_lock};
    stale =
        std::erase_if(trap.held, [&](const Held& held) { return now - held.since > kHeldTimeMax; });
    if (trap.held.size() < kHeldPacketsMax) {
      trap.held.push_back({to_bytes(packet.data()), now});
      kept = true;
    }
  }
  drops_[static_cast<std::size_t>(Drop::trap_stale)].fetch_add(stale, std::memory_order_relaxed);
  if (!kept) return drop(packet, Drop::trap_full);
  packet.verdict = Verdict::held;
}

}  // namespace cygnet::esp
