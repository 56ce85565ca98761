// What `cygnet status` prints.
#include "cli/status.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cygnet::cli {
namespace {

vici::Message sa_event() {
  vici::Message out;
  vici::Message& sa = out.section("home");
  sa.add("uniqueid", std::uint64_t{7}).add("state", "ESTABLISHED").add_flag("initiator", true);
  sa.add("local-host", "192.0.2.2").add("local-port", std::uint64_t{4500});
  sa.add("local-id", "cl.example");
  sa.add("remote-host", "192.0.2.1").add("remote-port", std::uint64_t{4500});
  sa.add("remote-id", "gw\xff.example").add_flag("nat-local", true);
  sa.add("proposal", "AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384");
  sa.add("established", std::uint64_t{3700}).add("rekey-time", std::uint64_t{7300});
  sa.add("local-vips", vici::List{"10.9.0.1"}).add("dns", vici::List{"10.0.0.53"});
  vici::Message& child = sa.section("child-sas").section("net-3");
  child.add("name", "net").add("uniqueid", std::uint64_t{3}).add("state", "INSTALLED");
  child.add("proposal", "AES_GCM_16_256").add("bytes-in", std::uint64_t{1500000});
  child.add("local-ts", vici::List{"10.9.0.1/32"}).add("remote-ts", vici::List{"0.0.0.0/0"});
  return out;
}

TEST(StatusText, TunnelOnOnePage) {
  EXPECT_EQ(status_text({.sas = {sa_event()}, .failures = 2}),
            "home (established, 1 h 1 min, rekey in 2 h 1 min)\n"
            "  we:   cl.example at 192.0.2.2:4500 (behind NAT)\n"
            "  peer: gw\xff.example at 192.0.2.1:4500\n"
            "  AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384\n"
            "  virtual IP 10.9.0.1, DNS 10.0.0.53\n"
            "  net (installed): 10.9.0.1/32 <-> 0.0.0.0/0\n"
            "    AES_GCM_16_256, in 1500.0 kB (0 packets), out 0 B (0 packets)\n"
            "2 failed attempts: see `cygnet why`\n");
}

TEST(StatusText, Nothing) { EXPECT_EQ(status_text({}), "no tunnel is up\n"); }

TEST(StatusJson, IsReadableWhateverPeersCallThemselves) {
  const auto json = nlohmann::json::parse(status_json({.sas = {sa_event()}}));
  EXPECT_EQ(json["version"], 1);
  const auto& sa = json["ike_sas"][0];
  EXPECT_EQ(sa["connection"], "home");
  EXPECT_EQ(sa["state"], "established");
  EXPECT_EQ(sa["local"]["address"], "192.0.2.2");
  EXPECT_EQ(sa["nat"]["local"], true);
  EXPECT_EQ(sa["virtual_ips"][0], "10.9.0.1");
  EXPECT_EQ(sa["children"][0]["bytes_in"], 1500000);
  EXPECT_TRUE(sa["children"][0]["rekey_in_s"].is_null());
}

TEST(StatusJson, Nothing_HasEveryList) {
  const auto json = nlohmann::json::parse(status_json({}));
  for (const char* list : {"ike_sas", "policies", "pools"}) EXPECT_TRUE(json[list].is_array());
}

// As `status --watch --json` writes them.
TEST(StatusJson, OneLine) {
  const std::string text = status_json({.sas = {sa_event()}}, Json::one_line);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  EXPECT_EQ(nlohmann::json::parse(text), nlohmann::json::parse(status_json({.sas = {sa_event()}})));
}

}  // namespace
}  // namespace cygnet::cli
