// What `ipsec` prints. The expectations are what strongSwan 5.9.8 (Debian 12) printed for the same
// state, where it could be brought into that state.
#include "cli/ipsec_text.hpp"

#include <gtest/gtest.h>

namespace cygnet::cli {
namespace {

using vici::List;
using vici::Message;

/// A child of the client, up for a second.
Message child() {
  Message out;
  out.add("name", "lap").add("uniqueid", "1").add("reqid", "1").add("state", "INSTALLED");
  out.add("mode", "TUNNEL").add("protocol", "ESP").add_flag("encap", true);
  out.add("spi-in", "26d6a3de").add("spi-out", "6c894633");
  out.add("encr-alg", "AES_GCM_16").add("encr-keysize", "256");
  out.add("bytes-in", "252").add("packets-in", "3").add("use-in", "1");
  out.add("bytes-out", "84").add("packets-out", "1").add("use-out", "1");
  out.add("rekey-time", "2712").add("life-time", "3599").add("install-time", "1");
  out.add("local-ts", List{"10.9.1.1/32"}).add("remote-ts", List{"10.9.0.0/24", "10.9.5.0/24"});
  return out;
}

/// An IKE_SA of the connection lap without children.
Message ike(std::string_view state = "ESTABLISHED") {
  Message out;
  out.add("uniqueid", "1").add("version", "2").add("state", state);
  out.add("local-host", "192.0.2.2").add("local-port", "4500").add("local-id", "laptop@heap.ovh");
  out.add("remote-host", "192.0.2.1").add("remote-port", "4500");
  out.add("remote-id", "vpn.heap.ovh").add_flag("initiator", true);
  out.add("initiator-spi", "08f201ad075f5d1f").add("responder-spi", "13a09847653e144f");
  out.add("encr-alg", "AES_GCM_16").add("encr-keysize", "256").add("prf-alg", "PRF_HMAC_SHA2_384");
  out.add("dh-group", "ECP_384");
  return out;
}

Message up_for(std::uint64_t seconds) {
  Message out = ike();
  out.add("established", seconds).add("reauth-time", "9904");
  return out;
}

Message event(const char* name, Message sa, std::initializer_list<Message> children = {}) {
  Message& section = sa.section("child-sas");
  for (const Message& one : children) {
    section.add(std::string{one.text("name")} + "-" + std::string{one.text("uniqueid")}, one);
  }
  Message out;
  out.add(name, std::move(sa));
  return out;
}

Message policy(const char* child, const char* mode) {
  Message body;
  body.add("child", child).add("ike", "ovh").add("mode", mode);
  body.add("uniqueid", "741").add("reqid", "2");
  body.add("local-ts", List{"192.0.2.2/32"}).add("remote-ts", List{"10.9.0.0/16"});
  Message out;
  out.add(std::string{"ovh/"} + child, std::move(body));
  return out;
}

TEST(IpsecStatus, Nothing) {
  EXPECT_EQ(ipsec_status({}, ""), "Security Associations (0 up, 0 connecting):\n  none\n");
  EXPECT_EQ(ipsec_status({}, "lap"), "Security Associations (0 up, 0 connecting):\n  no match\n");
}

TEST(IpsecStatus, TrapShuntAndTunnels) {
  Message calling = ike("CONNECTING");
  const IpsecStatus input{
      .sas = {event("lap", up_for(52 * 60), {child()}), event("dead", std::move(calling))},
      .policies = {policy("ovh", "TUNNEL"), policy("lan", "PASS")}};
  EXPECT_EQ(ipsec_status(input, ""), R"(Shunted Connections:
         lan:  192.0.2.2/32 === 10.9.0.0/16 PASS
Routed Connections:
         ovh{741}:  ROUTED, TUNNEL, reqid 2
         ovh{741}:   192.0.2.2/32 === 10.9.0.0/16
Security Associations (1 up, 1 connecting):
         lap[1]: ESTABLISHED 52 minutes ago, 192.0.2.2[laptop@heap.ovh]...192.0.2.1[vpn.heap.ovh]
         lap{1}:  INSTALLED, TUNNEL, reqid 1, ESP in UDP SPIs: 26d6a3de_i 6c894633_o
         lap{1}:   10.9.1.1/32 === 10.9.0.0/24 10.9.5.0/24
        dead[1]: CONNECTING, 192.0.2.2[laptop@heap.ovh]...192.0.2.1[vpn.heap.ovh]
)");
}

TEST(IpsecStatus, LongNamesAreNotCut) {
  const IpsecStatus input{
      .sas = {event("roadwarriors", up_for(1)), event("a-long-name-of-mine", up_for(1))}};
  const std::string text = ipsec_status(input, "");
  EXPECT_NE(text.find("\nroadwarriors[1]: ESTABLISHED 1 second ago, "), std::string::npos) << text;
  EXPECT_NE(text.find("\na-long-name-of-mine[1]: ESTABLISHED"), std::string::npos) << text;
}

// A name is a connection, with all its children, or one child.
TEST(IpsecStatus, OfOneName) {
  Message other = child();
  Message named;
  for (const vici::Item& item : other.items()) {
    if (item.name == "name")
      named.add("name", "lap2");
    else if (item.name == "uniqueid")
      named.add("uniqueid", "9");
    else if (const auto* text = std::get_if<std::string>(&item.content))
      named.add(item.name, *text);
    else
      named.add(item.name, std::get<List>(item.content));
  }
  const IpsecStatus input{.sas = {event("lap", up_for(1), {child(), named})},
                          .policies = {policy("ovh", "TUNNEL")}};
  const std::string of_child = ipsec_status(input, "lap2");
  EXPECT_EQ(of_child, R"(Security Associations (1 up, 0 connecting):
         lap[1]: ESTABLISHED 1 second ago, 192.0.2.2[laptop@heap.ovh]...192.0.2.1[vpn.heap.ovh]
        lap2{9}:  INSTALLED, TUNNEL, reqid 1, ESP in UDP SPIs: 26d6a3de_i 6c894633_o
        lap2{9}:   10.9.1.1/32 === 10.9.0.0/24 10.9.5.0/24
)");
  const std::string of_connection = ipsec_status(input, "lap");
  EXPECT_NE(of_connection.find("lap{1}"), std::string::npos);
  EXPECT_NE(of_connection.find("lap2{9}"), std::string::npos);
  EXPECT_EQ(ipsec_status(input, "ovh"), R"(Routed Connections:
         ovh{741}:  ROUTED, TUNNEL, reqid 2
         ovh{741}:   192.0.2.2/32 === 10.9.0.0/16
Security Associations (1 up, 0 connecting):
  no match
)");
}

TEST(IpsecStatus, ChildrenThatAreOnTheirWayOut) {
  Message gone;
  gone.add("name", "lap").add("uniqueid", "2").add("reqid", "2").add("state", "DELETED");
  gone.add("mode", "TUNNEL").add("local-ts", List{"a"}).add("remote-ts", List{"b"});
  Message old;
  old.add("name", "lap").add("uniqueid", "3").add("reqid", "2").add("state", "REKEYED");
  old.add("mode", "TUNNEL").add("life-time", "3300");
  old.add("local-ts", List{"a"}).add("remote-ts", List{"b"});
  const std::string text = ipsec_statusall({.sas = {event("lap", up_for(1), {gone, old})}}, "");
  EXPECT_NE(text.find("         lap{2}:  DELETED, TUNNEL, reqid 2\n"
                      "         lap{2}:   a === b\n"
                      "         lap{3}:  REKEYED, TUNNEL, reqid 2, expires in 55 minutes\n"
                      "         lap{3}:   a === b\n"),
            std::string::npos)
      << text;
}

Message stats() {
  Message out;
  out.section("uptime").add("running", "18 seconds").add("since", "Nov 26 18:59:43 2026");
  Message& workers = out.section("workers");
  workers.add("total", "16").add("idle", "6");
  workers.section("active")
      .add("critical", "6")
      .add("high", "0")
      .add("medium", "4")
      .add("low", "0");
  out.section("queues").add("critical", "0").add("high", "0").add("medium", "1").add("low", "0");
  out.add("scheduled", "8").add("plugins", List{"openssl", "esp"});
  out.section("mallinfo")
      .add("sbrk", "2961408")
      .add("mmap", "0")
      .add("used", "1102624")
      .add("free", "1858784");
  return out;
}

Message connection(const char* method, std::string_view dpd) {
  Message body;
  body.add("local_addrs", List{"%any"}).add("remote_addrs", List{"192.0.2.1", "192.0.2.9"});
  body.add("version", "IKEv2");
  if (!dpd.empty()) body.add("dpd_delay", dpd);
  body.section("local-1")
      .add("id", "laptop@heap.ovh")
      .add("class", method)
      .add("certs", List{"C=DE, O=heap.ovh, CN=laptop"});
  body.section("remote-1")
      .add("id", "%any")
      .add("class", "public key")
      .add("cacerts", List{"C=DE, O=heap.ovh, CN=ca"})
      .add("revocation", "GOOD");
  Message& one = body.section("children").section("lap");
  one.add("mode", "TUNNEL").add("dpd_action", "trap");
  one.add("local-ts", List{"dynamic"})
      .add("remote-ts", List{"10.9.0.0/24", "10.9.5.0/24[tcp/443]"});
  Message out;
  out.add("lap", std::move(body));
  return out;
}

TEST(IpsecStatusAll, TheWholeListing) {
  IpsecStatus input{.sas = {event("lap", up_for(0), {child()})}};
  input.version.add("daemon", "cygnetd").add("version", "0.1.0").add("sysname", "Linux");
  input.version.add("release", "6.1.0").add("machine", "x86_64");
  input.stats = stats();
  input.pools.section("10.9.1.0/24").add("size", "254").add("online", "1").add("offline", "2");
  input.addresses = {"192.0.2.2", "2001:db8::2"};
  input.connections = {connection("pre-shared key", "20")};
  EXPECT_EQ(ipsec_statusall(input, ""),
            R"(Status of IKE cygnetd daemon (cygnet 0.1.0, Linux 6.1.0, x86_64):
  uptime: 18 seconds, since Nov 26 18:59:43 2026
  malloc: sbrk 2961408, mmap 0, used 1102624, free 1858784
  worker threads: 6 of 16 idle, 6/0/4/0 working, job queue: 0/0/1/0, scheduled: 8
  loaded plugins: openssl esp
Virtual IP pools (size/online/offline):
  10.9.1.0/24: 254/1/2
Listening IP addresses:
  192.0.2.2
  2001:db8::2
Connections:
         lap:  %any...192.0.2.1,192.0.2.9  IKEv2, dpddelay=20s
         lap:   local:  [laptop@heap.ovh] uses pre-shared key authentication
         lap:    cert:  "C=DE, O=heap.ovh, CN=laptop"
         lap:   remote: uses public key authentication
         lap:    ca:    "C=DE, O=heap.ovh, CN=ca"
         lap:    crl:   status must be GOOD
         lap:   child:  dynamic === 10.9.0.0/24 10.9.5.0/24[tcp/443] TUNNEL, dpdaction=trap
Security Associations (1 up, 0 connecting):
         lap[1]: ESTABLISHED 0 seconds ago, 192.0.2.2[laptop@heap.ovh]...192.0.2.1[vpn.heap.ovh]
         lap[1]: IKEv2 SPIs: 08f201ad075f5d1f_i* 13a09847653e144f_r, pre-shared key reauthentication in 2 hours
         lap[1]: IKE proposal: AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384
         lap{1}:  INSTALLED, TUNNEL, reqid 1, ESP in UDP SPIs: 26d6a3de_i 6c894633_o
         lap{1}:  AES_GCM_16_256, 252 bytes_i (3 pkts, 1s ago), 84 bytes_o (1 pkt, 1s ago), rekeying in 45 minutes
         lap{1}:   10.9.1.1/32 === 10.9.0.0/24 10.9.5.0/24
)");
  // Nothing else is told of a connection without liveness checks.
  input.connections = {connection("public key", "")};
  const std::string text = ipsec_statusall(input, "lap");
  EXPECT_NE(text.find("192.0.2.9  IKEv2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("443] TUNNEL\n"), std::string::npos) << text;
}

TEST(IpsecStatusAll, ResponderThatDoesNotRekey) {
  Message sa;
  sa.add("uniqueid", "5").add("version", "2").add("state", "ESTABLISHED").add("established", "0");
  sa.add("local-host", "192.0.2.1").add("remote-host", "192.0.2.2");
  sa.add("initiator-spi", "333895abad86833c").add("responder-spi", "bb83ba41484080cf");
  sa.add("encr-alg", "AES_CBC").add("encr-keysize", "256").add("integ-alg", "HMAC_SHA2_384_192");
  sa.add("prf-alg", "PRF_HMAC_SHA2_384").add("dh-group", "ECP_384");
  Message child;
  child.add("name", "roadwarriors").add("uniqueid", "9").add("reqid", "1");
  child.add("state", "INSTALLED").add("mode", "TRANSPORT").add("protocol", "ESP");
  child.add("spi-in", "c542e251").add("spi-out", "9ae254ba");
  child.add("encr-alg", "AES_CBC").add("encr-keysize", "256");
  child.add("integ-alg", "HMAC_SHA2_256_128").add("dh-group", "ECP_384").add("esn", "1");
  child.add("bytes-in", "0").add("packets-in", "0").add("bytes-out", "0").add("packets-out", "0");
  child.add("local-ts", List{"10.9.0.0/24"}).add("remote-ts", List{"10.9.1.1/32"});
  const std::string text = ipsec_statusall({.sas = {event("roadwarriors", sa, {child})}}, "");
  EXPECT_EQ(text.substr(text.find("Security")), R"(Security Associations (1 up, 0 connecting):
roadwarriors[5]: ESTABLISHED 0 seconds ago, 192.0.2.1[%any]...192.0.2.2[%any]
roadwarriors[5]: IKEv2 SPIs: 333895abad86833c_i bb83ba41484080cf_r*, rekeying disabled
roadwarriors[5]: IKE proposal: AES_CBC_256/HMAC_SHA2_384_192/PRF_HMAC_SHA2_384/ECP_384
roadwarriors{9}:  INSTALLED, TRANSPORT, reqid 1, ESP SPIs: c542e251_i 9ae254ba_o
roadwarriors{9}:  AES_CBC_256/HMAC_SHA2_256_128/ECP_384/ESN, 0 bytes_i, 0 bytes_o, rekeying disabled
roadwarriors{9}:   10.9.0.0/24 === 10.9.1.1/32
)");
}

TEST(IpsecStatusAll, Connecting_TellsTasksAndNoTimes) {
  Message sa;
  sa.add("uniqueid", "3")
      .add("version", "2")
      .add("state", "CONNECTING")
      .add_flag("initiator", true);
  sa.add("local-host", "192.0.2.2").add("remote-host", "192.0.2.77");
  sa.add("initiator-spi", "c52d0b02c50ca84d").add("responder-spi", "0000000000000000");
  sa.add("tasks-active", List{"IKE_INIT", "CHILD_CREATE"});
  const std::string text = ipsec_statusall({.sas = {event("dead", sa)}}, "");
  EXPECT_EQ(text.substr(text.find("Security")), R"(Security Associations (0 up, 1 connecting):
        dead[3]: CONNECTING, 192.0.2.2[%any]...192.0.2.77[%any]
        dead[3]: IKEv2 SPIs: c52d0b02c50ca84d_i* 0000000000000000_r
        dead[3]: Tasks active: IKE_INIT CHILD_CREATE 
)");
}

TEST(IpsecSpan, LargestUnitOfWhichThereAreMoreThanTwo) {
  EXPECT_EQ(ipsec_span(0), "0 seconds");
  EXPECT_EQ(ipsec_span(1), "1 second");
  EXPECT_EQ(ipsec_span(120), "120 seconds");
  EXPECT_EQ(ipsec_span(121), "2 minutes");
  EXPECT_EQ(ipsec_span(7200), "120 minutes");
  EXPECT_EQ(ipsec_span(9904), "2 hours");
  EXPECT_EQ(ipsec_span(172800), "48 hours");
  EXPECT_EQ(ipsec_span(172801), "2 days");
}

TEST(IpsecLeases, Listing) {
  Message pools;
  Message& used = pools.section("10.9.1.0/24");
  used.add("base", "10.9.1.1").add("size", "254").add("online", "1").add("offline", "1");
  Message& leases = used.section("leases");
  leases.section("0")
      .add("address", "10.9.1.1")
      .add("identity", "laptop@heap.ovh")
      .add("status", "online");
  leases.section("1")
      .add("address", "10.9.1.2")
      .add("identity", "C=DE, CN=t520")
      .add("status", "offline");
  pools.section("10.9.2.1").add("size", "1").add("online", "0").add("offline", "0");
  EXPECT_EQ(ipsec_leases(pools, "", ""), R"(Leases in pool '10.9.1.0/24', usage: 2/254, 1 online
         10.9.1.1   online   'laptop@heap.ovh'
         10.9.1.2   offline   'C=DE, CN=t520'
Leases in pool '10.9.2.1', usage: 0/1, 0 online
  no matching leases found
)");
  EXPECT_EQ(ipsec_leases(pools, "10.9.1.0/24", "10.9.1.2"),
            "Leases in pool '10.9.1.0/24', usage: 2/254, 1 online\n"
            "         10.9.1.2   offline   'C=DE, CN=t520'\n");
  EXPECT_EQ(ipsec_leases(pools, "nosuch", ""), "pool 'nosuch' not found\n");
  EXPECT_EQ(ipsec_leases({}, "", ""), "no pools found\n");
}

TEST(IpsecCounters, OfAllOrOneConnection) {
  Message answer;
  answer.section("counters").section("").add("ike-init-in-resp", "12").add("info-out-resp", "3");
  const std::string text = ipsec_counters(answer, "");
  EXPECT_TRUE(text.starts_with("\nList of IKE counters:\n\nikeInitRekey                  0\n"))
      << text;
  EXPECT_NE(text.find("\nikeInInitRsp                 12\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\nikeOutInfoRsp                 3\n")) << text;
  EXPECT_EQ(ipsec_counters(answer, "nosuch"), "No IKE counters found for 'nosuch'\n");
  Message of_one;
  of_one.section("counters").section("lap").add("invalid", "1");
  EXPECT_TRUE(ipsec_counters(of_one, "lap").starts_with("\nList of IKE counters for 'lap':\n\n"));
}

TEST(IpsecAlgorithms, LinesOfAtMost120) {
  Message answer;
  Message& ciphers = answer.section("encryption");
  for (const char* name :
       {"AES_CBC", "AES_CTR", "AES_ECB", "AES_CFB", "CAMELLIA_CBC", "CAMELLIA_CTR"}) {
    ciphers.add(name, "openssl");
  }
  answer.section("ke").add("ECP_384", "openssl");
  EXPECT_EQ(ipsec_algorithms(answer), R"(
List of registered IKE algorithms:

  encryption: AES_CBC[openssl] AES_CTR[openssl] AES_ECB[openssl] AES_CFB[openssl] CAMELLIA_CBC[openssl]
              CAMELLIA_CTR[openssl]
  dh-group:   ECP_384[openssl]
)");
}

TEST(IpsecPlugins, Listing) {
  EXPECT_EQ(ipsec_plugins(stats()), "\nList of loaded Plugins:\n\nopenssl:\nesp:\n");
}

TEST(IpsecCertificates, Listing) {
  Message certificate;
  certificate.add("type", "X509").add("flag", "NONE").add_flag("has_privkey", true);
  certificate.add("subject", "C=DE, O=heap.ovh, CN=laptop")
      .add("issuer", "C=DE, O=heap.ovh, CN=ca");
  certificate.add("not-before", "1795719582").add("not-after", "1797447582");
  certificate.add("serial", "5d:d6:21:29:3e:79:b7:08").add("alt-names", List{"laptop@heap.ovh"});
  certificate.add("flags", List{"serverAuth"}).add("authority-key-id", "06:d9:69");
  certificate.add("subject-key-id", "e4:91:9f").add("key", "ECDSA 384 bits");
  certificate.add("key-id", "61:30:b3").add("key-sha1", "e4:91:9f");
  EXPECT_EQ(ipsec_certificates("X.509 End Entity Certificates", {certificate},
                               {.now = 1795719600, .utc = true}),
            R"(
List of X.509 End Entity Certificates

  subject:  "C=DE, O=heap.ovh, CN=laptop"
  issuer:   "C=DE, O=heap.ovh, CN=ca"
  validity:  not before Nov 26 18:59:42 UTC 2026, ok
             not after  Dec 16 18:59:42 UTC 2026, ok (expires in 19 days)
  serial:    5d:d6:21:29:3e:79:b7:08
  altNames:  laptop@heap.ovh
  flags:     serverAuth 
  authkeyId: 06:d9:69
  subjkeyId: e4:91:9f
  pubkey:    ECDSA 384 bits, has private key
  keyid:     61:30:b3
  subjkey:   e4:91:9f
)");
  EXPECT_EQ(ipsec_certificates("X.509 CA Certificates", {}, {}), "");
}

TEST(IpsecCertificates, OutOfTheirTime) {
  Message certificate;
  certificate.add("not-before", "86400000").add("not-after", "172800000");
  const auto at = [&](std::int64_t now) {
    return ipsec_certificates("X", {certificate}, {.now = now, .utc = true});
  };
  EXPECT_NE(at(86400000 - 864000).find("not valid yet (valid in 10 days)\n"), std::string::npos);
  EXPECT_NE(at(172800000 + 864000).find("expired (10 days ago)\n"), std::string::npos);
}

TEST(IpsecAuthorities, ThoseWithUris) {
  Message plain;
  plain.section("bare").add("cacert", "CN=x").add("crl_uris", List{}).add("ocsp_uris", List{});
  Message full;
  full.section("heap")
      .add("cacert", "C=DE, O=heap.ovh, CN=ca")
      .add("crl_uris", List{"http://192.0.2.1/ca.crl", "http://192.0.2.2/ca.crl"})
      .add("ocsp_uris", List{});
  EXPECT_EQ(ipsec_authorities({plain, full}), R"(
List of CA Information Sections:

  authname:    "C=DE, O=heap.ovh, CN=ca"
  crluris:     'http://192.0.2.1/ca.crl'
               'http://192.0.2.2/ca.crl'
)");
  EXPECT_EQ(ipsec_authorities({plain}), "");
}

}  // namespace
}  // namespace cygnet::cli
