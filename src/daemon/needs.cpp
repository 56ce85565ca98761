#include "daemon/needs.hpp"

#include <algorithm>

namespace cygnet::daemon {
namespace {

bool plain(const model::TrafficSelector& ts) {
  return ts.protocol == 0 && ts.start_port == 0 && ts.end_port == 65535;
}

/// OPAQUE ports (start above end) cannot be told apart by a route: all of the protocol.
host::PortRange ports_of(const model::TrafficSelector& ts) {
  if (ts.start_port > ts.end_port) return {};
  return {ts.start_port, ts.end_port};
}

IpRange widened(const IpRange& range, const std::vector<IpRange>& pools) {
  if (range.first != range.last) return range;
  const auto pool = std::ranges::find_if(
      pools, [&range](const IpRange& one) { return one.contains(range.first); });
  return pool == pools.end() ? range : *pool;
}

/// Flows are pairs: the peer's side with our ports, for each pair that can meet.
std::vector<host::Flow> flows_of(const model::ChildSpec& child,
                                 const model::TrafficSelector& remote) {
  std::vector<host::Flow> out;
  for (const model::TrafficSelector& local : child.local_ts) {
    if (local.family() != remote.family()) continue;
    const bool clash =
        local.protocol != 0 && remote.protocol != 0 && local.protocol != remote.protocol;
    if (clash) continue;
    for (const Prefix& prefix : remote.range.prefixes()) {
      out.push_back({.remote = prefix,
                     .protocol = std::max(local.protocol, remote.protocol),
                     .local_ports = ports_of(local),
                     .remote_ports = ports_of(remote)});
    }
  }
  return out;
}

std::optional<IpAddress> source_of(const model::ChildSpec& child, IpFamily family,
                                   const std::vector<IpAddress>& own) {
  for (const IpAddress& vip : child.local_vips) {
    if (vip.family() == family) return vip;
  }
  for (const model::TrafficSelector& ts : child.local_ts) {
    for (const IpAddress& address : own) {
      if (address.family() == family && ts.range.contains(address)) return address;
    }
  }
  return std::nullopt;
}

bool covers_everything(const model::TrafficSelector& ts) {
  return ts.range.first.is_any() && ts.range.last == IpAddress::last(ts.family());
}

}  // namespace

host::HostNeeds needs_of(const model::ChildSpec& child, const std::vector<IpRange>& pools,
                         const std::vector<IpAddress>& own) {
  host::HostNeeds out;
  const bool pass = child.action == model::PolicyAction::pass;
  // A drop shunt sends its packets into the device too: there they are dropped and counted.
  const bool narrow_local =
      std::ranges::any_of(child.local_ts, [](const auto& ts) { return !plain(ts); });
  for (const model::TrafficSelector& remote : child.remote_ts) {
    if (plain(remote) && !narrow_local) {
      auto& to = pass ? out.throw_prefixes : out.remote_prefixes;
      for (const Prefix& prefix : widened(remote.range, pools).prefixes()) to.push_back(prefix);
    } else {
      auto& to = pass ? out.pass_flows : out.remote_flows;
      for (const host::Flow& flow : flows_of(child, remote)) to.push_back(flow);
    }
  }
  if (pass) return out;
  out.vips = child.local_vips;
  // Everything as our side leaves the kernel its usual choice.
  const bool any_local =
      child.local_vips.empty() && std::ranges::any_of(child.local_ts, covers_everything);
  if (!any_local) {
    out.source_v4 = source_of(child, IpFamily::v4, own);
    out.source_v6 = source_of(child, IpFamily::v6, own);
  }
  return out;
}

}  // namespace cygnet::daemon
