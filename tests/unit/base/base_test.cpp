// Readers, writers, addresses, secrets.
#include <gtest/gtest.h>

#include "base/check.hpp"
#include "base/ip.hpp"
#include "base/reader.hpp"
#include "base/secret.hpp"
#include "base/strong.hpp"
#include "base/writer.hpp"

namespace cygnet {
namespace {

// The parsers' promise: after a fault everything reads as empty, and only finish() tells.
TEST(Reader, PastTheEnd_IsRememberedNotRead) {
  const Bytes bytes{1, 2, 3};
  Reader in{bytes, "test"};
  EXPECT_EQ(in.be<std::uint16_t>(), 0x0102);
  EXPECT_EQ(in.be<std::uint32_t>(), 0u);
  EXPECT_TRUE(in.take(1).empty());
  const auto done = in.finish(7);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().fault, ParseFault::truncated);
}

TEST(Reader, OctetsLeftOver_AreAFault) {
  const Bytes bytes{1, 2};
  Reader in{bytes, "test"};
  static_cast<void>(in.be<std::uint8_t>());
  const auto done = in.finish(7);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().fault, ParseFault::trailing_bytes);
}

TEST(Writer, NumbersAreBigEndian) {
  Writer out;
  out.be(std::uint16_t{0x0102});
  out.be(std::uint32_t{0x03040506});
  EXPECT_EQ(to_hex(out.take()), "010203040506");
}

TEST(Text, HexAndBase64) {
  EXPECT_EQ(to_hex(*from_hex("00 ff:7F")), "00ff7f");
  EXPECT_FALSE(from_hex("0").has_value());
  EXPECT_FALSE(from_hex("0g").has_value());
  // RFC 4648 §10.
  EXPECT_EQ(to_string(*from_base64("Zm9vYmFy")), "foobar");
  EXPECT_EQ(to_string(*from_base64("Zm9vYg==")), "foob");
  EXPECT_FALSE(from_base64("Zm9v!").has_value());
}

TEST(Address, TextAndOrder) {
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->text(), "192.0.2.1");
  EXPECT_EQ(IpAddress::parse("2001:DB8:0::1")->text(), "2001:db8::1");
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "2001:db8", "fe80::1%eth0"}) {
    EXPECT_FALSE(IpAddress::parse(text).has_value()) << text;
  }
  EXPECT_LT(*IpAddress::parse("9.9.9.9"), *IpAddress::parse("10.0.0.0"));
}

TEST(Address, Arithmetic_EndsAtTheFamily) {
  EXPECT_EQ(IpAddress::parse("10.0.0.255")->plus(1)->text(), "10.0.1.0");
  EXPECT_EQ(IpAddress::parse("2001:db8::ffff")->plus(1)->text(), "2001:db8::1:0");
  EXPECT_FALSE(IpAddress::parse("255.255.255.255")->plus(1).has_value());
  EXPECT_EQ(IpAddress::parse("::1")->distance_from(*IpAddress::parse("::")), 1u);
}

TEST(Prefix, HostBitsAreCleared) {
  EXPECT_EQ(Prefix::parse("10.1.2.3/8")->text(), "10.0.0.0/8");
  EXPECT_EQ(Prefix::parse("10.1.2.3")->text(), "10.1.2.3/32");
  EXPECT_EQ(Prefix::parse("10.0.0.0/8")->last().text(), "10.255.255.255");
  EXPECT_FALSE(Prefix::parse("10.0.0.0/33").has_value());
}

TEST(Range, FewestPrefixes) {
  const IpRange range{*IpAddress::parse("10.0.0.1"), *IpAddress::parse("10.0.0.6")};
  std::string out;
  for (const Prefix& prefix : range.prefixes()) out += prefix.text() + " ";
  EXPECT_EQ(out, "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32 ");
  const IpRange all{IpAddress::any(IpFamily::v6), IpAddress::last(IpFamily::v6)};
  ASSERT_EQ(all.prefixes().size(), 1u);
  EXPECT_EQ(all.prefixes()[0].text(), "::/0");
}

TEST(Secret, MovesAndLeavesNothing) {
  Secret a{ByteView{Bytes{1, 2, 3}}};
  Secret b = std::move(a);
  EXPECT_EQ(b.size(), 3u);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that is the point
  const Secret c = b.clone();
  EXPECT_TRUE(equal(c.reveal(), b.reveal()));
}

//= RFC7296#2.2 test: message IDs never wrap
TEST(MessageId, EndsWithoutWrapping) {
  EXPECT_EQ(MessageId{0}.next(), MessageId{1});
  EXPECT_FALSE(MessageId{0xffffffff}.next().has_value());
}

}  // namespace
}  // namespace cygnet
