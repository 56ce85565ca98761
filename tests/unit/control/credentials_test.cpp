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

}  // namespace
}  // namespace cygnet::control::test
