// The control side of the engine: owns the children and decides how tables change.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/time.hpp"
#include "crypto/provider.hpp"
#include "esp/drop.hpp"
#include "esp/tables.hpp"
#include "model/data_plane.hpp"

namespace cygnet::esp {

/// Children (with traps and shunts) one plane holds.
inline constexpr std::size_t kChildrenMax = 200'000;
/// Selectors a child may have on one side.
inline constexpr std::size_t kSelectorsMax = 255;

/// What a Master needs to know.
struct MasterOptions {
  const crypto::Provider* provider = nullptr;  ///< must outlive the master
  std::size_t workers = 1;                     ///< sealers to make for each SA
  std::uint32_t outer_mtu = 1500;              ///< until a smaller path MTU is learnt
  std::uint64_t first_sequence = 1;            ///< of new outbound SAs; tests start near the end
};

/// The master copy. Not thread-safe: one control thread. Every verb returns the changes that
/// the caller applies to each of its tables before the next verb; what is thereby no longer
/// reachable lives until collect().
class Master {
 public:
  explicit Master(MasterOptions options) : options_(options) {}

  /// Fails, changing nothing, for a child that cannot be expressed: an unknown cipher, no or
  /// too many selectors, raw ESP, a window above kReplayWindowMax, an id or SPI slot in use.
  [[nodiscard]] Result<std::vector<Change>> install(const model::ChildSpec& spec);
  /// Fails when the child is unknown or already has an outbound SA.
  [[nodiscard]] Result<std::vector<Change>> activate(model::ChildId id, const model::SaSpec& sa);
  /// Takes effect at once, without a change of tables.
  [[nodiscard]] Result<void> relocate(model::ChildId id, const Endpoint& local,
                                      const Endpoint& remote);
  /// Nothing for an unknown child.
  [[nodiscard]] std::vector<Change> remove(model::ChildId id);
  /// Frees what was replaced or removed. Call it when no worker can still be looking at it.
  void collect() { garbage_ = {}; }

  /// Packets of traps that some protecting child now takes, oldest first; stale ones are counted
  /// and dropped. Call it when `tables` with a new policy are in use everywhere.
  [[nodiscard]] std::vector<Bytes> release(const Tables& tables, Instant now);

  [[nodiscard]] Result<model::SaStats> stats(model::ChildId id, Instant now) const;
  /// A new path MTU (octets of outer packet) for one child.
  void set_path_mtu(model::ChildId id, std::uint32_t mtu);
  /// Where a child's packets go now.
  [[nodiscard]] const Path* path_of(model::ChildId id) const;
  [[nodiscard]] std::size_t size() const { return children_.size(); }
  /// Held packets that were dropped here.
  [[nodiscard]] const DropCounts& drops() const { return drops_; }

 private:
  struct Owned {
    std::unique_ptr<Child> child;
    std::unique_ptr<const Path> path;
    bool has_policy = false;
  };
  struct Garbage {
    std::vector<std::unique_ptr<Child>> children;
    std::vector<std::unique_ptr<const Path>> paths;
  };
  [[nodiscard]] Result<void> check(const model::ChildSpec& spec) const;
  [[nodiscard]] Change add_policy(Owned& owned);

  MasterOptions options_;
  std::map<model::ChildId, Owned> children_;
  std::map<std::uint32_t, model::ChildId> slots_;  // of live inbound SAs
  std::map<model::ChildId, Child*> traps_;
  Garbage garbage_;
  std::uint64_t serial_ = 0;
  DropCounts drops_;
};

}  // namespace cygnet::esp
