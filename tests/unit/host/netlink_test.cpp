// The netlink transport, against attributes made by hand and (as root) the kernel.  RFC 3549
#include "io/netlink.hpp"

#include <gtest/gtest.h>

namespace cygnet::io {
namespace {

TEST(NetlinkMessage, Attributes_ArePaddedToFour) {
  NetlinkMessage message(RTM_NEWROUTE, 0);
  message.header(rtmsg{}).put_u8(1, 7).put_u32(2, 9);
  // 16 header, 12 rtmsg, 4 + 1 (+3), 4 + 4.
  EXPECT_EQ(message.bytes().size(), 16U + 12U + 8U + 8U);
}

TEST(NetlinkMessage, TooLargeAttribute_IsNoticed) {
  NetlinkMessage message(RTM_NEWROUTE, 0);
  message.put(1, Bytes(65531));
  EXPECT_FALSE(message.too_large());
  message.put(1, Bytes(65532));
  EXPECT_TRUE(message.too_large());
}

TEST(NetlinkReply, Nested_IgnoresWhatItsLengthsDoNotCover) {
  // Octets as little-endian machines have them; the test is skipped elsewhere.
  const std::uint16_t one = 1;
  if (*reinterpret_cast<const std::uint8_t*>(&one) != 1) GTEST_SKIP() << "little-endian only";
  const Bytes good = from_hex("0500 0100 07 000000 0800 0200 01020304").value();
  EXPECT_EQ(NetlinkReply::value<std::uint8_t>(NetlinkReply::nested(good, 1)), 7);
  EXPECT_EQ(to_hex(NetlinkReply::nested(good, 2)), "01020304");
  EXPECT_TRUE(NetlinkReply::nested(good, 3).empty());
  EXPECT_TRUE(NetlinkReply::nested(ByteView{good}.first(15), 2).empty());
  EXPECT_EQ(NetlinkReply::nested(ByteView{good}.first(5), 1).size(), 1U);  // unpadded end
  EXPECT_TRUE(NetlinkReply::nested(from_hex("0000 0100 0500 0100 07").value(), 1).empty());
  EXPECT_TRUE(NetlinkReply::nested(from_hex("ffff 0100 07").value(), 1).empty());
}

// Looking at interfaces needs no rights.
TEST(Netlink, DumpAndQuery_FindLoopback) {
  auto netlink = Netlink::open();
  ASSERT_TRUE(netlink) << netlink.error().text();
  std::uint32_t index = 0;
  NetlinkMessage all(RTM_GETLINK, 0);
  all.header(ifinfomsg{});
  const auto dumped = netlink->dump(
      std::move(all), "list interfaces", [&] { index = 0; },
      [&](const NetlinkReply& reply) {
        if (to_string(reply.attribute(sizeof(ifinfomsg), IFLA_IFNAME)) == std::string{"lo\0", 3}) {
          index = static_cast<std::uint32_t>(reply.header<ifinfomsg>().ifi_index);
        }
      });
  ASSERT_TRUE(dumped) << dumped.error().text();
  EXPECT_GT(index, 0U);
}

TEST(Netlink, Refusal_IsAnErrorWithItsNumber) {
  auto netlink = Netlink::open();
  ASSERT_TRUE(netlink);
  ifinfomsg header{};
  header.ifi_index = 0x7ffffff0;
  NetlinkMessage request(RTM_GETLINK, 0);
  request.header(header);
  const auto result = netlink->query(std::move(request), "look", [](const NetlinkReply&) {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ENODEV);
  EXPECT_EQ(result.error().operation, "look");

  // The socket is good for the next request: answers are told apart by their sequence numbers.
  NetlinkMessage again(RTM_GETLINK, 0);
  again.header(header);
  EXPECT_EQ(netlink->request(std::move(again), "again").error().code, ENODEV);
}

TEST(Netlink, TooLarge_IsNotSent) {
  auto netlink = Netlink::open();
  ASSERT_TRUE(netlink);
  NetlinkMessage message(RTM_NEWLINK, 0);
  for (int i = 0; i < 10; ++i) message.put(1, Bytes(60000));
  EXPECT_EQ(netlink->request(std::move(message), "large").error().code, EMSGSIZE);
}

}  // namespace
}  // namespace cygnet::io
