// UDP sockets over the loopback device.                            RFC 3948 §2, udp(7)
#include "io/udp.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <map>

#include "unit/io/net_ns.hpp"

namespace cygnet::io {
namespace {

const IpAddress kLoopback4 = *IpAddress::parse("127.0.0.1");
const IpAddress kLoopback6 = *IpAddress::parse("::1");

IpAddress loopback(IpFamily family) { return family == IpFamily::v4 ? kLoopback4 : kLoopback6; }

// Waits until something can be read; false after the deadline.
bool readable(const UdpSocket& socket, int milliseconds = 5000) {
  pollfd wait{socket.fd(), POLLIN, 0};
  return ::poll(&wait, 1, milliseconds) == 1;
}

class UdpFamily : public ::testing::TestWithParam<IpFamily> {
 protected:
  void SetUp() override {
    auto probe = UdpSocket::open({.family = GetParam()});
    if (!probe || !probe->send_one({.local = {loopback(GetParam()), 0},
                                    .remote = {loopback(GetParam()), 9},
                                    .bytes = {}})) {
      GTEST_SKIP() << "this host has no loopback address of the family";
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Both, UdpFamily, ::testing::Values(IpFamily::v4, IpFamily::v6),
                         [](const auto& param) {
                           return param.param == IpFamily::v4 ? "v4" : "v6";
                         });

// The local address is known on both sides, and the TOS travels.
TEST_P(UdpFamily, Datagram_ArrivesWithAddressesAndTos) {
  auto sender = UdpSocket::open({.family = GetParam()});
  auto receiver = UdpSocket::open({.family = GetParam()});
  ASSERT_TRUE(sender && receiver);
  const IpAddress here = loopback(GetParam());
  const Bytes data = {1, 2, 3, 4, 5};
  ASSERT_TRUE(sender->send_one(
      {.local = {here, 0}, .remote = {here, receiver->port()}, .bytes = data, .tos = 0xba}));
  ASSERT_TRUE(readable(*receiver));
  Bytes room(100);
  const auto got = receiver->receive_one(room);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(to_bytes(ByteView{room}.first(got->size)), data);
  EXPECT_EQ(got->local, (Endpoint{here, receiver->port()}));
  EXPECT_EQ(got->remote, (Endpoint{here, sender->port()}));
  EXPECT_EQ(got->tos, 0xba);
  EXPECT_FALSE(got->truncated);
}

// 127.0.0.0/8 is all ours: the chosen source address is the one that is seen.
TEST(Udp, SourceAddress_IsTheOneGiven) {
  auto sender = UdpSocket::open({});
  auto receiver = UdpSocket::open({});
  ASSERT_TRUE(sender && receiver);
  const IpAddress source = *IpAddress::parse("127.1.2.3");
  const IpAddress target = *IpAddress::parse("127.4.5.6");
  ASSERT_TRUE(sender->send_one(
      {.local = {source, 0}, .remote = {target, receiver->port()}, .bytes = as_bytes("x")}));
  ASSERT_TRUE(readable(*receiver));
  Bytes room(10);
  const auto got = receiver->receive_one(room);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->remote.address, source);
  EXPECT_EQ(got->local.address, target);
}

TEST_P(UdpFamily, Batch_KeepsOrderAcrossSystemCalls) {
  auto sender = UdpSocket::open({.family = GetParam()});
  auto receiver = UdpSocket::open({.family = GetParam()});
  ASSERT_TRUE(sender && receiver);
  constexpr std::size_t kCount = kUdpBatchMax + 36;
  const IpAddress here = loopback(GetParam());
  std::vector<Bytes> data;
  for (std::size_t i = 0; i < kCount; ++i)
    data.push_back(Bytes(i + 1, static_cast<std::uint8_t>(i)));
  std::vector<UdpOutgoing> batch;
  for (std::size_t i = 0; i < kCount; ++i) {
    batch.push_back({.local = {here, 0},
                     .remote = {here, receiver->port()},
                     .bytes = data[i],
                     .dont_fragment = i % 3 == 0});
  }
  const UdpSendResult sent = sender->send(batch);
  EXPECT_EQ(sent.sent, kCount);
  EXPECT_EQ(sent.error, 0);
  std::vector<Bytes> got;
  std::vector<Bytes> rooms(kUdpBatchMax, Bytes(200));
  while (got.size() < kCount && readable(*receiver)) {
    std::vector<UdpReceived> slots(kUdpBatchMax);
    for (std::size_t i = 0; i < slots.size(); ++i) slots[i].room = rooms[i];
    const auto count = receiver->receive(slots);
    ASSERT_TRUE(count.has_value());
    for (std::size_t i = 0; i < *count; ++i) {
      got.push_back(to_bytes(slots[i].room.first(slots[i].size)));
    }
  }
  EXPECT_EQ(got, data);
}

TEST(Udp, DatagramLargerThanTheRoom_IsMarked) {
  auto sender = UdpSocket::open({});
  auto receiver = UdpSocket::open({});
  ASSERT_TRUE(sender && receiver);
  ASSERT_TRUE(sender->send_one({.local = {kLoopback4, 0},
                                .remote = {kLoopback4, receiver->port()},
                                .bytes = as_bytes("longer")}));
  ASSERT_TRUE(readable(*receiver));
  Bytes room(3);
  const auto got = receiver->receive_one(room);
  ASSERT_TRUE(got.has_value());
  EXPECT_TRUE(got->truncated);
}

TEST(Udp, NothingWaiting_IsNoError) {
  auto socket = UdpSocket::open({});
  ASSERT_TRUE(socket.has_value());
  Bytes room(3);
  const auto got = socket->receive_one(room);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->size, 0u);
  EXPECT_EQ(got->remote.port, 0);
}

// A datagram over the path MTU with DF fails as EMSGSIZE, without DF it goes in fragments.
TEST(Udp, OverThePathMtu_FailsWithDfOnly) {
  const test::NetNs ns;
  if (!ns.ok()) GTEST_SKIP() << "needs root: cannot make a network namespace";
  ASSERT_TRUE(ns.run("ip link set lo mtu 1500 up"));
  const test::Inside inside{ns};
  auto sender = UdpSocket::open({});
  auto receiver = UdpSocket::open({});
  ASSERT_TRUE(sender && receiver);
  EXPECT_EQ(path_mtu({kLoopback4, 0}, {kLoopback4, 9}, 0).value_or(0), 1500u);
  const Bytes data(1473);
  UdpOutgoing datagram{.local = {kLoopback4, 0},
                       .remote = {kLoopback4, receiver->port()},
                       .bytes = data,
                       .dont_fragment = true};
  EXPECT_EQ(sender->send({&datagram, 1}).error, EMSGSIZE);
  datagram.dont_fragment = false;
  EXPECT_EQ(sender->send({&datagram, 1}).sent, 1u);
  EXPECT_TRUE(readable(*receiver));
}

// SO_MARK needs a privilege; without it opening says so instead of sending unmarked.
TEST(Udp, Fwmark_IsSetOrRefused) {
  const auto socket = UdpSocket::open({.fwmark = 220});
  if (!socket) {
    EXPECT_EQ(socket.error().code, EPERM);
    return;
  }
  int mark = 0;
  socklen_t size = sizeof mark;
  ASSERT_EQ(::getsockopt(socket->fd(), SOL_SOCKET, SO_MARK, &mark, &size), 0);
  EXPECT_EQ(mark, 220);
}

TEST(Udp, FailureInsideABatch_ReportsHowManyWent) {
  auto sender = UdpSocket::open({});
  ASSERT_TRUE(sender.has_value());
  const Bytes huge(70000);
  const UdpOutgoing good{
      .local = {kLoopback4, 0}, .remote = {kLoopback4, 9}, .bytes = as_bytes("x")};
  UdpOutgoing bad = good;
  bad.bytes = huge;
  const std::vector<UdpOutgoing> batch{good, good, bad, good};
  const UdpSendResult sent = sender->send(batch);
  EXPECT_EQ(sent.sent, 2u);
  EXPECT_EQ(sent.error, EMSGSIZE);
}

TEST(Udp, Adopt_RefusesWhatIsNotUdp) {
  EXPECT_FALSE(UdpSocket::adopt(UniqueFd{::socket(AF_INET, SOCK_STREAM, 0)}).has_value());
  EXPECT_FALSE(UdpSocket::adopt(UniqueFd{::socket(AF_UNIX, SOCK_DGRAM, 0)}).has_value());
  EXPECT_FALSE(UdpSocket::adopt(UniqueFd{}).has_value());
}

TEST(Udp, TakenPort_IsAnError) {
  auto first = open_natt({}, 1);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->workers[0].port(), first->control.port());
  EXPECT_FALSE(UdpSocket::open({.port = first->control.port()}).has_value());
  EXPECT_FALSE(open_natt({.port = first->control.port()}, 1).has_value());
}

TEST(Natt, WorkerCount_IsLimited) {
  EXPECT_FALSE(open_natt({}, 0).has_value());
  EXPECT_FALSE(open_natt({}, kUdpWorkersMax + 1).has_value());
}

// RFC 3948 §2: who gets what on the shared port. This also pins down that the kernel shows the
// selector the datagram from its payload on, not from the UDP header.
TEST_P(UdpFamily, SharedPort_SplitsIkeFromEspAndEspBySpi) {
  constexpr unsigned kWorkers = 3;
  auto group = open_natt({.family = GetParam()}, kWorkers);
  ASSERT_TRUE(group.has_value()) << group.error().text();
  auto sender = UdpSocket::open({.family = GetParam()});
  ASSERT_TRUE(sender.has_value());
  const IpAddress here = loopback(GetParam());
  const auto lands_on = [&](const Bytes& data) -> int {
    EXPECT_TRUE(sender->send_one(
        {.local = {here, 0}, .remote = {here, group->control.port()}, .bytes = data}));
    std::vector<UdpSocket*> sockets{&group->control};
    for (UdpSocket& worker : group->workers) sockets.push_back(&worker);
    std::vector<pollfd> waits;
    for (const UdpSocket* socket : sockets) waits.push_back({socket->fd(), POLLIN, 0});
    if (::poll(waits.data(), waits.size(), 5000) != 1) return -1;
    Bytes room(100);
    for (std::size_t i = 0; i < waits.size(); ++i) {
      if (waits[i].revents == 0) continue;
      const auto got = sockets[i]->receive_one(room);
      EXPECT_TRUE(got && to_bytes(ByteView{room}.first(got->size)) == data);
      return static_cast<int>(i);
    }
    return -1;
  };
  EXPECT_EQ(lands_on({0xff}), 0);                    // NAT keepalive
  EXPECT_EQ(lands_on({1, 2, 3}), 0);                 // too short for an SPI
  EXPECT_EQ(lands_on({0, 0, 0, 0}), 0);              // non-ESP marker alone
  EXPECT_EQ(lands_on({0, 0, 0, 0, 1, 2, 3, 4}), 0);  // IKE
  std::map<int, int> hits;
  for (std::uint8_t low = 0; low < 12; ++low) {
    const int worker = lands_on({0xaa, 0, 1, low, 0, 0, 0, 1});
    EXPECT_EQ(worker, static_cast<int>((0xaa000100U + low) % kWorkers + 1));
    ++hits[worker];
  }
  EXPECT_EQ(hits.size(), kWorkers);
}

}  // namespace
}  // namespace cygnet::io
