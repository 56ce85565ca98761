// Traffic selectors: text, containment, narrowing.             RFC 7296 §2.9, §3.13
#include "model/traffic_selector.hpp"

#include <gtest/gtest.h>

namespace cygnet::model {
namespace {

TrafficSelector ts(std::string_view text) {
  const auto out = parse_selector(text);
  EXPECT_TRUE(out.has_value()) << text;
  return out ? out->selector : TrafficSelector{};
}

TEST(Selector, TextAndBack_IsTheSame) {
  for (const char* text :
       {"10.1.0.0/24", "10.1.0.0/24[tcp/443]", "dynamic", "dynamic[udp]", "2001:db8::/64",
        "0.0.0.0/0[udp/1024-2048]", "10.0.0.1..10.0.0.9[udp]", "::/0[99]", "0.0.0.0/0[icmp/8]"}) {
    const auto one = parse_selector(text);
    ASSERT_TRUE(one.has_value()) << text;
    EXPECT_EQ(one->text(), text);
    EXPECT_EQ(*parse_selector(one->text()), *one);
  }
  EXPECT_EQ(parse_selector("10.0.0.1-10.0.0.9")->text(), "10.0.0.1..10.0.0.9");
}

TEST(Selector, WhatIsNone_IsAnError) {
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.9-10.0.0.1", "10.0.0.1-2001:db8::1",
                           "10.0.0.0/8[tcp", "10.0.0.0/8[tcp/70000]", "host.example", "[xyz]"}) {
    EXPECT_FALSE(parse_selector(text).has_value()) << text;
  }
}

TEST(Intersect, RangesProtocolsAndPorts) {
  const auto both = [](const char* a, const char* b) {
    const auto out = intersect(ts(a), ts(b));
    return out ? out->text() : "nothing";
  };
  EXPECT_EQ(both("10.0.0.0/8", "10.1.0.0/16"), "10.1.0.0/16");
  EXPECT_EQ(both("10.0.0.0/8", "192.168.0.0/16"), "nothing");
  EXPECT_EQ(both("0.0.0.0/0", "::/0"), "nothing");
  EXPECT_EQ(both("10.0.0.0/8[tcp]", "10.1.0.0/16[udp]"), "nothing");
  EXPECT_EQ(both("10.0.0.0/8[tcp]", "10.1.0.0/16"), "10.1.0.0/16[tcp]");
  EXPECT_EQ(both("10.0.0.0/8[tcp/1-100]", "10.0.0.0/8[tcp/50-200]"), "10.0.0.0/8[tcp/50-100]");
  EXPECT_EQ(both("10.0.0.1-10.0.0.9", "10.0.0.5-10.0.0.20"), "10.0.0.5..10.0.0.9");
}

//= RFC7296#2.9 test: the responder narrows to subsets of both
TEST(Intersect, Lists_WithoutWhatOthersContain) {
  const std::vector<TrafficSelector> offered{ts("10.0.0.0/8"), ts("10.1.0.0/16")};
  const std::vector<TrafficSelector> ours{ts("10.1.0.0/16"), ts("10.2.0.0/16")};
  EXPECT_EQ(text_of(intersect(offered, ours)), "10.1.0.0/16, 10.2.0.0/16");
  EXPECT_TRUE(intersect({ts("::/0")}, ours).empty());
}

TEST(Dynamic, StandsForItsHosts) {
  const auto dynamic = *parse_selector("dynamic[tcp/443]");
  EXPECT_EQ(text_of(dynamic.resolve({*IpAddress::parse("192.0.2.1")})), "192.0.2.1/32[tcp/443]");
  EXPECT_EQ(text_of(dynamic.resolve({IpAddress::any(IpFamily::v6)})), "::/0[tcp/443]");
  EXPECT_EQ(text_of(parse_selector("10.0.0.0/8")->resolve({})), "10.0.0.0/8");
}

TEST(Contains, EveryPart) {
  EXPECT_TRUE(ts("10.0.0.0/8").contains(ts("10.1.0.0/16[tcp/80]")));
  EXPECT_FALSE(ts("10.0.0.0/8[tcp]").contains(ts("10.1.0.0/16")));
  EXPECT_FALSE(ts("10.0.0.0/8[tcp/80]").contains(ts("10.0.0.1/32[tcp/81]")));
}

}  // namespace
}  // namespace cygnet::model
