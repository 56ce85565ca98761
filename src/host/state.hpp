// What Linux has, what we want it to have, and the steps between: pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"

namespace cygnet::host {

/// The routing table of all that goes into the tunnel.
inline constexpr std::uint32_t kRouteTable = 220;
/// The priority of the rule that leads there.
inline constexpr std::uint32_t kRulePriority = 220;
/// What marks routes, rules and addresses as ours (rtm_protocol, FRA_PROTOCOL, IFA_PROTO).
inline constexpr std::uint8_t kProtocol = 220;
/// The metric of our routes, so that they never collide with somebody else's in the same table.
inline constexpr std::uint32_t kRouteMetric = 220;

/// Ports of a flow, both ends inclusive.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 65535;

  [[nodiscard]] bool any() const { return first == 0 && last == 65535; }
  friend auto operator<=>(const PortRange&, const PortRange&) = default;
};

/// Traffic finer than a prefix, seen as our outgoing packets. Protocol 0 is any.
struct Flow {
  Prefix remote;
  std::uint8_t protocol = 0;
  PortRange local_ports;
  PortRange remote_ports;

  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const Flow&, const Flow&) = default;
};

/// An address we put on the tunnel device (or on lo): always a /32 or /128.
struct HostAddress {
  IpAddress address;
  bool on_loopback = false;

  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const HostAddress&, const HostAddress&) = default;
};

/// `prefix dev cygnet0 [src source]`, or a `throw` route: the look-up goes on with the next rule.
struct HostRoute {
  std::uint32_t table = kRouteTable;
  Prefix prefix;
  bool throws = false;
  std::optional<IpAddress> source;

  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const HostRoute&, const HostRoute&) = default;
};

enum class RuleAction : std::uint8_t {
  look_up,  ///< in `table`
  go_to,    ///< the rule of priority `target`
  nop,      ///< a place to go to
};

/// One line of `ip rule`.
struct HostRule {
  std::uint32_t priority = kRulePriority;
  IpFamily family = IpFamily::v4;
  RuleAction action = RuleAction::look_up;
  std::uint32_t table = 0;
  std::uint32_t target = 0;
  std::optional<std::uint32_t> fwmark;
  bool inverted = false;  ///< `not`; the kernel inverts the whole match, so only with a lone fwmark
  std::optional<Flow> flow;

  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const HostRule&, const HostRule&) = default;
};

/// Each list is sorted and without duplicates.
struct HostState {
  std::vector<HostAddress> addresses;
  std::vector<HostRoute> routes;
  std::vector<HostRule> rules;

  friend bool operator==(const HostState&, const HostState&) = default;
};

/// One change of the host.
struct Operation {
  /// `replace` is for a route whose source changes: no packet in between goes astray.
  enum class Kind : std::uint8_t { add, remove, replace };
  Kind kind = Kind::add;
  std::variant<HostAddress, HostRoute, HostRule> what;
  std::optional<HostRoute> before;  ///< of a replaced route

  [[nodiscard]] std::string text() const;
  /// What takes this step back.
  [[nodiscard]] Operation reverse() const;
  friend bool operator==(const Operation&, const Operation&) = default;
};

/// The fewest steps from `actual` to `wanted`, in an order the kernel accepts and that never
/// sends protected traffic astray: new addresses (a route's source must exist), new and changed
/// routes, new rules; then old rules, old routes, old addresses.
[[nodiscard]] std::vector<Operation> plan(const HostState& actual, const HostState& wanted);

/// `state` after a step.
void apply(HostState& state, const Operation& step);

}  // namespace cygnet::host
