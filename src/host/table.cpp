// Who wants what of the host; what several want is there once: pure.
#include "host/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
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

/// Everything all owners want of one kind, without duplicates, in order.
struct Wishes {
  std::set<HostAddress> addresses;
  std::map<std::pair<std::uint32_t, Prefix>, HostRoute> routes;
  std::set<Prefix> throws;
  std::set<Flow> flows;
  std::set<Flow> pass;

  [[nodiscard]] bool any(IpFamily family) const {
    return std::ranges::any_of(
        routes, [&](const auto& row) { return row.first.second.address().family() == family; });
  }
  [[nodiscard]] static bool any(const std::set<Flow>& flows, IpFamily family) {
    return std::ranges::any_of(
        flows, [&](const Flow& flow) { return flow.remote.address().family() == family; });
  }
};

std::optional<IpAddress> source_of(const HostNeeds& needs, const Prefix& prefix) {
  return prefix.address().is_v4() ? needs.source_v4 : needs.source_v6;
}

void add_wishes(Wishes& out, const HostNeeds& needs, const TableOptions& options) {
  for (const IpAddress& vip : needs.vips) {
    out.addresses.insert(HostAddress{.address = vip, .on_loopback = options.vips_on_loopback});
  }
  const auto route = [&](std::uint32_t table, const Prefix& prefix) {
    out.routes[{table, prefix}] = HostRoute{
        .table = table, .prefix = prefix, .throws = false, .source = source_of(needs, prefix)};
  };
  for (const Prefix& prefix : needs.remote_prefixes) route(options.table, prefix);
  for (const Flow& flow : needs.remote_flows) {
    route(options.table + 1, flow.remote);
    out.flows.insert(flow);
  }
  out.throws.insert(needs.throw_prefixes.begin(), needs.throw_prefixes.end());
  out.pass.insert(needs.pass_flows.begin(), needs.pass_flows.end());
}

void add_rules(std::vector<HostRule>& out, const Wishes& wishes, const TableOptions& options,
               IpFamily family) {
  // Pass shunts alone change nothing: without routes everything goes its usual way.
  if (!wishes.any(family)) return;
  const std::uint32_t base = options.rule_priority;
  const bool flows = Wishes::any(wishes.flows, family);
  const bool pass = Wishes::any(wishes.pass, family);
  if (flows || pass) {
    HostRule ours = rule_at(base - 3, family, RuleAction::go_to);
    ours.target = base;
    ours.fwmark = options.fwmark;
    out.push_back(ours);
  }
  for (const Flow& flow : wishes.pass) {
    if (flow.remote.address().family() != family) continue;
    HostRule rule = rule_at(base - 2, family, RuleAction::go_to);
    rule.target = base + 1;
    rule.flow = flow;
    out.push_back(rule);
  }
  for (const Flow& flow : wishes.flows) {
    if (flow.remote.address().family() != family) continue;
    HostRule rule = rule_at(base - 1, family, RuleAction::look_up);
    rule.table = options.table + 1;
    rule.flow = flow;
    out.push_back(rule);
  }
  HostRule all = rule_at(base, family, RuleAction::look_up);
  all.table = options.table;
  all.fwmark = options.fwmark;
  all.inverted = true;
  out.push_back(all);
  if (pass) out.push_back(rule_at(base + 1, family, RuleAction::nop));
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
  if (found != owners_.end()) {
    found->second.needs = std::move(needs);
    return {};
  }
  if (owners_.size() == kOwnersMax) return refuse(fmt::format("more than {} owners", kOwnersMax));
  owners_.emplace(owner, Entry{.age = next_age_++, .needs = std::move(needs)});
  return {};
}

void HostTable::drop(Owner owner) { owners_.erase(owner); }

const HostNeeds* HostTable::needs_of(Owner owner) const {
  const auto found = owners_.find(owner);
  return found == owners_.end() ? nullptr : &found->second.needs;
}

HostState HostTable::wanted() const {
  std::vector<const Entry*> by_age;
  for (const auto& [owner, entry] : owners_) by_age.push_back(&entry);
  std::ranges::sort(by_age, {}, &Entry::age);
  Wishes wishes;
  for (const Entry* entry : by_age) add_wishes(wishes, entry->needs, options_);

  // A throw matters only where a table of ours is looked up.
  for (const std::uint32_t table : {options_.table, options_.table + 1}) {
    for (const Prefix& prefix : wishes.throws) {
      const IpFamily family = prefix.address().family();
      const bool looked_up =
          table == options_.table ? wishes.any(family) : Wishes::any(wishes.flows, family);
      if (!looked_up) continue;
      wishes.routes[{table, prefix}] =
          HostRoute{.table = table, .prefix = prefix, .throws = true, .source = {}};
    }
  }
  HostState out;
  out.addresses.assign(wishes.addresses.begin(), wishes.addresses.end());
  for (const auto& [key, route] : wishes.routes) out.routes.push_back(route);
  for (const IpFamily family : kFamilies) add_rules(out.rules, wishes, options_, family);
  std::ranges::sort(out.routes);
  std::ranges::sort(out.rules);
  return out;
}

}  // namespace cygnet::host
