// Proposals in strongSwan's syntax, and the choice between two lists.   RFC 7296 §2.7, RFC 6379
#include "model/proposal.hpp"

#include <gtest/gtest.h>

namespace cygnet::model {
namespace {

std::string ike(std::string_view text) {
  const auto out = parse_proposals(text, ProtocolId::ike);
  return out ? text_of(*out) : out.error().text();
}
std::string esp(std::string_view text) {
  const auto out = parse_proposals(text, ProtocolId::esp);
  return out ? text_of(*out) : out.error().text();
}

TEST(Parse, SuitesOfTheRequirements) {
  EXPECT_EQ(ike("aes256gcm16-prfsha384-ecp384"), "IKE:AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384");
  EXPECT_EQ(ike("aes256-sha384-ecp384"),
            "IKE:AES_CBC_256/HMAC_SHA2_384_192/PRF_HMAC_SHA2_384/ECP_384");
  EXPECT_EQ(ike("chacha20poly1305-prfsha256-x25519"),
            "IKE:CHACHA20_POLY1305/PRF_HMAC_SHA2_256/CURVE_25519");
  EXPECT_EQ(ike("aes128-sha256-modp3072"),
            "IKE:AES_CBC_128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_3072");
  EXPECT_EQ(esp("aes256gcm16-ecp384"), "ESP:AES_GCM_16_256/ECP_384/NO_EXT_SEQ");
  EXPECT_EQ(esp("aes128-sha256"), "ESP:AES_CBC_128/HMAC_SHA2_256_128/NO_EXT_SEQ");
}

// RFC 6379 §3.2 (IKE: AES-256-CBC, HMAC-SHA-384-192, PRF-SHA-384, group 20; ESP: AES-256-GCM-16)
// and RFC 9206 §4.
TEST(Parse, NamedSuites) {
  EXPECT_EQ(ike("suiteb-gcm-256"), "IKE:AES_CBC_256/HMAC_SHA2_384_192/PRF_HMAC_SHA2_384/ECP_384");
  EXPECT_EQ(esp("suiteb-gcm-256").substr(0, 18), "ESP:AES_GCM_16_256");
  EXPECT_EQ(ike("cnsa"),
            "IKE:AES_GCM_16_256/PRF_HMAC_SHA2_512/PRF_HMAC_SHA2_384/ECP_384/MODP_3072/MODP_4096");
}

TEST(Parse, StrictMark_IsAccepted) {
  EXPECT_EQ(ike("aes256gcm16-prfsha384-ecp384!"), ike("aes256gcm16-prfsha384-ecp384"));
}

TEST(Parse, Lists_AndDefault) {
  const auto out = parse_proposals("aes256gcm16-prfsha384-ecp384, default", ProtocolId::ike);
  ASSERT_TRUE(out.has_value());
  EXPECT_GT(out->size(), 1u);
  EXPECT_FALSE(default_proposals(ProtocolId::esp).empty());
}

TEST(Parse, Faults_NameTheWord) {
  EXPECT_NE(ike("aes256gcm17-prfsha384-ecp384").find("aes256gcm17"), std::string::npos);
  EXPECT_NE(ike("aes256-sha384").find("key exchange"), std::string::npos) << ike("aes256-sha384");
  EXPECT_NE(ike("aes256gcm16-ecp384"), "IKE:AES_GCM_16_256/ECP_384") << "an AEAD needs a PRF";
  EXPECT_FALSE(parse_proposals("", ProtocolId::ike).has_value());
  EXPECT_FALSE(parse_proposals("aes256", ProtocolId::esp).has_value()) << "no integrity";
  EXPECT_FALSE(parse_proposals(",", ProtocolId::esp).has_value());
}

std::string chosen(std::string_view ours, std::string_view theirs, ProtocolId protocol) {
  const auto a = parse_proposals(ours, protocol);
  const auto b = parse_proposals(theirs, protocol);
  if (!a || !b) return "does not parse";
  const auto out = choose(*a, *b);
  return out ? out->suite.text(protocol) : "differ in " + to_string(out.error().type);
}

TEST(Choose, OurOrderCounts) {
  EXPECT_EQ(chosen("aes256-sha256-ecp384, aes128-sha256-ecp256",
                   "aes128-sha256-ecp256, aes256-sha256-ecp384", ProtocolId::ike),
            "AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_384");
  EXPECT_EQ(chosen("aes128-aes256-sha1-sha256-ecp384", "aes256-aes128-sha256-sha1-ecp384-ecp256",
                   ProtocolId::ike),
            "AES_CBC_128/HMAC_SHA1_96/PRF_HMAC_SHA1/ECP_384");
}

TEST(Choose, Mismatch_NamesTheType) {
  EXPECT_EQ(chosen("aes256-sha256-ecp384", "aes128-sha256-ecp384", ProtocolId::ike),
            "differ in ENCR");
  EXPECT_EQ(chosen("aes256-sha256-ecp384", "aes256-sha256-ecp256", ProtocolId::ike),
            "differ in " + to_string(TransformType::ke));
}

// A key of another length is another cipher.
TEST(Choose, KeyLengths_DoNotMix) {
  EXPECT_EQ(chosen("aes256gcm16", "aes128gcm16", ProtocolId::esp), "differ in ENCR");
}

}  // namespace
}  // namespace cygnet::model
