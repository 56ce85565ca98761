// The hazards that are named: each where it stands, and not where it does not.
#include "config/lint.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/swanctl_parser.hpp"
#include "support/test_pki.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::config {
namespace {

/// "line lint" of each finding.
std::string found(const std::string& text, std::map<std::string, std::string> files = {}) {
  test::MemoryFiles disk{std::move(files)};
  Diagnostics diags;
  const Section root = parse_swanctl_text(text, "c", disk, diags);
  const Loaded loaded = load_swanctl(root, disk, "/d", diags);
  EXPECT_FALSE(diags.has_errors()) << diags.text();
  std::string out;
  for (const Finding& one : lint(root, loaded)) {
    EXPECT_FALSE(one.text.empty());
    const auto& all = all_lints();
    EXPECT_NE(std::ranges::find(all, one.lint, &LintInfo::name), all.end());
    out += (out.empty() ? "" : ", ") + std::to_string(one.place.line) + " " + std::string{one.lint};
  }
  return out;
}

std::string psk(const std::string& connection, const std::string& more = "") {
  return "auth { local { auth = psk\n id = a.example } \n remote { auth = psk } }\n"  // lines 1 to
                                                                                      // 3
         "connections { c : auth {\n" +
         connection + "\n} }\n" + more;
}

TEST(Lint, NothingToSay) {
  EXPECT_EQ(found(psk("remote_addrs = gw.example\n dpd_delay = 30s\n"
                      "children { net { start_action = start } }")),
            "");
}

TEST(Lint, TrapWithoutPeer) {
  EXPECT_EQ(found(psk("children { net {\nstart_action = trap\n} }")), "6 trap-without-peer");
  EXPECT_EQ(found(psk("remote_addrs = 10.0.0.0/8\ndpd_delay = 30s\nchildren { net {\n"
                      "keep_up = yes\n} }")),
            "8 trap-without-peer");
  EXPECT_EQ(found(psk("children { net { } }")), "");
  EXPECT_EQ(found(psk("children { lan { mode = pass\nstart_action = trap } }")), "");
}

TEST(Lint, ReachableOnlyWhenUsed) {
  const std::string client = "remote_addrs = gw.example\nvips = 0.0.0.0\nchildren { net {\n";
  EXPECT_EQ(found(psk(client + "start_action = trap\n} }")), "8 reachable-only-when-used");
  EXPECT_EQ(found(psk(client + "start_action = trap\nkeep_up = yes\n} }\ndpd_delay = 30s")), "");
}

TEST(Lint, NoLiveness) {
  EXPECT_EQ(found(psk("remote_addrs = gw.example\nchildren { net { start_action = start } }")),
            "4 no-liveness");
  EXPECT_EQ(found(psk("remote_addrs = gw.example\nchildren { net { keep_up = yes } }")), "")
      << "keep_up brings its own";
}

TEST(Lint, WeakAlgorithm) {
  EXPECT_EQ(found(psk("proposals = aes128-sha256-modp1024, aes256-sha256-ecp256\n"
                      "children { net {\nesp_proposals = 3des-sha1\n} }")),
            "5 weak-algorithm, 7 weak-algorithm");
}

TEST(Lint, Gateway) {
  const std::string pool = "pools { p { addrs = 10.9.0.0/24 } v6 { addrs = fd00::/120 } }";
  EXPECT_EQ(found(psk("pools = p\nchildren { net { esp_proposals = aes256gcm16-ecp384 } }", pool)),
            "4 shared-identity")
      << "devices with one key";
  EXPECT_EQ(found(psk("pools = p\nunique = never\n"
                      "children { net {\nesp_proposals = aes256gcm16\n} }",
                      pool)),
            "8 esp-without-group");
  EXPECT_EQ(
      found(psk("unique = never\npools = v6\n"
                "children { net { local_ts = 0.0.0.0/0\nesp_proposals = aes256gcm16-ecp384 } }",
                pool)),
      "6 ipv6-pool-without-selector");
  EXPECT_EQ(found(psk("unique = never\npools = v6\n"
                      "children { net { local_ts = ::/0\nesp_proposals = aes256gcm16-ecp384 } }",
                      pool)),
            "");
}

TEST(Lint, GatewayWithCertificates) {
  const test::Issued odd = test::CertMaker::leaf("gw").key(test::TestKey::ed25519).self_signed();
  const test::Issued good = test::CertMaker::leaf("gw").key(test::TestKey::p384).self_signed();
  const auto gateway = [](const std::string& proposals) {
    return "connections { c {\nproposals = " + proposals +
           "\nlocal {\ncerts = gw.pem\n}\npools = p\n"
           "children { net { esp_proposals = aes256gcm16-ecp384 } }\n} }\n"
           "pools { p { addrs = 10.9.0.0/24 } }\n";
  };
  EXPECT_EQ(found(gateway("aes256gcm16-prfsha384-ecp384"), {{"/d/x509/gw.pem", good.cert_pem()}}),
            "2 gcm-only");
  EXPECT_EQ(found(gateway("aes256gcm16-prfsha384-ecp384, aes256-sha384-ecp384"),
                  {{"/d/x509/gw.pem", good.cert_pem()}}),
            "");
  EXPECT_EQ(found(gateway("aes256-sha384-ecp384"), {{"/d/x509/gw.pem", odd.cert_pem()}}),
            "4 certificate-kind");
}

TEST(Lint, ShortSecret) {
  EXPECT_EQ(found(psk("children { net { } }", "secrets { ike {\nsecret = swordfish\n} }")),
            "7 short-secret");
  EXPECT_EQ(found(psk("children { net { } }",
                      "secrets { ike { secret = correct horse battery staple } }")),
            "");
}

// A line as compilers write them, with the name to look up.
TEST(Lint, Line) {
  EXPECT_EQ((Finding{.lint = "gcm-only", .place = {"a.conf", 3, 1}, .text = "why"}).line(),
            "a.conf:3:1: note: why [gcm-only]");
}

}  // namespace
}  // namespace cygnet::config
