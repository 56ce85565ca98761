// What we send to prove who we are.
#include "control/credentials.hpp"

#include <gtest/gtest.h>

#include <variant>
#include <vector>

#include "support/test_pki.hpp"

namespace cygnet::control::test {
namespace {

using cygnet::test::CertMaker;
using cygnet::test::Issued;

/// The CA has got a new key and kept its name; both of its certificates are there, the old one
/// first.
TEST(Credentials, IssuerWithANewKey_TheOneThatSignedIsSent) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued old_ca = CertMaker::ca("issuer").issued_by(root);
  const Issued new_ca = CertMaker::ca("issuer").issued_by(root);
  const Issued leaf = CertMaker::leaf("gw").san("DNS:gw.example").issued_by(new_ca);

  for (const bool trusted : {false, true}) {
    Credentials credentials;
    ASSERT_TRUE(credentials.add_certificate(root.cert, true));
    for (const Issued* one : {&old_ca, &new_ca}) {
      ASSERT_TRUE(credentials.add_certificate(one->cert, trusted));
    }
    ASSERT_TRUE(credentials.add_certificate(leaf.cert, false));
    ASSERT_TRUE(credentials.add_key(leaf.key));
    model::Connection connection;
    connection.local.certs = {leaf.cert};

    const auto result = credentials.sign(
        {.octets = to_bytes("octets"), .digital_signature = true, .hashes = {HashId::sha2_256}},
        connection);
    const auto* proof = std::get_if<ike::answer::Signed>(&result);
    ASSERT_NE(proof, nullptr);
    ASSERT_EQ(proof->chain.size(), 2U);
    EXPECT_TRUE(proof->chain[1] == new_ca.cert) << trusted;
  }
}

// local.auth says which of our certificates prove who we are, and with which hash.
TEST(Credentials, RuleForUs_IsKeptOrNamed) {
  const Issued p256 = CertMaker::leaf("p256").self_signed();
  const Issued p384 = CertMaker::leaf("p384").key(cygnet::test::TestKey::p384).self_signed();
  Credentials credentials;
  for (const Issued* one : {&p256, &p384}) {
    ASSERT_TRUE(credentials.add_certificate(one->cert, false));
    ASSERT_TRUE(credentials.add_key(one->key));
  }
  model::Connection connection;
  connection.local.certs = {p256.cert, p384.cert};
  const auto sign = [&](const char* rule, std::vector<HashId> peer_takes) {
    connection.local.rule = model::parse_signature_rules(rule)->auth;
    return credentials.sign({.octets = to_bytes("octets"),
                             .digital_signature = !peer_takes.empty(),
                             .hashes = std::move(peer_takes)},
                            connection);
  };
  const auto chosen = sign("ecdsa-384", {HashId::sha2_384});
  const auto* proof = std::get_if<ike::answer::Signed>(&chosen);
  ASSERT_NE(proof, nullptr);
  EXPECT_EQ(proof->chain.front(), p384.cert);

  const auto reason = [](const auto& result) {
    const auto* refused = std::get_if<ike::answer::Refused>(&result);
    return refused == nullptr ? std::string{"signed"} : std::string{to_string(refused->reason)};
  };
  EXPECT_EQ(reason(sign("rsa", {HashId::sha2_384})), "certificate_missing");
  EXPECT_EQ(reason(sign("ecdsa-sha512", {HashId::sha2_256})), "auth_rule");
  // Without RFC 7427 the curve decides.
  EXPECT_EQ(reason(sign("ecdsa-sha384", {})), "auth_rule");
  EXPECT_EQ(reason(sign("ecdsa-sha256", {})), "signed");
}

// Whom we trust is what matters most about a certificate: moved from x509ca to x509, it is another.
TEST(Credentials, ATrustedCertificateThatIsOnlyKnown_IsAChange) {
  const Issued ca = CertMaker::ca("root").self_signed();
  CredentialSet trusts;
  CredentialSet knows;
  trusts.anchors.add(ca.certificate());
  knows.others.add(ca.certificate());
  Credentials credentials;
  static_cast<void>(credentials.exchange_file(std::move(trusts)));
  std::string told;
  for (const CredentialChange& one : credentials.changes_to(knows)) {
    told += (one.after ? "added " : "removed ") + std::string{one.what} + "; ";
  }
  EXPECT_EQ(told, "added certificate; removed CA certificate; ");
}

}  // namespace
}  // namespace cygnet::control::test
