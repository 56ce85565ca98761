// `cygnet check` and `cygnet convert`.
#include "cli/check.hpp"

#include <gtest/gtest.h>

#include "support/test_pki.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::cli {
namespace {

constexpr const char* kSwanctl =
    "connections {\n"
    "  home {\n"
    "    remote_addrs = gw.example\n"
    "    dpd_delay = 30s\n"
    "    local { auth = psk\n id = a.example }\n"
    "    remote { auth = psk }\n"
    "    children { net { start_action = start } }\n"
    "  }\n"
    "}\n"
    "secrets { ike { secret = correct horse battery staple } }\n";
constexpr const char* kIpsec =
    "# ours\n"
    "conn home\n"
    "  keyexchange=ikev2\n"
    "  authby=secret\n"
    "  left=192.0.2.2\n"
    "  leftid=a.example\n"
    "  right=gw.example\n"
    "  auto=route\n";
constexpr const char* kSecrets = "a.example gw.example : PSK \"correct horse battery staple\"\n";

test::MemoryFiles disk() {
  return test::MemoryFiles{
      {{"/e/swanctl.conf", kSwanctl}, {"/e/ipsec.conf", kIpsec}, {"/e/ipsec.secrets", kSecrets}}};
}

TEST(Check, GoodFile) {
  auto files = disk();
  const CheckReport report = check_file("/e/swanctl.conf", Format::swanctl, {}, files);
  EXPECT_TRUE(report.usable);
  EXPECT_EQ(report.text, "/e/swanctl.conf: 1 connection, 0 errors; 0 warnings, 0 notes\n");
}

// All faults at once, each at its place; nothing is looked over that cannot be used.
TEST(Check, Faults) {
  test::MemoryFiles files{
      {{"/e/swanctl.conf", "connections {\n home {\n  encap = maybe\n  versoin = 2\n }\n}\n"}}};
  const CheckReport report = check_file("/e/swanctl.conf", Format::swanctl, {}, files);
  EXPECT_FALSE(report.usable);
  EXPECT_NE(report.text.find("/e/swanctl.conf:3:"), std::string::npos) << report.text;
  EXPECT_NE(report.text.find("/e/swanctl.conf:4:3"), std::string::npos) << report.text;
}

// Certificates and keys lie where ipsec.conf has them.
TEST(Check, IpsecConf_FindsItsCertificates) {
  const test::Issued own = test::CertMaker::leaf("gw").san("DNS:a.example").self_signed();
  test::MemoryFiles files{
      {{"/e/ipsec.conf",
        "conn a\n  left=%any\n  leftcert=gw.pem\n  leftid=a.example\n  right=192.0.2.1\n"
        "  rightid=b.example\n  auto=add\n"},
       {"/e/ipsec.secrets", ": ECDSA gw.key\n"},
       {"/e/ipsec.d/certs/gw.pem", own.cert_pem()},
       {"/e/ipsec.d/private/gw.key", own.key_pem()},
       {"/e/ipsec.d/cacerts/ca.pem", test::CertMaker::ca("root").self_signed().cert_pem()}}};
  const CheckReport report = check_file("/e/ipsec.conf", Format::ipsec, {}, files);
  EXPECT_TRUE(report.usable) << report.text;
}

// One fault hides no other, and twins are counted once.
TEST(Check, IpsecConf_AllFaultsAtOnce) {
  test::MemoryFiles files{{{"/e/ipsec.conf",
                            "conn a\n  bogus=1\n  left=%any\n  right=192.0.2.1\n"
                            "  rightsubnet=1.2.3.4/33\n  authby=secret\n  auto=add\n"}}};
  const CheckReport report = check_file("/e/ipsec.conf", Format::ipsec, {}, files);
  EXPECT_FALSE(report.usable);
  EXPECT_NE(report.text.find("bogus"), std::string::npos) << report.text;
  EXPECT_NE(report.text.find("1.2.3.4/33"), std::string::npos) << report.text;
  EXPECT_NE(report.text.find(" 0 warnings"), std::string::npos) << report.text;
}

// What only the daemon would find: the certificate's key is not there.
TEST(Check, NoCertificate) {
  test::MemoryFiles files{{{"/e/swanctl.conf", "connections { home { children { net { } } } }"}}};
  const CheckReport report = check_file("/e/swanctl.conf", Format::swanctl, {}, files);
  EXPECT_FALSE(report.usable);
  EXPECT_NE(report.text.find("no certificate"), std::string::npos) << report.text;
}

TEST(Check, Hazards) {
  test::MemoryFiles files{
      {{"/e/swanctl.conf",
        "connections { c { local { auth = psk\n id = a.example }\n remote { auth = psk }\n"
        "children { net { start_action = trap } } } }\n"
        "secrets { ike { secret = short } }"}}};
  const CheckReport report = check_file("/e/swanctl.conf", Format::swanctl, {}, files);
  EXPECT_TRUE(report.usable);
  EXPECT_NE(report.text.find("[trap-without-peer]"), std::string::npos) << report.text;
  EXPECT_NE(report.text.find("[short-secret]"), std::string::npos) << report.text;
  EXPECT_EQ(report.text.find("= short"), std::string::npos);
}

// What is in the folders counts like what is named: the gateway's own certificate has expired.
TEST(Check, CertificateOfTheFolder) {
  const test::Issued own = test::CertMaker::leaf("a").san("DNS:a.example").self_signed();
  test::MemoryFiles files{
      {{"/e/swanctl.conf",
        "connections { c { remote_addrs = gw.example\nlocal { id = a.example }\n"
        "children { net { } } } }\n"},
       {"/e/x509/a.pem", own.cert_pem()},
       {"/e/private/a.key", own.key_pem()}}};
  const CheckReport report =
      check_file("/e/swanctl.conf", Format::swanctl,
                 {.addresses = {}, .now = test::kTestNow + std::chrono::days{400}}, files);
  EXPECT_TRUE(report.usable) << report.text;
  EXPECT_NE(report.text.find("[certificate-dates]"), std::string::npos) << report.text;
}

TEST(Check, IpsecConf) {
  auto files = disk();
  const CheckReport report = check_file("/e/ipsec.conf", Format::ipsec, {}, files);
  EXPECT_TRUE(report.usable) << report.text;
  EXPECT_NE(report.text.find("/e/ipsec.conf: 1 connection, 0 errors"), std::string::npos)
      << report.text;
}

TEST(Check, Format) {
  auto files = disk();
  EXPECT_EQ(format_of("/e/swanctl.conf", files).value(), Format::swanctl);
  EXPECT_EQ(format_of("/e/ipsec.conf", files).value(), Format::ipsec);
  EXPECT_FALSE(format_of("/e/none", files).has_value());
  files.files_["/f/swanctl.conf"] =
      "version = 2\n";  // a misplaced option, and a word of ipsec.conf
  EXPECT_EQ(format_of("/f/swanctl.conf", files).value(), Format::swanctl);
  files.files_["/f/vpn.conf"] = "# ours\nconfig setup\n";
  EXPECT_EQ(format_of("/f/vpn.conf", files).value(), Format::ipsec);
}

TEST(Convert, SecretsOnlyWhenAskedFor) {
  auto files = disk();
  const ConvertReport without = convert_file("/e/ipsec.conf", "", false, {}, files);
  EXPECT_NE(without.text.find("remote_addrs = gw.example"), std::string::npos)
      << without.text << without.notes;
  EXPECT_EQ(without.text.find("battery"), std::string::npos);
  const ConvertReport with = convert_file("/e/ipsec.conf", "", true, {}, files);
  EXPECT_NE(with.text.find("battery"), std::string::npos) << with.text;
}

// It reads back as what it was made from.
TEST(Convert, ResultIsAConfiguration) {
  auto files = disk();
  files.files_["/e/new.conf"] = convert_file("/e/ipsec.conf", "", true, {}, files).text;
  const CheckReport report = check_file("/e/new.conf", Format::swanctl, {}, files);
  EXPECT_TRUE(report.usable) << report.text;
}

TEST(Convert, Faults_GiveNoText) {
  test::MemoryFiles files{{{"/e/ipsec.conf", "conn home\n  lefft=1.2.3.4\n"}}};
  const ConvertReport report = convert_file("/e/ipsec.conf", "", false, {}, files);
  EXPECT_EQ(report.text, "");
  EXPECT_NE(report.notes.find("/e/ipsec.conf:2:"), std::string::npos) << report.notes;
}

}  // namespace
}  // namespace cygnet::cli
