// swanctl.conf and ipsec.conf beside one another.
#include "config/load_all.hpp"

#include <gtest/gtest.h>

#include "config/swanctl_parser.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::config {
namespace {

const char* const kSwanctl =
    "connections {\n  home { local { auth = psk\n id = a.example }\n remote { auth = psk }\n"
    "    children { net { } } }\n}\n"
    "pools {\n  people { addrs = 10.9.0.0/24 }\n}\nsecrets { ike { secret = x } }\n";
const char* const kIpsec =
    "conn office\n  authby=secret\n  left=192.0.2.1\n  leftid=b.example\n  right=192.0.2.2\n"
    "  rightsourceip=10.8.0.0/24\n  auto=add\n";

struct World {
  explicit World(std::string swanctl = kSwanctl, std::string ipsec = kIpsec) {
    files.files_["/s/swanctl.conf"] = std::move(swanctl);
    files.files_["/i/ipsec.conf"] = std::move(ipsec);
    files.files_["/i/ipsec.secrets"] = ": PSK \"y\"\n";
  }
  LoadedIpsec load() { return load_all(sources, files, diags); }

  test::MemoryFiles files;
  Diagnostics diags;
  Sources sources{
      .swanctl_conf = "/s/swanctl.conf",
      .ipsec = IpsecInput{
          .conf_path = "/i/ipsec.conf", .secrets_path = "/i/ipsec.secrets", .own_addresses = {}}};
};

// swanctl manages what stands in swanctl.conf, and nothing of ipsec.conf.
TEST(LoadAll, WhatIsIpsecConfs_IsMarked) {
  World world;
  const LoadedIpsec all = world.load();
  EXPECT_EQ(world.diags.text(), "");
  EXPECT_EQ(all.loaded.ipsec_connections, std::set<std::string>{"office"});
  EXPECT_EQ(all.loaded.ipsec_pools.size(), 1U);
  EXPECT_FALSE(all.loaded.ipsec_pools.contains("people"));
  ASSERT_EQ(all.loaded.shared_secrets.size(), 2U);
  EXPECT_EQ(all.loaded.shared_secrets[0].origin, Origin::swanctl);
  EXPECT_EQ(all.loaded.shared_secrets[1].origin, Origin::ipsec);
}

TEST(LoadAll, NamesOfIpsecConf_HaveThatLimitToo) {
  for (const std::size_t octets : {kNameOctetsMax, kNameOctetsMax + 1}) {
    World world{kSwanctl, "conn " + std::string(octets, 'x') + "\n" +
                              std::string{kIpsec}.substr(std::string_view{kIpsec}.find("  auth"))};
    static_cast<void>(world.load());
    const std::string fault = "/i/ipsec.conf:1:6: error: name longer than 240 octets\n";
    EXPECT_EQ(world.diags.text().find(fault) != std::string::npos, octets > kNameOctetsMax)
        << world.diags.text();
    EXPECT_EQ(world.diags.has_errors(), octets > kNameOctetsMax) << world.diags.text();
  }
}

std::string names_of(const LoadedIpsec& all) {
  std::string out;
  for (const model::Connection& one : all.loaded.connections) out += one.name + " ";
  for (const model::Pool& one : all.loaded.pools) out += one.name + " ";
  return out;
}

TEST(LoadAll, BothFiles_AreOneConfiguration) {
  World w;
  const LoadedIpsec all = w.load();
  EXPECT_EQ(w.diags.text(), "");
  EXPECT_EQ(names_of(all), "home office people office ");
  EXPECT_EQ(all.loaded.shared_secrets.size(), 2u);
}

TEST(LoadAll, OneOfThem_IsEnough) {
  World swanctl;
  swanctl.sources.ipsec.reset();
  EXPECT_EQ(names_of(swanctl.load()), "home people ");
  World ipsec;
  ipsec.sources.swanctl_conf.clear();
  EXPECT_EQ(names_of(ipsec.load()), "office office ");
  World none;
  none.sources = {};
  EXPECT_EQ(names_of(none.load()), "");
  EXPECT_EQ(swanctl.diags.text() + ipsec.diags.text() + none.diags.text(), "");
}

TEST(LoadAll, SameNameInBoth_IsAnErrorAtBothPlaces) {
  World w{std::string{kSwanctl} +
          "connections { office { local { auth = psk\n id = c }\n"
          "remote { auth = psk }\n children { net { } } } }\n"
          "pools { office { addrs = 10.7.0.0/24 } }\n"};
  w.load();
  EXPECT_EQ(w.diags.text(),
            "/i/ipsec.conf:1:6: error: connection 'office' is configured at /s/swanctl.conf:11:15 "
            "too: rename one of them\n"
            "/i/ipsec.conf:6:17: error: pool 'office' is configured at /s/swanctl.conf:15:9 too: "
            "rename one of them\n"
            "/s/swanctl.conf:11:15: error: connection 'office' is configured at /i/ipsec.conf:1:6 "
            "too: rename one of them\n"
            "/s/swanctl.conf:15:9: error: pool 'office' is configured at /i/ipsec.conf:6:17 too: "
            "rename one of them\n");
}

TEST(LoadAll, FaultsOfBoth_AreToldInOneRun) {
  World w{
      "connections { home { encap = maybe\n local { auth = psk\n id = a }\n"
      " remote { auth = psk } } }\n",
      "conn office\n  mobike=perhaps\n  auto=add\n"};
  w.load();
  const std::string faults = w.diags.text();
  EXPECT_NE(faults.find("/s/swanctl.conf:1:"), std::string::npos) << faults;
  EXPECT_NE(faults.find("/i/ipsec.conf:2:"), std::string::npos) << faults;
}

}  // namespace
}  // namespace cygnet::config
