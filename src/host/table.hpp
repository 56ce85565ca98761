// Who wants what of the host; what several want is there once: pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "host/state.hpp"

namespace cygnet::host {

/// Whoever wants something; given by the daemon (a child's id).
using Owner = std::uint64_t;

/// What one child needs of Linux. Prefixes and flows are the peer's side of the selectors.
struct HostNeeds {
  std::vector<Prefix> remote_prefixes;  ///< whole prefixes that go into the tunnel
  std::vector<IpAddress> vips;          ///< addresses to have
  std::optional<IpAddress> source_v4;   ///< of our own packets to remote prefixes and flows
  std::optional<IpAddress> source_v6;
  std::vector<Prefix> throw_prefixes;  ///< pass shunts: not into the tunnel
  std::vector<Flow> remote_flows;      ///< selectors with protocol or ports, into the tunnel
  std::vector<Flow> pass_flows;        ///< the same for pass shunts

  friend bool operator==(const HostNeeds&, const HostNeeds&) = default;
};

struct TableOptions {
  std::uint32_t fwmark = 0;  ///< of our own IKE and ESP sockets; 0 is refused
  std::uint32_t table = kRouteTable;
  std::uint32_t rule_priority = kRulePriority;  ///< at least 4: finer rules come just before it
  bool vips_on_loopback = false;
};

/// The wanted state as the union of what all owners want.
///
/// Rules, relative to rule_priority P and table T, for each family that has routes:
///   P-3  fwmark M goto P                 only when there are flows
///   P-2  FLOW goto P+1                   pass flows
///   P-1  FLOW lookup T+1                 protected flows; T+1 holds the routes of their prefixes
///   P    not fwmark M lookup T
///   P+1  nop                             only when there are pass flows
///
/// A prefix wanted with two sources has the younger owner's; a throw wins over a route.
class HostTable {
 public:
  /// Limits on one owner's list: selectors come from a peer.
  static constexpr std::size_t kRoutesPerOwnerMax = 1024;
  static constexpr std::size_t kFlowsPerOwnerMax = 64;
  static constexpr std::size_t kAddressesPerOwnerMax = 16;
  /// Owners at the same time.
  static constexpr std::size_t kOwnersMax = 65536;

  explicit HostTable(TableOptions options) : options_(options) {}

  /// Sets what `owner` wants; replaces what it wanted before but keeps its age. Errors (a limit,
  /// families mixed up) change nothing.
  [[nodiscard]] Result<void> want(Owner owner, HostNeeds needs);
  /// Unknown owners are no error.
  void drop(Owner owner);
  void clear() { owners_.clear(); }
  [[nodiscard]] const HostNeeds* needs_of(Owner owner) const;
  [[nodiscard]] std::size_t size() const { return owners_.size(); }

  [[nodiscard]] HostState wanted() const;

 private:
  struct Entry {
    std::uint64_t age = 0;
    HostNeeds needs;
  };
  TableOptions options_;
  std::uint64_t next_age_ = 0;
  std::map<Owner, Entry> owners_;
};

}  // namespace cygnet::host
