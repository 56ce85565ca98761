// PKCS#12 files and private keys.                              RFC 7292, RFC 5958
#include "pki/credentials_file.hpp"

#include <gtest/gtest.h>

#include "support/test_pki.hpp"

namespace cygnet::pki {
namespace {

using test::CertMaker;
using test::Issued;
using test::TestKey;

TEST(Pkcs12, KeyAndCertificates_OwnOneFirst) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued leaf = CertMaker::leaf("gw").key(TestKey::p384).issued_by(root);
  const auto opened = load_pkcs12(leaf.pkcs12("pass", {root}), "pass");
  ASSERT_TRUE(opened.has_value()) << opened.error().text();
  ASSERT_EQ(opened->certs.size(), 2u);
  EXPECT_EQ(opened->certs[0], leaf.certificate());
  EXPECT_EQ(opened->certs[1], root.certificate());
  EXPECT_EQ(opened->key->kind(), crypto::KeyKind::ecdsa_384);
  EXPECT_TRUE(equal(opened->key->public_key(), opened->certs[0].public_key()));
}

TEST(Pkcs12, WrongPassword_IsSaidSo) {
  const Issued leaf = CertMaker::leaf("gw").self_signed();
  const auto opened = load_pkcs12(leaf.pkcs12("pass"), "other");
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().text().find("password"), std::string::npos) << opened.error().text();
}

TEST(Pkcs12, Garbage_IsRefused) {
  EXPECT_FALSE(load_pkcs12({}, "").has_value());
  EXPECT_FALSE(load_pkcs12(as_bytes("hello"), "").has_value());
  const Bytes good = CertMaker::leaf("gw").self_signed().pkcs12("pass");
  for (std::size_t size = 0; size < good.size(); size += 37) {
    EXPECT_FALSE(load_pkcs12(ByteView{good}.first(size), "pass").has_value()) << size;
  }
  EXPECT_FALSE(load_pkcs12(Bytes(kPkcs12OctetsMax + 1, 0x30), "pass").has_value());
}

TEST(Key, EveryKindAndForm_IsRead) {
  for (const TestKey kind : {TestKey::p256, TestKey::p384, TestKey::p521, TestKey::rsa_2048,
                             TestKey::ed25519, TestKey::ed448}) {
    const Issued made = CertMaker::leaf("x").key(kind).self_signed();
    EXPECT_TRUE(load_key(made.key).has_value());
    EXPECT_TRUE(load_key(as_bytes(made.key_pem())).has_value());
    const std::string locked = made.key_pem("pass");
    const auto opened = load_key(as_bytes(locked), "pass");
    ASSERT_TRUE(opened.has_value());
    EXPECT_TRUE(equal((*opened)->public_key(), made.certificate().public_key()));
    EXPECT_FALSE(load_key(as_bytes(locked), "wrong").has_value());
    EXPECT_FALSE(load_key(as_bytes(locked)).has_value()) << "nobody is asked for a password";
  }
}

TEST(Key, WeakOrForeignKind_IsRefused) {
  EXPECT_FALSE(load_key(CertMaker::leaf("x").key(TestKey::rsa_1024).self_signed().key).has_value());
  EXPECT_FALSE(
      load_key(CertMaker::leaf("x").key(TestKey::secp256k1).self_signed().key).has_value());
}

TEST(Certificate, PemBundle_IsReadInOrder) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued leaf = CertMaker::leaf("gw").issued_by(root);
  const std::string bundle = "text\n" + leaf.cert_pem() + leaf.key_pem() + root.cert_pem();
  const auto all = Certificate::parse_all(as_bytes(bundle));
  ASSERT_TRUE(all.has_value()) << all.error().text();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0], leaf.certificate());
  EXPECT_TRUE((*all)[1].is_ca());
  EXPECT_TRUE((*all)[1].self_signed());
  EXPECT_FALSE((*all)[0].self_signed());
  EXPECT_FALSE(Certificate::parse_all(as_bytes(leaf.key_pem())).has_value());
  EXPECT_FALSE(Certificate::parse_all(as_bytes(leaf.cert_pem().substr(0, 200))).has_value());
}

TEST(Certificate, OctetsBehindIt_AreRefused) {
  Bytes der = CertMaker::leaf("gw").self_signed().cert;
  der.push_back(0);
  EXPECT_FALSE(Certificate::parse(der).has_value());
}

}  // namespace
}  // namespace cygnet::pki
