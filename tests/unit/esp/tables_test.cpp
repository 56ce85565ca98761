// Which policy takes a packet, which SA an SPI finds.               RFC 4301 §4.4
#include "esp/tables.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "conformance/data_plane_suite.hpp"
#include "toys/rng.hpp"

namespace cygnet::esp {
namespace {

using model::PolicyAction;
using test::make_packet;
using test::net;

// Children and a table of their policies.
class Policies {
 public:
  Child* add(std::uint32_t id, PolicyAction action, std::vector<model::TrafficSelector> local,
             std::vector<model::TrafficSelector> remote) {
    model::ChildSpec spec;
    spec.id = model::ChildId{id};
    spec.action = action;
    spec.local_ts = std::move(local);
    spec.remote_ts = std::move(remote);
    children_.push_back(std::make_unique<Child>(spec));
    Child* child = children_.back().get();
    tables.apply({Change::Kind::add_policy, child, ++serial_});
    return child;
  }
  Child* add(std::uint32_t id, PolicyAction action, const char* local, const char* remote) {
    return add(id, action, net(local), net(remote));
  }
  void remove(Child* child) { tables.apply({Change::Kind::remove_policy, child, 0}); }
  const Child* find(const test::PacketSpec& spec) const {
    return tables.find_policy(*parse_inner(make_packet(spec))).child;
  }
  Tables tables;

 private:
  std::vector<std::unique_ptr<Child>> children_;
  std::uint64_t serial_ = 0;
};

std::vector<model::TrafficSelector> ports(const char* prefix, std::uint8_t protocol,
                                          std::uint16_t first, std::uint16_t last) {
  auto out = net(prefix);
  out[0].protocol = protocol;
  out[0].start_port = first;
  out[0].end_port = last;
  return out;
}

TEST(Policy, LongestRemotePrefix_WinsInAnyOrderOfInstallation) {
  for (const bool narrow_first : {true, false}) {
    Policies p;
    Child* narrow =
        narrow_first ? p.add(1, PolicyAction::drop, "0.0.0.0/0", "10.2.0.0/24") : nullptr;
    Child* wide = p.add(2, PolicyAction::protect, "0.0.0.0/0", "0.0.0.0/0");
    if (!narrow_first) narrow = p.add(1, PolicyAction::drop, "0.0.0.0/0", "10.2.0.0/24");
    EXPECT_EQ(p.find({.destination = "10.2.0.7"}), narrow);
    EXPECT_EQ(p.find({.destination = "10.2.1.7"}), wide);
    p.remove(narrow);
    EXPECT_EQ(p.find({.destination = "10.2.0.7"}), wide);
    p.remove(wide);
    EXPECT_EQ(p.find({.destination = "10.2.0.7"}), nullptr);
  }
}

TEST(Policy, SameRemote_NarrowerLocalThenProtocolThenPorts) {
  Policies p;
  Child* any = p.add(1, PolicyAction::protect, "10.0.0.0/8", "10.2.0.0/16");
  Child* local = p.add(2, PolicyAction::protect, "10.1.0.0/16", "10.2.0.0/16");
  Child* udp =
      p.add(3, PolicyAction::protect, net("10.1.0.0/16"), ports("10.2.0.0/16", 17, 0, 65535));
  Child* range =
      p.add(4, PolicyAction::protect, net("10.1.0.0/16"), ports("10.2.0.0/16", 17, 100, 200));
  EXPECT_EQ(p.find({.source = "10.9.0.1"}), any);
  EXPECT_EQ(p.find({.protocol = 6}), local);
  EXPECT_EQ(p.find({.destination_port = 99}), udp);
  EXPECT_EQ(p.find({.destination_port = 100}), range);
}

TEST(Policy, EqualSelectors_ProtectThenTrapThenDropThenPass) {
  Policies p;
  std::vector<Child*> children;
  for (const PolicyAction action :
       {PolicyAction::pass, PolicyAction::drop, PolicyAction::trap, PolicyAction::protect}) {
    children.push_back(p.add(static_cast<std::uint32_t>(children.size() + 1), action, "10.1.0.0/16",
                             "10.2.0.0/16"));
    EXPECT_EQ(p.find({}), children.back());
  }
  while (!children.empty()) {
    EXPECT_EQ(p.find({}), children.back());
    p.remove(children.back());
    children.pop_back();
  }
}

TEST(Policy, EqualChildren_NewestWinsUntilItIsRemoved) {
  Policies p;
  Child* old = p.add(1, PolicyAction::protect, "10.1.0.0/16", "10.2.0.0/16");
  Child* fresh = p.add(2, PolicyAction::protect, "10.1.0.0/16", "10.2.0.0/16");
  EXPECT_EQ(p.find({}), fresh);
  p.remove(fresh);
  EXPECT_EQ(p.find({}), old);
}

TEST(Policy, RangeThatIsNoPrefix_IsTakenExactly) {
  Policies p;
  auto remote = net("10.2.0.3/32");
  remote[0].range.last = test::ip("10.2.0.9");
  Child* child = p.add(1, PolicyAction::protect, net("0.0.0.0/0"), remote);
  for (unsigned host = 0; host < 16; ++host) {
    const std::string destination = "10.2.0." + std::to_string(host);
    EXPECT_EQ(p.find({.destination = destination.c_str()}),
              host >= 3 && host <= 9 ? child : nullptr);
  }
}

TEST(Policy, Ipv6AndIpv4_DoNotMix) {
  Policies p;
  auto local = net("0.0.0.0/0");
  auto remote = net("0.0.0.0/0");
  local.push_back(net("2001:db8:1::/48")[0]);
  remote.push_back(net("2001:db8:2::/48")[0]);
  Child* child = p.add(1, PolicyAction::protect, local, remote);
  EXPECT_EQ(Tables::policy_entries(*child), 2u);
  EXPECT_EQ(p.find({}), child);
  EXPECT_EQ(p.find({.source = "2001:db8:1::1", .destination = "2001:db8:2::1"}), child);
  EXPECT_EQ(p.find({.source = "2001:db8:1::1", .destination = "2001:db8:3::1"}), nullptr);
}

// Thousands of clients: every /32 finds its own child, and so do removals in random order.
TEST(Policy, ManyClients_EachFindsItsChild) {
  constexpr std::uint32_t kClients = 5000;
  Policies p;
  std::vector<Child*> children;
  std::vector<std::string> addresses;
  for (std::uint32_t i = 0; i < kClients; ++i) {
    addresses.push_back(IpAddress::v4(0x0a080000 + i).text());
    children.push_back(p.add(i + 1, PolicyAction::protect, net("0.0.0.0/0"),
                             net((addresses.back() + "/32").c_str())));
  }
  for (std::uint32_t i = 0; i < kClients; ++i) {
    ASSERT_EQ(p.find({.destination = addresses[i].c_str()}), children[i]);
  }
  for (std::uint32_t i = 0; i < kClients; i += 2) p.remove(children[i]);
  for (std::uint32_t i = 0; i < kClients; ++i) {
    ASSERT_EQ(p.find({.destination = addresses[i].c_str()}), i % 2 == 0 ? nullptr : children[i]);
  }
}

// Against the plain rule: among matching policies the one with the longest remote prefix, then
// the longest local one, then the newest.
TEST(Policy, RandomPrefixes_AgreeWithTheOrderedList) {
  test::SeededRng rng{3};
  struct Plain {
    Prefix local;
    Prefix remote;
    Child* child;
  };
  Policies p;
  std::vector<Plain> plain;
  const auto random_prefix = [&] {
    return Prefix{IpAddress::v4(0x0a000000 + static_cast<std::uint32_t>(rng.below(64)) * 0x1111),
                  static_cast<unsigned>(rng.below(33))};
  };
  for (std::uint32_t i = 0; i < 300; ++i) {
    const Prefix local = random_prefix();
    const Prefix remote = random_prefix();
    plain.push_back({local, remote,
                     p.add(i + 1, PolicyAction::protect, {model::TrafficSelector::of(local)},
                           {model::TrafficSelector::of(remote)})});
  }
  for (int i = 0; i < 5000; ++i) {
    const IpAddress source = random_prefix().address();
    const IpAddress destination = random_prefix().address();
    const Plain* best = nullptr;
    for (const Plain& one : plain) {
      if (!one.local.contains(source) || !one.remote.contains(destination)) continue;
      if (best == nullptr || std::pair{one.remote.length(), one.local.length()} >=
                                 std::pair{best->remote.length(), best->local.length()}) {
        best = &one;
      }
    }
    const std::string from = source.text();
    const std::string to = destination.text();
    ASSERT_EQ(p.find({.source = from.c_str(), .destination = to.c_str()}),
              best == nullptr ? nullptr : best->child)
        << from << " -> " << to;
  }
}

// RFC 4301 §7.4: a later fragment that a narrower port policy may own is told apart.
TEST(Policy, LaterFragment_ReportsTheSkippedPortPolicy) {
  Policies p;
  p.add(1, PolicyAction::protect, net("10.1.0.0/16"), ports("10.2.0.0/16", 17, 2000, 2000));
  Child* pass = p.add(2, PolicyAction::pass, "0.0.0.0/0", "0.0.0.0/0");
  const auto found = p.tables.find_policy(
      *parse_inner(make_packet({.dont_fragment = false, .fragment_offset = 8})));
  EXPECT_EQ(found.child, pass);
  EXPECT_TRUE(found.opaque_skipped);
}

}  // namespace
}  // namespace cygnet::esp
