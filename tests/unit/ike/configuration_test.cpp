// What a client asks for and a gateway gives in CP payloads.       RFC 7296 §3.15, RFC 8598
#include "ike/exchange/configuration.hpp"

#include <gtest/gtest.h>

#include "ike/limits.hpp"

namespace cygnet::test {
namespace {

const IpAddress kFour = *IpAddress::parse("10.9.0.7");
const IpAddress kSix = *IpAddress::parse("2001:db8::7");

wire::CpPayload reply_of(std::vector<wire::CfgAttribute> attributes) {
  return {.type = CfgType::reply, .attributes = std::move(attributes)};
}

TEST(Configuration, Reply_CarriesEverythingThatWasLeased) {
  const ike::answer::Leased lease{
      .addresses = {kFour, kSix},
      .dns = {*IpAddress::parse("9.9.9.9"), *IpAddress::parse("2620:fe::fe")},
      .nbns = {*IpAddress::parse("10.9.0.2")},
      .subnets = {*Prefix::parse("10.0.0.0/9"), *Prefix::parse("2001:db8:5::/48")},
      .dns_domains = {"home.example", "corp.example"}};
  const ike::answer::Leased read = ike::read_configuration(ike::configuration_reply(lease));
  EXPECT_EQ(read.addresses, lease.addresses);
  EXPECT_EQ(read.dns, lease.dns);
  EXPECT_EQ(read.nbns, lease.nbns);
  EXPECT_EQ(read.subnets, lease.subnets);
  EXPECT_EQ(read.dns_domains, lease.dns_domains);
}

// An address that was wished for is named, "any" is an empty attribute.
TEST(Configuration, Request_NamesWishes) {
  const wire::CpPayload request = ike::configuration_request(
      {IpAddress::any(IpFamily::v4), kFour, IpAddress::any(IpFamily::v6), kSix});
  EXPECT_EQ(request.type, CfgType::request);
  EXPECT_TRUE(request.attributes[0].value.empty());
  // 16 octets and one of prefix length.
  EXPECT_EQ(request.attributes[3].value.size(), 17U);
  const std::vector<IpAddress> wishes{IpAddress::any(IpFamily::v4), kFour,
                                      IpAddress::any(IpFamily::v6), kSix};
  EXPECT_EQ(ike::requested_addresses(request), wishes);
}

TEST(Configuration, OnlyARequestAsks) {
  wire::CpPayload request = ike::configuration_request({kFour});
  request.type = CfgType::set;
  EXPECT_TRUE(ike::requested_addresses(request).empty());
}

TEST(Configuration, TooManyWishes_AreCut) {
  const wire::CpPayload request = ike::configuration_request(std::vector(100, kFour));
  EXPECT_EQ(ike::requested_addresses(request).size(), ike::kRequestedAddressesMax);
}

// A gateway's nonsense is passed over, and what it may make us hold is bounded.
TEST(Configuration, NonsenseInAReply_IsPassedOver) {
  const ike::answer::Leased read = ike::read_configuration(reply_of({
      {.type = CfgAttributeType::internal_ip4_address, .value = {1, 2, 3}},
      {.type = CfgAttributeType::internal_ip6_address, .value = Bytes(15, 1)},
      {.type = CfgAttributeType::internal_ip4_subnet, .value = {10, 0, 0, 0, 255}},
      {.type = CfgAttributeType::internal_ip6_subnet, .value = Bytes(16, 1)},
      {.type = CfgAttributeType::internal_dns_domain, .value = {}},
      {.type = static_cast<CfgAttributeType>(30000), .value = {1}},
  }));
  EXPECT_TRUE(read.addresses.empty());
  EXPECT_TRUE(read.subnets.empty());
  EXPECT_TRUE(read.dns_domains.empty());
}

TEST(Configuration, EndlessReply_IsCut) {
  std::vector<wire::CfgAttribute> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back({.type = CfgAttributeType::internal_ip4_dns, .value = {9, 9, 9, 9}});
    many.push_back({.type = CfgAttributeType::internal_dns_domain, .value = {'a'}});
    many.push_back(
        {.type = CfgAttributeType::internal_ip4_subnet, .value = {10, 0, 0, 0, 255, 0, 0, 0}});
  }
  const ike::answer::Leased read = ike::read_configuration(reply_of(many));
  EXPECT_EQ(read.dns.size(), 16U);
  EXPECT_EQ(read.dns_domains.size(), 16U);
  EXPECT_EQ(read.subnets.size(), 16U);
  EXPECT_EQ(read.subnets[0], *Prefix::parse("10.0.0.0/8"));
}

}  // namespace
}  // namespace cygnet::test
