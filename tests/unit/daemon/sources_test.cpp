// --config, --ipsec-conf and --ipsec-secrets.
#include "daemon/sources.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace cygnet::daemon {
namespace {

class SourcesTest : public ::testing::Test {
 protected:
  SourcesTest() {
    std::filesystem::create_directories(folder);
    options.default_config = file("swanctl.conf");
  }
  ~SourcesTest() override { std::filesystem::remove_all(folder); }
  [[nodiscard]] std::string file(const char* name) const { return folder / name; }
  void write(const char* name) const { std::ofstream{file(name)} << "\n"; }

  std::filesystem::path folder =
      std::filesystem::path{::testing::TempDir()} / ("sources-" + std::to_string(::getpid()));
  Options options;
};

TEST_F(SourcesTest, DefaultThatIsMissing_IsNone) {
  EXPECT_EQ(sources_of(options, {}).swanctl_conf, "");
  write("swanctl.conf");
  EXPECT_EQ(sources_of(options, {}).swanctl_conf, file("swanctl.conf"));
}

// Whoever names a file wants it read: if it is missing, reading it says so.
TEST_F(SourcesTest, FileThatIsNamed_IsRead) {
  options.config = file("other.conf");
  EXPECT_EQ(sources_of(options, {}).swanctl_conf, file("other.conf"));
  options.config = "relative.conf";
  EXPECT_EQ(sources_of(options, {}).swanctl_conf,
            std::filesystem::current_path() / "relative.conf");
}

TEST_F(SourcesTest, IpsecConf_TakesTheSecretsBesideIt) {
  EXPECT_FALSE(sources_of(options, {}).ipsec.has_value());
  options.ipsec_conf = file("ipsec.conf");
  const std::vector<IpAddress> own{IpAddress::v4(7)};
  auto ipsec = *sources_of(options, own).ipsec;
  EXPECT_EQ(ipsec.conf_path, file("ipsec.conf"));
  EXPECT_EQ(ipsec.secrets_path, "");
  EXPECT_EQ(ipsec.own_addresses, own);
  write("ipsec.secrets");
  EXPECT_EQ(sources_of(options, own).ipsec->secrets_path, file("ipsec.secrets"));
  options.ipsec_secrets = file("elsewhere");
  EXPECT_EQ(sources_of(options, own).ipsec->secrets_path, file("elsewhere"));
}

}  // namespace
}  // namespace cygnet::daemon
