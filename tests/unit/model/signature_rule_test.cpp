#include "model/signature_rule.hpp"

#include <gtest/gtest.h>

namespace cygnet::model {
namespace {

/// "certificates | AUTH", or what is wrong.
std::string read(std::string_view text) {
  const auto rules = parse_signature_rules(text);
  return rules ? rules->certificates.text() + " | " + rules->auth.text() : rules.error().text();
}

TEST(SignatureRule, OneRule_HoldsForCertificatesAndAuth) {
  EXPECT_EQ(read("pubkey"), "pubkey | pubkey");
  EXPECT_EQ(read("ecdsa-384-sha384"), "ecdsa-384-sha384 | ecdsa-384-sha384");
  EXPECT_EQ(read("rsa-3072-ecdsa-256-sha256-sha512"),
            "rsa-3072-ecdsa-256-sha256-sha512 | rsa-3072-ecdsa-256-sha256-sha512");
  EXPECT_EQ(read("pubkey-sha384"), "pubkey-sha384 | pubkey-sha384");
}

TEST(SignatureRule, AfterIke_IsForAuthAlone) {
  EXPECT_EQ(read("ike:pubkey-sha384"), "pubkey | pubkey-sha384");
  EXPECT_EQ(read("rsa-3072-sha256-ike:rsa-sha384"), "rsa-3072-sha256 | rsa-sha384");
}

TEST(SignatureRule, Text_IsReadAsTheSame) {
  for (const char* const text : {"pubkey", "pubkey-ike:pubkey-sha384", "rsa-3072-ecdsa-sha256",
                                 "rsa-sha256-ike:ed25519-ecdsa-384-sha384"}) {
    const auto rules = parse_signature_rules(text);
    ASSERT_TRUE(rules.has_value()) << rules.error().text();
    EXPECT_EQ(rules->text(), text);
    EXPECT_EQ(*parse_signature_rules(rules->text()), *rules);
  }
}

TEST(SignatureRule, Faults_SayWhichWord) {
  EXPECT_NE(read("rsa-sha385").find("'sha385', did you mean 'sha384'?"), std::string::npos);
  EXPECT_NE(read("3072-rsa").find("'3072' must follow rsa or ecdsa"), std::string::npos);
  EXPECT_NE(read("ed25519-256").find("must follow rsa or ecdsa"), std::string::npos);
  EXPECT_NE(read("rsa-3072x").find("'3072x' is not a key's size"), std::string::npos);
  EXPECT_NE(read("rsa-99999999999").find("is not a key's size"), std::string::npos);
  EXPECT_NE(read("rsa-sha1").find("'sha1' is too weak"), std::string::npos);
  EXPECT_NE(read("rsa/pss-sha256").find("write rsa"), std::string::npos);
  EXPECT_NE(read("rsa-").find("unknown key or hash ''"), std::string::npos);
}

TEST(SignatureRule, Allows) {
  const SignatureRule any;
  EXPECT_TRUE(any.allows(KeyType::rsa, 2048) && any.allows(HashId::sha2_256));
  const SignatureRule rule = parse_signature_rules("rsa-3072-ecdsa-384-sha384")->auth;
  EXPECT_FALSE(rule.allows(KeyType::rsa, 2048));
  EXPECT_TRUE(rule.allows(KeyType::rsa, 3072) && rule.allows(KeyType::ecdsa, 521));
  EXPECT_FALSE(rule.allows(KeyType::ecdsa, 256) || rule.allows(KeyType::ed25519, 256));
  EXPECT_TRUE(rule.allows(HashId::sha2_384));
  EXPECT_FALSE(rule.allows(HashId::sha2_256) || rule.allows(HashId::identity));
}

// EdDSA has a hash of its own, which nobody would think of naming.
TEST(SignatureRule, NamedEdDsaKeys_MaySign) {
  const SignatureRule rule = parse_signature_rules("ed25519-ecdsa-sha384")->auth;
  EXPECT_TRUE(rule.allows(HashId::identity));
  EXPECT_FALSE(parse_signature_rules("pubkey-sha384")->auth.allows(HashId::identity));
}

}  // namespace
}  // namespace cygnet::model
