// From a child to routes, addresses and sources.
#include "daemon/needs.hpp"

#include <gtest/gtest.h>

namespace cygnet::daemon {
namespace {

model::TrafficSelector ts(const char* text) { return model::parse_selector(text)->selector; }
IpAddress ip(const char* text) { return *IpAddress::parse(text); }
model::ChildSpec child(std::vector<const char*> local, std::vector<const char*> remote) {
  model::ChildSpec out;
  for (const char* text : local) out.local_ts.push_back(ts(text));
  for (const char* text : remote) out.remote_ts.push_back(ts(text));
  return out;
}
std::string texts(const std::vector<Prefix>& prefixes) {
  std::string out;
  for (const Prefix& prefix : prefixes) out += (out.empty() ? "" : " ") + prefix.text();
  return out;
}

TEST(Needs, Client_RoutesTheRemoteNetworkFromItsVirtualIp) {
  model::ChildSpec spec = child({"10.9.0.1/32"}, {"10.1.0.0/24", "10.2.0.0/24"});
  spec.local_vips = {ip("10.9.0.1")};
  const host::HostNeeds needs = needs_of(spec, {}, {ip("192.0.2.2")});
  EXPECT_EQ(texts(needs.remote_prefixes), "10.1.0.0/24 10.2.0.0/24");
  EXPECT_EQ(needs.vips, std::vector{ip("10.9.0.1")});
  EXPECT_EQ(needs.source_v4, ip("10.9.0.1"));
  EXPECT_FALSE(needs.source_v6.has_value());
}

TEST(Needs, FullTunnel_IsOnePrefix) {
  model::ChildSpec spec = child({"10.9.0.1/32"}, {"0.0.0.0/0", "::/0"});
  EXPECT_EQ(texts(needs_of(spec, {}, {}).remote_prefixes), "0.0.0.0/0 ::/0");
}

// Ten thousand clients of a pool share its routes.
TEST(Needs, ClientOfAPool_StandsForThePool) {
  const model::ChildSpec spec = child({"10.1.0.0/24"}, {"10.9.0.5/32"});
  const IpRange pool{ip("10.9.0.4"), ip("10.9.0.7")};
  EXPECT_EQ(texts(needs_of(spec, {pool}, {}).remote_prefixes), "10.9.0.4/30");
  const IpRange other{ip("10.8.0.0"), ip("10.8.0.255")};
  EXPECT_EQ(texts(needs_of(spec, {other}, {}).remote_prefixes), "10.9.0.5/32");
}

TEST(Needs, Gateway_SpeaksFromItsAddressInsideTheNetwork) {
  const model::ChildSpec spec = child({"10.1.0.0/24"}, {"10.9.0.5/32"});
  EXPECT_EQ(needs_of(spec, {}, {ip("192.0.2.1"), ip("10.1.0.1")}).source_v4, ip("10.1.0.1"));
  EXPECT_FALSE(needs_of(spec, {}, {ip("192.0.2.1")}).source_v4.has_value());
  const model::ChildSpec all = child({"0.0.0.0/0"}, {"10.9.0.5/32"});
  EXPECT_FALSE(needs_of(all, {}, {ip("192.0.2.1")}).source_v4.has_value());
}

TEST(Needs, ProtocolsAndPorts_AreFlows) {
  const host::HostNeeds needs = needs_of(child({"10.1.0.0/24"}, {"10.2.0.1/32[tcp/443]"}), {}, {});
  EXPECT_TRUE(needs.remote_prefixes.empty());
  ASSERT_EQ(needs.remote_flows.size(), 1u);
  EXPECT_EQ(needs.remote_flows[0].protocol, 6);
  EXPECT_EQ(needs.remote_flows[0].remote_ports.first, 443);
  EXPECT_TRUE(needs.remote_flows[0].local_ports.any());
  // Selectors that no packet can meet make no flow.
  EXPECT_TRUE(
      needs_of(child({"10.1.0.0/24[udp]"}, {"10.2.0.1/32[tcp]"}), {}, {}).remote_flows.empty());
  EXPECT_TRUE(needs_of(child({"::/0[tcp]"}, {"10.2.0.1/32[tcp]"}), {}, {}).remote_flows.empty());
}

TEST(Needs, PassShunt_ThrowsInsteadOfRouting) {
  model::ChildSpec spec = child({"192.168.1.0/24"}, {"192.168.1.0/24"});
  spec.action = model::PolicyAction::pass;
  const host::HostNeeds needs = needs_of(spec, {}, {ip("192.168.1.7")});
  EXPECT_EQ(texts(needs.throw_prefixes), "192.168.1.0/24");
  EXPECT_TRUE(needs.remote_prefixes.empty());
  EXPECT_FALSE(needs.source_v4.has_value());
}

}  // namespace
}  // namespace cygnet::daemon
