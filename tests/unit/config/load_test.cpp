// From swanctl.conf to the model.
#include <gtest/gtest.h>

#include <algorithm>

#include "config/load.hpp"
#include "config/swanctl_parser.hpp"
#include "pki/identity.hpp"
#include "support/test_pki.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::config {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

struct Result {
  Loaded loaded;
  std::string faults;
};
Result load(const std::string& text, std::map<std::string, std::string> files = {}) {
  test::MemoryFiles memory{std::move(files)};
  Diagnostics diags;
  const Section root = parse_swanctl_text(text, "c", memory, diags);
  Result out{load_swanctl(root, memory, "/d", diags), {}};
  out.faults = diags.text();
  return out;
}
model::Connection connection(const std::string& body) {
  Result out = load("connections { c { " + body + " } }");
  EXPECT_EQ(out.faults, "");
  EXPECT_EQ(out.loaded.connections.size(), 1u);
  return out.loaded.connections.empty() ? model::Connection{} : out.loaded.connections.front();
}
model::ChildTemplate child(const std::string& body) {
  const model::Connection out = connection("children { n { " + body + " } }");
  return out.children.empty() ? model::ChildTemplate{} : out.children.front();
}
/// The faults of a connection's body, which starts at column 19 of line 1.
std::string faults(const std::string& body) {
  return load("connections { c { " + body + " } }").faults;
}
void expect_fault(const std::string& body, const std::string& words) {
  const std::string found = faults(body);
  EXPECT_NE(found.find(words), std::string::npos) << "in: " << found;
}

// What clients of vici may not bring, files may not have.
TEST(Names, HaveALimit) {
  const std::string name(kNameOctetsMax, 'x');
  const auto faults_with = [](const std::string& one) {
    return load("connections { " + one + " { children { " + one + " { } } } }\npools { " + one +
                " { addrs = 10.9.0.0/24 } }\n")
        .faults;
  };
  EXPECT_EQ(faults_with(name), "");
  const std::string found = faults_with(name + "x");
  for (const char* words : {"c:1:15: error: name longer than 240 characters\n", "c:1:270: error: ",
                            "c:2:9: error: name longer than 240 characters\n"}) {
    EXPECT_NE(found.find(words), std::string::npos) << found;
  }
}

TEST(Authority, CertificateOfNoCa_IsAnErrorAtItsPlace) {
  using test::CertMaker;
  const auto pem = [](const test::Issued& one) { return one.cert_pem(); };
  const std::map<std::string, std::string> files{
      {"/d/x509ca/ca.pem", pem(CertMaker::ca("root").self_signed())},
      {"/d/x509ca/gw.pem", pem(CertMaker::leaf("gw").self_signed())}};
  EXPECT_EQ(load("authorities { a { cacert = ca.pem } }", files).faults, "");
  const std::string found = load("authorities { a { cacert = gw.pem } }", files).faults;
  EXPECT_EQ(found.find("c:1:28: error: not a certificate of a CA: "), 0U) << found;
}

// A tunnel that carries nothing notices a dead peer by asking only.
TEST(Connection, KeptUpChild_SwitchesLivenessChecksOn) {
  const model::Connection kept = connection("children { net { keep_up = yes } }");
  EXPECT_TRUE(kept.has_kept_up());
  EXPECT_EQ(kept.dpd_delay, seconds{10});
  const model::Connection own = connection("dpd_delay = 45s\n children { net { keep_up = yes } }");
  EXPECT_EQ(own.dpd_delay, seconds{45});
}

// Each pool that reaches into another one, wherever it stands in the file.
TEST(Pools, OverlappingOnes_AreWarnedOf) {
  const auto warned = [](const std::string& pools) {
    return load("pools { " + pools + " }").faults;
  };
  EXPECT_EQ(warned("b { addrs = 10.9.0.128/25 }\n a { addrs = 10.9.0.0/24 }"),
            "c:1:21: warning: addrs: addresses of '10.9.0.128/25' are in '10.9.0.0/24' (c:2:14) as "
            "well: clients of one pool take them from the other; make them disjoint\n");
  EXPECT_EQ(
      warned("a { addrs = 10.9.0.0/25 }\n b { addrs = 10.9.0.128/25 }\n c { addrs = fd00::/120 }"),
      "");
}

// One exchange has to carry them all.
TEST(Child, MoreSelectorsThanAnExchangeCarries_AreRefused) {
  std::string many = "10.0.0.0/32";
  for (int i = 1; i < 101; ++i) many += ", 10.0.0." + std::to_string(i) + "/32";
  expect_fault("children { n { remote_ts = " + many + " } }", "more than 100 selectors");
}

TEST(Connection, Nothing_HasStrongswansDefaults) {
  const model::Connection c = connection("");
  EXPECT_EQ(c.name, "c");
  EXPECT_EQ(c.remote_addrs.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<model::AnyAddress>(c.remote_addrs[0]));
  EXPECT_EQ(c.local_port, 500);
  EXPECT_FALSE(c.proposals.empty());
  EXPECT_EQ(c.lifetime.rekey, std::chrono::hours{4});
  EXPECT_EQ(c.lifetime.life, minutes{264});
  EXPECT_EQ(c.lifetime.jitter, minutes{24});
  EXPECT_EQ(c.dpd_delay, seconds{0});
  EXPECT_EQ(c.unique, model::Uniqueness::no);
  EXPECT_EQ(c.fragmentation, model::Fragmentation::yes);
  EXPECT_EQ(c.local.method, model::AuthClass::pubkey);
  EXPECT_FALSE(c.remote.id.has_value());
}

TEST(Connection, EveryOption_IsRead) {
  const model::Connection c = connection(
      "version = 2\n local_addrs = 192.0.2.1\n remote_addrs = vpn.example.org, 10.0.0.0/8\n"
      "proposals = aes256gcm16-prfsha384-ecp384\n vips = 0.0.0.0, ::\n encap = yes\n mobike = no\n"
      "dpd_delay = 30s\n fragmentation = accept\n send_cert = always\n unique = replace\n"
      "keyingtries = 0\n childless = prefer\n rekey_time = 1h\n over_time = 5m\n rand_time = 1m\n "
      "remote_port = 4500\n"
      "local { auth = psk\n id = gw.example }\n remote { auth = psk\n id = *@example.org }\n");
  EXPECT_EQ(std::get<model::HostName>(c.remote_addrs[0]).name, "vpn.example.org");
  EXPECT_EQ(std::get<IpRange>(c.remote_addrs[1]).text(), "10.0.0.0/8");
  EXPECT_EQ(model::text_of(c.proposals), "IKE:AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384");
  EXPECT_EQ(c.vips.size(), 2u);
  EXPECT_TRUE(c.encap);
  EXPECT_FALSE(c.mobike);
  EXPECT_EQ(c.dpd_delay, seconds{30});
  EXPECT_FALSE(c.has_kept_up());
  EXPECT_EQ(c.fragmentation, model::Fragmentation::accept);
  EXPECT_EQ(c.send_cert, model::SendCert::always);
  EXPECT_EQ(c.unique, model::Uniqueness::replace);
  EXPECT_EQ(c.keyingtries, 0u);
  EXPECT_EQ(c.childless, model::Childless::prefer);
  EXPECT_EQ(c.lifetime.rekey, minutes{60});
  EXPECT_EQ(c.lifetime.life, minutes{65});
  EXPECT_EQ(c.lifetime.jitter, minutes{1});
  EXPECT_EQ(c.remote_port, 4500);
  EXPECT_EQ(c.local.method, model::AuthClass::psk);
  EXPECT_EQ(pki::to_text(*c.local.id), "gw.example");
  EXPECT_EQ(pki::to_text(c.remote.id), "*@example.org");
}

TEST(Child, Nothing_HasStrongswansDefaultsAndOurReplayWindow) {
  const model::ChildTemplate n = child("");
  EXPECT_EQ(n.lifetime.rekey, minutes{60});
  EXPECT_EQ(n.lifetime.life, minutes{66});
  EXPECT_EQ(n.lifetime.jitter, minutes{6});
  EXPECT_EQ(n.lifetime.rekey_bytes, 0u);
  EXPECT_EQ(n.replay_window, 128u);
  EXPECT_TRUE(n.local_ts[0].dynamic);
  EXPECT_EQ(n.start_action, model::ChildAction::none);
  EXPECT_EQ(n.copy_dscp, model::CopyDscp::out);
}

// The rule of thirds of swanctl.conf: whatever is left out follows from the rest, 10 % apart.
TEST(Child, Limits_FollowFromOneAnother) {
  EXPECT_EQ(child("rekey_time = 100m").lifetime.life, minutes{110});
  EXPECT_EQ(child("life_time = 100m").lifetime.rekey, minutes{90});
  EXPECT_EQ(child("rekey_time = 0").lifetime.life, seconds{0});
  EXPECT_EQ(child("life_bytes = 1000").lifetime.rekey_bytes, 900u);
  EXPECT_EQ(child("rekey_bytes = 1m").lifetime.life_bytes, 1048576u + 104857u);
  EXPECT_EQ(child("rekey_packets = 500").lifetime.life_packets, 550u);
  EXPECT_EQ(child("rekey_time = 1h\n rand_time = 0").lifetime.jitter, seconds{0});
}

TEST(Child, Inactivity) { EXPECT_EQ(child("inactivity = 5m").inactivity, minutes{5}); }

TEST(Child, ActionsHaveTheirSynonyms) {
  EXPECT_EQ(child("dpd_action = restart").dpd_action, model::ChildAction::start);
  EXPECT_EQ(child("dpd_action = clear").dpd_action, model::ChildAction::none);
  EXPECT_EQ(child("start_action = route").start_action, model::ChildAction::trap);
  EXPECT_EQ(child("close_action = start").close_action, model::ChildAction::start);
}

TEST(Connection, KeysAndHashesOfAuth) {
  const Result out = load(
      "connections { a { local { auth = ecdsa-sha384 }\n"
      "remote { auth = rsa-3072-sha256-ike:rsa-sha384 } } }");
  ASSERT_EQ(out.loaded.connections.size(), 1u);
  const model::Connection& a = out.loaded.connections[0];
  EXPECT_EQ(a.local.rule.text(), "ecdsa-sha384");
  EXPECT_EQ(a.remote.rules.certificates.text(), "rsa-3072-sha256");
  EXPECT_EQ(a.remote.rules.auth.text(), "rsa-sha384");
}

TEST(Child, SelectorsAndModes) {
  const model::ChildTemplate n = child(
      "local_ts = 10.1.0.0/24, dynamic[tcp/443]\n remote_ts = 2001:db8::/64\n mode = pass\n"
      "start_action = start\n");
  EXPECT_EQ(n.local_ts.size(), 2u);
  EXPECT_EQ(n.local_ts[1].text(), "dynamic[tcp/443]");
  EXPECT_EQ(n.mode, model::ChildMode::pass);
  EXPECT_EQ(n.start_action, model::ChildAction::trap);  // a shunt is installed, not negotiated
}

TEST(Fault, UnknownOption_IsNamedAndTheNearestSuggested) {
  expect_fault("remote_adrs = 192.0.2.1",
               "c:1:19: error: unknown option 'remote_adrs', did you mean 'remote_addrs'?");
  expect_fault("children { n { esp_proposal = aes256 } }", "did you mean 'esp_proposals'?");
  expect_fault("locl { }", "unknown section 'locl', did you mean 'local'?");
}

TEST(Fault, Values_ArePointedAt) {
  expect_fault("remote_addrs = 192.0.2.1, 300.1.1.1", "c:1:45: error: remote_addrs: '300.1.1.1'");
  expect_fault("rekey_time = 4x", "'4x'");
  expect_fault("proposals = aes256gcm17-ecp384", "aes256gcm17");
  expect_fault("dpd_delay = 99999999999d", "dpd_delay");
  expect_fault("encap = maybe", "known are yes, no");
  expect_fault("children { n { remote_ts = 10.0.0.0/33 } }", "10.0.0.0/33");
  expect_fault("children { n { replay_window = 5000 } }", "4096");
  expect_fault("rand_time = 5h", "rand_time must be less than rekey_time");
  expect_fault("children { n { rekey_time = 2h\n life_time = 1h } }", "less than life_time");
  expect_fault("childless = maybe", "known are allow, prefer, force, never");
  expect_fault("children { n { keep_up = yes\n inactivity = 5m } }", "choose one");
  expect_fault("local { auth = eap }", "not supported yet");
  expect_fault("remote { auth = ecdsa-384-sha3840 }", "c:1:45: error: auth: unknown key or hash");
  expect_fault("remote { auth = pubkeys }", "auth: unknown key or hash 'pubkeys'");
  expect_fault("remote { auth = pks }", "unknown authentication 'pks', did you mean 'psk'?");
  expect_fault("version = 1", "IKEv1 is not supported");
}

// Nothing that changes what is protected is passed over in silence.
TEST(Fault, OptionsWeDoNotHave_AreReported) {
  expect_fault("children { n { ah_proposals = sha256 } }",
               "error: 'ah_proposals' is not supported");
  expect_fault("children { n { updown = /bin/x } }", "warning: 'updown' is not supported");
  expect_fault("ppk_required = yes", "error: 'ppk_required'");
  expect_fault("local-1 { }\n local-2 { }", "second authentication round");
  expect_fault("remote { revocation = strict }", "revocation");
  EXPECT_EQ(faults("aggressive = no\n children { n { ipcomp = no\n mark_in = 0 } }"), "");
}

TEST(Fault, OneBadConnection_LeavesTheOthers) {
  const Result out = load("connections { a { encap = maybe }\n b { } }");
  ASSERT_EQ(out.loaded.connections.size(), 1u);
  EXPECT_EQ(out.loaded.connections[0].name, "b");
}

TEST(Fault, TopLevel_IsChecked) {
  EXPECT_NE(load("conections { }").faults.find("did you mean 'connections'"), std::string::npos);
  EXPECT_NE(load("key = value").faults.find("outside of any section"), std::string::npos);
  // What others inherit from may be called anything.
  EXPECT_EQ(load("base { encap = yes }\nconnections { a : base { } }").faults, "");
}

TEST(Pool, RangesAttributesAndNames) {
  const Result out = load(
      "pools { p { addrs = 10.9.0.0/24\n dns = 10.0.0.53, 2001:db8::53\n subnet = 10.1.0.0/16\n"
      " 25 = example.org }\n q { addrs = 10.8.0.7-10.8.0.9 }\n one { addrs = 10.7.0.1/32 } }\n"
      "connections { c { pools = p, q } }");
  EXPECT_EQ(out.faults, "");
  ASSERT_EQ(out.loaded.pools.size(), 3u);
  EXPECT_EQ(out.loaded.pools[0].range.text(), "10.9.0.1..10.9.0.254");
  EXPECT_EQ(out.loaded.pools[0].dns.size(), 2u);
  EXPECT_EQ(out.loaded.pools[0].dns_domains, std::vector<std::string>{"example.org"});
  EXPECT_EQ(out.loaded.pools[1].range.text(), "10.8.0.7..10.8.0.9");
  EXPECT_EQ(out.loaded.pools[2].range.first, out.loaded.pools[2].range.last);
}

TEST(Pool, MissingOne_IsAnError) {
  const std::string found =
      load("pools { clients { addrs = 10.9.0.0/24 } }\nconnections { c { pools = client } }")
          .faults;
  EXPECT_NE(found.find("unknown pool 'client', did you mean 'clients'?"), std::string::npos)
      << found;
  EXPECT_NE(load("pools { p { } }").faults.find("needs 'addrs'"), std::string::npos);
}

TEST(Secrets, SharedOnes) {
  const Result out = load(
      "secrets { ike-a { secret = \"two words\"\n id-1 = a.example\n id-2 = 192.0.2.1 }\n"
      " ike-b { secret = 0x0102ff }\n ike-c { secret = 0sAQL/ } }");
  EXPECT_EQ(out.faults, "");
  ASSERT_EQ(out.loaded.shared_secrets.size(), 3u);
  EXPECT_EQ(cygnet::to_string(out.loaded.shared_secrets[0].value.reveal()), "two words");
  EXPECT_EQ(out.loaded.shared_secrets[0].owners.size(), 2u);
  EXPECT_EQ(to_hex(out.loaded.shared_secrets[1].value.reveal()), "0102ff");
  EXPECT_EQ(to_hex(out.loaded.shared_secrets[2].value.reveal()), "0102ff");
}

TEST(Secrets, BadOne_IsReportedWithoutRepeatingIt) {
  const std::string found = load("secrets { ike { secret = 0xABCDEFG } }").faults;
  EXPECT_NE(found.find("hexadecimal"), std::string::npos) << found;
  EXPECT_EQ(found.find("ABCDEF"), std::string::npos) << found;
}

TEST(Secrets, PrefixAlone_IsNoSecret) {
  EXPECT_NE(load("secrets { ike { secret = 0x } }").faults.find("c:1:26: error: secret: nothing"),
            std::string::npos);
  EXPECT_NE(load("secrets { ike { secret = 0s } }").faults.find("c:1:26: error: secret: nothing"),
            std::string::npos);
}

TEST(Secrets, KeyFiles_GetTheirPasswords) {
  Result out = load("secrets { private-x { file = gw.key\n secret = pass } }",
                    {{"/d/private/gw.key", "KEY"}, {"/d/rsa/other.key", "OTHER"}});
  EXPECT_EQ(out.faults, "");
  ASSERT_EQ(out.loaded.keys.size(), 2u);
  EXPECT_EQ(out.loaded.keys[0].path, "/d/private/gw.key");
  EXPECT_EQ(cygnet::to_string(out.loaded.keys[0].password.reveal()), "pass");
  EXPECT_TRUE(out.loaded.keys[1].password.empty());
  EXPECT_NE(load("secrets { rsa { file = gone.key\n secret = x } }").faults.find("/d/rsa/gone.key"),
            std::string::npos);
}

// A key need not lie in the folders: the section names it.
TEST(Secrets, KeyFileElsewhere_IsLoadedWithAndWithoutPassword) {
  Result out = load(
      "secrets { ecdsa-a { file = /keys/a.pem\n secret = pass }\n pkcs12 { file = /keys/b.p12 } }",
      {{"/keys/a.pem", "A"}, {"/keys/b.p12", "B"}});
  EXPECT_EQ(out.faults, "");
  ASSERT_EQ(out.loaded.keys.size(), 2u);
  EXPECT_EQ(out.loaded.keys[0].kind, KeyFileKind::ecdsa);
  EXPECT_EQ(cygnet::to_string(out.loaded.keys[0].data.reveal()), "A");
  EXPECT_EQ(cygnet::to_string(out.loaded.keys[0].password.reveal()), "pass");
  EXPECT_EQ(out.loaded.keys[1].path, "/keys/b.p12");
  EXPECT_TRUE(out.loaded.keys[1].password.empty());
}

TEST(Secrets, LargeKeyFile_IsRefused) {
  const std::string found = load("secrets { rsa { file = /keys/a } }",
                                 {{"/keys/a", std::string(kCredentialOctetsMax + 1, 'x')}})
                                .faults;
  EXPECT_NE(found.find("c:1:24: error: /keys/a: larger than"), std::string::npos) << found;
}

// What ipsec.conf becomes names every file; what else lies in the folders is not its business.
TEST(Secrets, LoadSections_LeavesTheFoldersAlone) {
  test::MemoryFiles files{{{"/d/private/a.key", "A"}, {"/d/rsa/b.key", "B"}, {"/d/x509/c", "C"}}};
  Diagnostics diags;
  const Section root = parse_swanctl_text("secrets { rsa { file = b.key } }", "c", files, diags);
  const Loaded loaded = load_sections(root, files, "/d", diags);
  EXPECT_EQ(diags.text(), "");
  ASSERT_EQ(loaded.keys.size(), 1u);
  EXPECT_EQ(loaded.keys[0].path, "/d/rsa/b.key");
}

// Whoever wrote another name than swanctl's is told with that name.
TEST(Fault, NameInTheSource_IsTheOneShown) {
  test::MemoryFiles files;
  Diagnostics diags;
  Section root = parse_swanctl_text(
      "connections { c { encap = maybe\n dscp = 000001\n remote { certs = no } } }", "c", files,
      diags);
  Section& connection = root.sections[0].sections[0];
  connection.keys[0].written = "forceencaps";
  connection.keys[1].written = "ikedscp";
  connection.sections[0].keys[0].written = "rightcert";
  static_cast<void>(load_swanctl(root, files, "/d", diags));
  for (const char* words : {"error: forceencaps: unknown value", "warning: 'ikedscp' is not",
                            "error: rightcert: open /d/x509/no"}) {
    EXPECT_NE(diags.text().find(words), std::string::npos) << words << diags.text();
  }
}

TEST(Certificates, WhatIsNone_IsReported) {
  const std::string found = load("", {{"/d/x509/a.crt", "hello"}}).faults;
  EXPECT_NE(found.find("/d/x509/a.crt: error"), std::string::npos) << found;
  expect_fault("local { certs = gone.crt }", "/d/x509/gone.crt");
}

// The reference of options is made from the readers, so that neither can be forgotten.
TEST(Options, Listing_NamesEverythingOnce) {
  std::vector<std::string> paths;
  for (const OptionInfo& option : all_options()) paths.push_back(option.path);
  EXPECT_GT(paths.size(), 90u);
  for (const char* path : {"connections.<conn>.remote_addrs", "connections.<conn>.local.auth",
                           "connections.<conn>.children.<child>.esp_proposals",
                           "pools.<pool>.addrs", "secrets.ike<suffix>.secret"}) {
    EXPECT_EQ(std::ranges::count(paths, path), 1) << path;
  }
}

}  // namespace
}  // namespace cygnet::config
