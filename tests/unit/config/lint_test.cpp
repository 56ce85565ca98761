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
std::string found(const std::string& text, std::map<std::string, std::string> files = {},
                  const Host& host = {}) {
  test::MemoryFiles disk{std::move(files)};
  Diagnostics diags;
  const Section root = parse_swanctl_text(text, "c", disk, diags);
  const Loaded loaded = load_swanctl(root, disk, "/d", diags);
  EXPECT_FALSE(diags.has_errors()) << diags.text();
  std::string out;
  for (const Finding& one : lint(root, loaded, host, disk)) {
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
         connection + "\n} }\n" + more +
         "secrets { ike9 { secret = correct horse battery staple } }";
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
  EXPECT_EQ(found(psk("proposals = aes128-sha1-modp2048, aes256-sha256-ecp256\n"
                      "children { net {\nesp_proposals = 3des-sha1\n} }")),
            "5 weak-algorithm, 7 weak-algorithm");
}

TEST(Lint, Gateway) {
  const std::string pool = "pools { p { addrs = 10.9.0.0/24 } }\n";
  const std::string v6 = "pools { v6 { addrs = fd00::/120 } }\n";
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
                v6)),
      "6 ipv6-pool-without-selector");
  EXPECT_EQ(found(psk("unique = never\npools = v6\n"
                      "children { net { local_ts = ::/0\nesp_proposals = aes256gcm16-ecp384 } }",
                      v6)),
            "");
}

TEST(Lint, GatewayWithCertificates) {
  const auto leaf = [] { return test::CertMaker::leaf("gw"); };
  const test::Issued odd = leaf().eku("serverAuth").key(test::TestKey::ed25519).self_signed();
  const test::Issued good = leaf().eku("serverAuth").key(test::TestKey::p384).self_signed();
  const test::Issued no_usage = leaf().key(test::TestKey::p384).self_signed();
  const std::string ca = test::CertMaker::ca("root").self_signed().cert_pem();
  const auto with = [&ca](const test::Issued& one) {
    return std::map<std::string, std::string>{{"/d/x509/gw.pem", one.cert_pem()},
                                              {"/d/x509ca/ca.pem", ca}};
  };
  const auto gateway = [](const std::string& proposals) {
    return "connections { c {\nproposals = " + proposals +
           "\nlocal {\ncerts = gw.pem\n}\npools = p\n"
           "children { net { esp_proposals = aes256gcm16-ecp384 } }\n} }\n"
           "pools { p { addrs = 10.9.0.0/24 } }\n";
  };
  EXPECT_EQ(found(gateway("aes256gcm16-prfsha384-ecp384"), with(good)), "2 gcm-only");
  EXPECT_EQ(found(gateway("aes256gcm16-prfsha384-ecp384, aes256-sha384-ecp384"), with(good)), "");
  EXPECT_EQ(found(gateway("aes256-sha384-ecp384"), with(odd)), "4 certificate-kind");
  EXPECT_EQ(found(gateway("aes256-sha384-ecp384"), with(no_usage)), "4 certificate-usage");
  EXPECT_EQ(found(gateway("aes256-sha384-ecp384"), {{"/d/x509/gw.pem", good.cert_pem()}}),
            "1 no-authority")
      << "whose certificates are good?";
}

TEST(Lint, ShortSecret) {
  EXPECT_EQ(found(psk("children { net { } }", "secrets { ike {\nsecret = swordfish\n} }")),
            "7 short-secret");
  EXPECT_EQ(found(psk("children { net { } }",
                      "secrets { ike { secret = correct horse battery staple } }")),
            "");
}

TEST(Lint, NoSecret) {
  const auto with = [](const std::string& secrets) {
    return found(
        "connections { c { remote_addrs = gw.example\nlocal { auth = psk\n id = a.example }\n"
        "remote { auth = psk\n id = gw.example }\nchildren { net { } } } }\n" +
        secrets);
  };
  const std::string value = "secret = correct horse battery staple } }";
  EXPECT_EQ(with(""), "1 no-secret");
  EXPECT_EQ(with("secrets { ike { id = other.example\n" + value), "1 no-secret");
  EXPECT_EQ(with("secrets { ike { id = gw.example\n" + value), "");
  EXPECT_EQ(with("secrets { ike { id = *.example\n" + value), "");
  EXPECT_EQ(with("secrets { ike { id = a.example\n" + value), "") << "one owner may be our own end";
  EXPECT_EQ(with("secrets { ike { id-1 = a.example\n id-2 = b.example\n" + value), "1 no-secret");
  EXPECT_EQ(with("secrets { ike { " + value), "");
  EXPECT_EQ(found("connections { c { local { auth = psk }\n remote { auth = psk }\n"
                  "children { lan { mode = pass\n remote_ts = 192.168.0.0/16 } } } }\n"),
            "")
      << "nobody proves anything for a shunt";
}

TEST(Lint, Selectors) {
  const auto child = [](const std::string& body) {
    return found(psk("children { net {\n" + body + "\n} }"));
  };
  EXPECT_EQ(child("local_ts = 10.1.0.1/24, 10.2.0.0/24\nremote_ts = 10.9.0.1/32[tcp/22]"),
            "6 host-bits");
  EXPECT_EQ(child("local_ts = 10.1.0.0/24\nremote_ts = 10.2.0.0/24, 10.1.0.0/24"),
            "7 same-network");
  EXPECT_EQ(child("local_ts = 10.1.0.0/24\nremote_ts = 10.0.0.0/8"), "") << "hub and spoke";
  EXPECT_EQ(child("local_ts = 0.0.0.0/0\nremote_ts = 0.0.0.0/0"), "");
}

TEST(Lint, NoChild) { EXPECT_EQ(found(psk("remote_addrs = gw.example")), "4 no-child"); }

TEST(Lint, Pools) {
  const std::string body =
      "pools = p\nunique = never\nchildren { net { esp_proposals = aes256gcm16-ecp384 } }";
  EXPECT_EQ(found(psk(body, "pools { p {\naddrs = 10.9.0.0/24 } }\n"), {},
                  {.addresses = {*IpAddress::parse("10.9.0.1")}, .now = {}}),
            "10 pool-has-own-address");
  EXPECT_EQ(found(psk(body, "pools { p { addrs = 10.9.0.0/24 }\nq { addrs = 10.8.0.0/24 } }\n"), {},
                  {.addresses = {*IpAddress::parse("192.0.2.1")}, .now = {}}),
            "10 unused-pool");
}

// Our own certificates and those of the CAs, at the time that the host believes in.
TEST(Lint, Certificates) {
  using std::chrono::days;
  const auto at = [](std::string name, const test::Issued& own, const test::Issued& authority,
                     std::chrono::days later) {
    return found("connections { c {\nremote_addrs = gw.example\nlocal {\ncerts = " + name +
                     "\n}\nchildren { net { } }\n} }\n",
                 {{"/d/x509/" + name, own.cert_pem()}, {"/d/x509ca/ca.pem", authority.cert_pem()}},
                 {.addresses = {}, .now = test::kTestNow + later});
  };
  const test::Issued authority = test::CertMaker::ca("root")
                                     .valid(test::kTestNow - days{900}, test::kTestNow + days{900})
                                     .self_signed();
  const test::Issued own = test::CertMaker::leaf("a").issued_by(authority);  // half a year
  EXPECT_EQ(at("a.pem", own, authority, days{0}), "");
  EXPECT_EQ(at("a.pem", own, authority, days{170}), "4 certificate-dates") << "soon";
  EXPECT_EQ(at("a.pem", own, authority, days{200}), "4 certificate-dates") << "expired";
  EXPECT_EQ(at("a.pem", own, authority, days{-200}), "4 certificate-dates") << "not yet valid";
  EXPECT_EQ(at("a.pem", own, authority, days{1000}), "0 certificate-dates, 4 certificate-dates");
  EXPECT_EQ(at("a.pem", own, test::CertMaker::leaf("no-ca").self_signed(), days{0}), "0 no-ca");
}

TEST(Lint, SecretsThatEverybodyReads) {
  class Open final : public Files {
   public:
    Result<std::string> read(const std::string& path) override { return fail("read " + path); }
    std::vector<std::string> glob(const std::string&) override { return {}; }
    bool is_public(const std::string& path) override { return path == "c"; }
  };
  Open disk;
  Diagnostics diags;
  const Section root = parse_swanctl_text(psk("children { net { } }"), "c", disk, diags);
  const Loaded loaded = load_swanctl(root, disk, "/d", diags);
  const std::vector<Finding> all = lint(root, loaded, {}, disk);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.front().lint, "readable-secret");
}

// A line as compilers write them, with the name to look up.
TEST(Lint, Line) {
  EXPECT_EQ((Finding{.lint = "gcm-only", .place = {"a.conf", 3, 1}, .text = "why"}).line(),
            "a.conf:3:1: note: why [gcm-only]");
}

}  // namespace
}  // namespace cygnet::config
