// Reading inner packets, selectors on them, TOS and ECN.
#include "esp/inner.hpp"

#include <gtest/gtest.h>

#include "conformance/packets.hpp"
#include "toys/rng.hpp"

namespace cygnet::esp {
namespace {

using model::TrafficSelector;
using test::make_packet;

TrafficSelector selector(const char* prefix, std::uint8_t protocol = 0, std::uint16_t start = 0,
                         std::uint16_t end = 65535) {
  TrafficSelector out = TrafficSelector::of(*Prefix::parse(prefix));
  out.protocol = protocol;
  out.start_port = start;
  out.end_port = end;
  return out;
}

TEST(Inner, Udp4_FlowAndFlags) {
  const auto inner = parse_inner(make_packet({.tos = 0xb9}));
  ASSERT_TRUE(inner.has_value());
  EXPECT_EQ(inner->flow.source, test::ip("10.1.0.1"));
  EXPECT_EQ(inner->flow.destination, test::ip("10.2.0.1"));
  EXPECT_EQ(inner->flow.protocol, 17);
  EXPECT_EQ(inner->flow.source_port, 1000);
  EXPECT_EQ(inner->flow.destination_port, 2000);
  EXPECT_TRUE(inner->ports_known);
  EXPECT_TRUE(inner->dont_fragment);
  EXPECT_EQ(inner->tos, 0xb9);
}

TEST(Inner, Tcp6_FlowAndTrafficClass) {
  const auto inner = parse_inner(make_packet(
      {.source = "2001:db8::1", .destination = "2001:db8::2", .protocol = 6, .tos = 0xb9}));
  ASSERT_TRUE(inner.has_value());
  EXPECT_EQ(inner->flow.destination, test::ip("2001:db8::2"));
  EXPECT_EQ(inner->flow.source_port, 1000);
  EXPECT_EQ(inner->tos, 0xb9);
  EXPECT_FALSE(inner->is_v4());
}

// RFC 4303 §2.7: what follows the inner packet is padding for traffic flow confidentiality.
TEST(Inner, LongerThanItsLengthField_IsCutToIt) {
  Bytes packet = make_packet({});
  const std::size_t size = packet.size();
  packet.resize(size + 100);
  EXPECT_EQ(parse_inner(packet)->size, size);
}

TEST(Inner, EveryTruncation_IsRefusedOrHidesThePorts) {
  for (const char* destination : {"10.2.0.1", "2001:db8::2"}) {
    const bool v4 = destination[0] == '1';
    const Bytes packet =
        make_packet({.source = v4 ? "10.1.0.1" : "2001:db8::1", .destination = destination});
    for (std::size_t size = 0; size < packet.size(); ++size) {
      EXPECT_FALSE(parse_inner(ByteView{packet}.first(size)).has_value()) << size;
    }
  }
}

TEST(Inner, WrongVersionOrLengths_AreRefused) {
  Bytes packet = make_packet({});
  packet[0] = 0x55;
  EXPECT_FALSE(parse_inner(packet).has_value());
  packet[0] = 0x44;  // header of 16 octets
  EXPECT_FALSE(parse_inner(packet).has_value());
  packet[0] = 0x45;
  packet[2] = 0;
  packet[3] = 19;  // total length below the header's
  EXPECT_FALSE(parse_inner(packet).has_value());
}

// Random octets never make the parser read outside (ASan) or claim more than it got.
TEST(Inner, RandomOctets_StayInBounds) {
  test::SeededRng rng{1};
  for (int i = 0; i < 200000; ++i) {
    Bytes packet = rng.bytes(rng.below(120));
    if (packet.size() > 8 && rng.below(4) != 0) {
      packet[0] = rng.below(2) == 0 ? 0x60 : static_cast<std::uint8_t>(0x40 | (packet[0] & 15));
      packet[rng.below(2) == 0 ? 2 : 4] = 0;
      static constexpr std::uint8_t kHeaders[] = {0, 43, 44, 51, 60};
      packet[6] = kHeaders[rng.below(5)];
    }
    const auto inner = parse_inner(packet);
    if (inner) {
      ASSERT_LE(inner->size, packet.size());
      ASSERT_LE(inner->header_size, inner->size);
    }
  }
}

TEST(Inner, Ipv6ExtensionHeaders_AreWalked) {
  Bytes packet = make_packet({.source = "2001:db8::1", .destination = "2001:db8::2"});
  const Bytes options = {17, 0, 1, 4, 0, 0, 0, 0};  // one header of 8 octets, then UDP
  packet.insert(packet.begin() + 40, options.begin(), options.end());
  packet[5] = static_cast<std::uint8_t>(packet[5] + 8);
  packet[6] = 0;  // hop-by-hop
  const auto inner = parse_inner(packet);
  ASSERT_TRUE(inner.has_value());
  EXPECT_EQ(inner->flow.protocol, 17);
  EXPECT_EQ(inner->flow.destination_port, 2000);
}

TEST(Inner, TooManyExtensionHeaders_ProtocolIsUnknown) {
  for (const unsigned count : {kExtensionHeadersMax, kExtensionHeadersMax + 1}) {
    Bytes packet = make_packet({.source = "2001:db8::1", .destination = "2001:db8::2"});
    for (unsigned i = 0; i < count; ++i) {
      const Bytes options = {i == 0 ? std::uint8_t{17} : std::uint8_t{60}, 0, 1, 4, 0, 0, 0, 0};
      packet.insert(packet.begin() + 40, options.begin(), options.end());
    }
    packet[5] = static_cast<std::uint8_t>(packet[5] + 8 * count);
    packet[6] = 60;
    const auto inner = parse_inner(packet);
    ASSERT_TRUE(inner.has_value());
    EXPECT_EQ(inner->protocol_known, count == kExtensionHeadersMax);
  }
}

// RFC 4301 §4.4.1.1, §7: later fragments show no ports and match only "any" and OPAQUE.
TEST(Match, LaterFragment_MatchesOnlyAnyAndOpaquePorts) {
  for (const bool v4 : {true, false}) {
    const auto inner = parse_inner(make_packet({.source = v4 ? "10.1.0.1" : "2001:db8::1",
                                                .destination = v4 ? "10.2.0.1" : "2001:db8::2",
                                                .dont_fragment = false,
                                                .fragment_offset = 100}));
    ASSERT_TRUE(inner.has_value());
    EXPECT_TRUE(inner->later_fragment);
    const char* all = v4 ? "0.0.0.0/0" : "::/0";
    const TrafficSelector any = selector(all, 17);
    EXPECT_EQ(match(any, any, *inner), Match::yes);
    EXPECT_EQ(match(any, selector(all, 17, 2000, 2000), *inner), Match::opaque);
    EXPECT_EQ(match(any, selector(all, 17, 65535, 0), *inner), Match::yes);
    EXPECT_EQ(match(any, selector(all, 6), *inner), Match::no);
  }
}

TEST(Match, PortsAndProtocol) {
  const auto inner = *parse_inner(make_packet({}));
  const TrafficSelector any = selector("0.0.0.0/0");
  EXPECT_EQ(match(any, any, inner), Match::yes);
  EXPECT_EQ(match(any, selector("10.2.0.0/16", 17, 1999, 2000), inner), Match::yes);
  EXPECT_EQ(match(any, selector("10.2.0.0/16", 17, 2001, 2002), inner), Match::no);
  EXPECT_EQ(match(any, selector("10.2.0.0/16", 17, 65535, 0), inner), Match::no);
  EXPECT_EQ(match(selector("10.1.0.1/32", 17, 1000, 1000), any, inner), Match::yes);
  EXPECT_EQ(match(any, selector("10.2.0.0/16", 6), inner), Match::no);
  EXPECT_EQ(match(selector("10.2.0.0/16"), any, inner), Match::no);
  EXPECT_EQ(match(selector("::/0"), selector("::/0"), inner), Match::no);
}

// RFC 4301 §4.4.1.3: the sender's selector names the ICMP type and code it may send.
TEST(Match, IcmpTypeAndCode_AreTheSenders) {
  const auto echo = *parse_inner(make_packet({.protocol = 1, .source_port = 0x0800}));
  const TrafficSelector requests = selector("0.0.0.0/0", 1, 0x0800, 0x0800);
  const TrafficSelector replies = selector("0.0.0.0/0", 1, 0, 0);
  const TrafficSelector opaque = selector("0.0.0.0/0", 1, 65535, 0);
  EXPECT_EQ(match(requests, replies, echo), Match::yes);
  EXPECT_EQ(match(requests, opaque, echo), Match::yes);
  EXPECT_EQ(match(replies, requests, echo), Match::no);
  EXPECT_EQ(match(opaque, requests, echo), Match::no);
}

// RFC 6040 §4.2, figure 4, cell by cell: rows are the inner, columns the outer field, in the
// figure's order Not-ECT, ECT(0), ECT(1), CE.
TEST(Ecn, Decapsulation_IsTheTableOfRfc6040) {
  constexpr std::uint8_t kNot = 0, kEct1 = 1, kEct0 = 2, kCe = 3, kDrop = 255;
  constexpr std::uint8_t kFields[] = {kNot, kEct0, kEct1, kCe};
  constexpr std::uint8_t kTable[4][4] = {{kNot, kNot, kNot, kDrop},
                                         {kEct0, kEct0, kEct1, kCe},
                                         {kEct1, kEct1, kEct1, kCe},
                                         {kCe, kCe, kCe, kCe}};
  for (std::size_t inner = 0; inner < 4; ++inner) {
    for (std::size_t outer = 0; outer < 4; ++outer) {
      EXPECT_EQ(decapsulate_ecn(kFields[inner], kFields[outer]).value_or(kDrop),
                kTable[inner][outer])
          << inner << ' ' << outer;
    }
  }
}

// RFC 1624: the checksum stays right whatever the TOS becomes.
TEST(SetTos, EveryValue_KeepsTheIpv4ChecksumRight) {
  for (unsigned from = 0; from < 256; from += 5) {
    for (unsigned to = 0; to < 256; ++to) {
      Bytes packet = make_packet({.tos = static_cast<std::uint8_t>(from)});
      set_tos(packet, static_cast<std::uint8_t>(to));
      ASSERT_EQ(packet[1], to);
      ASSERT_EQ(test::checksum_of(ByteView{packet}.first(20)), 0) << from << " -> " << to;
    }
  }
}

TEST(SetTos, Ipv6_LeavesVersionAndFlowLabel) {
  Bytes packet = make_packet({.source = "2001:db8::1", .destination = "2001:db8::2"});
  packet[1] = 0x0a;
  packet[2] = 0xbc;
  set_tos(packet, 0xb9);
  EXPECT_EQ(parse_inner(packet)->tos, 0xb9);
  EXPECT_EQ(packet[0] >> 4, 6);
  EXPECT_EQ(packet[1] & 0x0f, 0x0a);
  EXPECT_EQ(packet[2], 0xbc);
}

}  // namespace
}  // namespace cygnet::esp
