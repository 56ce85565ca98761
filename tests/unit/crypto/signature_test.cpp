// Signatures in AUTH payloads.               RFC 7427, RFC 4754, RFC 8420, RFC 7296 §3.8
#include <gtest/gtest.h>

#include "unit/crypto/vectors.hpp"

namespace cygnet::crypto {
namespace {

Bytes hex(std::string_view text) { return *from_hex(text); }

constexpr HashId kHashes[] = {HashId::sha2_256, HashId::sha2_384, HashId::sha2_512,
                              HashId::identity};

/// RFC 5480 §2: SubjectPublicKeyInfo of a point.
Bytes ecdsa_spki(AuthMethod method, std::string_view point) {
  switch (method) {
    case AuthMethod::ecdsa_256:
      return hex("3059301306072a8648ce3d020106082a8648ce3d03010703420004" + std::string{point});
    case AuthMethod::ecdsa_384:
      return hex("3076301006072a8648ce3d020106052b8104002203620004" + std::string{point});
    default:
      return hex(
          "30819b301006072a8648ce3d020106052b8104002303818600"
          "04" +
          std::string{point});
  }
}
/// RFC 8410 §4.
Bytes ed25519_spki() {
  return hex(std::string{"302a300506032b6570032100"} + test::kEd25519.public_key);
}
Bytes ed448_spki() {
  return hex(std::string{"3043300506032b6571033a00"} + test::kEd448.public_key);
}

/// RFC 7427 §3: the length and DER of the AlgorithmIdentifier, then the signature.
Bytes with_algorithm(std::string_view der, std::string_view signature) {
  Bytes out{static_cast<std::uint8_t>(der.size() / 2)};
  append(out, hex(der));
  append(out, hex(signature));
  return out;
}
constexpr const char* kSha256Rsa = "300d06092a864886f70d01010b0500";
constexpr const char* kSha1Rsa = "300d06092a864886f70d0101050500";
/// RFC 7427 A.4.3: RSASSA-PSS with SHA-256, MGF1 with SHA-256, salt 32.
constexpr const char* kPss256 =
    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
    "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120";

std::string verdict(ByteView spki, AuthMethod method, ByteView data, std::string_view octets,
                    std::span<const HashId> allowed = kHashes) {
  const auto done = openssl().verify(spki, method, data, as_bytes(octets), allowed);
  if (done) return "good";
  switch (done.error()) {
    case SignatureFault::wrong:
      return "wrong";
    case SignatureFault::malformed:
      return "malformed";
    case SignatureFault::method_mismatch:
      return "method_mismatch";
    case SignatureFault::hash_not_allowed:
      return "hash_not_allowed";
    case SignatureFault::weak_key:
      return "weak_key";
  }
  return "unknown";
}

TEST(Verify, EcdsaVectors_OldMethods) {
  for (const test::EcdsaVector& vector : test::kEcdsaVectors) {
    SCOPED_TRACE(to_string(vector.method));
    const Bytes spki = ecdsa_spki(vector.method, vector.public_key);
    Bytes signature = hex(vector.signature);
    EXPECT_EQ(verdict(spki, vector.method, signature, "abc"), "good");
    EXPECT_EQ(verdict(spki, vector.method, signature, "abd"), "wrong");
    signature.back() ^= 1;
    EXPECT_EQ(verdict(spki, vector.method, signature, "abc"), "wrong");
    signature.pop_back();
    EXPECT_NE(verdict(spki, vector.method, signature, "abc"), "good");
    const AuthMethod other =
        vector.method == AuthMethod::ecdsa_256 ? AuthMethod::ecdsa_384 : AuthMethod::ecdsa_256;
    EXPECT_EQ(verdict(spki, other, hex(vector.signature), "abc"), "method_mismatch");
  }
}

TEST(Verify, EdVectors) {
  const Bytes ed25519 = with_algorithm("300506032b6570", test::kEd25519.signature);
  const Bytes ed448 = with_algorithm("300506032b6571", test::kEd448.signature);
  const auto method = AuthMethod::digital_signature;
  EXPECT_EQ(verdict(ed25519_spki(), method, ed25519, "\x72"), "good");
  EXPECT_EQ(verdict(ed448_spki(), method, ed448, "\x03"), "good");
  EXPECT_EQ(verdict(ed25519_spki(), method, ed25519, "\x73"), "wrong");
  EXPECT_EQ(verdict(ed448_spki(), method, ed25519, "\x72"), "method_mismatch");
  // RFC 8420 §2: EdDSA hashes nothing first; a peer that was not told IDENTITY must not use it.
  EXPECT_EQ(verdict(ed25519_spki(), method, ed25519, "\x72", std::span{kHashes}.first(3)),
            "hash_not_allowed");
}

TEST(Verify, RsaVectors) {
  const Bytes spki = hex(test::kRsaPublic);
  const auto method = AuthMethod::digital_signature;
  EXPECT_EQ(verdict(spki, method, with_algorithm(kSha256Rsa, test::kRsaPkcs1Sha256), "abc"),
            "good");
  EXPECT_EQ(verdict(spki, method, with_algorithm(kPss256, test::kRsaPssSha256), "abc"), "good");
  // Method 1 has meant SHA-1 since RFC 4306; RFC 7296 §3.8 keeps it.
  EXPECT_EQ(verdict(spki, AuthMethod::rsa_signature, hex(test::kRsaPkcs1Sha1), "abc"), "good");
  EXPECT_EQ(verdict(spki, method, with_algorithm(kSha1Rsa, test::kRsaPkcs1Sha1), "abc"),
            "hash_not_allowed");
  EXPECT_EQ(verdict(spki, method, with_algorithm(kSha256Rsa, test::kRsaPssSha256), "abc"), "wrong");
  EXPECT_EQ(verdict(spki, method, with_algorithm(kPss256, test::kRsaPkcs1Sha256), "abc"), "wrong");
  EXPECT_EQ(verdict(spki, AuthMethod::ecdsa_256, hex(test::kRsaPkcs1Sha256), "abc"),
            "method_mismatch");
}

// threats.md B3, AUTH: lengths that lie, algorithms cut short, octets after the algorithm.
TEST(Verify, DamagedAlgorithm_IsMalformed) {
  const Bytes spki = hex(test::kRsaPublic);
  const Bytes good = with_algorithm(kSha256Rsa, test::kRsaPkcs1Sha256);
  const auto method = AuthMethod::digital_signature;
  EXPECT_NE(verdict(spki, method, {}, "abc"), "good");
  EXPECT_NE(verdict(spki, method, Bytes{255}, "abc"), "good");
  for (std::size_t i = 0; i < 16; ++i) {
    Bytes bad = good;
    bad[i] ^= 0x11;
    EXPECT_NE(verdict(spki, method, bad, "abc"), "good") << i;
  }
  for (std::size_t size = 0; size < good.size(); size += 7) {
    EXPECT_NE(verdict(spki, method, ByteView{good}.first(size), "abc"), "good") << size;
  }
}

TEST(Verify, KeysThatAreNone_AreRefused) {
  const Bytes signature = with_algorithm(kSha256Rsa, test::kRsaPkcs1Sha256);
  EXPECT_NE(verdict({}, AuthMethod::digital_signature, signature, "abc"), "good");
  EXPECT_NE(verdict(Bytes(40, 0x30), AuthMethod::digital_signature, signature, "abc"), "good");
}

std::unique_ptr<PrivateKey> load(std::string_view der) {
  auto key = load_private_key(hex(der));
  EXPECT_TRUE(key.has_value()) << (key ? "" : key.error().text());
  return key ? *std::move(key) : nullptr;
}

// RFC 8032: the signature is determined by key and message.
TEST(Sign, Ed25519AndEd448_GiveTheRfcsSignatures) {
  const SignatureOptions options{.digital_signature = true, .hashes = kHashes};
  const auto ed25519 =
      load(std::string{"302e020100300506032b657004220420"} + test::kEd25519.secret);
  const auto ed448 = load(std::string{"3047020100300506032b6571043b0439"} + test::kEd448.secret);
  ASSERT_TRUE(ed25519 && ed448);
  EXPECT_EQ(to_hex(ed25519->public_key()), to_hex(ed25519_spki()));
  const auto a = ed25519->sign(as_bytes("\x72"), options);
  const auto b = ed448->sign(as_bytes("\x03"), options);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->method, AuthMethod::digital_signature);
  EXPECT_EQ(to_hex(a->auth_data),
            to_hex(with_algorithm("300506032b6570", test::kEd25519.signature)));
  EXPECT_EQ(to_hex(b->auth_data), to_hex(with_algorithm("300506032b6571", test::kEd448.signature)));
  // Without RFC 7427 there is no method for them.
  EXPECT_FALSE(ed25519->sign(as_bytes("x"), {}).has_value());
}

TEST(Sign, Rsa_IsPssWithRfc7427AndPkcs1Before) {
  const auto key = load(test::kRsaPrivate);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->kind(), KeyKind::rsa);
  EXPECT_EQ(to_hex(key->public_key()), test::kRsaPublic);
  const auto pss = key->sign(as_bytes("abc"), {.digital_signature = true, .hashes = kHashes});
  ASSERT_TRUE(pss.has_value());
  EXPECT_EQ(verdict(key->public_key(), pss->method, pss->auth_data, "abc"), "good");
  EXPECT_EQ(to_hex(ByteView{pss->auth_data}.subspan(1, 13)), "304106092a864886f70d01010a");
  // PKCS#1 v1.5 is deterministic: the same octets as the openssl program's.
  const auto old = key->sign(as_bytes("abc"), {});
  ASSERT_TRUE(old.has_value());
  EXPECT_EQ(old->method, AuthMethod::rsa_signature);
  EXPECT_EQ(to_hex(old->auth_data), test::kRsaPkcs1Sha1);
}

TEST(Load, WhatIsNoKey_IsAnError) {
  EXPECT_FALSE(load_private_key({}).has_value());
  EXPECT_FALSE(load_private_key(as_bytes("-----BEGIN PRIVATE KEY-----\nAAAA\n")).has_value());
  Bytes cut = hex(test::kRsaPrivate);
  cut.resize(cut.size() - 10);
  EXPECT_FALSE(load_private_key(cut).has_value());
}

}  // namespace
}  // namespace cygnet::crypto
