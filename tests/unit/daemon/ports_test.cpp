// Whom the sockets of IKE serve first: real ones, on the loopback of a namespace.
#include "daemon/ports.hpp"

#include <gtest/gtest.h>

#include "unit/io/net_ns.hpp"
#include "wire/message.hpp"

namespace cygnet::daemon {
namespace {

const IpAddress kLoopback = IpAddress::v4(0x7f000001);

/// A message of which only the header counts; its Message ID tells it from the others.
Bytes message(ExchangeType exchange, bool response, std::uint32_t id) {
  return wire::write_message({.spi_i = IkeSpi{1},
                              .exchange = exchange,
                              .initiator = true,
                              .response = response,
                              .id = MessageId{id}},
                             {});
}
Bytes newcomer(std::uint32_t id) { return message(ExchangeType::ike_sa_init, false, id); }

class PortsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!ns_.ok()) GTEST_SKIP() << "needs root: cannot make a network namespace";
    ASSERT_TRUE(ns_.run("ip link set lo up"));
    inside_.emplace(ns_);
    auto ports = Ports::open({});
    ASSERT_TRUE(ports.has_value()) << ports.error().text();
    ports_.emplace(*std::move(ports));
    auto sender = io::UdpSocket::open({});
    ASSERT_TRUE(sender.has_value());
    sender_.emplace(*std::move(sender));
  }
  /// On loopback a datagram waits at the other end when this returns.
  void send(std::uint16_t port, ByteView bytes) {
    ASSERT_TRUE(
        sender_->send_one({.local = {kLoopback, 0}, .remote = {kLoopback, port}, .bytes = bytes}));
  }
  void send_all(std::uint16_t port, const std::vector<Bytes>& messages) {
    for (const Bytes& one : messages) {
      send(port, port == kNattPort ? concat({Bytes(4), one}) : one);
    }
  }
  /// The Message IDs in the order in which one round of reads hands them out.
  std::vector<std::uint32_t> read() {
    std::vector<std::uint32_t> out;
    for (const int descriptor : ports_->descriptors()) {
      ports_->read(descriptor, [&out](const Arrival& arrival) {
        const auto header = wire::parse_header(arrival.bytes);
        ASSERT_TRUE(header.has_value());
        EXPECT_EQ(arrival.local.address, kLoopback);
        out.push_back(header->id.value());
      });
    }
    return out;
  }

 private:
  test::NetNs ns_;
  std::optional<test::Inside> inside_;
  std::optional<Ports> ports_;
  std::optional<io::UdpSocket> sender_;
};

// A flood waits before what established IKE_SAs and our own handshakes are told.
TEST_F(PortsTest, WhoOpensAnIkeSa_ComesLast) {
  for (const std::uint16_t port : {kIkePort, kNattPort}) {
    send_all(port, {newcomer(1), newcomer(2), message(ExchangeType::informational, false, 3),
                    message(ExchangeType::ike_sa_init, true, 4), newcomer(5),
                    message(ExchangeType::ike_auth, false, 6),
                    message(ExchangeType::create_child_sa, true, 7), newcomer(8)});
    EXPECT_EQ(read(), (std::vector<std::uint32_t>{3, 4, 6, 7, 1, 2, 5, 8})) << "port " << port;
  }
}

// The flood at one port is read in parts, so that the other ports have their turn.
TEST_F(PortsTest, OneReadEnds) {
  constexpr std::uint32_t kFlood = 100;
  for (std::uint32_t i = 0; i < kFlood; ++i) send(kIkePort, newcomer(i));
  send_all(kNattPort, {message(ExchangeType::informational, false, 1000)});
  const auto first = read();
  EXPECT_LT(first.size(), std::size_t{kFlood});
  EXPECT_EQ(first.back(), 1000U);
  EXPECT_EQ(first.size() + read().size(), std::size_t{kFlood} + 1);
}

// RFC 3948 §2.3: a keepalive is nobody's message.
TEST_F(PortsTest, Keepalives_AreDropped) {
  send(kNattPort, Bytes{0xff});
  send_all(kNattPort, {newcomer(1)});
  EXPECT_EQ(read(), std::vector<std::uint32_t>{1});
}

}  // namespace
}  // namespace cygnet::daemon
