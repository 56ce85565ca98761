// What is wanted of the host, and the steps to it: pure.
#include <gtest/gtest.h>

#include <algorithm>

#include "host/dns.hpp"
#include "host/state.hpp"
#include "host/table.hpp"
#include "toys/rng.hpp"

namespace cygnet::host {
namespace {

constexpr std::uint32_t kMark = 0x42;
const TableOptions kOptions{.fwmark = kMark};

Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

std::vector<std::string> texts(const std::vector<Operation>& steps) {
  std::vector<std::string> out;
  for (const Operation& step : steps) out.push_back(step.text());
  return out;
}

std::vector<std::string> routes_of(const HostState& state) {
  std::vector<std::string> out;
  for (const HostRoute& route : state.routes) out.push_back(route.text());
  return out;
}

HostNeeds client_needs(std::string_view remote, std::string_view vip) {
  HostNeeds needs;
  needs.remote_prefixes = {prefix(remote)};
  needs.vips = {ip(vip)};
  (ip(vip).is_v4() ? needs.source_v4 : needs.source_v6) = ip(vip);
  return needs;
}

HostTable table_with(std::initializer_list<std::pair<Owner, HostNeeds>> owners) {
  HostTable table{kOptions};
  for (const auto& [owner, needs] : owners) EXPECT_TRUE(table.want(owner, needs));
  return table;
}

// A route's source must exist before it, and nothing is looked up before there is something to
// find; taking down goes the other way round.
TEST(Plan, UpAndDown_AreInTheKernelsOrder) {
  const HostState wanted = table_with({{1, client_needs("10.0.0.0/8", "10.9.0.1")}}).wanted();
  EXPECT_EQ(texts(plan({}, wanted)),
            (std::vector<std::string>{"add address 10.9.0.1/32",
                                      "add route 10.0.0.0/8 src 10.9.0.1 table 220",
                                      "add rule v4 220: not fwmark 0x42 lookup 220"}));
  EXPECT_EQ(texts(plan(wanted, {})),
            (std::vector<std::string>{"remove rule v4 220: not fwmark 0x42 lookup 220",
                                      "remove route 10.0.0.0/8 src 10.9.0.1 table 220",
                                      "remove address 10.9.0.1/32"}));
}

TEST(Plan, NothingToDo_IsNoStep) {
  const HostState wanted = table_with({{1, client_needs("::/0", "2001:db8::1")}}).wanted();
  EXPECT_TRUE(plan(wanted, wanted).empty());
  EXPECT_TRUE(plan({}, {}).empty());
}

// A new address on a living connection: the route changes in one step, after the new address is
// there and before the old one goes.
TEST(Plan, OtherSource_ReplacesTheRoute) {
  const HostState before = table_with({{1, client_needs("0.0.0.0/0", "10.9.0.1")}}).wanted();
  const HostState after = table_with({{1, client_needs("0.0.0.0/0", "10.9.0.2")}}).wanted();
  EXPECT_EQ(texts(plan(before, after)),
            (std::vector<std::string>{"add address 10.9.0.2/32",
                                      "replace route 0.0.0.0/0 src 10.9.0.2 table 220",
                                      "remove address 10.9.0.1/32"}));
}

/// Needs within a small world, so that they overlap.
HostNeeds random_needs(test::SeededRng& rng) {
  HostNeeds needs;
  for (std::uint64_t i = rng.below(3); i > 0; --i) {
    needs.remote_prefixes.push_back(
        Prefix{IpAddress::v4(static_cast<std::uint32_t>(rng.below(4) << 24)), 8});
  }
  needs.vips = {IpAddress::v4(static_cast<std::uint32_t>(1 + rng.below(3)))};
  if (rng.below(2) == 0) needs.source_v4 = needs.vips[0];
  if (rng.below(4) == 0) needs.throw_prefixes = {prefix("1.0.0.0/8")};
  if (rng.below(3) == 0) {
    needs.remote_flows = {Flow{.remote = prefix("2.0.0.0/8"), .protocol = 6},
                          Flow{.remote = prefix("2.0.0.0/8"), .protocol = 47}};
  }
  if (rng.below(4) == 0) {
    needs.pass_flows = {Flow{.remote = prefix("2.0.0.0/8"), .protocol = 17}};
  }
  return needs;
}

HostState random_state(test::SeededRng& rng) {
  HostTable table{kOptions};
  for (Owner owner = 0; owner < 4; ++owner) {
    if (rng.below(3) == 0) continue;
    EXPECT_TRUE(table.want(owner, random_needs(rng)));
  }
  return table.wanted();
}

// Properties: the steps lead from any state to any other, each undone in reverse order leads
// back, and there are no more of them than differences.
TEST(Plan, RandomStates_AreReachedAndLeftAgain) {
  test::SeededRng rng{3};
  for (int run = 0; run < 2000; ++run) {
    const HostState from = random_state(rng);
    const HostState to = random_state(rng);
    std::vector<Operation> steps = plan(from, to);
    HostState state = from;
    for (const Operation& step : steps) apply(state, step);
    EXPECT_EQ(state, to);
    std::ranges::reverse(steps);
    for (const Operation& step : steps) apply(state, step.reverse());
    EXPECT_EQ(state, from);
    EXPECT_LE(steps.size(), from.addresses.size() + from.routes.size() + from.rules.size() +
                                to.addresses.size() + to.routes.size() + to.rules.size());
  }
}

TEST(HostTable, TwoOwners_ShareUntilTheLastIsGone) {
  HostTable table = table_with(
      {{1, client_needs("10.0.0.0/8", "10.9.0.1")}, {2, client_needs("10.0.0.0/8", "10.9.0.1")}});
  const HostState both = table.wanted();
  EXPECT_EQ(both.routes.size(), 1U);
  table.drop(1);
  EXPECT_EQ(table.wanted(), both);
  table.drop(2);
  EXPECT_EQ(table.wanted(), HostState{});
  table.drop(2);
  EXPECT_EQ(table.size(), 0U);
}

// Make before break: while two connections want the same prefix, the younger one's address is
// the source; when it goes the older one's is again.
TEST(HostTable, TwoSources_YoungerOwnerWins) {
  HostTable table = table_with(
      {{9, client_needs("10.0.0.0/8", "10.9.0.1")}, {2, client_needs("10.0.0.0/8", "10.9.0.2")}});
  EXPECT_EQ(routes_of(table.wanted()),
            std::vector<std::string>{"route 10.0.0.0/8 src 10.9.0.2 table 220"});
  // Wanting the same again does not make an owner younger.
  ASSERT_TRUE(table.want(9, client_needs("10.0.0.0/8", "10.9.0.1")));
  EXPECT_EQ(routes_of(table.wanted()),
            std::vector<std::string>{"route 10.0.0.0/8 src 10.9.0.2 table 220"});
  table.drop(2);
  EXPECT_EQ(routes_of(table.wanted()),
            std::vector<std::string>{"route 10.0.0.0/8 src 10.9.0.1 table 220"});
}

// Property: counting up and down ends where adding alone does, whatever the order.
TEST(HostTable, RandomChanges_EqualAFreshTable) {
  test::SeededRng rng{5};
  for (int run = 0; run < 300; ++run) {
    HostTable table{kOptions};
    for (int step = 0; step < 20; ++step) {
      const Owner owner = rng.below(4);
      if (rng.below(3) == 0) {
        table.drop(owner);
      } else {
        ASSERT_TRUE(table.want(owner, random_needs(rng)));
      }
    }
    // Sources depend on age, so the fresh table asks in the order of age: after dropping and
    // wanting everything again both have the same ages.
    HostTable fresh{kOptions};
    for (Owner owner = 0; owner < 4; ++owner) {
      const HostNeeds* needs = table.needs_of(owner);
      if (needs == nullptr) continue;
      const HostNeeds copy = *needs;
      table.drop(owner);
      ASSERT_TRUE(table.want(owner, copy));
      ASSERT_TRUE(fresh.want(owner, copy));
    }
    EXPECT_EQ(table.wanted(), fresh.wanted());
    for (Owner owner = 0; owner < 4; ++owner) table.drop(owner);
    EXPECT_EQ(table.wanted(), HostState{});
  }
}

TEST(HostTable, PassShunt_ThrowsAndWins) {
  HostNeeds shunt;
  shunt.throw_prefixes = {prefix("192.168.0.0/16"), prefix("2001:db8::/32")};
  HostTable table = table_with({{1, shunt}});
  // Alone it changes nothing: there is no table to be thrown out of.
  EXPECT_EQ(table.wanted(), HostState{});
  HostNeeds full;
  full.remote_prefixes = {prefix("0.0.0.0/0"), prefix("192.168.0.0/16")};
  ASSERT_TRUE(table.want(2, full));
  EXPECT_EQ(routes_of(table.wanted()),
            (std::vector<std::string>{"route 0.0.0.0/0 table 220",
                                      "route throw 192.168.0.0/16 table 220"}));
}

TEST(HostTable, Rules_OnlyForFamiliesInUse) {
  const HostState v6 = table_with({{1, client_needs("::/0", "2001:db8::1")}}).wanted();
  ASSERT_EQ(v6.rules.size(), 1U);
  EXPECT_EQ(v6.rules[0].family, IpFamily::v6);
}

TEST(HostTable, Flows_BecomeRulesBeforeTheGeneralOne) {
  HostNeeds needs;
  needs.source_v4 = ip("10.9.0.1");
  needs.remote_flows = {Flow{.remote = prefix("10.0.0.0/8"),
                             .protocol = 6,
                             .local_ports = {},
                             .remote_ports = {443, 443}}};
  needs.pass_flows = {Flow{.remote = prefix("10.1.0.0/16"),
                           .protocol = 17,
                           .local_ports = {1000, 2000},
                           .remote_ports = {}}};
  const HostState state = table_with({{1, needs}}).wanted();
  std::vector<std::string> rules;
  for (const HostRule& rule : state.rules) rules.push_back(rule.text());
  EXPECT_EQ(rules, (std::vector<std::string>{
                       "rule v4 217: fwmark 0x42 goto 220",
                       "rule v4 218: to 10.1.0.0/16 ipproto 17 sport 1000-2000 goto 221",
                       "rule v4 219: to 10.0.0.0/8 ipproto 6 dport 443 lookup 221",
                       "rule v4 220: not fwmark 0x42 lookup 220", "rule v4 221: nop"}));
  EXPECT_EQ(routes_of(state), std::vector<std::string>{"route 10.0.0.0/8 src 10.9.0.1 table 221"});
}

TEST(HostTable, WhatCannotBeRouted_IsRefusedWithAReason) {
  const auto refused = [](Flow flow) {
    HostTable table{kOptions};
    HostNeeds needs;
    needs.remote_flows = {flow};
    const auto result = table.want(1, needs);
    EXPECT_EQ(table.size(), result ? 1U : 0U);
    return !result && !result.error().detail.empty();
  };
  const Prefix net = prefix("10.0.0.0/8");
  // OPAQUE (RFC 7296 §3.13.1), ICMP types, ports without protocol, the kernel's own limits.
  EXPECT_TRUE(refused({.remote = net, .protocol = 6, .local_ports = {65535, 0}}));
  EXPECT_TRUE(refused({.remote = net, .protocol = 1, .local_ports = {8, 8}}));
  EXPECT_TRUE(refused({.remote = net, .protocol = 0, .remote_ports = {80, 80}}));
  EXPECT_TRUE(refused({.remote = net, .protocol = 0}));
  EXPECT_TRUE(refused({.remote = net, .protocol = 17, .remote_ports = {0, 1023}}));
  EXPECT_TRUE(refused({.remote = net, .protocol = 17, .remote_ports = {1024, 65535}}));
  EXPECT_FALSE(refused({.remote = net, .protocol = 17, .remote_ports = {1024, 65534}}));
  EXPECT_FALSE(refused({.remote = net, .protocol = 47}));
}

TEST(HostTable, Limits_RefuseAndChangeNothing) {
  HostTable table = table_with({{1, client_needs("10.0.0.0/8", "10.9.0.1")}});
  const HostState before = table.wanted();

  HostNeeds routes;
  routes.remote_prefixes.assign(HostTable::kRoutesPerOwnerMax, prefix("10.0.0.0/8"));
  EXPECT_TRUE(table.want(2, routes));
  table.drop(2);
  routes.throw_prefixes = {prefix("10.0.0.0/8")};
  EXPECT_FALSE(table.want(1, routes));

  HostNeeds flows;
  flows.remote_flows.assign(HostTable::kFlowsPerOwnerMax + 1,
                            Flow{.remote = prefix("10.0.0.0/8"), .protocol = 6});
  EXPECT_FALSE(table.want(1, flows));
  HostNeeds addresses;
  addresses.vips.assign(HostTable::kAddressesPerOwnerMax + 1, ip("10.0.0.1"));
  EXPECT_FALSE(table.want(1, addresses));
  HostNeeds family;
  family.source_v4 = ip("2001:db8::1");
  EXPECT_FALSE(table.want(1, family));
  EXPECT_EQ(table.wanted(), before);
}

TEST(HostTable, NoMark_IsRefused) {
  HostTable table{TableOptions{.fwmark = 0}};
  EXPECT_FALSE(table.want(1, {}));
}

// RFC 7296 §3.15.1: a gateway may send any number of servers, and RFC 8598 any text.
TEST(DnsRecords, AreKeptPerOwnerAndBounded) {
  DnsRecords records;
  records.learned(2, {.servers = {ip("10.0.0.53")}, .domains = {"corp.example", "bad name\n", ""}});
  records.learned(1, {.servers = std::vector<IpAddress>(20, ip("2001:db8::53")), .domains = {}});
  records.learned(3, {.servers = {}, .domains = {"only.example"}});
  const auto all = records.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].owner, 1U);
  EXPECT_EQ(all[0].settings.servers.size(), DnsRecords::kServersPerOwnerMax);
  EXPECT_EQ(all[1].settings.domains, std::vector<std::string>{"corp.example"});
  EXPECT_FALSE(all[1].applied);
  EXPECT_EQ(records.refused(), 2U + 12U);
  records.forget(1);
  records.forget(7);
  EXPECT_EQ(records.all().size(), 1U);
}

}  // namespace
}  // namespace cygnet::host
