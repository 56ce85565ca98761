// Linux around the tunnel: addresses, routes and rules that are ours, and questions about paths.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "host/state.hpp"
#include "host/table.hpp"
#include "io/netlink.hpp"

namespace cygnet::host {

struct Options {
  std::string device = "cygnet0";               ///< the TUN device; must exist; is brought up
  std::uint32_t fwmark = 0;                     ///< SO_MARK of our own sockets; 0 is refused
  std::uint32_t table = kRouteTable;            ///< and table + 1 for flows
  std::uint32_t rule_priority = kRulePriority;  ///< and its neighbours, see HostTable
  bool vips_on_loopback = false;                ///< put virtual IPs on lo instead of the device
};

/// How a packet of ours would leave.
struct Path {
  IpAddress source;
  std::uint32_t interface_index = 0;
  std::string interface;
  std::uint32_t mtu = 0;  ///< of the route if it has one, else of the interface
};

/// All changes of the host by one daemon. One thread. Everything it adds carries kProtocol; it
/// removes only what it added itself, or what carries kProtocol in its tables and priorities.
///
/// Full tunnels: 0.0.0.0/0 and ::/0 are ordinary prefixes here, because our own sockets carry the
/// fwmark and so never see the table. The rule comes before the main table, so networks that are
/// directly attached are inside a full tunnel too; a pass shunt (throw_prefixes) lets them out.
class Host {
 public:
  /// Finds the device, brings it up and sets its own sysctls. What could not be set, and what of
  /// the host will be in the way, is in notes().
  [[nodiscard]] static Result<Host> open(Options options);
  Host(Host&&) = default;
  Host& operator=(Host&&) = default;

  /// Removes what an earlier run left behind. Call it once, before the first install().
  [[nodiscard]] Result<void> cleanup_leftovers();

  /// Makes the host have what `owner` needs; again with other needs: makes the difference. When
  /// a step fails those before it are taken back, and the owner has what it had before.
  [[nodiscard]] Result<void> install(Owner owner, HostNeeds needs);
  /// Unknown owners are no error. On an error the owner is forgotten all the same; repair() or
  /// remove_all() try again.
  [[nodiscard]] Result<void> remove(Owner owner);
  /// Puts back what something else deleted, and removes leftovers of ours that nobody wants.
  [[nodiscard]] Result<void> repair();
  /// Forgets all owners and removes everything; goes on after errors and returns the first one.
  [[nodiscard]] Result<void> remove_all();

  /// The address our sockets (with the fwmark) would use towards `remote`.
  [[nodiscard]] Result<IpAddress> source_for(const IpAddress& remote);
  /// The same with interface and MTU.
  [[nodiscard]] Result<Path> path_to(const IpAddress& remote);

  /// What of ours the kernel has now.
  [[nodiscard]] Result<HostState> actual();
  /// What an operator should know: strict rp_filter in the way of a full tunnel, foreign routes in
  /// our table, sysctls that could not be set. One sentence each.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  Host(Options options, io::Netlink netlink, std::uint32_t device, std::uint32_t loopback);
  [[nodiscard]] Result<void> advance(const HostState& wanted);
  [[nodiscard]] Result<void> settle(const HostState& wanted);
  [[nodiscard]] Result<void> carry_out(const Operation& step);

  Options options_;
  io::Netlink netlink_;
  std::uint32_t device_;
  std::uint32_t loopback_;
  HostTable table_;
  HostState applied_;  ///< what we have added and not removed
  std::vector<std::string> notes_;
};

}  // namespace cygnet::host
