// From ipsec.conf and ipsec.secrets to the tree, and through it to the model.
#include "config/ipsec_convert.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "config/ipsec_keywords.hpp"
#include "config/section_text.hpp"
#include "config/swanctl_parser.hpp"
#include "pki/identity.hpp"
#include "support/test_pki.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

using Others = std::map<std::string, std::string>;

struct World {
  explicit World(const std::string& conf, Others others = {}) : files(std::move(others)) {
    files.files_["/etc/ipsec.conf"] = conf;
    input.conf_path = "/etc/ipsec.conf";
  }
  World& secrets(const std::string& text) {
    files.files_["/etc/ipsec.secrets"] = text;
    input.secrets_path = "/etc/ipsec.secrets";
    return *this;
  }
  World& own(const char* address) {
    input.own_addresses.push_back(*IpAddress::parse(address));
    return *this;
  }
  test::MemoryFiles files;
  IpsecInput input;
};

struct Result {
  Section root;
  std::string faults;
  std::string notes;
  std::optional<model::LogLevels> charon_debug;
};
std::string lines_of(const std::vector<ConversionNote>& notes) {
  std::string out;
  for (const ConversionNote& note : notes) out += note.line() + "\n";
  return out;
}
Result convert(World world) {
  Diagnostics diags;
  Converted out = convert_ipsec(world.input, world.files, diags);
  return {std::move(out.root), diags.text(), lines_of(out.notes), std::move(out.charon_debug)};
}
struct LoadResult {
  Loaded loaded;
  std::string faults;
  std::string notes;
};
LoadResult load(World world) {
  Diagnostics diags;
  LoadedIpsec out = load_ipsec(world.input, world.files, diags);
  return {std::move(out.loaded), diags.text(), lines_of(out.notes)};
}

/// A conn with a peer to call, and these lines.
std::string conn(const std::string& lines) {
  return "conn c\n  auto=add\n  right=192.0.2.2\n" + lines;
}
/// The key at "connections>c>local>id"; empty when there is none.
std::string at(const Section& root, std::string_view path) {
  const Section* section = &root;
  for (std::size_t cut = path.find('>'); cut != std::string_view::npos; cut = path.find('>')) {
    section = section->find_section(path.substr(0, cut));
    if (section == nullptr) return {};
    path.remove_prefix(cut + 1);
  }
  const Key* key = section->find_key(path);
  return key == nullptr ? std::string{} : key->value;
}
/// The same within the one connection of a conn with these lines, which must have no fault.
std::string option(const std::string& lines, std::string_view path) {
  const Result out = convert(World{conn(lines)});
  EXPECT_EQ(out.faults, "") << lines;
  return at(out.root, "connections>c>" + std::string{path});
}
std::string child_option(const std::string& lines, const std::string& path) {
  return option(lines, "children>c>" + path);
}
std::string notes(const std::string& lines) { return convert(World{conn(lines)}).notes; }
std::string faults(const std::string& lines) { return convert(World{conn(lines)}).faults; }
/// The only connection that is loaded.
model::Connection loaded(World world) {
  LoadResult out = load(std::move(world));
  EXPECT_EQ(out.faults, "");
  EXPECT_EQ(out.loaded.connections.size(), 1u);
  return out.loaded.connections.empty() ? model::Connection{} : out.loaded.connections[0];
}
std::string as_text(const Bytes& bytes) { return cygnet::to_string(bytes); }

// --- the configurations that cygnet is for
// ---------------------------------------------------------

constexpr const char* kGateway =
    "conn %default\n"
    "    keyexchange=ikev2\n"
    "    ike=aes256gcm16-prfsha384-ecp384,aes256-sha384-ecp384!\n"
    "    esp=aes256gcm16-ecp384!\n"
    "    dpdaction=clear\n"
    "    dpddelay=300s\n"
    "    rekey=no\n"
    "    left=%any\n"
    "    leftcert=gatewayCert.der\n"
    "    leftid=vpn.heap.ovh\n"
    "    leftsubnet=0.0.0.0/0\n"
    "    leftfirewall=yes\n"
    "    right=%any\n"
    "conn roadwarriors\n"
    "    rightsourceip=10.9.1.0/24\n"
    "    rightdns=1.1.1.1\n"
    "    auto=add\n"
    "conn t520\n"
    "    rightid=\"C=DE, O=heap.ovh, CN=t520\"\n"
    "    rightsourceip=10.9.2.1\n"
    "    auto=add                      # prose says auto=route\n";

constexpr const char* kClient =
    "conn %default\n"
    "    keyexchange=ikev2\n"
    "    ike=aes256gcm16-prfsha384-ecp384,aes256-sha384-ecp384!\n"
    "    esp=aes256gcm16-ecp384!\n"
    "    dpdaction=restart\n"
    "    keyingtries=%forever\n"
    "conn ovh\n"
    "    left=%any\n"
    "    leftsourceip=%config\n"
    "    leftcert=t520CertECDSA.der\n"
    "    leftid=\"C=DE, O=heap.ovh, CN=t520\"\n"
    "    right=vpn.heap.ovh\n"
    "    rightid=vpn.heap.ovh\n"
    "    rightsubnet=10.9.0.0/16       # lost; may also be unset\n"
    "    auto=route\n";

const test::Issued& authority() {
  static const test::Issued ca = test::CertMaker::ca("root").key(test::TestKey::p384).self_signed();
  return ca;
}
const test::Issued& end_certificate() {
  static const test::Issued leaf = test::CertMaker::leaf("gw")
                                       .key(test::TestKey::p384)
                                       .san("DNS:vpn.heap.ovh")
                                       .issued_by(authority());
  return leaf;
}

World gateway() {
  return World{kGateway,
               {{"/etc/ipsec.d/certs/gatewayCert.der", as_text(end_certificate().cert)},
                {"/etc/ipsec.d/cacerts/caCert.der", as_text(authority().cert)},
                {"/etc/ipsec.d/private/gatewayKey.der", as_text(end_certificate().key)}}}
      .secrets(": ECDSA gatewayKey.der\n");
}
World client() {
  return World{kClient,
               {{"/etc/ipsec.d/certs/t520CertECDSA.der", as_text(end_certificate().cert)},
                {"/etc/ipsec.d/cacerts/caCert.der", as_text(authority().cert)},
                {"/etc/ipsec.d/private/LaptopKeyECDSA.der", as_text(end_certificate().key)}}}
      .secrets(": ECDSA LaptopKeyECDSA.der\n");
}

/// What all three connections of the two files have.
model::Connection common() {
  model::Connection out;
  out.proposals =
      *model::parse_proposals("aes256gcm16-prfsha384-ecp384,aes256-sha384-ecp384", ProtocolId::ike);
  out.unique = model::Uniqueness::replace;
  out.local.certs = {end_certificate().cert};
  model::ChildTemplate child;
  child.esp_proposals = *model::parse_proposals("aes256gcm16-ecp384", ProtocolId::esp);
  out.children = {child};
  return out;
}

/// The gateway's: nothing is replaced by it, which Windows behind a NAT would not like.
model::Connection of_gateway(const std::string& name) {
  model::Connection out = common();
  out.name = name;
  out.keyingtries = 3;
  out.dpd_delay = seconds{300};
  out.lifetime = {.rekey = seconds{0}, .life = seconds{0}, .jitter = seconds{0}};
  out.local.id = *pki::parse_identity("vpn.heap.ovh");
  model::ChildTemplate& child = out.children[0];
  child.name = name;
  child.local_ts = {*model::parse_selector("0.0.0.0/0")};
  child.lifetime = {.rekey = seconds{0}, .life = hours{1}, .jitter = hours{1}};
  return out;
}

TEST(IpsecSeed, Gateway_Connections) {
  const LoadResult out = load(gateway());
  EXPECT_EQ(out.faults, "");
  ASSERT_EQ(out.loaded.connections.size(), 2u);

  model::Connection roadwarriors = of_gateway("roadwarriors");
  roadwarriors.pools = {"roadwarriors"};
  EXPECT_TRUE(out.loaded.connections[0] == roadwarriors);

  model::Connection t520 = of_gateway("t520");
  t520.pools = {"t520"};
  t520.remote.id = *pki::parse_identity_pattern("C=DE, O=heap.ovh, CN=t520");
  EXPECT_TRUE(out.loaded.connections[1] == t520);
}

TEST(IpsecSeed, Gateway_Pools) {
  const LoadResult out = load(gateway());
  ASSERT_EQ(out.loaded.pools.size(), 2u);
  EXPECT_EQ(out.loaded.pools[0].name, "roadwarriors");
  EXPECT_EQ(out.loaded.pools[0].range.text(), "10.9.1.1..10.9.1.254");
  EXPECT_EQ(out.loaded.pools[0].dns, std::vector<IpAddress>{*IpAddress::parse("1.1.1.1")});
  EXPECT_EQ(out.loaded.pools[1].name, "t520");
  EXPECT_EQ(out.loaded.pools[1].range.first, *IpAddress::parse("10.9.2.1"));
  EXPECT_EQ(out.loaded.pools[1].range.last, *IpAddress::parse("10.9.2.1"));
  EXPECT_TRUE(out.loaded.pools[1].dns.empty());
}

TEST(IpsecSeed, Gateway_Credentials) {
  const LoadResult out = load(gateway());
  ASSERT_EQ(out.loaded.authorities.size(), 1u);
  EXPECT_EQ(out.loaded.authorities[0].name, "caCert_der");
  EXPECT_EQ(out.loaded.authorities[0].cacert, authority().cert);
  EXPECT_TRUE(out.loaded.certificates.empty());
  ASSERT_EQ(out.loaded.keys.size(), 1u);
  EXPECT_EQ(out.loaded.keys[0].kind, KeyFileKind::ecdsa);
  EXPECT_EQ(out.loaded.keys[0].path, "/etc/ipsec.d/private/gatewayKey.der");
  EXPECT_EQ(to_bytes(out.loaded.keys[0].data.reveal()), end_certificate().key);
  EXPECT_TRUE(out.loaded.keys[0].password.empty());
  EXPECT_TRUE(out.loaded.shared_secrets.empty());
}

TEST(IpsecSeed, Gateway_SaysWhatIsDifferent) {
  EXPECT_EQ(load(gateway()).notes,
            "/etc/ipsec.conf:12:5: warning: leftfirewall=yes let a script allow the tunnel's "
            "packets in iptables; no rule is made now, so the firewall must let them pass\n");
}

TEST(IpsecSeed, Client) {
  model::Connection ovh = common();
  ovh.name = "ovh";
  ovh.remote_addrs = {model::HostName{"vpn.heap.ovh"}};
  ovh.vips = {IpAddress::any(IpFamily::v4)};
  ovh.keyingtries = 0;
  ovh.dpd_delay = seconds{30};
  ovh.lifetime = {.rekey = seconds{0}, .life = seconds{0}, .jitter = minutes{9}};
  ovh.reauth_time = minutes{171};
  ovh.local.id = *pki::parse_identity("C=DE, O=heap.ovh, CN=t520");
  ovh.remote.id = *pki::parse_identity_pattern("vpn.heap.ovh");
  model::ChildTemplate& child = ovh.children[0];
  child.name = "ovh";
  child.remote_ts = {*model::parse_selector("10.9.0.0/16")};
  child.lifetime = {.rekey = minutes{51}, .life = hours{1}, .jitter = minutes{9}};
  child.start_action = model::ChildAction::trap;
  child.dpd_action = model::ChildAction::start;

  const LoadResult out = load(client());
  EXPECT_EQ(out.faults, "");
  EXPECT_EQ(out.notes, "");
  ASSERT_EQ(out.loaded.connections.size(), 1u);
  EXPECT_TRUE(out.loaded.connections[0] == ovh);
}

// The same client as somebody would write it for swanctl.
TEST(IpsecSeed, Client_EqualsAHandWrittenSwanctlConf) {
  World world = client();
  Diagnostics diags;
  const Section root = parse_swanctl_text(
      "connections { ovh {\n"
      "  remote_addrs = vpn.heap.ovh\n"
      "  proposals = aes256gcm16-prfsha384-ecp384,aes256-sha384-ecp384\n"
      "  vips = 0.0.0.0\n"
      "  dpd_delay = 30s\n"
      "  keyingtries = 0\n"
      "  unique = replace\n"
      "  reauth_time = 171m\n"
      "  rekey_time = 0\n"
      "  over_time = 9m\n"
      "  rand_time = 9m\n"
      "  local { auth = pubkey\n"
      "    certs = /etc/ipsec.d/certs/t520CertECDSA.der\n"
      "    id = \"C=DE, O=heap.ovh, CN=t520\" }\n"
      "  remote { auth = pubkey\n    id = vpn.heap.ovh }\n"
      "  children { ovh {\n"
      "    remote_ts = 10.9.0.0/16\n"
      "    esp_proposals = aes256gcm16-ecp384\n"
      "    start_action = trap\n"
      "    dpd_action = restart\n"
      "    rekey_time = 51m\n    life_time = 1h\n    rand_time = 9m } } } }\n",
      "c", world.files, diags);
  const Loaded expected = load_swanctl(root, world.files, "/nowhere", diags);
  EXPECT_EQ(diags.text(), "");
  ASSERT_EQ(expected.connections.size(), 1u);
  EXPECT_TRUE(loaded(client()) == expected.connections[0]);
}

// Each of the three, as the text of swanctl.conf, loads to the same as without that detour.
TEST(IpsecSeed, TextOfTheTree_LoadsToTheSame) {
  World world = gateway();
  Diagnostics diags;
  const Converted converted = convert_ipsec(world.input, world.files, diags);
  const auto text = section_text(converted.root, Secrets::written);
  ASSERT_TRUE(text) << text.error().text();
  const Section root = parse_swanctl_text(*text, "c", world.files, diags);
  EXPECT_TRUE(same_values(root, converted.root)) << *text;
  const Loaded from_text = load_sections(root, world.files, "/etc/ipsec.d", diags);
  EXPECT_EQ(diags.text(), "");
  EXPECT_TRUE(from_text.connections == load(gateway()).loaded.connections);
  EXPECT_TRUE(from_text.pools == load(gateway()).loaded.pools);
}

// --- every keyword
// -----------------------------------------------------------------------------------

/// A keyword with a value, and where in the connection's section it ends up.
struct Row {
  const char* lines;
  const char* path;
  const char* value;
};
/// For keywords of a side the local one's row is here; the remote one's follow.
constexpr Row kRows[] = {
    {"keyexchange=ikev2", "version", "2"},
    {"keyexchange=ike", "version", "2"},
    {"type=transport", "children>c>mode", "transport"},
    {"type=transport_proxy", "children>c>mode", "transport_proxy"},
    {"auto=start", "children>c>start_action", "start"},
    {"authby=secret", "local>auth", "psk"},
    {"authby=psk", "remote>auth", "psk"},
    {"authby=ecdsasig", "local>auth", "pubkey"},
    {"installpolicy=no", "children>c>policies", "no"},
    {"reqid=7", "children>c>reqid", "7"},
    {"ike=aes256-sha384-ecp384!", "proposals", "aes256-sha384-ecp384"},
    {"esp=aes256gcm16", "children>c>esp_proposals", "aes256gcm16, default"},
    {"ah=sha256!", "children>c>ah_proposals", "sha256"},
    {"sha256_96=yes", "children>c>sha256_96", "yes"},
    {"compress=yes", "children>c>ipcomp", "yes"},
    {"tfc=100", "children>c>tfc_padding", "100"},
    {"tfc=%mtu", "children>c>tfc_padding", "mtu"},
    {"replay_window=64", "children>c>replay_window", "64"},
    {"replay_window=-1", "children>c>replay_window", ""},
    {"ikelifetime=4h", "reauth_time", "231m"},
    {"lifetime=2h", "children>c>life_time", "2h"},
    {"keylife=2h", "children>c>rekey_time", "111m"},
    {"margintime=5m", "children>c>rekey_time", "55m"},
    {"rekeymargin=5m", "over_time", "5m"},
    {"rekeyfuzz=50%", "children>c>rand_time", "270s"},
    {"rekey=no", "children>c>rekey_time", "0s"},
    {"reauth=no", "rekey_time", "171m"},
    {"keyingtries=5", "keyingtries", "5"},
    {"keyingtries=%forever", "keyingtries", "0"},
    {"lifebytes=1000", "children>c>life_bytes", "1000"},
    {"lifebytes=1000\n  marginbytes=100", "children>c>rekey_bytes", "900"},
    {"lifepackets=1000", "children>c>life_packets", "1000"},
    {"lifepackets=1000\n  marginpackets=10", "children>c>rekey_packets", "990"},
    {"inactivity=10m", "children>c>inactivity", "10m"},
    {"dpdaction=hold", "children>c>dpd_action", "trap"},
    {"dpdaction=restart", "children>c>dpd_action", "restart"},
    {"dpdaction=clear", "dpd_delay", "30s"},
    {"dpdaction=clear\n  dpddelay=2m", "dpd_delay", "2m"},
    {"dpdtimeout=100s", "dpd_timeout", "100s"},
    {"closeaction=hold", "children>c>close_action", "trap"},
    {"closeaction=restart", "children>c>close_action", "start"},
    {"closeaction=clear", "children>c>close_action", ""},
    {"mobike=no", "mobike", "no"},
    {"fragmentation=force", "fragmentation", "force"},
    {"forceencaps=yes", "encap", "yes"},
    {"ikedscp=000001", "dscp", "000001"},
    {"mark=5", "children>c>mark_in", "5"},
    {"mark=5/0xff", "children>c>mark_out", "5/0xff"},
    {"mark=5\n  mark_in=6", "children>c>mark_in", "6"},
    {"mark_out=%unique", "children>c>mark_out", "%unique"},
    {"rightauth=eap-md5\n  eap_identity=%identity", "remote>eap_id", "%any"},
    {"leftauth=eap\n  eap_identity=carol", "local>eap_id", "carol"},
    {"leftauth=eap\n  aaa_identity=radius.example", "local>aaa_id", "radius.example"},
    {"aggressive=yes", "aggressive", "yes"},
    {"modeconfig=push", "pull", "no"},
    {"modeconfig=pull", "pull", "yes"},
    {"xauth_identity=carol", "local>xauth_id", "carol"},
    {"mediation=yes", "mediation", "yes"},
    {"mediated_by=m", "mediated_by", "m"},
    {"me_peerid=x", "mediation_peer", "x"},
    {"left=10.0.0.1", "local_addrs", "10.0.0.1"},
    {"left=%defaultroute", "local_addrs", ""},
    {"right=10.0.0.2,10.1.0.0/16\n  rightid=@x", "remote_addrs", "10.0.0.2,10.1.0.0/16"},
    {"right=10.0.0.1-10.0.0.9\n  rightid=@x", "remote_addrs", "10.0.0.1-10.0.0.9"},
    {"right=vpn.example", "remote_addrs", "vpn.example"},
    {"right=%vpn.example", "remote_addrs", "vpn.example, 0.0.0.0/0, ::/0"},
    {"left=%10.0.0.1", "local_addrs", ""},
    {"rightallowany=yes", "remote_addrs", "192.0.2.2, 0.0.0.0/0, ::/0"},
    {"leftallowany=yes\n  left=10.0.0.1", "local_addrs", ""},
    {"leftsubnet=10.1.0.0/24,10.2.0.0/24[tcp/22]", "children>c>local_ts",
     "10.1.0.0/24,10.2.0.0/24[tcp/22]"},
    {"rightsubnetwithin=10.0.0.0/8", "children>c>remote_ts", "10.0.0.0/8"},
    {"rightsubnet=%dynamic[udp/%any]", "children>c>remote_ts", "dynamic[udp/any]"},
    {"rightsubnet=10.0.0.0/8[udp/%opaque]", "children>c>remote_ts", "10.0.0.0/8[udp/opaque]"},
    {"leftprotoport=tcp/http", "children>c>local_ts", "dynamic[tcp/http]"},
    {"rightprotoport=17\n  rightsubnet=10.0.0.0/8,::/0[6]", "children>c>remote_ts",
     "10.0.0.0/8[17], ::/0[6]"},
    {"leftsourceip=%config", "vips", "0.0.0.0"},
    {"leftsourceip=%cfg", "vips", "0.0.0.0"},
    {"leftsourceip=%modeconfig", "vips", "0.0.0.0"},
    {"leftsourceip=%modecfg\n  left=2001:db8::1", "vips", "::"},
    {"leftsourceip=%config4,%config6", "vips", "0.0.0.0, ::"},
    {"leftsourceip=10.3.0.1", "vips", "10.3.0.1"},
    {"rightsourceip=10.3.0.0/24", "pools", "c"},
    {"rightsourceip=10.3.0.0/24,fd00::1-fd00::9", "pools", "c, c-2"},
    {"leftid=@gw", "local>id", "@gw"},
    {"leftid=%any", "local>id", ""},
    {"leftid=0.0.0.0", "local>id", ""},
    {"right=0.0.0.0", "remote>id", ""},
    {"rightid=%any", "remote>id", "%any"},
    {"rightid=%any6", "remote>id", "%any"},
    {"rightid=\"C=DE, CN=*\"", "remote>id", "C=DE, CN=*"},
    {"leftcert=/c/a.pem,b.pem", "local>certs", "/c/a.pem, /etc/ipsec.d/certs/b.pem"},
    {"rightcert=b.pem", "remote>certs", "/etc/ipsec.d/certs/b.pem"},
    {"leftauth=ike:pubkey-sha384", "local>auth", "ike:pubkey-sha384"},
    {"authby=psk\n  rightauth=pubkey", "remote>auth", "pubkey"},
    {"leftsendcert=yes", "send_cert", "always"},
    {"leftsendcert=no", "send_cert", "never"},
    {"leftsendcert=ifasked", "send_cert", "ifasked"},
    {"rightsendcert=never", "send_certreq", "no"},
    {"rightsendcert=always", "send_certreq", ""},
    {"lefthostaccess=yes", "children>c>hostaccess", "yes"},
    {"leftupdown=/bin/x", "children>c>updown", "/bin/x"},
    {"rightgroups=a,b", "remote>groups", "a,b"},
    {"rightcertpolicy=1.2.3", "remote>cert_policy", "1.2.3"},
    {"rightsigkey=key.pem", "remote>pubkeys", "key.pem"},
    {"leftrsasigkey=%cert", "local>pubkeys", ""},
    {"leftikeport=4501", "local_port", "4501"},
    {"rightikeport=4502", "remote_port", "4502"},
    {"rightauth2=eap\n  rightid2=carol", "remote-2>id", "carol"},
    {"leftauth2=eap", "local-2>auth", "eap"},
    {"rightauth2=psk", "remote-2>auth", "psk"},
    {"leftauth2=pubkey\n  leftcert2=d.pem", "local-2>certs", "/etc/ipsec.d/certs/d.pem"},
    {"rightauth2=pubkey\n  rightgroups2=x", "remote-2>groups", "x"},
};

TEST(IpsecKeywords, EachBecomesItsOption) {
  for (const Row& row : kRows) {
    const Result out = convert(World{conn("  " + std::string{row.lines} + "\n")});
    // %default's auto and right may be set again on purpose.
    EXPECT_EQ(out.faults.find("error"), std::string::npos) << row.lines << "\n" << out.faults;
    EXPECT_EQ(at(out.root, std::string{"connections>c>"} + row.path), row.value) << row.lines;
  }
}

// A keyword that the parser knows and nobody converts would vanish without a word.
TEST(IpsecKeywords, NoneIsForgotten) {
  // Those that only other tests here show.
  const std::set<std::string, std::less<>> elsewhere{"xauth", "leftfirewall", "leftdns", "leftca",
                                                     "leftca2"};
  std::string rows;
  for (const Row& row : kRows) rows += std::string{"\n  "} + row.lines;
  for (const std::string_view word : all_keywords(IpsecKind::conn, KeywordUse::used)) {
    const bool side = word.starts_with("left");
    const std::string left = "\n  " + std::string{word} + "=";
    const std::string right =
        side ? "\n  right" + std::string{word.substr(4)} + "=" : std::string{"\n\n"};
    const bool shown =
        rows.find(left) != std::string::npos || rows.find(right) != std::string::npos;
    EXPECT_TRUE(shown || elsewhere.contains(word)) << word;
  }
}

// The margin that nobody has set gives way to a short life.
TEST(IpsecLifetime, ShortLife_HasAShorterMargin) {
  const std::string told = notes("  lifetime=5m\n");
  EXPECT_NE(told.find("the usual margintime is longer than lifetime"), std::string::npos) << told;
  EXPECT_EQ(faults("  lifetime=5m\n"), "");
}

/// What is not done is refused or warned of by the loader, with ipsec.conf's word.
TEST(IpsecKeywords, WhatIsNotSupported_IsToldByItsOwnName) {
  const std::pair<const char*, const char*> rows[] = {
      {"ah=sha256!", "4:3: error: 'ah' is not supported yet"},
      {"compress=yes", "4:3: warning: 'compress' is not supported yet"},
      {"dpdtimeout=100s", "4:3: warning: 'dpdtimeout' belongs to IKEv1"},
      {"xauth=server", "4:3: warning: 'xauth' belongs to IKEv1"},
      {"modeconfig=push", "4:3: warning: 'modeconfig' belongs to IKEv1"},
      {"mark=5", "4:3: error: 'mark' is not supported yet"},
      {"rightgroups=a", "4:3: error: 'rightgroups' is not supported yet"},
      {"leftupdown=/x", "4:3: warning: 'leftupdown' is not supported yet"},
      {"leftauth=rsa-3072-sha1", "4:21: error: leftauth: 'sha1' is too weak"},
      {"rightauth=eap-tls", "4:13: error: rightauth: 'eap-tls' is not supported yet"},
      {"type=transport_proxy", "4:8: error: type: mode 'transport_proxy' is not supported yet"},
      {"ike=aes256-sha384-ecp385!", "4:21: error: ike: unknown algorithm 'ecp385'"},
      {"esp=aes256gcm16,aes128gcm17", "4:19: error: esp: unknown algorithm 'aes128gcm17'"},
      {"rightsubnet=10.0.0.0/8,10.0.0.0/33", "4:26: error: rightsubnet:"},
      {"rightsourceip=10.0.0.0/8,10.0.0.0/33", "4:28: error: rightsourceip:"},
      {"rightsourceip=10.0.0.0/8\n  rightdns=1.1.1", "5:12: error: rightdns:"},
      {"leftid=\"C=DE, X\"", "4:17: error: leftid:"},
      {"leftcert=gone.pem", "4:12: error: leftcert: open /etc/ipsec.d/certs/gone.pem"},
      {"lifebytes=x", "4:13: error: lifebytes:"},
      {"keyingtries=many", "4:15: error: keyingtries:"},
      {"leftikeport=70000", "4:15: error: leftikeport:"},
      {"leftauth2=pubkey", "1:6: error: a second authentication round ('local-2')"},
  };
  for (const auto& [lines, words] : rows) {
    const std::string found = load(World{conn("  " + std::string{lines} + "\n")}).faults;
    EXPECT_NE(found.find(std::string{"/etc/ipsec.conf:"} + words), std::string::npos)
        << lines << "\n"
        << found;
  }
}

/// Words that only ipsec.conf has are checked by the converter.
TEST(IpsecKeywords, FaultsOfTheConverter) {
  const std::pair<const char*, const char*> rows[] = {
      {"auto=strt",
       "4:8: error: auto: unknown value 'strt', did you mean 'start'?: known are "
       "ignore, add, route, start, keep"},
      {"keyexchange=ikev1",
       "4:15: error: keyexchange: IKEv1 is not supported: write ikev2 here and at the peer, which "
       "must speak IKEv2 as well"},
      {"authby=xauthpsk",
       "4:10: error: authby: 'xauthpsk' belongs to IKEv1, which is not supported: write pubkey or "
       "psk"},
      {"type=reject", "4:8: error: type: unknown value 'reject'"},
      {"dpdaction=kill", "4:13: error: dpdaction: unknown value 'kill'"},
      {"closeaction=trap", "4:15: error: closeaction: unknown value 'trap'"},
      {"leftsendcert=maybe", "4:16: error: leftsendcert: unknown value 'maybe'"},
      {"rekeyfuzz=-1%", "4:13: error: rekeyfuzz: '-1%' is no percentage from 0% to 1000%"},
      {"lifetime=1.5", "4:12: error: lifetime: '1.5' is no time"},
      {"margintime=2h", "4:14: error: margintime must be less than lifetime"},
      {"leftcert=%smartcard:50",
       "4:12: error: leftcert: '%smartcard:50': there is no PKCS#11; name a file"},
      {"rightsourceip=%dhcp",
       "4:17: error: rightsourceip: addresses from '%dhcp' are not supported"},
      {"rightsourceip=10.0.0.1,%big", "4:26: error: rightsourceip: '%big' is a pool in a database"},
      {"rightsourceip=%config",
       "4:17: error: rightsourceip: '%config' leaves the choice of its address to the peer"},
      {"rightca=\"C=DE, CN=x\"",
       "4:12: error: rightca: no certificate in /etc/ipsec.d/cacerts has the subject 'C=DE, "
       "CN=x'"},
  };
  for (const auto& [lines, words] : rows) {
    const std::string found = faults("  " + std::string{lines} + "\n");
    EXPECT_NE(found.find(std::string{"/etc/ipsec.conf:"} + words), std::string::npos)
        << lines << "\n"
        << found;
  }
}

// --- config setup
// ------------------------------------------------------------------------------------

Result with_setup(const std::string& lines) {
  return convert(World{"config setup\n" + lines + conn("")});
}

TEST(IpsecSetup, UniqueIds) {
  EXPECT_EQ(at(with_setup("").root, "connections>c>unique"), "replace");
  EXPECT_EQ(at(with_setup("  uniqueids=yes\n").root, "connections>c>unique"), "replace");
  EXPECT_EQ(at(with_setup("  uniqueids=no\n").root, "connections>c>unique"), "no");
  EXPECT_EQ(at(with_setup("  uniqueids=never\n").root, "connections>c>unique"), "never");
  EXPECT_EQ(at(with_setup("  uniqueids=keep\n").root, "connections>c>unique"), "keep");
  EXPECT_NE(with_setup("  uniqueids=maybe\n").faults.find("2:13: error: uniqueids:"),
            std::string::npos);
}

TEST(IpsecSetup, StrictCrlPolicy) {
  EXPECT_EQ(at(with_setup("").root, "connections>c>remote>revocation"), "");
  EXPECT_EQ(at(with_setup("  strictcrlpolicy=no\n").root, "connections>c>remote>revocation"),
            "relaxed");
  EXPECT_EQ(at(with_setup("  strictcrlpolicy=ifuri\n").root, "connections>c>remote>revocation"),
            "ifuri");
  EXPECT_NE(load(World{"config setup\n  strictcrlpolicy=yes\n" + conn("")})
                .faults.find("/etc/ipsec.conf:2:19: error: 'strictcrlpolicy': only the relaxed"),
            std::string::npos);
}

TEST(IpsecSetup, CharonDebug_SetsLevels) {
  const auto levels = with_setup("  charondebug=\"ike 2, knl 0\"\n").charon_debug;
  ASSERT_TRUE(levels.has_value());
  EXPECT_EQ(levels->of.at(model::LogGroup::ike), model::LogLevel::debug);
  EXPECT_EQ(levels->of.at(model::LogGroup::knl), model::LogLevel::notice);
  EXPECT_NE(load(World{"config setup\n  charondebug=\"ike 2, knl 9\"\n" + conn("")})
                .faults.find("/etc/ipsec.conf:2:27: error: charondebug: '9' is no level"),
            std::string::npos)
      << load(World{"config setup\n  charondebug=\"ike 2, knl 9\"\n" + conn("")}).faults;
}

TEST(IpsecSetup, CacheCrls_HasNoEffect) {
  EXPECT_NE(with_setup("  cachecrls=yes\n").notes.find("2:13: note: 'cachecrls' has no effect"),
            std::string::npos);
  EXPECT_EQ(with_setup("  cachecrls=no\n").notes, "");
}

// --- left and right
// ----------------------------------------------------------------------------------

TEST(IpsecSides, LeftIsLocalUnlessRightIsOurs) {
  const std::string text = "conn c\n  auto=add\n  left=192.0.2.1\n  right=192.0.2.2\n  leftid=@l\n";
  EXPECT_EQ(at(convert(World{text}).root, "connections>c>local_addrs"), "192.0.2.1");
  EXPECT_EQ(at(convert(World{text}.own("192.0.2.1")).root, "connections>c>local>id"), "@l");
  const Result swapped = convert(World{text}.own("10.0.0.1").own("192.0.2.2"));
  EXPECT_EQ(at(swapped.root, "connections>c>local_addrs"), "192.0.2.2");
  EXPECT_EQ(at(swapped.root, "connections>c>remote_addrs"), "192.0.2.1");
  EXPECT_EQ(at(swapped.root, "connections>c>remote>id"), "@l");
}

TEST(IpsecSides, BothOurs_LeftIsLocal) {
  const Result out = convert(World{"conn c\n  auto=add\n  left=127.0.0.1\n  right=127.0.0.2\n"}
                                 .own("127.0.0.2")
                                 .own("127.0.0.1"));
  EXPECT_EQ(at(out.root, "connections>c>local_addrs"), "127.0.0.1");
}

TEST(IpsecSides, OneOfSeveralAddresses_IsEnough) {
  const Result out = convert(
      World{"conn c\n  auto=add\n  left=%any\n  right=10.0.0.0/8,192.0.2.2\n"}.own("192.0.2.2"));
  EXPECT_EQ(at(out.root, "connections>c>local_addrs"), "10.0.0.0/8,192.0.2.2");
}

TEST(IpsecSides, WholeConfiguration_IsMirrored) {
  const Result out =
      convert(World{"conn c\n  auto=start\n  left=192.0.2.1\n  leftsubnet=10.1.0.0/16\n"
                    "  leftsourceip=10.9.0.0/24\n  leftsendcert=never\n  leftikeport=501\n"
                    "  leftfirewall=yes\n  right=192.0.2.2\n  rightsubnet=10.2.0.0/16\n"
                    "  rightsourceip=%config\n  rightsendcert=always\n  rightikeport=502\n"}
                  .own("192.0.2.2"));
  EXPECT_EQ(out.faults, "");
  EXPECT_EQ(at(out.root, "connections>c>children>c>local_ts"), "10.2.0.0/16");
  EXPECT_EQ(at(out.root, "connections>c>children>c>remote_ts"), "10.1.0.0/16");
  EXPECT_EQ(at(out.root, "connections>c>pools"), "c");
  EXPECT_EQ(at(out.root, "pools>c>addrs"), "10.9.0.0/24");
  EXPECT_EQ(at(out.root, "connections>c>vips"), "0.0.0.0");
  EXPECT_EQ(at(out.root, "connections>c>send_certreq"), "no");
  EXPECT_EQ(at(out.root, "connections>c>send_cert"), "always");
  EXPECT_EQ(at(out.root, "connections>c>local_port"), "502");
  EXPECT_EQ(at(out.root, "connections>c>remote_port"), "501");
  EXPECT_EQ(out.notes, "");  // only our own firewall is ours
}

// --- identities
// --------------------------------------------------------------------------------------

TEST(IpsecIdentity, Default_IsTheAddress) {
  EXPECT_EQ(option("", "remote>id"), "192.0.2.2");
  EXPECT_EQ(option("  left=gw.example\n", "local>id"), "gw.example");
  EXPECT_EQ(option("  left=%any\n", "local>id"), "");
  const Result any = convert(World{"conn c\n  auto=add\n  right=%any\n"});
  EXPECT_EQ(at(any.root, "connections>c>remote>id"), "");
}

TEST(IpsecIdentity, DefaultOfAnAddressWithPercent_IsTheAddress) {
  EXPECT_EQ(option("  left=%any\n  rightallowany=yes\n", "remote>id"), "192.0.2.2");
}

TEST(IpsecIdentity, OwnCertificate_GivesTheIdLater) {
  EXPECT_EQ(option("  left=192.0.2.1\n  leftcert=a.pem\n", "local>id"), "");
}

TEST(IpsecIdentity, PeersCertificate_GivesItsSubject) {
  const Result out = convert(World{conn("  rightcert=b.pem\n"),
                                   {{"/etc/ipsec.d/certs/b.pem", end_certificate().cert_pem()}}});
  EXPECT_EQ(out.faults, "");
  EXPECT_EQ(at(out.root, "connections>c>remote>id"), "C=CH, O=test, CN=gw");
}

// strongSwan would wait for a peer whose name is this list; nobody else may get in instead.
TEST(IpsecIdentity, SeveralAddressesWithoutId_AreRefused) {
  EXPECT_EQ(convert(World{"conn c\n  auto=add\n  right=10.0.0.0/8\n"}).faults,
            "/etc/ipsec.conf:3:9: error: '10.0.0.0/8' is no single address: write rightid, or "
            "rightid=%any to accept whoever can authenticate\n");
  EXPECT_EQ(convert(World{"conn c\n  auto=add\n  right=10.0.0.0/8\n  rightid=%any\n"}).faults, "");
  EXPECT_EQ(convert(World{"conn c\n  auto=add\n  right=%any6\n"}).faults, "");
}

TEST(IpsecIdentity, SecondRoundWithoutAuth_HasNoEffect) {
  EXPECT_EQ(notes("  leftid2=carol\n  rightca2=x\n"),
            "/etc/ipsec.conf:4:3: note: 'leftid2' has no effect without leftauth2\n"
            "/etc/ipsec.conf:5:3: note: 'rightca2' has no effect without rightauth2\n");
}

TEST(IpsecIdentity, PercentBeforeThePeers_IsTakenOffAndToldOf) {
  EXPECT_EQ(option("  rightid=%vpn.example\n", "remote>id"), "vpn.example");
  EXPECT_EQ(notes("  rightid=%vpn.example\n"),
            "/etc/ipsec.conf:4:3: warning: the '%' before 'vpn.example' kept its name out of the "
            "request (IDr); it is sent now, and the peer must have it\n");
}

TEST(IpsecAuthority, RightCa_BecomesTheFileOfThatSubject) {
  const Others files{{"/etc/ipsec.d/cacerts/ca.pem", authority().cert_pem()}};
  const std::string dn = "\"C=CH, O=test, CN=root\"";
  EXPECT_EQ(at(convert(World{conn("  rightca=" + dn + "\n"), files}).root,
               "connections>c>remote>cacerts"),
            "/etc/ipsec.d/cacerts/ca.pem");
  const Result same = convert(World{conn("  rightca=%same\n  leftca=" + dn + "\n"), files});
  EXPECT_EQ(at(same.root, "connections>c>remote>cacerts"), "/etc/ipsec.d/cacerts/ca.pem");
  EXPECT_NE(same.notes.find("5:3: note: 'leftca' of our own end has no effect"), std::string::npos);
  const Result none = convert(World{conn("  rightca=%any\n  leftca=%same\n"), files});
  EXPECT_EQ(at(none.root, "connections>c>remote>cacerts"), "");
  EXPECT_EQ(none.notes, "");
}

TEST(IpsecAuthority, SecondRound_HasItsOwn) {
  const Result out =
      convert(World{conn("  rightauth2=pubkey\n  rightca2=\"C=CH, O=test, CN=root\"\n"),
                    {{"/etc/ipsec.d/cacerts/ca.pem", authority().cert_pem()}}});
  EXPECT_EQ(at(out.root, "connections>c>remote-2>cacerts"), "/etc/ipsec.d/cacerts/ca.pem");
  EXPECT_EQ(at(out.root, "connections>c>remote>cacerts"), "");
}

// --- traps of the translation
// ------------------------------------------------------------------------

// strongSwan's default renews an IKE_SA by authenticating anew, swanctl.conf's by rekeying.
TEST(IpsecLifetime, Reauth_IsTheDefault) {
  const model::Connection c = loaded(World{conn("  authby=psk\n")});
  EXPECT_EQ(c.reauth_time, hours{3} - minutes{9});
  EXPECT_EQ(c.lifetime.rekey, seconds{0});
}

TEST(IpsecLifetime, WithoutReauth_TheIkeSaIsRekeyed) {
  const model::Connection c = loaded(World{conn("  authby=psk\n  reauth=no\n  ikelifetime=1h\n")});
  EXPECT_EQ(c.reauth_time, seconds{0});
  EXPECT_EQ(c.lifetime.rekey, minutes{51});
  EXPECT_EQ(c.lifetime.life, hours{1});
  EXPECT_EQ(c.lifetime.jitter, minutes{9});
}

// rekeytime = lifetime - (margintime + random(0, margintime * rekeyfuzz))
TEST(IpsecLifetime, MarginAndFuzz) {
  const model::Connection c = loaded(
      World{conn("  authby=psk\n  reauth=no\n  ikelifetime=2h\n  lifetime=30m\n  margintime=4m\n"
                 "  rekeyfuzz=150%\n")});
  EXPECT_EQ(c.lifetime.rekey, minutes{116});
  EXPECT_EQ(c.lifetime.life, minutes{120});
  EXPECT_EQ(c.lifetime.jitter, minutes{6});
  const model::Lifetime& child = c.children.at(0).lifetime;
  EXPECT_EQ(child.rekey, minutes{26});
  EXPECT_EQ(child.life, minutes{30});
  EXPECT_EQ(child.jitter, minutes{6});
}

TEST(IpsecLifetime, NoFuzz_NoSpread) {
  const model::Connection c = loaded(World{conn("  authby=psk\n  reauth=no\n  rekeyfuzz=0%\n")});
  EXPECT_EQ(c.lifetime.jitter, seconds{0});
  EXPECT_EQ(c.children.at(0).lifetime.jitter, seconds{0});
}

TEST(IpsecLifetime, DecimalsOfTime) {
  EXPECT_EQ(child_option("  lifetime=1.5h\n", "life_time"), "90m");
  EXPECT_EQ(child_option("  lifetime=40.5m\n", "life_time"), "2430s");
  EXPECT_EQ(child_option("  lifetime=3600\n", "life_time"), "1h");
}

TEST(IpsecLifetime, NoRekey_KeepsTheHardLimitOfTheChild) {
  const model::Connection c = loaded(World{conn("  authby=psk\n  rekey=no\n  lifetime=2h\n")});
  EXPECT_EQ(c.reauth_time, seconds{0});
  EXPECT_EQ(c.lifetime.rekey, seconds{0});
  EXPECT_EQ(c.children.at(0).lifetime.rekey, seconds{0});
  EXPECT_EQ(c.children.at(0).lifetime.life, hours{2});
}

TEST(IpsecLifetime, NoRekey_HoldsForBytes) {
  EXPECT_EQ(child_option("  rekey=no\n  lifebytes=1000\n  marginbytes=10\n", "rekey_bytes"), "0");
}

TEST(IpsecLifetime, FuzzThatReachesTheStart_IsCut) {
  EXPECT_EQ(child_option("  lifetime=15m\n", "rekey_time"), "6m");
  EXPECT_EQ(child_option("  lifetime=15m\n", "rand_time"), "3m");
  EXPECT_NE(notes("  lifetime=15m\n").find("4:12: warning: margintime with rekeyfuzz reaches back"),
            std::string::npos);
}

TEST(IpsecLifetime, FuzzThatOverflows_IsCut) {
  const std::string lines =
      "  lifebytes=4611686018427387904\n  marginbytes=4611686018427387000\n  rekeyfuzz=1000%\n";
  EXPECT_EQ(child_option(lines, "rekey_bytes"), "904");
  EXPECT_EQ(child_option(lines, "rand_bytes"), "452");
}

TEST(IpsecLifetime, BytesAndPackets) {
  const std::string lines = "  lifebytes=1000\n  marginbytes=100\n  rekeyfuzz=50%\n";
  EXPECT_EQ(child_option(lines, "rekey_bytes"), "900");
  EXPECT_EQ(child_option(lines, "rand_bytes"), "50");
  EXPECT_EQ(child_option("  lifebytes=0\n", "life_bytes"), "");
  EXPECT_EQ(child_option("  lifepackets=10\n", "rekey_packets"), "9");
  EXPECT_EQ(notes("  lifepackets=10\n"),
            "/etc/ipsec.conf:4:3: note: without marginpackets nothing was replaced before "
            "lifepackets was reached; now it is, 10 % earlier\n");
}

// Without '!' strongSwan goes on with its default proposals.
TEST(IpsecProposals, Defaults_AreAddedUnlessStrict) {
  const auto ike = [](const std::string& value) {
    return loaded(World{conn("  authby=psk\n  ike=" + value + "\n")}).proposals;
  };
  const auto strict = ike("aes256-sha384-ecp384!");
  EXPECT_EQ(strict.size(), 1u);
  auto open = ike("aes256-sha384-ecp384");
  ASSERT_EQ(open.size(), 1u + model::default_proposals(ProtocolId::ike).size());
  EXPECT_EQ(open.front(), strict.front());
}

TEST(IpsecProposals, NotSet_AreTheDefaultOnes) {
  EXPECT_EQ(option("", "proposals"), "");
  EXPECT_EQ(child_option("", "esp_proposals"), "");
}

TEST(IpsecLiveness, WithoutAction_NobodyIsAsked) {
  const model::Connection c = loaded(World{conn("  authby=psk\n  dpddelay=10s\n")});
  EXPECT_EQ(c.dpd_delay, seconds{0});
  EXPECT_EQ(notes("  dpddelay=10s\n"),
            "/etc/ipsec.conf:4:3: note: 'dpddelay' has no effect without dpdaction\n");
}

TEST(IpsecAuto, NotSet_IsNotLoadedAndTold) {
  const Result out =
      convert(World{"conn c\n  right=192.0.2.2\nconn d\n  auto=ignore\n"
                    "conn e\n  auto=add\n  also=f\nconn f\n"});
  ASSERT_NE(out.root.find_section("connections"), nullptr);
  EXPECT_EQ(out.root.find_section("connections")->sections.size(), 1u);
  EXPECT_EQ(out.notes,
            "/etc/ipsec.conf:1:6: note: conn 'c' has no auto, so it is not loaded; write auto=add, "
            "route, start or keep\n");
}

TEST(IpsecAuto, Words) {
  const auto start = [](const char* word) {
    const Result out =
        convert(World{std::string{"conn c\n  right=192.0.2.2\n  auto="} + word + "\n"});
    return at(out.root, "connections>c>children>c>start_action") +
           at(out.root, "connections>c>children>c>keep_up");
  };
  EXPECT_EQ(start("add"), "");
  EXPECT_EQ(start("route"), "trap");
  EXPECT_EQ(start("start"), "start");
  EXPECT_EQ(start("keep"), "yes");
}

// Our own word: up at once and again after whatever happens.
TEST(IpsecAuto, Keep_KeepsUp) {
  const model::Connection c =
      loaded(World{"conn c\n  auto=keep\n  authby=psk\n  right=192.0.2.2\n"});
  EXPECT_TRUE(c.children.at(0).keep_up);
  EXPECT_EQ(c.dpd_delay, seconds{10});
}

TEST(IpsecAuto, TrapWithNobodyToCall_IsToldOf) {
  for (const char* right : {"%any", "10.0.0.0/8"}) {
    const Result out = convert(
        World{std::string{"conn c\n  auto=route\n  rightid=%any\n  right="} + right + "\n"});
    EXPECT_EQ(at(out.root, "connections>c>children>c>start_action"), "");
    EXPECT_EQ(out.notes,
              "/etc/ipsec.conf:2:3: warning: auto=route needs an address or a host name in right "
              "to call; conn 'c' only waits for the peer, as with auto=add\n");
  }
}

TEST(IpsecAuthBy, Never_LeavesTheConnOut) {
  const Result out = convert(World{conn("  authby=never\n")});
  EXPECT_EQ(out.root.find_section("connections"), nullptr);
  EXPECT_EQ(out.notes,
            "/etc/ipsec.conf:4:10: warning: authby=never forbids every negotiation: conn 'c' is "
            "left out\n");
}

TEST(IpsecFirewall, OnlyYes_IsToldOf) {
  EXPECT_EQ(notes("  leftfirewall=no\n"), "");
  EXPECT_NE(notes("  leftfirewall=yes\n").find("4:3: warning: leftfirewall=yes let a script"),
            std::string::npos);
}

TEST(IpsecEap, IdentitiesWithoutEap_HaveNoEffect) {
  EXPECT_EQ(notes("  eap_identity=carol\n  aaa_identity=x\n"),
            "/etc/ipsec.conf:4:3: note: 'eap_identity' has no effect: nobody uses EAP\n"
            "/etc/ipsec.conf:5:3: note: 'aaa_identity' has no effect: nobody uses EAP\n");
}

// --- shunts
// ------------------------------------------------------------------------------------------

TEST(IpsecShunt, Passthrough) {
  const model::Connection c = loaded(
      World{"conn ssh\n  left=%any\n  leftsubnet=10.1.0.0/16[tcp/22]\n  rightsubnet=10.2.0.0/16\n"
            "  authby=never\n  type=passthrough\n  auto=route\n"});
  EXPECT_EQ(c.children.at(0).name, "ssh");
  EXPECT_EQ(c.children.at(0).mode, model::ChildMode::pass);
  EXPECT_EQ(c.children.at(0).start_action, model::ChildAction::trap);
  EXPECT_EQ(c.children.at(0).local_ts.at(0).text(), "10.1.0.0/16[tcp/22]");
  EXPECT_EQ(c.children.at(0).remote_ts.at(0).text(), "10.2.0.0/16");
  // Nobody can be the peer of it, and no certificate is missed.
  EXPECT_EQ(std::get<IpRange>(c.remote_addrs.at(0)).text(), "127.0.0.1/32");
  EXPECT_EQ(c.local.method, model::AuthClass::psk);
}

TEST(IpsecShunt, Drop_BetweenTwoAddresses) {
  const model::Connection c =
      loaded(World{"conn d\n  left=192.0.2.1\n  right=192.0.2.2\n  type=drop\n  auto=start\n"});
  EXPECT_EQ(c.children.at(0).mode, model::ChildMode::drop);
  EXPECT_EQ(c.children.at(0).start_action, model::ChildAction::trap);
  EXPECT_EQ(c.children.at(0).local_ts.at(0).text(), "192.0.2.1/32");
  EXPECT_EQ(c.children.at(0).remote_ts.at(0).text(), "192.0.2.2/32");
}

TEST(IpsecShunt, WholeSide_IsWarnedOf) {
  EXPECT_EQ(convert(World{"conn d\n  leftsubnet=10.0.0.0/8\n  type=drop\n  auto=route\n"}).notes,
            "/etc/ipsec.conf:1:6: warning: neither rightsubnet nor an address in right: conn 'd' "
            "holds for every address on that side\n");
}

TEST(IpsecShunt, Ports_HoldWithoutASubnet) {
  const model::Connection c = loaded(
      World{"conn d\n  left=192.0.2.1\n  leftprotoport=tcp/22\n  right=192.0.2.2\n  type=drop\n"
            "  auto=route\n"});
  EXPECT_EQ(c.children.at(0).local_ts.at(0).text(), "192.0.2.1/32[tcp/22]");
}

// --- pools
// -------------------------------------------------------------------------------------------

TEST(IpsecPools, EqualOnes_AreShared) {
  const Result out = convert(World{
      "conn %default\n  auto=add\n  right=%any\n  rightdns=9.9.9.9, 1.1.1.1\nconn a\n  rightid=@a\n"
      "  rightsourceip=10.3.0.0/24\nconn b\n  rightid=@b\n  rightsourceip=10.3.0.0/24\n"});
  EXPECT_EQ(out.faults, "");
  EXPECT_EQ(out.notes, "");
  ASSERT_EQ(out.root.find_section("pools")->sections.size(), 1u);
  EXPECT_EQ(at(out.root, "pools>a>addrs"), "10.3.0.0/24");
  EXPECT_EQ(at(out.root, "pools>a>dns"), "9.9.9.9, 1.1.1.1");
  EXPECT_EQ(at(out.root, "connections>b>pools"), "a");
}

TEST(IpsecPools, OtherDnsServers_CannotBeOfOnePool) {
  const Result out =
      convert(World{"conn %default\n  auto=add\n  right=%any\n  rightsourceip=10.3.0.0/24\n"
                    "conn a\n  rightid=@a\nconn b\n  rightid=@b\n  rightdns=9.9.9.9\n"});
  EXPECT_EQ(out.faults,
            "/etc/ipsec.conf:9:12: error: the pool '10.3.0.0/24' has other DNS servers at "
            "/etc/ipsec.conf:4:17; a pool has one list\n");
}

TEST(IpsecPools, OverlappingOnes_AreWarnedOf) {
  const LoadResult out =
      load(World{"conn %default\n  auto=add\n  right=%any\n  authby=secret\nconn a\n  rightid=@a\n"
                 "  rightsourceip=10.3.0.0/24\nconn b\n  rightid=@b\n"
                 "  rightsourceip=10.4.0.1, 10.3.0.7\n"});
  EXPECT_EQ(out.faults,
            "/etc/ipsec.conf:10:27: warning: rightsourceip: addresses of '10.3.0.7' are in "
            "'10.3.0.0/24' (/etc/ipsec.conf:7:17) as well: clients of one pool take them from the "
            "other; make them disjoint\n");
}

TEST(IpsecPools, DnsWithoutAddresses_HasNoEffect) {
  EXPECT_EQ(notes("  rightdns=9.9.9.9\n"),
            "/etc/ipsec.conf:4:3: warning: 'rightdns' has no effect without rightsourceip\n");
}

TEST(IpsecPools, OwnDns_HasNoEffect) {
  EXPECT_NE(notes("  leftdns=%config4\n").find("4:3: note: 'leftdns' of our own end has no effect"),
            std::string::npos);
}

TEST(IpsecPools, SameAddressesTwice_AreOnePool) {
  EXPECT_EQ(option("  rightsourceip=10.3.0.1,10.3.0.1\n", "pools"), "c");
}

TEST(IpsecPools, NamesOfSeveral_DoNotClash) {
  const Result out = convert(World{
      "conn %default\n  auto=add\n  right=%any\nconn a\n  rightid=@a\n"
      "  rightsourceip=10.3.0.1,10.3.0.2\nconn a-2\n  rightid=@b\n  rightsourceip=10.3.0.3\n"});
  EXPECT_EQ(at(out.root, "connections>a>pools"), "a, a-2");
  EXPECT_EQ(at(out.root, "connections>a-2>pools"), "a-2-2");
  EXPECT_EQ(at(out.root, "pools>a-2-2>addrs"), "10.3.0.3");
}

// --- several conns with one peer
// -----------------------------------------------------------------------

// Two IKE_SAs between the same two would replace one another (uniqueids=yes).
TEST(IpsecMerge, SamePeer_OneConnectionWithTwoChildren) {
  const std::string text =
      "conn %default\n  left=192.0.2.1\n  right=192.0.2.2\n  authby=psk\n  auto=start\n"
      "conn a\n  rightsubnet=10.1.0.0/16\nconn b\n  rightsubnet=10.2.0.0/16\n  esp=aes256gcm16!\n";
  const model::Connection c = loaded(World{text});
  EXPECT_EQ(c.name, "a");
  ASSERT_EQ(c.children.size(), 2u);
  EXPECT_EQ(c.children[0].name, "a");
  EXPECT_EQ(c.children[1].name, "b");
  EXPECT_EQ(c.children[1].remote_ts.at(0).text(), "10.2.0.0/16");
  EXPECT_EQ(convert(World{text}).notes,
            "/etc/ipsec.conf:8:6: note: conn 'b' has the peer and the authentication of 'a': it "
            "becomes a child of that connection\n");
}

TEST(IpsecMerge, AnyDifference_KeepsThemApart) {
  for (const char* line : {"rightid=@x", "ike=aes256-sha384-ecp384!", "mobike=no", "leftauth=psk",
                           "rightsourceip=10.0.0.1"}) {
    const Result out = convert(World{std::string{"conn %default\n  right=192.0.2.2\n  auto=add\n"
                                                 "conn a\nconn b\n  "} +
                                     line + "\n"});
    EXPECT_EQ(out.root.find_section("connections")->sections.size(), 2u) << line;
  }
}

TEST(IpsecMerge, Shunts_StayApart) {
  const Result out = convert(World{
      "conn %default\n  type=drop\n  auto=route\nconn a\n  leftsubnet=10.1.0.0/16\n"
      "  rightsubnet=10.2.0.0/16\nconn b\n  leftsubnet=10.3.0.0/16\n  rightsubnet=10.4.0.0/16\n"});
  EXPECT_EQ(out.root.find_section("connections")->sections.size(), 2u);
  EXPECT_EQ(out.notes, "");
}

// --- authorities
// -------------------------------------------------------------------------------------

TEST(IpsecCa, Section) {
  const Result out = convert(
      World{"ca %default\n  auto=add\nca a\n  cacert=a.pem\n  crluri=http://x/a.crl\n"
            "  crluri2=\"ldap://x/CN=a,O=b\"\n  ocspuri1=http://x/o1\n  ocspuri2=http://x/o2\n"
            "  certuribase=http://x/\nca b\n  cacert=/c/b.pem\n  auto=ignore\n"});
  EXPECT_EQ(out.faults, "");
  EXPECT_EQ(at(out.root, "authorities>a>cacert"), "/etc/ipsec.d/cacerts/a.pem");
  EXPECT_EQ(at(out.root, "authorities>a>crl_uris"), "http://x/a.crl, ldap://x/CN=a%2CO=b");
  EXPECT_EQ(at(out.root, "authorities>a>ocsp_uris"), "http://x/o1, http://x/o2");
  EXPECT_EQ(at(out.root, "authorities>a>cert_uri_base"), "http://x/");
  EXPECT_EQ(at(out.root, "authorities>b>cacert"), "");
}

TEST(IpsecCa, NotAdded_IsTold) {
  EXPECT_EQ(convert(World{"ca a\n  cacert=a.pem\n"}).notes,
            "/etc/ipsec.conf:1:4: note: ca 'a' has no auto=add, so it is not loaded\n");
}

TEST(IpsecCa, Smartcard_IsRefused) {
  EXPECT_EQ(convert(World{"ca a\n  auto=add\n  cacert=%smartcard:50\n"}).faults,
            "/etc/ipsec.conf:3:10: error: cacert: there is no PKCS#11; name a file\n");
}

TEST(IpsecCa, FilesOfTheFolder_AreAuthoritiesOnce) {
  const LoadResult out = load(World{
      "ca named\n  auto=add\n  cacert=a.pem\n  crluri=http://x/a.crl\n",
      {{"/etc/ipsec.d/cacerts/a.pem", authority().cert_pem()},
       {"/etc/ipsec.d/cacerts/my ca.pem", test::CertMaker::ca("other").self_signed().cert_pem()}}});
  EXPECT_EQ(out.faults, "");
  ASSERT_EQ(out.loaded.authorities.size(), 2u);
  EXPECT_EQ(out.loaded.authorities[0].name, "named");
  EXPECT_EQ(out.loaded.authorities[0].crl_uris, std::vector<std::string>{"http://x/a.crl"});
  EXPECT_EQ(out.loaded.authorities[1].name, "my_ca_pem");
}

TEST(IpsecCa, NamesOfFilesAndSections_DoNotClash) {
  const LoadResult out =
      load(World{"ca a_pem\n  auto=add\n  cacert=/c/b.pem\n",
                 {{"/etc/ipsec.d/cacerts/a.pem", authority().cert_pem()},
                  {"/c/b.pem", test::CertMaker::ca("other").self_signed().cert_pem()}}});
  EXPECT_EQ(out.faults, "");
  ASSERT_EQ(out.loaded.authorities.size(), 2u);
  EXPECT_EQ(out.loaded.authorities[1].name, "a_pem-2");
}

TEST(IpsecCa, OtherFilesInTheFolder_ArePassedOver) {
  const LoadResult out =
      load(World{"",
                 {{"/etc/ipsec.d/cacerts/README", "hello"},
                  {"/etc/ipsec.d/cacerts/leaf.pem", end_certificate().cert_pem()}}});
  EXPECT_EQ(out.faults, "");
  EXPECT_TRUE(out.loaded.authorities.empty());
  EXPECT_NE(out.notes.find("/etc/ipsec.d/cacerts/README: warning: passed over: "),
            std::string::npos);
  EXPECT_NE(out.notes.find("/etc/ipsec.d/cacerts/leaf.pem: warning: passed over: "),
            std::string::npos);
}

TEST(IpsecCa, CrlsInTheFolder_AreWarnedOf) {
  EXPECT_EQ(convert(World{"", {{"/etc/ipsec.d/crls/a.crl", "x"}}}).notes,
            "/etc/ipsec.d/crls: warning: strongSwan checked the CRLs in this folder; they are not "
            "looked at yet, so a revoked certificate is still accepted\n");
}

// --- the whole
// ---------------------------------------------------------------------------------------

TEST(IpsecConvert, PathOfTheFile_MustBeAbsolute) {
  test::MemoryFiles files;
  Diagnostics diags;
  EXPECT_TRUE(convert_ipsec({.conf_path = "ipsec.conf"}, files, diags).root.sections.empty());
  EXPECT_EQ(diags.text(), "ipsec.conf: error: the path of ipsec.conf must be absolute\n");
}

TEST(IpsecConvert, FolderLiesBesideTheFile) {
  test::MemoryFiles files{{{"/opt/vpn/ipsec.conf", conn("  leftcert=a.pem\n")}}};
  Diagnostics diags;
  const Converted out = convert_ipsec({.conf_path = "/opt/vpn/ipsec.conf"}, files, diags);
  EXPECT_EQ(at(out.root, "connections>c>local>certs"), "/opt/vpn/ipsec.d/certs/a.pem");
}

// Each of 4 000 names gets its folder in front.
TEST(IpsecConvert, ValueThatGrowsTooLong_IsRefused) {
  std::string names;
  for (int i = 0; i < 4000; ++i) names += "a.pem,";
  EXPECT_EQ(faults("  leftcert=" + names + "\n"),
            "/etc/ipsec.conf:4:12: error: leftcert: becomes longer than 65535 octets\n");
}

TEST(IpsecConvert, LibreswansFile_HasNothingElseToSay) {
  const Result out = convert(World{"conn c\n  ikev2=insist\n  auto=add\n"}.secrets(": PKS x\n"));
  EXPECT_EQ(std::ranges::count(out.faults, '\n'), 1);
  EXPECT_TRUE(out.root.sections.empty());
}

TEST(IpsecConvert, SecretsAndConnections_GoTogether) {
  const LoadResult out =
      load(World{conn("  authby=secret\n")}.secrets("192.0.2.1 192.0.2.2 : PSK \"s\"\n"));
  EXPECT_EQ(out.faults, "");
  ASSERT_EQ(out.loaded.shared_secrets.size(), 1u);
  EXPECT_EQ(out.loaded.shared_secrets[0].owners.size(), 2u);
  EXPECT_EQ(out.loaded.connections.at(0).local.method, model::AuthClass::psk);
}

// Everything in one file, against the same by hand.
TEST(IpsecConvert, SiteToSite_EqualsAHandWrittenSwanctlConf) {
  World world{
      "config setup\n  uniqueids=never\nconn net\n  authby=secret\n  left=192.0.2.1\n"
      "  leftsubnet=10.1.0.0/16\n  leftid=@a.example\n  right=192.0.2.2\n"
      "  rightsubnet=10.2.0.0/16,10.3.0.0/16\n  rightid=@b.example\n  ike=aes256-sha256-modp3072!\n"
      "  esp=aes256-sha256!\n  reauth=no\n  ikelifetime=8h\n  lifetime=1h\n  margintime=3m\n"
      "  dpdaction=restart\n  dpddelay=15s\n  closeaction=restart\n  mobike=no\n  forceencaps=yes\n"
      "  fragmentation=accept\n  replay_window=32\n  inactivity=5m\n  lifebytes=1000000\n"
      "  marginbytes=100000\n  auto=start\n"};
  Diagnostics diags;
  const Section root = parse_swanctl_text(
      "connections { net {\n"
      "  local_addrs = 192.0.2.1\n  remote_addrs = 192.0.2.2\n"
      "  proposals = aes256-sha256-modp3072\n  encap = yes\n  mobike = no\n"
      "  fragmentation = accept\n  dpd_delay = 15s\n  keyingtries = 3\n  unique = never\n"
      "  rekey_time = 477m\n  over_time = 3m\n  rand_time = 3m\n"
      "  local { auth = psk\n id = a.example }\n  remote { auth = psk\n id = b.example }\n"
      "  children { net { local_ts = 10.1.0.0/16\n  remote_ts = 10.2.0.0/16, 10.3.0.0/16\n"
      "    esp_proposals = aes256-sha256\n  rekey_time = 57m\n  life_time = 60m\n"
      "    rand_time = 3m\n  rekey_bytes = 900000\n  life_bytes = 1000000\n"
      "    rand_bytes = 100000\n  start_action = start\n  dpd_action = restart\n"
      "    close_action = start\n  replay_window = 32\n  inactivity = 5m } } } }\n",
      "c", world.files, diags);
  const Loaded expected = load_swanctl(root, world.files, "/nowhere", diags);
  EXPECT_EQ(diags.text(), "");
  EXPECT_TRUE(loaded(std::move(world)) == expected.connections.at(0));
}

}  // namespace
}  // namespace cygnet::config
