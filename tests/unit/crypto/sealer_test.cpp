// Ciphers and integrity.          RFC 4106, RFC 3602, RFC 3686, RFC 7634, RFC 4868, RFC 5282
#include <gtest/gtest.h>

#include "unit/crypto/vectors.hpp"

namespace cygnet::crypto {
namespace {

Bytes hex(std::string_view text) { return *from_hex(text); }

struct Sealed {
  Bytes text;
  Bytes icv;
};

std::unique_ptr<Sealer> make(EncrId encr, std::uint16_t bits, ByteView key,
                             IntegId integ = IntegId::none, ByteView integ_key = {}) {
  auto made = openssl().sealer(encr, bits, key, integ, integ_key);
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().text());
  return made ? *std::move(made) : nullptr;
}
Sealed seal(Sealer& sealer, ByteView associated, ByteView iv, Bytes text, ByteView extra = {}) {
  Sealed out{std::move(text), Bytes(sealer.icv_size())};
  EXPECT_TRUE(sealer.seal(associated, iv, out.text, out.icv, extra).has_value());
  return out;
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 4 and 16; in ESP's terms
// the first four octets of the IV are the salt (RFC 4106 §4).
constexpr const char* kGcmText =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
constexpr const char* kGcmAssociated = "feedfacedeadbeeffeedfacedeadbeefabaddad2";

TEST(Gcm, TestCase4_Aes128) {
  const auto sealer =
      make(EncrId::aes_gcm_16, 128, hex("feffe9928665731c6d6a8f9467308308cafebabe"));
  const Sealed out = seal(*sealer, hex(kGcmAssociated), hex("facedbaddecaf888"), hex(kGcmText));
  EXPECT_EQ(to_hex(out.text),
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
            "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091");
  EXPECT_EQ(to_hex(out.icv), "5bc94fbc3221a5db94fae95ae7121a47");
}

TEST(Gcm, TestCase16_Aes256AndShorterIcvs) {
  const Bytes key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308cafebabe");
  const std::string icv = "76fc6ece0f4e1768cddf8853bb2d551b";
  for (const EncrId id : {EncrId::aes_gcm_16, EncrId::aes_gcm_12, EncrId::aes_gcm_8}) {
    const auto sealer = make(id, 256, key);
    const Sealed out = seal(*sealer, hex(kGcmAssociated), hex("facedbaddecaf888"), hex(kGcmText));
    EXPECT_EQ(to_hex(out.text),
              "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
              "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662");
    EXPECT_EQ(to_hex(out.icv), icv.substr(0, 2 * sealer->icv_size())) << to_string(id);
  }
}

// RFC 7634 Appendix B: an IKE message.
TEST(ChaCha, Rfc7634AppendixB) {
  const auto sealer =
      make(EncrId::chacha20_poly1305, 0,
           hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3"));
  const Sealed out =
      seal(*sealer, hex("c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029"),
           hex("1011121314151617"), hex("0000000c000040010000000a00"));
  EXPECT_EQ(to_hex(out.text), "610394701f8d017f7c12924889");
  EXPECT_EQ(to_hex(out.icv), "6b71bfe25236efd7cdc67066906315b2");
}

constexpr struct {
  IntegId id;
  PrfId prf;
  std::size_t key;
  std::size_t icv;
} kIntegs[] = {{IntegId::hmac_sha1_96, PrfId::hmac_sha1, 20, 12},
               {IntegId::hmac_sha2_256_128, PrfId::hmac_sha2_256, 32, 16},
               {IntegId::hmac_sha2_384_192, PrfId::hmac_sha2_384, 48, 24},
               {IntegId::hmac_sha2_512_256, PrfId::hmac_sha2_512, 64, 32}};

/// The ICV must be the HMAC over everything, cut; the PRF has its own known answers.
void expect_icv(const Sealed& out, std::size_t which, ByteView integ_key, ByteView associated,
                ByteView iv, ByteView extra) {
  const auto mac = openssl().prf(kIntegs[which].prf, integ_key, {associated, iv, out.text, extra});
  ASSERT_TRUE(mac.has_value());
  EXPECT_EQ(to_hex(out.icv), to_hex(mac->reveal().first(kIntegs[which].icv)));
}

// RFC 3602 §4 case 2, with each HMAC.
TEST(Cbc, Rfc3602Case2_WithEachIntegrity) {
  for (std::size_t i = 0; i < std::size(kIntegs); ++i) {
    const Bytes integ_key(kIntegs[i].key, 0x5a);
    const auto sealer = make(EncrId::aes_cbc, 128, hex("c286696d887c9aa0611bbb3e2025a45a"),
                             kIntegs[i].id, integ_key);
    EXPECT_EQ(sealer->icv_size(), kIntegs[i].icv);
    EXPECT_TRUE(sealer->random_iv());
    EXPECT_EQ(sealer->block_size(), 16u);
    const Bytes iv = hex("562e17996d093d28ddb3ba695a2e6f58");
    const Bytes associated = hex("0102030405060708");
    const Bytes extra = hex("00000001");
    const Sealed out =
        seal(*sealer, associated, iv,
             hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), extra);
    EXPECT_EQ(to_hex(out.text), "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1");
    expect_icv(out, i, integ_key, associated, iv, extra);
  }
}

// RFC 3686 §6 test vector 3: the nonce follows the key, the counter starts at one.
TEST(Ctr, Rfc3686Vector3) {
  const Bytes integ_key(32, 0x11);
  const auto sealer = make(EncrId::aes_ctr, 128, hex("7691be035e5020a8ac6e618529f9a0dc00e0017b"),
                           IntegId::hmac_sha2_256_128, integ_key);
  const Bytes iv = hex("27777f3f4a1786f0");
  const Sealed out =
      seal(*sealer, {}, iv,
           hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"));
  EXPECT_EQ(to_hex(out.text),
            "c1cf48a89f2ffdd9cf4652e9efdb72d74540a42bde6d7836d59a5ceaaef3105325b2072f");
  expect_icv(out, 1, integ_key, {}, iv, {});
}

struct Suite {
  EncrId encr;
  std::uint16_t bits;
  std::size_t key;
  IntegId integ = IntegId::none;
  std::size_t integ_key = 0;
};
constexpr Suite kSuites[] = {{EncrId::aes_gcm_16, 128, 20},
                             {EncrId::aes_gcm_16, 192, 28},
                             {EncrId::aes_gcm_16, 256, 36},
                             {EncrId::aes_gcm_12, 256, 36},
                             {EncrId::aes_gcm_8, 256, 36},
                             {EncrId::chacha20_poly1305, 0, 36},
                             {EncrId::aes_cbc, 256, 32, IntegId::hmac_sha2_384_192, 48},
                             {EncrId::aes_cbc, 192, 24, IntegId::hmac_sha1_96, 20},
                             {EncrId::aes_ctr, 256, 36, IntegId::hmac_sha2_512_256, 64}};

// Whatever octet is changed, nothing opens: associated data, IV, text, ICV, the extra octets.
TEST(EverySealer, TamperedOctet_IsRefused) {
  for (const Suite& suite : kSuites) {
    SCOPED_TRACE(to_string(suite.encr));
    const Bytes key(suite.key, 3);
    const Bytes integ_key(suite.integ_key, 4);
    const auto sealer = make(suite.encr, suite.bits, key, suite.integ, integ_key);
    const Bytes plain(32, 0x77);
    const bool aead = suite.integ == IntegId::none;
    std::vector<Bytes> parts{
        Bytes(12, 1), Bytes(sealer->iv_size(), 2), plain, {}, aead ? Bytes{} : Bytes(4, 9)};
    const Sealed sealed = seal(*sealer, parts[0], parts[1], plain, parts[4]);
    parts[2] = sealed.text;
    parts[3] = sealed.icv;
    const auto opens = [&sealer](std::vector<Bytes> p) {
      return sealer->open(p[0], p[1], p[2], p[3], p[4]);
    };
    ASSERT_TRUE(opens(parts));
    for (std::size_t part = 0; part < parts.size(); ++part) {
      for (std::size_t i = 0; i < parts[part].size(); ++i) {
        auto changed = parts;
        changed[part][i] ^= 0x80;
        EXPECT_FALSE(opens(changed)) << part << "/" << i;
      }
    }
    Bytes text = sealed.text;
    ASSERT_TRUE(sealer->open(parts[0], parts[1], text, sealed.icv, parts[4]));
    EXPECT_EQ(text, plain);
    EXPECT_FALSE(sealer->open(parts[0], parts[1], text, ByteView{sealed.icv}.first(4), parts[4]));
  }
}

TEST(EverySealer, KeyOfWrongLength_IsAnError) {
  for (const Suite& suite : kSuites) {
    const Bytes integ_key(suite.integ_key, 4);
    EXPECT_FALSE(openssl()
                     .sealer(suite.encr, suite.bits, Bytes(suite.key - 1), suite.integ, integ_key)
                     .has_value());
    EXPECT_FALSE(openssl()
                     .sealer(suite.encr, suite.bits, Bytes(suite.key + 1), suite.integ, integ_key)
                     .has_value());
    if (suite.integ == IntegId::none) continue;
    EXPECT_FALSE(openssl()
                     .sealer(suite.encr, suite.bits, Bytes(suite.key), suite.integ,
                             Bytes(suite.integ_key - 1))
                     .has_value());
  }
}

// Every cipher on the provider's list can be made: a row without code would fail here.
TEST(Provider, Lists_HoldWhatWorks) {
  for (const EncrId id : openssl().encrs) {
    const auto rows = all_encrs();
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [id](const EncrInfo& info) { return info.id == id; });
    ASSERT_NE(row, rows.end());
    for (const std::uint16_t bits : row->key_bits) {
      const Bytes key(row->key_size(bits) + row->salt_size);
      const IntegId integ = row->aead ? IntegId::none : IntegId::hmac_sha2_256_128;
      EXPECT_TRUE(openssl().sealer(id, bits, key, integ, Bytes(row->aead ? 0 : 32)).has_value())
          << row->name;
    }
  }
}

}  // namespace
}  // namespace cygnet::crypto
