// Identities as people write them, and patterns.               RFC 7296 §3.5, RFC 4945 §3.1
#include "pki/identity.hpp"

#include <gtest/gtest.h>

namespace cygnet::pki {
namespace {

model::Identity id(std::string_view text) {
  const auto out = parse_identity(text);
  EXPECT_TRUE(out.has_value()) << text;
  return out.value_or(model::Identity{});
}
IdType type(std::string_view text) { return id(text).type; }

TEST(Identity, Notation_ChoosesTheType) {
  EXPECT_EQ(type("vpn.example.org"), IdType::fqdn);
  EXPECT_EQ(type("@vpn.example.org"), IdType::fqdn);
  EXPECT_EQ(type("user@example.org"), IdType::rfc822_addr);
  EXPECT_EQ(type("@@user@example.org"), IdType::rfc822_addr);
  EXPECT_EQ(type("192.0.2.1"), IdType::ipv4_addr);
  EXPECT_EQ(type("2001:db8::1"), IdType::ipv6_addr);
  EXPECT_EQ(type("C=DE, O=Example, CN=x"), IdType::der_asn1_dn);
  EXPECT_EQ(type("/C=DE/O=Example/CN=x"), IdType::der_asn1_dn);
  EXPECT_EQ(type("@#0a0b"), IdType::key_id);
  EXPECT_EQ(type("keyid:abc"), IdType::key_id);
  EXPECT_EQ(type("fqdn:192.0.2.1"), IdType::fqdn);
  EXPECT_EQ(to_hex(id("@#0a0b").data), "0a0b");
  EXPECT_EQ(cygnet::to_string(id("@vpn.example.org").data), "vpn.example.org");
}

TEST(Identity, TextAndBack_IsTheSame) {
  for (const char* text :
       {"vpn.example.org", "user@example.org", "192.0.2.1", "2001:db8::1", "C=DE, O=Example, CN=x",
        "C=CH, O=\"a, b\", CN=c+d", "@#0a0b", "fqdn:192.0.2.1", "CN=\xc3\xa4",
        "fqdn:C=CH, O=a b, CN=c", "keyid:a b"}) {
    const model::Identity one = id(text);
    EXPECT_EQ(id(to_text(one)), one) << text << " became " << to_text(one);
  }
  EXPECT_EQ(to_text(id("/C=DE/O=Example/CN=x")), "C=DE, O=Example, CN=x");
}

TEST(Identity, WhatIsNone_IsAnError) {
  for (const char* text : {"", "%any", "C=DE, CN", "C=, =x", "@#0", "@#xx"}) {
    EXPECT_FALSE(parse_identity(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_identity(std::string(kIdentityTextMax + 1, 'a')).has_value());
}

TEST(Identity, HostileOctets_PrintSafely) {
  const model::Identity evil{.type = IdType::fqdn, .data = to_bytes("a\n\x1b[31mb")};
  for (const char c : to_text(evil)) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  const model::Identity broken{.type = IdType::der_asn1_dn, .data = {0x30, 0x05, 1}};
  EXPECT_FALSE(to_text(broken).empty());
}

// Connections are looked up by this key: it must say the same as the comparison.
TEST(Identity, Keys_AreEqualWhereIdentitiesMatch) {
  std::vector<model::Identity> all;
  for (const char* text :
       {"a.example", "A.Example", "asn1dn:#3003", "C=DE, O=Example, CN=x", "C=DE, O=example, CN=X",
        "C=DE, O=\"two  words\", CN=x", "C=DE, O=\"two words\", CN=x", "C=DE, CN=x, O=Example",
        "C=DE, O=Example, OU=x", "C=DE, O=Example", "CN=xC=DE", "a@a.example", "A@a.example",
        "192.0.2.1", "192.0.2.2", "2001:db8::1", "@#0a0b", "keyid:a.example", "keyid:A.example"}) {
    all.push_back(id(text));
  }
  // The same name in another string type: UTF8String instead of PrintableString.
  model::Identity other = id("CN=x");
  all.push_back(other);
  other.data[11] = other.data[11] == 0x13 ? 0x0c : 0x13;
  all.push_back(other);
  std::size_t equal = 0;
  for (const model::Identity& a : all) {
    EXPECT_FALSE(has_wildcard(a)) << to_text(a);
    for (const model::Identity& b : all) {
      const auto rank = match_identity(a, b);
      EXPECT_EQ(rank.has_value(), identity_key(a) == identity_key(b))
          << to_text(a) << " and " << to_text(b);
      if (rank && &a != &b) ++equal;
    }
  }
  EXPECT_EQ(equal, 10U);
  for (const char* text : {"%any", "*.example", "*@example", "C=DE, O=Example, CN=*"}) {
    EXPECT_TRUE(has_wildcard(*parse_identity_pattern(text))) << text;
  }
}

std::optional<MatchRank> match(std::string_view pattern, std::string_view identity) {
  const auto parsed = parse_identity_pattern(pattern);
  EXPECT_TRUE(parsed.has_value()) << pattern;
  return match_identity(parsed.value_or(model::IdentityPattern{}), id(identity));
}

TEST(Pattern, WildcardsAndTheirRank) {
  EXPECT_TRUE(match("%any", "x.example"));
  EXPECT_TRUE(match("*.example.org", "a.example.org"));
  EXPECT_TRUE(match("*.example.org", "a.b.example.org"));
  EXPECT_FALSE(match("*.example.org", "example.org"));
  EXPECT_FALSE(match("*.example.org", "aexample.org"));
  EXPECT_TRUE(match("*@example.org", "user@example.org"));
  EXPECT_FALSE(match("*@example.org", "user@other.org"));
  EXPECT_TRUE(match("C=DE, O=Example, CN=*", "C=DE, O=Example, CN=x"));
  EXPECT_FALSE(match("C=DE, O=Example, CN=*", "C=DE, O=Other, CN=x"));
  EXPECT_FALSE(match("C=DE, CN=*", "C=DE, O=Example, CN=x")) << "RDNs pair up one by one";
  EXPECT_FALSE(match("CN=x, C=DE", "C=DE, CN=x")) << "their order counts";
  EXPECT_GT(*match("a.example", "a.example"), *match("*.example", "a.example"));
  EXPECT_GT(*match("*.example", "a.example"), *match("%any", "a.example"));
  EXPECT_GT(*match("*.b.example", "a.b.example"), *match("*.example", "a.b.example"));
}

TEST(Pattern, CaseAndTypes) {
  EXPECT_TRUE(match("VPN.Example.ORG", "vpn.example.org"));
  EXPECT_TRUE(match("c=de, o=EXAMPLE, cn=X", "C=DE, O=Example, CN=x"));
  EXPECT_FALSE(match("keyid:a.example", "a.example")) << "a KEY_ID is no FQDN";
  EXPECT_FALSE(match("@#4142", "@#4162")) << "octets compare exactly";
}

// CVE-2009-2408's kind: a NUL must not end the comparison.
TEST(Pattern, NulOctets_NeverMatch) {
  const model::Identity trick{.type = IdType::fqdn,
                              .data = to_bytes(std::string_view{"a.example.org\0.evil", 18})};
  EXPECT_FALSE(match_identity(*parse_identity_pattern("a.example.org"), trick));
  EXPECT_FALSE(match_identity(*parse_identity_pattern("*.evil"), trick));
}

}  // namespace
}  // namespace cygnet::pki
