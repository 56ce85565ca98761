// The whole esp engine in one thread: for simulation and tests.                 RFC 4303
#pragma once

#include <span>
#include <vector>

#include "base/rng.hpp"
#include "esp/master.hpp"
#include "esp/worker.hpp"

namespace cygnet::esp {

/// A packet with its own buffer.
struct OwnedPacket {
  Bytes storage;
  Packet packet;  ///< a view of `storage`

  /// `bytes` with head and tail room around it.
  explicit OwnedPacket(ByteView bytes);
};

/// model::DataPlane without sockets, threads or clock: packets and time come in by calls.
/// `now` never decreases. The pump joins the same parts to threads.
class Engine final : public model::DataPlane {
 public:
  /// `rng` and the provider must outlive the engine; `options.workers` counts as 1.
  Engine(MasterOptions options, Rng& rng);

  [[nodiscard]] model::PlaneTraits traits() const override;
  [[nodiscard]] Result<void> install(const model::ChildSpec& child) override;
  [[nodiscard]] Result<void> activate(model::ChildId child, const model::SaSpec& outbound) override;
  [[nodiscard]] Result<void> relocate(model::ChildId child, const Endpoint& local,
                                      const Endpoint& remote) override;
  [[nodiscard]] Result<void> remove(model::ChildId child) override;
  [[nodiscard]] Result<model::SaStats> stats(model::ChildId child) const override;
  [[nodiscard]] std::vector<model::PlaneEvent> take_events() override;

  /// Packets from the host; see Worker::outbound.
  void outbound(std::span<Packet> batch, Instant now);
  /// ESP packets (without UDP header) from the network; see Worker::inbound.
  void inbound(std::span<Packet> batch, Instant now);
  /// What traps held and an install or activate has now sealed: send these.
  [[nodiscard]] std::vector<OwnedPacket> take_released();
  /// A smaller (or larger) path MTU for one child, in octets of outer packet.
  void set_path_mtu(model::ChildId child, std::uint32_t mtu) { master_.set_path_mtu(child, mtu); }
  [[nodiscard]] DropCounts drops() const;

 private:
  void apply(const std::vector<Change>& changes);

  Master master_;
  Tables tables_;
  Worker worker_;
  Instant now_;
  std::vector<OwnedPacket> released_;
};

}  // namespace cygnet::esp
