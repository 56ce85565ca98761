// Our addresses, routes and rules as rtnetlink messages, and back.    RFC 3549 §3.1
#pragma once

#include <cstdint>
#include <optional>

#include "host/state.hpp"
#include "io/netlink.hpp"

namespace cygnet::host {

/// Interface indices that messages need.
struct Interfaces {
  std::uint32_t device = 0;
  std::uint32_t loopback = 0;
};

/// The request that carries out one step.
[[nodiscard]] io::NetlinkMessage message_for(const Operation& step, const Interfaces& interfaces);

/// What a dump told, if it is one of these at all and ours: by kProtocol, and addresses on the
/// tunnel device by being a /32 or /128 of global scope.
[[nodiscard]] std::optional<HostAddress> read_address(const io::NetlinkReply& reply,
                                                      const Interfaces& interfaces);
/// Any route: also those of others, which `protocol` tells.
struct SeenRoute {
  HostRoute route;
  std::uint8_t protocol = 0;
};
[[nodiscard]] std::optional<SeenRoute> read_route(const io::NetlinkReply& reply);
/// A rule with kProtocol.
[[nodiscard]] std::optional<HostRule> read_rule(const io::NetlinkReply& reply);

/// AF_INET or AF_INET6.
[[nodiscard]] std::uint8_t address_family(IpFamily family);
/// Nothing for other families.
[[nodiscard]] std::optional<IpFamily> ip_family(std::uint8_t address_family);

}  // namespace cygnet::host
