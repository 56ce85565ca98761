// Who may begin an IKE_SA when many do.                            RFC 8019 §4
#include "ike/half_open.hpp"

#include <gtest/gtest.h>

#include "ike/limits.hpp"

namespace cygnet::test {
namespace {

using Verdict = ike::HalfOpenTable::Verdict;
const ike::EngineConfig kConfig{};

IpAddress v4(unsigned network, unsigned host) {
  return IpAddress::v4((10U << 24) + (network << 8) + host);
}

struct Crowd {
  void add(const IpAddress& address, std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      const IkeSpi spi{++last};
      table.add({.address = address, .port = 500}, spi,
                ike::SaId{static_cast<std::uint32_t>(last)});
    }
  }
  /// One each of many hosts, `each` to a network.
  void fill(std::size_t count, unsigned each) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = static_cast<unsigned>(i);
      add(v4(1000 + at / each, at % each));
    }
  }
  ike::HalfOpenTable table;
  std::uint64_t last = 0;
};

TEST(HalfOpen, QuietGateway_LetsAnybodyIn) {
  Crowd crowd;
  EXPECT_EQ(crowd.table.judge(v4(1, 1), false, kConfig), Verdict::admit);
}

TEST(HalfOpen, OneHost_IsAskedForACookieAndThenNotAnswered) {
  Crowd crowd;
  crowd.add(v4(1, 1), kConfig.cookie_threshold_per_ip);
  EXPECT_EQ(crowd.table.judge(v4(1, 1), false, kConfig), Verdict::cookie);
  EXPECT_EQ(crowd.table.judge(v4(1, 1), true, kConfig), Verdict::admit);
  EXPECT_EQ(crowd.table.judge(v4(1, 2), false, kConfig), Verdict::admit);
  crowd.add(v4(1, 1), kConfig.block_threshold_per_ip - kConfig.cookie_threshold_per_ip);
  EXPECT_EQ(crowd.table.judge(v4(1, 1), true, kConfig), Verdict::refuse);
}

TEST(HalfOpen, AnIpv6Host_IsItsSlash64) {
  Crowd crowd;
  for (const char* address : {"2001:db8::1", "2001:db8::2", "2001:db8::3"}) {
    crowd.add(*IpAddress::parse(address));
  }
  EXPECT_EQ(crowd.table.judge(*IpAddress::parse("2001:db8::4"), false, kConfig), Verdict::cookie);
  EXPECT_EQ(crowd.table.judge(*IpAddress::parse("2001:db8:0:1::4"), false, kConfig),
            Verdict::admit);
}

TEST(HalfOpen, OneNetwork_IsAskedForCookies) {
  Crowd crowd;
  for (unsigned host = 0; host < kConfig.cookie_threshold_per_network; ++host) {
    crowd.add(v4(7, host));
  }
  EXPECT_EQ(crowd.table.judge(v4(7, 200), false, kConfig), Verdict::cookie);
  EXPECT_EQ(crowd.table.judge(v4(8, 200), false, kConfig), Verdict::admit);
}

// Even with true addresses one network cannot take the places of the others.
TEST(HalfOpen, OneNetwork_LeavesRoomForOthers) {
  Crowd crowd;
  unsigned host = 0;
  while (crowd.table.judge(v4(7, host), true, kConfig) == Verdict::admit) crowd.add(v4(7, host++));
  EXPECT_LE(crowd.table.size(), kConfig.half_open_max / ike::kNetworkShare);
  EXPECT_EQ(crowd.table.judge(v4(8, 1), true, kConfig), Verdict::admit);
  // The fuller it is, the less each may have, and a newcomer still finds a place.
  crowd.fill(700, 20);
  const std::size_t left = (kConfig.half_open_max - crowd.table.size()) / ike::kNetworkShare;
  Crowd& more = crowd;
  std::size_t held = 0;
  while (more.table.judge(v4(9, static_cast<unsigned>(held)), true, kConfig) == Verdict::admit) {
    more.add(v4(9, static_cast<unsigned>(held++)));
  }
  EXPECT_LE(held, left);
  EXPECT_GT(held, 0U);
}

TEST(HalfOpen, FullTable_RefusesAll) {
  Crowd crowd;
  crowd.fill(kConfig.half_open_max, 1);
  EXPECT_EQ(crowd.table.judge(v4(1, 1), true, kConfig), Verdict::refuse);
  EXPECT_EQ(crowd.table.judge(v4(1, 1), false, kConfig), Verdict::refuse);
}

TEST(HalfOpen, PatienceShrinksAsItFills) {
  Crowd crowd;
  EXPECT_EQ(crowd.table.patience(kConfig), kConfig.half_open_timeout);
  crowd.fill(kConfig.half_open_max / 2, 1);
  EXPECT_EQ(crowd.table.patience(kConfig), kConfig.half_open_timeout);
  Crowd fuller;
  fuller.fill(kConfig.half_open_max * 3 / 4, 1);
  EXPECT_LT(fuller.table.patience(kConfig), kConfig.half_open_timeout);
  EXPECT_GT(fuller.table.patience(kConfig), ike::kHalfOpenPatienceMin);
  Crowd full;
  full.fill(kConfig.half_open_max, 1);
  EXPECT_EQ(full.table.patience(kConfig), ike::kHalfOpenPatienceMin);
}

TEST(HalfOpen, WhoLeaves_IsForgotten) {
  Crowd crowd;
  crowd.add(v4(1, 1), 3);
  const Endpoint at{.address = v4(1, 1), .port = 500};
  EXPECT_EQ(crowd.table.find(at, IkeSpi{2}), ike::SaId{2});
  for (std::uint64_t spi = 1; spi <= 3; ++spi) crowd.table.remove(at, IkeSpi{spi});
  EXPECT_EQ(crowd.table.find(at, IkeSpi{2}), std::nullopt);
  EXPECT_EQ(crowd.table.size(), 0U);
  EXPECT_EQ(crowd.table.judge(v4(1, 1), false, kConfig), Verdict::admit);
}

}  // namespace
}  // namespace cygnet::test
