#include "config/ipsec_keywords.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "model/suggest.hpp"

namespace cygnet::config {
namespace {

struct Row {
  std::string_view word;
  std::string_view text;  ///< used: the word it is a synonym of; ignored: what to do
};

constexpr Row kSetupUsed[] = {
    {"charondebug", ""}, {"uniqueids", ""}, {"strictcrlpolicy", ""}, {"cachecrls", ""}};
constexpr Row kConnUsed[] = {
    {"keyexchange", ""},
    {"type", ""},
    {"auto", ""},
    {"authby", ""},
    {"installpolicy", ""},
    {"reqid", ""},
    {"ike", ""},
    {"esp", ""},
    {"ah", ""},
    {"sha256_96", ""},
    {"compress", ""},
    {"tfc", ""},
    {"replay_window", ""},
    {"ikelifetime", ""},
    {"lifetime", ""},
    {"keylife", "lifetime"},
    {"margintime", ""},
    {"rekeymargin", "margintime"},
    {"rekeyfuzz", ""},
    {"rekey", ""},
    {"reauth", ""},
    {"keyingtries", ""},
    {"lifebytes", ""},
    {"marginbytes", ""},
    {"lifepackets", ""},
    {"marginpackets", ""},
    {"inactivity", ""},
    {"dpdaction", ""},
    {"dpddelay", ""},
    {"dpdtimeout", ""},
    {"closeaction", ""},
    {"mobike", ""},
    {"fragmentation", ""},
    {"forceencaps", ""},
    {"ikedscp", ""},
    {"mark", ""},
    {"mark_in", ""},
    {"mark_out", ""},
    {"eap_identity", ""},
    {"aaa_identity", ""},
    {"aggressive", ""},
    {"modeconfig", ""},
    {"xauth", ""},
    {"xauth_identity", ""},
    {"mediation", ""},
    {"mediated_by", ""},
    {"me_peerid", ""},
    {"left", ""},
    {"leftsubnet", ""},
    {"leftsubnetwithin", "leftsubnet"},
    {"leftsourceip", ""},
    {"leftdns", ""},
    {"leftid", ""},
    {"leftcert", ""},
    {"leftauth", ""},
    {"leftsendcert", ""},
    {"leftfirewall", ""},
    {"lefthostaccess", ""},
    {"leftupdown", ""},
    {"leftca", ""},
    {"leftgroups", ""},
    {"leftcertpolicy", ""},
    {"leftsigkey", ""},
    {"leftrsasigkey", "leftsigkey"},
    {"leftikeport", ""},
    {"leftprotoport", ""},
    {"leftallowany", ""},
    {"leftid2", ""},
    {"leftauth2", ""},
    {"leftcert2", ""},
    {"leftca2", ""},
    {"leftgroups2", ""},
};
constexpr Row kCaUsed[] = {{"cacert", ""},          {"auto", ""},     {"crluri", ""},
                           {"crluri1", "crluri"},   {"crluri2", ""},  {"ocspuri", ""},
                           {"ocspuri1", "ocspuri"}, {"ocspuri2", ""}, {"certuribase", ""}};

constexpr Row kSetupIgnored[] = {
    {"interfaces", "all interfaces are used; choose addresses with left"},
    {"dumpdir", "core dumps are the service manager's; remove it"},
    {"charonstart", "there is one daemon; remove it"},
    {"plutostart", "there is no IKEv1 daemon; remove it"},
    {"klipsdebug", "write charondebug"},
    {"plutodebug", "write charondebug"},
    {"prepluto", "let the service manager run it"},
    {"postpluto", "let the service manager run it"},
    {"plutostderrlog", "the log goes to the service manager; remove it"},
    {"fragicmp", "it belonged to an old kernel part; remove it"},
    {"packetdefault", "it belonged to an old kernel part; remove it"},
    {"hidetos", "it belonged to an old kernel part; remove it"},
    {"overridemtu", "it belonged to an old kernel part; remove it"},
    {"crlcheckinterval", "CRLs are not fetched at intervals; remove it"},
    {"nocrsend", "write rightsendcert=never in the conn"},
    {"nat_traversal", "IKEv2 always finds NATs; remove it"},
    {"keep_alive", "NATs are kept open without it; remove it"},
    {"force_keepalive", "NATs are kept open without it; remove it"},
    {"virtual_private", "write rightsubnet or rightsourceip in the conn"},
    {"pkcs11module", "there is no PKCS#11; put keys into files"},
    {"pkcs11initargs", "there is no PKCS#11; put keys into files"},
    {"pkcs11keepstate", "there is no PKCS#11; put keys into files"},
    {"pkcs11proxy", "there is no PKCS#11; put keys into files"},
};
constexpr Row kConnIgnored[] = {
    {"pfs", "name a key exchange in esp, as esp=aes256gcm16-ecp384"},
    {"pfsgroup", "name a key exchange in esp, as esp=aes256gcm16-ecp384"},
    {"eap", "write leftauth or rightauth"},
    {"auth", "ESP always protects integrity; remove it"},
    {"leftnexthop", "routes need no next hop; remove it"},
};
constexpr Row kCaIgnored[] = {{"ldaphost", "write the whole URI in crluri"},
                              {"ldapbase", "write the whole URI in crluri"}};

/// What libreswan's file has and strongSwan's never had.
constexpr std::string_view kLibreswanSetup[] = {
    "protostack",    "logfile",    "virtual-private", "ikev1-policy", "nssdir",
    "listen",        "crl-strict", "nhelpers",        "ocsp-enable",  "ocsp-strict",
    "dnssec-enable", "ddos-mode",  "statsbin",        "seccomp",      "secretsfile",
    "perpeerlog",    "keep-alive", "audit-log",       "myvendorid"};
constexpr std::string_view kLibreswanConn[] = {
    "accept-redirect",
    "accept-redirect-to",
    "alsoflip",
    "cisco-split",
    "cisco-unity",
    "clientaddrfamily",
    "connalias",
    "decap-dscp",
    "dns-match-id",
    "enable-tcp",
    "encap-dscp",
    "encapsulation",
    "esn",
    "failureshunt",
    "fake-strongswan",
    "hostaddrfamily",
    "ignore-peer-dns",
    "ike_frag",
    "ikepad",
    "ikev2",
    "initial-contact",
    "intermediate",
    "ipsec-interface",
    "ipsec-lifetime",
    "ipsec-max-bytes",
    "ipsec-max-packets",
    "iptfs",
    "leftaddresspool",
    "leftautheap",
    "leftcat",
    "leftckaid",
    "leftinterface-ip",
    "leftmodecfgclient",
    "leftmodecfgserver",
    "leftsubnets",
    "leftusername",
    "leftvti",
    "leftxauthclient",
    "leftxauthserver",
    "leftxauthusername",
    "mark-in",
    "mark-out",
    "metric",
    "modecfgbanner",
    "modecfgdns",
    "modecfgdns1",
    "modecfgdns2",
    "modecfgdomains",
    "modecfgpull",
    "ms-dh-downgrade",
    "mtu",
    "narrowing",
    "nat-ikev1-method",
    "nat-keepalive",
    "negotiationshunt",
    "nflog-group",
    "nic-offload",
    "nm-configured",
    "nopmtudisc",
    "overlapip",
    "pam-authorize",
    "phase2",
    "phase2alg",
    "ppk",
    "redirect-to",
    "remote-peer-type",
    "replay-window",
    "require-id-on-certificate",
    "retransmit-interval",
    "retransmit-timeout",
    "salifetime",
    "send-no-esp-tfc",
    "send-redirect",
    "send-vendorid",
    "sendca",
    "sha2-truncbug",
    "sha2_truncbug",
    "vti-interface",
    "vti-routing",
    "vti-shared",
    "xauthby",
    "xauthfail",
};

using Table = std::map<std::string_view, Keyword, std::less<>>;

Table make_table(std::span<const Row> used, std::span<const Row> ignored,
                 std::span<const std::string_view> foreign) {
  Table out;
  for (const Row& row : used) {
    const std::string_view name = row.text.empty() ? row.word : row.text;
    out.emplace(row.word, Keyword{KeywordUse::used, std::string{name}, {}});
  }
  for (const Row& row : ignored) {
    out.emplace(row.word,
                Keyword{KeywordUse::ignored, std::string{row.word}, std::string{row.text}});
  }
  for (const std::string_view word : foreign) {
    out.emplace(word, Keyword{KeywordUse::libreswan, std::string{word}, {}});
  }
  return out;
}

const Table& table_of(IpsecKind kind) {
  static const Table setup = make_table(kSetupUsed, kSetupIgnored, kLibreswanSetup);
  static const Table conn = make_table(kConnUsed, kConnIgnored, kLibreswanConn);
  static const Table ca = make_table(kCaUsed, kCaIgnored, {});
  return kind == IpsecKind::setup ? setup : kind == IpsecKind::conn ? conn : ca;
}

/// The table has the left side's words.
std::string left_of(std::string_view word) {
  return word.starts_with("right") ? "left" + std::string{word.substr(5)} : std::string{word};
}

std::string right_of(std::string_view word) { return "right" + std::string{word.substr(4)}; }

const Keyword* look_up(IpsecKind kind, std::string_view word) {
  const Table& table = table_of(kind);
  const auto at = table.find(kind == IpsecKind::conn ? left_of(word) : std::string{word});
  return at == table.end() ? nullptr : &at->second;
}

}  // namespace

std::string_view to_string(IpsecKind kind) {
  switch (kind) {
    case IpsecKind::setup:
      return "config setup";
    case IpsecKind::conn:
      return "conn";
    case IpsecKind::ca:
      return "ca";
  }
  return "unknown";
}

Keyword find_keyword(IpsecKind kind, std::string_view word) {
  const Keyword* known = look_up(kind, word);
  if (known == nullptr) return {KeywordUse::unknown, std::string{word}, {}};
  Keyword out = *known;
  if (word.starts_with("right") && out.name.starts_with("left")) out.name = right_of(out.name);
  return out;
}

std::string keyword_hint(IpsecKind kind, std::string_view word) {
  for (const IpsecKind other : {IpsecKind::setup, IpsecKind::conn, IpsecKind::ca}) {
    if (other == kind) continue;
    const Keyword* known = look_up(other, word);
    if (known == nullptr) continue;
    return fmt::format(", which belongs into a section '{}'", to_string(other));
  }
  std::vector<std::string> known{"also"};
  for (const auto& [name, keyword] : table_of(kind)) {
    if (keyword.use != KeywordUse::used) continue;
    known.emplace_back(name);
    if (name.starts_with("left")) known.push_back(right_of(name));
  }
  return model::did_you_mean(word, std::vector<std::string_view>{known.begin(), known.end()});
}

std::vector<std::string_view> all_keywords(IpsecKind kind, KeywordUse use) {
  std::vector<std::string_view> out;
  for (const auto& [word, keyword] : table_of(kind)) {
    if (keyword.use == use) out.push_back(word);
  }
  return out;
}

bool is_libreswan_value(std::string_view keyword, std::string_view value) {
  if (keyword == "authby") {
    return value.find("sha2") != std::string_view::npos || value == "null" ||
           value.find(',') != std::string_view::npos;
  }
  if (keyword == "left" || keyword == "right") {
    return value == "%group" || value == "%opportunistic" || value == "%opportunisticgroup";
  }
  if (keyword == "leftid" || keyword == "rightid") {
    return value == "%fromcert" || value == "%null" || value == "%none";
  }
  return keyword == "auto" && value == "ondemand";
}

}  // namespace cygnet::config
