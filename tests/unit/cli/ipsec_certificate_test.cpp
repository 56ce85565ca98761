// What `ipsec listcerts` knows of a certificate.
#include "cli/ipsec_certificate.hpp"

#include <gtest/gtest.h>

#include "support/test_pki.hpp"

namespace cygnet::cli {
namespace {

TEST(WithDetails, SaysWhatTheCertificateSays) {
  const test::Issued ca = test::CertMaker::ca("root").key(test::TestKey::p384).self_signed();
  const test::Issued own =
      test::CertMaker::leaf("gw").san("DNS:vpn.example,IP:192.0.2.1").issued_by(ca);
  vici::Message event;
  event.add("type", "X509").add("data", ByteView{own.cert});
  const auto told = with_details(event);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->text("type"), "X509");
  EXPECT_EQ(told->text("subject"), "C=CH, O=test, CN=gw");
  EXPECT_EQ(told->text("issuer"), "C=CH, O=test, CN=root");
  EXPECT_EQ(told->text("key"), "ECDSA 256 bits");
  ASSERT_NE(told->list("alt-names"), nullptr);
  EXPECT_EQ(*told->list("alt-names"), (vici::List{"vpn.example", "192.0.2.1"}));
  EXPECT_TRUE(told->list("flags")->empty());
  EXPECT_EQ(told->text("key-id").size(), 59u) << "20 octets with colons";
  EXPECT_LT(*told->number("not-before"), *told->number("not-after"));
}

TEST(WithDetails, AuthoritiesAreFlagged) {
  const test::Issued ca = test::CertMaker::ca("root").self_signed();
  vici::Message event;
  event.add("data", ByteView{ca.cert});
  EXPECT_EQ(*with_details(event)->list("flags"), (vici::List{"CA", "self-signed"}));
}

TEST(WithDetails, Rubbish) {
  vici::Message event;
  EXPECT_FALSE(with_details(event).has_value());
  event.add("data", "rubbish");
  EXPECT_FALSE(with_details(event).has_value());
}

}  // namespace
}  // namespace cygnet::cli
