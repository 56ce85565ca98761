// strongswan.conf.
#include "config/settings.hpp"

#include <gtest/gtest.h>

#include "config/swanctl_parser.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::config {
namespace {

Settings load(const std::string& text, std::string& faults) {
  test::MemoryFiles files;
  Diagnostics diags;
  const Section root = parse_swanctl_text(text, "s.conf", files, diags);
  const Settings out = load_settings(root, "charon", diags);
  faults = diags.text();
  return out;
}

TEST(Settings, OursAreRead) {
  std::string faults;
  const Settings out = load(
      "charon {\n retransmit_timeout = 2.5\n retransmit_tries = 3\n keep_alive = 10s\n"
      " half_open_timeout = 30\n cookie_threshold = 0\n fragment_size = 1400\n}\n",
      faults);
  EXPECT_EQ(faults, "");
  EXPECT_EQ(out.retransmit_timeout, 2.5);
  EXPECT_EQ(out.retransmit_tries, 3U);
  EXPECT_EQ(out.keep_alive, Duration{std::chrono::seconds{10}});
  EXPECT_EQ(out.half_open_timeout, Duration{std::chrono::seconds{30}});
  EXPECT_EQ(out.cookie_threshold, 0U);
  EXPECT_EQ(out.fragment_size, 1400U);
  EXPECT_FALSE(out.retransmit_base.has_value());
}

// What Debian installs is full of other programs' and plugins' keys.
TEST(Settings, OthersPassInSilence) {
  std::string faults;
  static_cast<void>(
      load("charon {\n load_modular = yes\n plugins {\n gmp { load = yes } }\n}\n"
           "charon-nm { ca_dir = /etc }\npool { load = x }\n",
           faults));
  EXPECT_EQ(faults, "");
}

TEST(Settings, OutOfBounds_AreFaults) {
  for (const char* line :
       {"retransmit_timeout = 0", "retransmit_timeout = 1e300", "retransmit_base = 0.5",
        "retransmit_tries = 4000000000", "half_open_timeout = 0s", "fragment_size = 10"}) {
    std::string faults;
    static_cast<void>(load("charon {\n " + std::string{line} + "\n}\n", faults));
    EXPECT_NE(faults.find("s.conf:2:"), std::string::npos) << line;
  }
}

TEST(Settings, Faults_AreAtTheirPlace) {
  std::string faults;
  static_cast<void>(load("charon {\n retransmit_base = fast\n retransmit_tries = -1\n}\n", faults));
  EXPECT_NE(faults.find("s.conf:2:"), std::string::npos) << faults;
  EXPECT_NE(faults.find("s.conf:3:"), std::string::npos) << faults;
}

}  // namespace
}  // namespace cygnet::config
