// Two pumps in two network namespaces with keys installed by hand: real TUN, real UDP.
//
//    10.1.0.1 [cygnet0] --- plane a --- 192.0.2.1 ===== 192.0.2.2 --- plane b ---
//    [cygnet0] 10.2.0.1
#include "esp/pump/plane.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>

#include "conformance/data_plane_suite.hpp"
#include "unit/io/net_ns.hpp"

namespace cygnet::esp::pump {
namespace {

using model::ChildId;
using test::Inside;
using test::make_child;
using test::NetNs;
using namespace std::chrono_literals;

constexpr auto kPatience = 10s;

// Polls until `condition` holds; each round waits on descriptors, never just for time.
bool eventually(const std::function<bool()>& condition, int fd = -1) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    pollfd wait{fd, POLLIN, 0};
    static_cast<void>(::poll(&wait, 1, 5));
  }
  return true;
}

sockaddr_in name_of(const char* address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, address, &out.sin_addr);
  return out;
}

// A plain socket of a program on one of the hosts, with a time limit on every call.
io::UniqueFd host_socket(const NetNs& ns, int type, const char* address, std::uint16_t port) {
  const Inside inside{ns};
  io::UniqueFd fd{::socket(AF_INET, type | SOCK_CLOEXEC, 0)};
  const timeval patience{10, 0};
  const int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const sockaddr_in name = name_of(address, port);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  return fd;
}

struct Host {
  NetNs ns;
  std::unique_ptr<io::UdpSocket> control;
  std::unique_ptr<Plane> plane;
};

class TwoPlanes : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!a.ns.ok() || !b.ns.ok()) {
      GTEST_SKIP() << "needs root: cannot make network namespaces";
    }
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "needs /dev/net/tun";
    ASSERT_TRUE(a.ns.run("ip link add wire type veth peer name wire netns " + b.ns.id()));
    set_up(a, "192.0.2.1");
    set_up(b, "192.0.2.2");
  }
  void set_up(Host& host, const char* outer) {
    ASSERT_TRUE(host.ns.run("ip link set lo up && ip link set wire up && ip addr add " +
                            std::string{outer} + "/24 dev wire"));
  }
  void open(Host& host, unsigned workers, const char* inner, const char* other) {
    {
      const Inside inside{host.ns};
      ASSERT_TRUE(inside.ok());
      auto group = io::open_natt({.port = 4500, .checksum = false}, workers);
      ASSERT_TRUE(group.has_value()) << group.error().text();
      host.control = std::make_unique<io::UdpSocket>(std::move(group->control));
      Options options{.provider = &crypto::openssl(), .rng = &crypto::system_rng()};
      for (io::UdpSocket& socket : group->workers) {
        options.workers.push_back({.v4 = std::make_unique<io::UdpSocket>(std::move(socket))});
      }
      auto plane = Plane::open(std::move(options));
      ASSERT_TRUE(plane.has_value()) << plane.error().text();
      host.plane = std::move(*plane);
    }
    ASSERT_TRUE(host.ns.run("ip addr add " + std::string{inner} +
                            "/32 dev cygnet0 && ip route add " + other + " dev cygnet0 src " +
                            inner));
  }
  void open_both(unsigned workers) {
    open(a, workers, "10.1.0.1", "10.2.0.0/16");
    open(b, workers, "10.2.0.1", "10.1.0.0/16");
  }
  // In the order of a real exchange: nobody sends before the other side can receive.
  void connect(std::uint32_t id = 1) {
    const std::uint32_t spi_a = 0xaa000000 + id;
    const std::uint32_t spi_b = 0xbb000000 + id;
    auto at_b = make_child(id, false, spi_a, spi_b);
    const model::SaSpec outbound = std::move(*at_b.outbound);
    at_b.outbound.reset();
    ASSERT_TRUE(b.plane->install(at_b).has_value());
    ASSERT_TRUE(a.plane->install(make_child(id, true, spi_a, spi_b)).has_value());
    ASSERT_TRUE(b.plane->activate(ChildId{id}, outbound).has_value());
  }
  // A datagram from a program on a reaches one on b, and the answer comes back.
  void echo(std::size_t size) {
    const io::UniqueFd client = host_socket(a.ns, SOCK_DGRAM, "10.1.0.1", 7000);
    const io::UniqueFd server = host_socket(b.ns, SOCK_DGRAM, "10.2.0.1", 7001);
    Bytes data(size, 0x5a);
    const sockaddr_in to = name_of("10.2.0.1", 7001);
    ASSERT_EQ(::sendto(client.get(), data.data(), size, 0, reinterpret_cast<const sockaddr*>(&to),
                       sizeof to),
              static_cast<ssize_t>(size));
    Bytes got(size + 1);
    sockaddr_in from{};
    socklen_t length = sizeof from;
    ASSERT_EQ(::recvfrom(server.get(), got.data(), got.size(), 0,
                         reinterpret_cast<sockaddr*>(&from), &length),
              static_cast<ssize_t>(size));
    ASSERT_EQ(::sendto(server.get(), got.data(), size, 0, reinterpret_cast<const sockaddr*>(&from),
                       length),
              static_cast<ssize_t>(size));
    ASSERT_EQ(::recv(client.get(), got.data(), got.size(), 0), static_cast<ssize_t>(size));
  }
  // Streams `size` octets from a to b over TCP, while this thread takes `turn` after `turn`.
  void stream(std::size_t size, const std::function<void()>& turn) {
    const io::UniqueFd listener = host_socket(b.ns, SOCK_STREAM, "10.2.0.1", 7002);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    auto reader = std::async(std::launch::async, [&] {
      const io::UniqueFd peer{::accept(listener.get(), nullptr, nullptr)};
      std::size_t total = 0;
      Bytes room(65536);
      for (ssize_t got = 1; peer && got > 0;) {
        got = ::recv(peer.get(), room.data(), room.size(), 0);
        if (got > 0) total += static_cast<std::size_t>(got);
      }
      return total;
    });
    auto writer = std::async(std::launch::async, [&] {
      const io::UniqueFd client = host_socket(a.ns, SOCK_STREAM, "10.1.0.1", 0);
      const sockaddr_in to = name_of("10.2.0.1", 7002);
      if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        return std::size_t{0};
      }
      const Bytes data(65536, 0x77);
      std::size_t total = 0;
      while (total < size) {
        const ssize_t sent = ::send(client.get(), data.data(), data.size(), MSG_NOSIGNAL);
        if (sent <= 0) break;
        total += static_cast<std::size_t>(sent);
      }
      return total;
    });
    while (reader.wait_for(0s) != std::future_status::ready) turn();
    const std::size_t written = writer.get();
    EXPECT_GE(written, size);
    EXPECT_EQ(reader.get(), written);
  }
  // One turn of the daemon's loop.
  void serve() {
    const Inside inside{a.ns};  // path MTU look-ups ask this namespace's kernel
    pollfd wait{a.plane->event_fd(), POLLIN, 0};
    if (::poll(&wait, 1, 5) == 1) static_cast<void>(a.plane->take_events());
  }
  Host a;
  Host b;
};

TEST_F(TwoPlanes, InstalledChild_CarriesDatagramsOfAllSizes) {
  open_both(1);
  connect();
  for (const std::size_t size : {1U, 100U, 1372U, 1373U, 8000U}) echo(size);
  const auto in = b.plane->stats(ChildId{1});
  ASSERT_TRUE(in.has_value());
  EXPECT_GE(in->packets_in, 5u);
  EXPECT_TRUE(in->idle_in.has_value());
  EXPECT_EQ(b.plane->totals().drops.of(Drop::bad_icv), 0u);
}

TEST_F(TwoPlanes, TwoWorkers_CarryAStreamAcrossRekeys) {
  open_both(2);
  connect();
  std::uint32_t id = 1;
  std::uint32_t oldest = 1;
  // Make-before-break, over and over, under load.
  stream(32 << 20, [&] {
    serve();
    if (b.plane->stats(ChildId{id})->packets_in <= 50) return;
    connect(++id);
    // An old child goes when all that was sent on it has arrived.
    for (; oldest < id; ++oldest) {
      const auto at_a = a.plane->stats(ChildId{oldest});
      const auto at_b = b.plane->stats(ChildId{oldest});
      if (at_a->packets_out != at_b->packets_in || at_b->packets_out != at_a->packets_in) break;
      ASSERT_TRUE(a.plane->remove(ChildId{oldest}).has_value());
      ASSERT_TRUE(b.plane->remove(ChildId{oldest}).has_value());
    }
  });
  EXPECT_GT(id, 3u);
  EXPECT_GT(oldest, 1u);
  for (const Host* host : {&a, &b}) {
    const Totals totals = host->plane->totals();
    EXPECT_EQ(totals.drops.of(Drop::bad_icv), 0u);
    EXPECT_EQ(totals.drops.of(Drop::unknown_spi), 0u);
    EXPECT_EQ(totals.drops.of(Drop::replayed), 0u);
  }
}

// RFC 7296 §2.9: the first datagram asks for the tunnel and then goes through it.
TEST_F(TwoPlanes, Trap_FirstDatagramArrives) {
  open_both(1);
  ASSERT_TRUE(a.plane->install(test::make_trap(7, true)).has_value());
  const io::UniqueFd client = host_socket(a.ns, SOCK_DGRAM, "10.1.0.1", 7000);
  const io::UniqueFd server = host_socket(b.ns, SOCK_DGRAM, "10.2.0.1", 7001);
  const sockaddr_in to = name_of("10.2.0.1", 7001);
  ASSERT_EQ(
      ::sendto(client.get(), "first", 5, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 5);
  std::vector<model::plane::Acquire> acquires;
  ASSERT_TRUE(eventually(
      [&] {
        acquires = test::events_of<model::plane::Acquire>(a.plane->take_events());
        return !acquires.empty();
      },
      a.plane->event_fd()));
  EXPECT_EQ(acquires[0].packet.destination_port, 7001);
  connect();
  char got[16];
  EXPECT_EQ(::recv(server.get(), got, sizeof got, 0), 5);
}

// RFC 3948 §2: what is not ESP on the shared port.
TEST_F(TwoPlanes, IkeAndKeepalives_ReachTheControlSocket) {
  open_both(2);
  const Inside inside{a.ns};
  auto peer = io::UdpSocket::open({});
  ASSERT_TRUE(peer.has_value());
  for (const Bytes& data : {Bytes{0, 0, 0, 0, 'i', 'k', 'e'}, Bytes{0xff}}) {
    ASSERT_TRUE(peer->send_one(
        {.local = {test::kOuterA.address, 0}, .remote = test::kOuterB, .bytes = data}));
    pollfd wait{b.control->fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&wait, 1, 5000), 1);
    Bytes room(100);
    const auto got = b.control->receive_one(room);
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(to_bytes(ByteView{room}.first(got->size)), data);
    EXPECT_EQ(got->local, test::kOuterB);
  }
}

// A worker whose socket gets IKE all the same (the selector is an optimisation) passes it on.
TEST_F(TwoPlanes, IkeAtAWorkersSocket_CrossesToTheControlThread) {
  const Inside inside{b.ns};
  auto socket = io::UdpSocket::open({.port = 4500});
  ASSERT_TRUE(socket.has_value());
  Options options{.provider = &crypto::openssl(), .rng = &crypto::system_rng()};
  options.workers.push_back({.v4 = std::make_unique<io::UdpSocket>(std::move(*socket))});
  auto plane = Plane::open(std::move(options));
  ASSERT_TRUE(plane.has_value());
  auto peer = io::UdpSocket::open({});
  ASSERT_TRUE(peer.has_value());
  const auto send = [&](const Bytes& data) {
    ASSERT_TRUE(peer->send_one(
        {.local = {test::kOuterB.address, 0}, .remote = test::kOuterB, .bytes = data}));
  };
  send({0xff});
  send({1, 2});
  send({1, 2, 3, 4, 5, 6, 7, 8, 9});
  send({0, 0, 0, 0, 'i', 'k', 'e'});
  std::vector<IkeDatagram> got;
  ASSERT_TRUE(eventually(
      [&] {
        got = (*plane)->take_ike_datagrams();
        return !got.empty();
      },
      (*plane)->event_fd()));
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(cygnet::to_string(got[0].bytes), "ike");
  EXPECT_EQ(got[0].local, test::kOuterB);
  EXPECT_EQ(got[0].remote.port, peer->port());
  // The worker counts at the end of its batch, after it has handed the datagram over.
  Totals totals;
  EXPECT_TRUE(eventually([&] {
    totals = (*plane)->totals();
    return totals.ike_forwarded == 1 && totals.drops.of(Drop::unknown_spi) == 1;
  }));
  EXPECT_EQ(totals.keepalives, 1u);
  EXPECT_EQ(totals.runts, 1u);
}

// RFC 4301 §8.2: the wire is narrower than thought; the plane learns it and tells TCP.
TEST_F(TwoPlanes, NarrowPath_IsLearntAndTcpAdapts) {
  ASSERT_TRUE(a.ns.run("ip link set wire mtu 1300") && b.ns.run("ip link set wire mtu 1300"));
  open_both(1);
  connect();
  stream(1 << 20, [&] { serve(); });
  EXPECT_GT(a.plane->totals().drops.of(Drop::too_big), 0u);
}

TEST_F(TwoPlanes, ClosedPlane_TakesItsDeviceAlong) {
  open_both(2);
  EXPECT_TRUE(a.ns.run("ip link show cygnet0 >/dev/null 2>&1"));
  EXPECT_EQ(a.plane->tun_name(), "cygnet0");
  EXPECT_GT(a.plane->tun_index(), 0u);
  a.plane.reset();
  EXPECT_FALSE(a.ns.run("ip link show cygnet0 >/dev/null 2>&1"));
}

TEST_F(TwoPlanes, DeletedDevice_IsNoticedAndDoesNotSpin) {
  open_both(1);
  ASSERT_TRUE(a.ns.run("ip link del cygnet0"));
  EXPECT_TRUE(eventually([&] { return a.plane->totals().tun_lost; }));
}

TEST(PlaneOptions, Incomplete_IsRefused) {
  EXPECT_FALSE(Plane::open({}).has_value());
  Options no_socket{.provider = &crypto::openssl(), .rng = &crypto::system_rng()};
  no_socket.workers.emplace_back();
  EXPECT_FALSE(Plane::open(std::move(no_socket)).has_value());
}

}  // namespace
}  // namespace cygnet::esp::pump
