// Seals and opens batches of packets for one thread.                RFC 4303, RFC 4301 §5
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "esp/packet.hpp"
#include "esp/tables.hpp"
#include "esp/too_big.hpp"

namespace cygnet::esp {

/// One thread's part of the engine. Each call runs every packet of a batch to completion in its
/// buffer, without allocation (a trap's copies apart). The tables must not change during a call.
class Worker {
 public:
  /// `index` chooses this worker's sealers; `rng` makes CBC's IVs and must outlive the worker.
  Worker(std::size_t index, Rng& rng) : index_(index), rng_(rng) {}

  /// Packets from the host: finds their policy, seals, holds or drops them.
  void outbound(const Tables& tables, std::span<Packet> batch, Instant now);
  /// ESP packets from the network: opens and checks them.
  void inbound(const Tables& tables, std::span<Packet> batch, Instant now);

  /// What happened since the last call. Each child has at most one event of each kind in
  /// flight (per interval), so the list is bounded by the children.
  [[nodiscard]] std::vector<model::PlaneEvent> take_events();
  [[nodiscard]] bool has_events() const { return !events_.empty(); }
  /// Adds this worker's drops to `out`. Any thread may call it.
  void add_drops(DropCounts& out) const;

 private:
  void drop(Packet& packet, Drop reason);
  void outbound_one(const Tables& tables, Packet& packet, Instant now);
  void inbound_one(const Tables& tables, Packet& packet, Instant now);
  [[nodiscard]] Drop admit(Child& child, std::size_t bytes);
  [[nodiscard]] bool fits(const Child& child, Packet& packet, const Inner& inner, Instant now);
  [[nodiscard]] Drop seal(Child& child, Packet& packet, const Inner& inner);
  [[nodiscard]] std::optional<std::uint64_t> next_sequence(Child& child);
  [[nodiscard]] Drop open(Child& child, Packet& packet, ReplayWindow::Verdict& freshness);
  [[nodiscard]] Drop unwrap(Child& child, Packet& packet);
  void hold(Child& trap, Packet& packet, const Inner& inner, Instant now);
  void authenticated(Child& child, const Packet& packet, bool newest, Instant now);
  void tell_soft(Child& child);
  void stop(Child& child);

  std::size_t index_;
  Rng& rng_;
  RateLimit too_big_limit_;
  std::vector<model::PlaneEvent> events_;
  std::array<std::atomic<std::uint64_t>, kDropReasons> drops_{};
};

}  // namespace cygnet::esp
