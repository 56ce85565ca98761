// Our addresses, routes and rules as rtnetlink messages, and back.    RFC 3549 §3.1
#include "host/rtnetlink.hpp"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <sys/socket.h>

#include <variant>

namespace cygnet::host {
namespace {

using io::NetlinkMessage;
using io::NetlinkReply;
using Kind = Operation::Kind;

/// FRA_SPORT_RANGE and FRA_DPORT_RANGE, in host byte order.
PortRange port_range(ByteView octets) {
  const auto raw = NetlinkReply::value<fib_rule_port_range>(octets, {0, 65535});
  return PortRange{.first = raw.start, .last = raw.end};
}

std::uint16_t flags_for(Kind kind) {
  switch (kind) {
    // Exclusive: what somebody else put there is an error, not something to take over.
    case Kind::add:
      return NLM_F_CREATE | NLM_F_EXCL;
    case Kind::replace:
      return NLM_F_CREATE | NLM_F_REPLACE;
    case Kind::remove:
      return 0;
  }
  return 0;
}

NetlinkMessage message(Kind kind, const HostAddress& wanted, const Interfaces& interfaces) {
  NetlinkMessage out(kind == Kind::remove ? RTM_DELADDR : RTM_NEWADDR, flags_for(kind));
  ifaddrmsg header{};
  header.ifa_family = address_family(wanted.address.family());
  header.ifa_prefixlen = static_cast<std::uint8_t>(wanted.address.bits());
  header.ifa_scope = RT_SCOPE_UNIVERSE;
  header.ifa_index = wanted.on_loopback ? interfaces.loopback : interfaces.device;
  out.header(header);
  out.put(IFA_LOCAL, wanted.address.bytes());
  out.put(IFA_ADDRESS, wanted.address.bytes());
  if (kind != Kind::remove) {
    // Usable at once: nobody on a tunnel answers duplicate address detection. No route of the
    // kernel's own in the main table: table 220 is the only way in.
    out.put_u32(IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
    out.put_u8(IFA_PROTO, kProtocol);
  }
  return out;
}

NetlinkMessage message(Kind kind, const HostRoute& wanted, const Interfaces& interfaces) {
  NetlinkMessage out(kind == Kind::remove ? RTM_DELROUTE : RTM_NEWROUTE, flags_for(kind));
  const IpAddress& destination = wanted.prefix.address();
  rtmsg header{};
  header.rtm_family = address_family(destination.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(wanted.prefix.length());
  header.rtm_table =
      static_cast<std::uint8_t>(wanted.table < 256 ? wanted.table : std::uint32_t{RT_TABLE_UNSPEC});
  header.rtm_protocol = kProtocol;
  header.rtm_type = wanted.throws ? RTN_THROW : RTN_UNICAST;
  if (kind == Kind::remove) {
    header.rtm_scope = RT_SCOPE_NOWHERE;  // any
  } else {
    header.rtm_scope = destination.is_v4() && !wanted.throws ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  }
  out.header(header);
  out.put_u32(RTA_TABLE, wanted.table);
  if (wanted.prefix.length() > 0) out.put(RTA_DST, destination.bytes());
  out.put_u32(RTA_PRIORITY, kRouteMetric);
  if (!wanted.throws) out.put_u32(RTA_OIF, interfaces.device);
  // The kernel forgets the source of an IPv6 route when the address goes; without it here the
  // route is still found.
  if (wanted.source && kind != Kind::remove) out.put(RTA_PREFSRC, wanted.source->bytes());
  return out;
}

std::uint8_t kernel_action(RuleAction action) {
  switch (action) {
    case RuleAction::look_up:
      return FR_ACT_TO_TBL;
    case RuleAction::go_to:
      return FR_ACT_GOTO;
    case RuleAction::nop:
      return FR_ACT_NOP;
  }
  return FR_ACT_UNSPEC;
}

void put_ports(NetlinkMessage& out, std::uint16_t attribute, const PortRange& ports) {
  if (ports.any()) return;
  out.put_value(attribute, fib_rule_port_range{.start = ports.first, .end = ports.last});
}

NetlinkMessage message(Kind kind, const HostRule& wanted, const Interfaces&) {
  NetlinkMessage out(kind == Kind::remove ? RTM_DELRULE : RTM_NEWRULE, flags_for(kind));
  fib_rule_hdr header{};
  header.family = address_family(wanted.family);
  header.action = kernel_action(wanted.action);
  header.table =
      static_cast<std::uint8_t>(wanted.table < 256 ? wanted.table : std::uint32_t{RT_TABLE_UNSPEC});
  header.flags = wanted.inverted ? std::uint32_t{FIB_RULE_INVERT} : 0;
  if (wanted.flow) header.dst_len = static_cast<std::uint8_t>(wanted.flow->remote.length());
  out.header(header);
  out.put_u32(FRA_PRIORITY, wanted.priority);
  out.put_u8(FRA_PROTOCOL, kProtocol);
  if (wanted.action == RuleAction::look_up) out.put_u32(FRA_TABLE, wanted.table);
  if (wanted.action == RuleAction::go_to) out.put_u32(FRA_GOTO, wanted.target);
  if (wanted.fwmark) {
    out.put_u32(FRA_FWMARK, *wanted.fwmark);
    out.put_u32(FRA_FWMASK, 0xffffffff);
  }
  if (wanted.flow) {
    if (header.dst_len > 0) out.put(FRA_DST, wanted.flow->remote.address().bytes());
    if (wanted.flow->protocol != 0) out.put_u8(FRA_IP_PROTO, wanted.flow->protocol);
    put_ports(out, FRA_SPORT_RANGE, wanted.flow->local_ports);
    put_ports(out, FRA_DPORT_RANGE, wanted.flow->remote_ports);
  }
  return out;
}

/// A prefix out of an attribute that is absent when its length is zero.
std::optional<Prefix> read_prefix(ByteView octets, IpFamily family, unsigned length) {
  if (octets.empty()) return Prefix{IpAddress::any(family), length};
  const auto address = IpAddress::from_bytes(octets);
  if (!address || address->family() != family || length > address->bits()) return std::nullopt;
  return Prefix{*address, length};
}

std::optional<Flow> read_flow(const NetlinkReply& reply, const Prefix& destination) {
  const auto attribute = [&](std::uint16_t type) {
    return reply.attribute(sizeof(fib_rule_hdr), type);
  };
  const Flow flow{.remote = destination,
                  .protocol = NetlinkReply::value<std::uint8_t>(attribute(FRA_IP_PROTO)),
                  .local_ports = port_range(attribute(FRA_SPORT_RANGE)),
                  .remote_ports = port_range(attribute(FRA_DPORT_RANGE))};
  const bool everything = flow.protocol == 0 && flow.local_ports.any() && flow.remote_ports.any() &&
                          destination.length() == 0;
  return everything ? std::nullopt : std::optional{flow};
}

}  // namespace

NetlinkMessage message_for(const Operation& step, const Interfaces& interfaces) {
  return std::visit([&](const auto& what) { return message(step.kind, what, interfaces); },
                    step.what);
}

std::optional<HostAddress> read_address(const NetlinkReply& reply, const Interfaces& interfaces) {
  if (reply.type() != RTM_NEWADDR) return std::nullopt;
  const auto header = reply.header<ifaddrmsg>();
  const auto attribute = [&](std::uint16_t type) {
    return reply.attribute(sizeof(ifaddrmsg), type);
  };
  const ByteView local = attribute(IFA_LOCAL);
  const auto address = IpAddress::from_bytes(local.empty() ? attribute(IFA_ADDRESS) : local);
  if (!address || header.ifa_prefixlen != address->bits()) return std::nullopt;
  const bool labelled = NetlinkReply::value<std::uint8_t>(attribute(IFA_PROTO)) == kProtocol;
  const bool on_device =
      header.ifa_index == interfaces.device && header.ifa_scope == RT_SCOPE_UNIVERSE;
  const bool on_loopback = header.ifa_index == interfaces.loopback && labelled;
  if (!on_device && !on_loopback) return std::nullopt;
  return HostAddress{.address = *address, .on_loopback = on_loopback};
}

std::optional<SeenRoute> read_route(const NetlinkReply& reply) {
  if (reply.type() != RTM_NEWROUTE) return std::nullopt;
  const auto header = reply.header<rtmsg>();
  const auto family = ip_family(header.rtm_family);
  if (!family || (header.rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  const auto attribute = [&](std::uint16_t type) { return reply.attribute(sizeof(rtmsg), type); };
  const auto prefix = read_prefix(attribute(RTA_DST), *family, header.rtm_dst_len);
  if (!prefix) return std::nullopt;
  SeenRoute out;
  out.protocol = header.rtm_protocol;
  out.route.table = NetlinkReply::value<std::uint32_t>(attribute(RTA_TABLE), header.rtm_table);
  out.route.prefix = *prefix;
  out.route.throws = header.rtm_type == RTN_THROW;
  if (const auto source = IpAddress::from_bytes(attribute(RTA_PREFSRC))) out.route.source = *source;
  return out;
}

std::optional<HostRule> read_rule(const NetlinkReply& reply) {
  if (reply.type() != RTM_NEWRULE) return std::nullopt;
  const auto header = reply.header<fib_rule_hdr>();
  const auto family = ip_family(header.family);
  const auto attribute = [&](std::uint16_t type) {
    return reply.attribute(sizeof(fib_rule_hdr), type);
  };
  if (!family || NetlinkReply::value<std::uint8_t>(attribute(FRA_PROTOCOL)) != kProtocol) {
    return std::nullopt;
  }
  HostRule out;
  out.family = *family;
  out.priority = NetlinkReply::value<std::uint32_t>(attribute(FRA_PRIORITY));
  switch (header.action) {
    case FR_ACT_TO_TBL:
      out.action = RuleAction::look_up;
      out.table = NetlinkReply::value<std::uint32_t>(attribute(FRA_TABLE), header.table);
      break;
    case FR_ACT_GOTO:
      out.action = RuleAction::go_to;
      out.target = NetlinkReply::value<std::uint32_t>(attribute(FRA_GOTO));
      break;
    case FR_ACT_NOP:
      out.action = RuleAction::nop;
      break;
    default:
      return std::nullopt;
  }
  const ByteView mark = attribute(FRA_FWMARK);
  if (!mark.empty()) out.fwmark = NetlinkReply::value<std::uint32_t>(mark);
  out.inverted = (header.flags & FIB_RULE_INVERT) != 0;
  const auto destination = read_prefix(attribute(FRA_DST), *family, header.dst_len);
  if (!destination) return std::nullopt;
  out.flow = read_flow(reply, *destination);
  return out;
}

std::uint8_t address_family(IpFamily family) {
  return static_cast<std::uint8_t>(family == IpFamily::v4 ? AF_INET : AF_INET6);
}

std::optional<IpFamily> ip_family(std::uint8_t address_family) {
  if (address_family == AF_INET) return IpFamily::v4;
  if (address_family == AF_INET6) return IpFamily::v6;
  return std::nullopt;
}

}  // namespace cygnet::host
