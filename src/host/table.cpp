// Who wants what of the host; what several want is there once: pure.
#include "host/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace cygnet::host {
namespace {

constexpr IpFamily kFamilies[] = {IpFamily::v4, IpFamily::v6};

std::unexpected<Error> refuse(std::string detail) { return fail("host table", std::move(detail)); }

Result<void> check_flow(const Flow& flow) {
  if (flow.local_ports.first > flow.local_ports.last ||
      flow.remote_ports.first > flow.remote_ports.last) {
    return refuse(
        fmt::format("{}: a range of ports with its ends reversed (OPAQUE) cannot be "
                    "routed; use whole prefixes",
                    flow.text()));
  }
  if (flow.protocol == 0) {
    return refuse(fmt::format("{}: a selector without protocol is a prefix, or cannot be routed by",
                              flow.text()));
  }
  const bool ports = !flow.local_ports.any() || !flow.remote_ports.any();
  const bool has_ports =
      flow.protocol == 6 || flow.protocol == 17 || flow.protocol == 33 || flow.protocol == 132;
  // For ICMP these are type and code, which the kernel's rules do not see.
  if (ports && !has_ports) {
    return refuse(fmt::format("{}: only TCP, UDP, DCCP and SCTP have ports that can be routed by",
                              flow.text()));
  }
  // The kernel's rules take 1 to 65534 only, except for "all". Cutting a range to that would send
  // the rest in the clear.
  for (const PortRange& range : {flow.local_ports, flow.remote_ports}) {
    if (!range.any() && (range.first == 0 || range.last == 65535)) {
      return refuse(
          fmt::format("{}: ports 0 and 65535 cannot be routed by, except as part of all "
                      "ports",
                      flow.text()));
    }
  }
  return {};
}

HostRule rule_at(std::uint32_t priority, IpFamily family, RuleAction action) {
  HostRule rule;
  rule.priority = priority;
  rule.family = family;
  rule.action = action;
  return rule;
}

std::optional<IpAddress> source_of(const HostNeeds& needs, const Prefix& prefix) {
  return prefix.address().is_v4() ? needs.source_v4 : needs.source_v6;
}

template <class T>
void make_distinct(std::vector<T>& list) {
  std::ranges::sort(list);
  const auto repeated = std::ranges::unique(list);
  list.erase(repeated.begin(), repeated.end());
}

/// Each wish once, so that one owner counts once.
HostNeeds distinct(HostNeeds needs) {
  make_distinct(needs.remote_prefixes);
  make_distinct(needs.vips);
  make_distinct(needs.throw_prefixes);
  make_distinct(needs.remote_flows);
  make_distinct(needs.pass_flows);
  return needs;
}

template <class T>
void count_one(std::map<T, std::size_t>& counts, const T& value, bool wanted) {
  std::size_t& users = counts[value];
  if (wanted) {
    ++users;
  } else if (--users == 0) {
    counts.erase(value);
  }
}

bool any_of_family(const std::map<Flow, std::size_t>& flows, IpFamily family) {
  return std::ranges::any_of(
      flows, [&](const auto& row) { return row.first.remote.address().family() == family; });
}

}  // namespace

Result<void> HostTable::want(Owner owner, HostNeeds needs) {
  if (options_.fwmark == 0) return refuse("the fwmark of our own sockets must not be 0");
  if (options_.rule_priority < 4 || options_.rule_priority > 32000) {
    return refuse("the rule's priority must be between 4 and 32000");
  }
  if (needs.remote_prefixes.size() + needs.throw_prefixes.size() > kRoutesPerOwnerMax) {
    return refuse(fmt::format("one child has more than {} prefixes", kRoutesPerOwnerMax));
  }
  if (needs.remote_flows.size() + needs.pass_flows.size() > kFlowsPerOwnerMax) {
    return refuse(fmt::format("one child has more than {} selectors with protocol or ports",
                              kFlowsPerOwnerMax));
  }
  if (needs.vips.size() > kAddressesPerOwnerMax) {
    return refuse(fmt::format("one child has more than {} addresses", kAddressesPerOwnerMax));
  }
  if ((needs.source_v4 && !needs.source_v4->is_v4()) ||
      (needs.source_v6 && needs.source_v6->is_v4())) {
    return refuse("a source address is of the wrong family");
  }
  for (const Flow& flow : needs.remote_flows) CYG_TRY_DO(check_flow(flow));
  for (const Flow& flow : needs.pass_flows) CYG_TRY_DO(check_flow(flow));

  const auto found = owners_.find(owner);
  if (found == owners_.end() && owners_.size() == kOwnersMax) {
    return refuse(fmt::format("more than {} owners", kOwnersMax));
  }
  const std::uint64_t age = found == owners_.end() ? next_age_++ : found->second.age;
  drop(owner);
  const auto [entry, added] =
      owners_.emplace(owner, Entry{.age = age, .needs = distinct(std::move(needs))});
  count(entry->second, true);
  return {};
}

void HostTable::drop(Owner owner) {
  const auto found = owners_.find(owner);
  if (found == owners_.end()) return;
  count(found->second, false);
  owners_.erase(found);
}

void HostTable::clear() {
  owners_.clear();
  routes_.clear();
  addresses_.clear();
  throws_.clear();
  flows_.clear();
  pass_.clear();
}

const HostNeeds* HostTable::needs_of(Owner owner) const {
  const auto found = owners_.find(owner);
  return found == owners_.end() ? nullptr : &found->second.needs;
}

HostState HostTable::wanted() const {
  std::map<RouteKey, HostRoute> routes;
  for (const auto& [key, sources] : routes_) {
    routes[key] = HostRoute{.table = key.first,
                            .prefix = key.second,
                            .throws = false,
                            .source = sources.rbegin()->second};
  }
  // A throw matters only where a table of ours is looked up.
  for (const auto& [prefix, users] : throws_) {
    const IpFamily family = prefix.address().family();
    for (const std::uint32_t table : {options_.table, options_.table + 1}) {
      const bool looked_up =
          table == options_.table ? has_routes(family) : any_of_family(flows_, family);
      if (!looked_up) continue;
      routes[{table, prefix}] =
          HostRoute{.table = table, .prefix = prefix, .throws = true, .source = {}};
    }
  }
  HostState out;
  for (const auto& [address, users] : addresses_) {
    out.addresses.push_back(
        HostAddress{.address = address, .on_loopback = options_.vips_on_loopback});
  }
  for (const auto& [key, route] : routes) out.routes.push_back(route);
  for (const IpFamily family : kFamilies) add_rules(out.rules, family);
  std::ranges::sort(out.rules);
  return out;
}

void HostTable::count(const Entry& entry, bool wanted) {
  const HostNeeds& needs = entry.needs;
  for (const IpAddress& vip : needs.vips) count_one(addresses_, vip, wanted);
  for (const Prefix& prefix : needs.remote_prefixes) {
    count_route({options_.table, prefix}, entry, wanted);
  }
  for (const Prefix& prefix : needs.throw_prefixes) count_one(throws_, prefix, wanted);
  for (const Flow& flow : needs.remote_flows) {
    count_one(flows_, flow, wanted);
    count_route({options_.table + 1, flow.remote}, entry, wanted);
  }
  for (const Flow& flow : needs.pass_flows) count_one(pass_, flow, wanted);
}

// An owner wants each route once, however many of its flows have that prefix.
void HostTable::count_route(const RouteKey& key, const Entry& entry, bool wanted) {
  if (wanted) {
    routes_[key][entry.age] = source_of(entry.needs, key.second);
    return;
  }
  const auto found = routes_.find(key);
  if (found == routes_.end()) return;
  found->second.erase(entry.age);
  if (found->second.empty()) routes_.erase(found);
}

bool HostTable::has_routes(IpFamily family) const {
  return std::ranges::any_of(
      routes_, [&](const auto& row) { return row.first.second.address().family() == family; });
}

void HostTable::add_rules(std::vector<HostRule>& out, IpFamily family) const {
  // Pass shunts alone change nothing: without routes everything goes its usual way.
  if (!has_routes(family)) return;
  const std::uint32_t base = options_.rule_priority;
  const bool pass = any_of_family(pass_, family);
  if (pass || any_of_family(flows_, family)) {
    HostRule ours = rule_at(base - 3, family, RuleAction::go_to);
    ours.target = base;
    ours.fwmark = options_.fwmark;
    out.push_back(ours);
  }
  for (const auto& [flow, users] : pass_) {
    if (flow.remote.address().family() != family) continue;
    HostRule rule = rule_at(base - 2, family, RuleAction::go_to);
    rule.target = base + 1;
    rule.flow = flow;
    out.push_back(rule);
  }
  for (const auto& [flow, users] : flows_) {
    if (flow.remote.address().family() != family) continue;
    HostRule rule = rule_at(base - 1, family, RuleAction::look_up);
    rule.table = options_.table + 1;
    rule.flow = flow;
    out.push_back(rule);
  }
  HostRule all = rule_at(base, family, RuleAction::look_up);
  all.table = options_.table;
  all.fwmark = options_.fwmark;
  all.inverted = true;
  out.push_back(all);
  if (pass) out.push_back(rule_at(base + 1, family, RuleAction::nop));
}

}  // namespace cygnet::host
