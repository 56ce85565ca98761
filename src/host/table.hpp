// Who wants what of the host; what several want is there once: pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
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
  void clear();
  [[nodiscard]] const HostNeeds* needs_of(Owner owner) const;
  [[nodiscard]] std::size_t size() const { return owners_.size(); }

  [[nodiscard]] HostState wanted() const;

 private:
  struct Entry {
    std::uint64_t age = 0;
    HostNeeds needs;
  };
  /// A prefix in one of our tables.
  using RouteKey = std::pair<std::uint32_t, Prefix>;
  /// The sources a route is wanted with, by the age of who wants it.
  using Sources = std::map<std::uint64_t, std::optional<IpAddress>>;

  void count(const Entry& entry, bool wanted);
  void count_route(const RouteKey& key, const Entry& entry, bool wanted);
  [[nodiscard]] bool has_routes(IpFamily family) const;
  void add_rules(std::vector<HostRule>& out, IpFamily family) const;

  TableOptions options_;
  std::uint64_t next_age_ = 0;
  std::map<Owner, Entry> owners_;
  // What owners want, counted: wanted() costs what is distinct, however many clients share it.
  std::map<RouteKey, Sources> routes_;
  std::map<IpAddress, std::size_t> addresses_;
  std::map<Prefix, std::size_t> throws_;
  std::map<Flow, std::size_t> flows_;
  std::map<Flow, std::size_t> pass_;
};

}  // namespace cygnet::host
