// The kernel's side: each test in a fresh network namespace of its own, as root.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "host/host.hpp"
#include "host/sysctl.hpp"

namespace cygnet::host {
namespace {

constexpr std::uint32_t kMark = 0x42;
const Options kOptions{.device = "cygnet0", .fwmark = kMark};

Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

/// The output of a command of the shell; fails the test when the command fails.
std::string shell(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) {
    ADD_FAILURE() << "popen failed";
    return {};
  }
  std::string out;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) {
    out += buffer.data();
  }
  EXPECT_EQ(::pclose(pipe), 0) << command << ": " << out;
  return out;
}

/// All of the host that we might touch.
std::string snapshot() {
  // The kernel makes the local routes of IPv6 addresses itself, when it gets round to it.
  return shell(
      "ip rule; ip -6 rule; ip route show table all; ip -6 route show table all | sed /^local/d; "
      "ip address");
}

/// A TUN device that lives as long as this.
class Tun {
 public:
  Tun() : file_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)) {
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::strncpy(request.ifr_name, "cygnet0", IFNAMSIZ - 1);
    EXPECT_EQ(::ioctl(file_, TUNSETIFF, &request), 0) << std::strerror(errno);
  }
  Tun(const Tun&) = delete;
  Tun& operator=(const Tun&) = delete;
  ~Tun() { ::close(file_); }
  void write(ByteView packet) const {
    EXPECT_EQ(::write(file_, packet.data(), packet.size()), static_cast<ssize_t>(packet.size()));
  }

 private:
  int file_;
};

/// Runs `body` in a child process with a network namespace of its own. Its failures are printed
/// by the child and fail the test here.
void in_namespace(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(77);
    shell("ip link set lo up");
    body();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "the child died of signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no right to make network namespaces";
  EXPECT_EQ(WEXITSTATUS(status), 0) << "see the failures above";
}

class HostLive : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root for a network namespace";
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "needs /dev/net/tun";
  }
};

Host open_host(const Options& options = kOptions) {
  auto host = Host::open(options);
  if (!host) {
    std::printf("open: %s\n", host.error().text().c_str());
    ::_exit(1);
  }
  return *std::move(host);
}

void expect_ok(const Result<void>& result) {
  EXPECT_TRUE(result) << (result ? "" : result.error().text());
}

HostNeeds dual_stack(std::string_view v4, std::string_view v6) {
  HostNeeds needs;
  needs.remote_prefixes = {prefix(v4), prefix(v6)};
  needs.vips = {ip("10.9.0.1"), ip("2001:db8:9::1")};
  needs.source_v4 = ip("10.9.0.1");
  needs.source_v6 = ip("2001:db8:9::1");
  return needs;
}

/// An uplink with a default gateway, as a client's host has one.
void make_uplink() {
  shell(
      "ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 up &&"
      "ip address add 192.0.2.2/24 dev up0 && ip route add default via 192.0.2.1 &&"
      "ip -6 address add 2001:db8:f::2/64 dev up0 nodad &&"
      "ip -6 route add default via 2001:db8:f::1 dev up0");
}

TEST_F(HostLive, AddAndRemove_LeavesTheHostAsBefore) {
  in_namespace([] {
    const Tun tun;
    Host host = open_host();
    const std::string before = snapshot();
    expect_ok(host.install(1, dual_stack("10.0.0.0/8", "2001:db8:a::/48")));

    EXPECT_EQ(shell("ip route show table 220"),
              "10.0.0.0/8 dev cygnet0 proto 220 scope link src 10.9.0.1 metric 220 \n");
    EXPECT_EQ(shell("ip -6 route show table 220"),
              "2001:db8:a::/48 dev cygnet0 proto 220 src 2001:db8:9::1 metric 220 pref medium\n");
    for (const char* const family : {"-4", "-6"}) {
      EXPECT_NE(shell(std::string{"ip "} + family + " rule")
                    .find("220:\tnot from all fwmark 0x42 lookup 220"),
                std::string::npos);
    }
    const std::string addresses = shell("ip address show dev cygnet0");
    EXPECT_NE(addresses.find("10.9.0.1/32"), std::string::npos) << addresses;
    EXPECT_NE(addresses.find("2001:db8:9::1/128"), std::string::npos) << addresses;
    EXPECT_EQ(addresses.find("tentative"), std::string::npos) << addresses;
    EXPECT_EQ(addresses.find("fe80"), std::string::npos) << addresses;

    // Again with the same needs: nothing changes.
    const std::string up = snapshot();
    expect_ok(host.install(1, dual_stack("10.0.0.0/8", "2001:db8:a::/48")));
    EXPECT_EQ(snapshot(), up);

    expect_ok(host.remove(1));
    EXPECT_EQ(snapshot(), before);
    expect_ok(host.remove(1));
  });
}

TEST_F(HostLive, TwoOwners_ShareARoute) {
  in_namespace([] {
    const Tun tun;
    Host host = open_host();
    const std::string before = snapshot();
    expect_ok(host.install(1, dual_stack("10.0.0.0/8", "2001:db8:a::/48")));
    const std::string up = snapshot();
    expect_ok(host.install(2, dual_stack("10.0.0.0/8", "2001:db8:a::/48")));
    EXPECT_EQ(snapshot(), up);
    expect_ok(host.remove(1));
    EXPECT_EQ(snapshot(), up);
    expect_ok(host.remove(2));
    EXPECT_EQ(snapshot(), before);
  });
}

TEST_F(HostLive, OtherSource_ReplacesInPlace) {
  in_namespace([] {
    const Tun tun;
    Host host = open_host();
    expect_ok(host.install(1, dual_stack("0.0.0.0/0", "::/0")));
    HostNeeds moved = dual_stack("0.0.0.0/0", "::/0");
    moved.vips = {ip("10.9.0.7"), ip("2001:db8:9::7")};
    moved.source_v4 = moved.vips[0];
    moved.source_v6 = moved.vips[1];
    expect_ok(host.install(2, moved));
    EXPECT_EQ(shell("ip route show table 220"),
              "default dev cygnet0 proto 220 scope link src 10.9.0.7 metric 220 \n");
    EXPECT_EQ(shell("ip -6 route show table 220"),
              "default dev cygnet0 proto 220 src 2001:db8:9::7 metric 220 pref medium\n");
    expect_ok(host.remove(2));
    EXPECT_EQ(shell("ip route show table 220"),
              "default dev cygnet0 proto 220 scope link src 10.9.0.1 metric 220 \n");
    EXPECT_EQ(host.actual().value().addresses.size(), 2U);
  });
}

// A daemon that was killed left everything on a device that survived it; only what is ours goes.
TEST_F(HostLive, CrashLeftovers_AreCleanedAtTheNextStart) {
  in_namespace([] {
    const Tun tun;
    make_uplink();
    shell("ip route add 203.0.113.0/24 dev up0 table 220");
    shell("ip rule add to 203.0.113.0/24 lookup 220 priority 219");
    Options on_lo = kOptions;
    on_lo.vips_on_loopback = true;
    HostNeeds needs = dual_stack("0.0.0.0/0", "::/0");
    needs.throw_prefixes = {prefix("192.168.0.0/16"), prefix("fd00::/8")};
    needs.remote_flows = {Flow{.remote = prefix("198.51.100.0/24"),
                               .protocol = 6,
                               .local_ports = {},
                               .remote_ports = {443, 443}}};
    needs.pass_flows = {Flow{.remote = prefix("::/0"), .protocol = 17, .local_ports = {500, 510}}};
    std::string before;
    {
      Host crashed = open_host(on_lo);
      before = snapshot();
      expect_ok(crashed.install(1, needs));
      EXPECT_NE(snapshot(), before);
    }
    {
      Host crashed = open_host();
      expect_ok(crashed.install(2, [] {
        HostNeeds more;
        more.vips = {ip("10.9.0.3")};
        return more;
      }()));
    }
    Options other_mark = kOptions;
    other_mark.fwmark = 0x77;  // the configuration has changed meanwhile
    Host host = open_host(other_mark);
    ASSERT_EQ(host.notes().size(), 1U);
    EXPECT_NE(host.notes()[0].find("not ours"), std::string::npos);
    expect_ok(host.cleanup_leftovers());
    EXPECT_EQ(snapshot(), before);
    EXPECT_EQ(host.actual().value(), HostState{});
  });
}

TEST_F(HostLive, Repair_PutsBackWhatSomethingElseDeleted) {
  in_namespace([] {
    const Tun tun;
    Host host = open_host();
    const std::string before = snapshot();
    expect_ok(host.install(1, dual_stack("10.0.0.0/8", "2001:db8:a::/48")));
    const std::string up = snapshot();
    shell(
        "ip route flush table 220; ip -6 rule del priority 220; ip address del 10.9.0.1/32 dev "
        "cygnet0");
    expect_ok(host.repair());
    EXPECT_EQ(snapshot(), up);
    // What is gone already is no error when it is to be removed.
    shell("ip route flush table 220; ip rule del priority 220");
    expect_ok(host.remove_all());
    EXPECT_EQ(snapshot(), before);
  });
}

// A step that fails takes the steps before it back: here a route of somebody else is in the way.
TEST_F(HostLive, FailedInstall_IsRolledBack) {
  in_namespace([] {
    const Tun tun;
    Host host = open_host();
    expect_ok(host.install(1, dual_stack("10.0.0.0/8", "2001:db8:a::/48")));
    shell("ip route add 172.16.0.0/12 dev cygnet0 table 220 metric 220");
    const std::string before = snapshot();
    HostNeeds needs = dual_stack("10.20.0.0/16", "2001:db8:b::/48");
    needs.remote_prefixes.push_back(prefix("172.16.0.0/12"));
    needs.vips.push_back(ip("10.9.0.2"));
    for (const Owner owner : {Owner{1}, Owner{2}}) {
      const auto result = host.install(owner, needs);
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, EEXIST) << result.error().text();
      EXPECT_NE(result.error().text().find("172.16.0.0/12"), std::string::npos);
      EXPECT_EQ(snapshot(), before);
    }
    expect_ok(host.remove(1));
  });
}

// A source that is not there: the kernel's own words reach the error.
TEST_F(HostLive, KernelRefusal_CarriesItsWords) {
  in_namespace([] {
    const Tun tun;
    Host host = open_host();
    const std::string before = snapshot();
    HostNeeds needs;
    needs.remote_prefixes = {prefix("10.0.0.0/8")};
    needs.source_v4 = ip("10.9.0.9");
    const auto result = host.install(1, needs);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, EINVAL);
    EXPECT_NE(result.error().detail.find("prefsrc"), std::string::npos) << result.error().text();
    EXPECT_EQ(snapshot(), before);
  });
}

// Full tunnel: everything goes in but what carries our mark, which is IKE and ESP themselves.
TEST_F(HostLive, FullTunnel_ExemptsOurMark) {
  in_namespace([] {
    const Tun tun;
    make_uplink();
    Host host = open_host();
    expect_ok(host.install(1, dual_stack("0.0.0.0/0", "::/0")));
    const auto route = [](const std::string& rest) { return shell("ip route get " + rest); };
    EXPECT_NE(route("198.51.100.1").find("dev cygnet0 table 220 src 10.9.0.1"), std::string::npos);
    EXPECT_NE(route("198.51.100.1 mark 0x42").find("via 192.0.2.1 dev up0"), std::string::npos);
    EXPECT_NE(route("2001:db8:ff::1").find("dev cygnet0"), std::string::npos);
    EXPECT_NE(route("2001:db8:ff::1 mark 0x42").find("dev up0"), std::string::npos);
    // Networks that are directly attached are inside too...
    EXPECT_NE(route("192.0.2.9").find("dev cygnet0"), std::string::npos);
    // ...until a pass shunt lets them out.
    HostNeeds lan;
    lan.throw_prefixes = {prefix("192.0.2.0/24"), prefix("2001:db8:f::/64")};
    expect_ok(host.install(2, lan));
    EXPECT_NE(route("192.0.2.9").find("dev up0"), std::string::npos);
    EXPECT_NE(route("2001:db8:f::9").find("dev up0"), std::string::npos);
    EXPECT_NE(route("198.51.100.1").find("dev cygnet0"), std::string::npos);
    // Packets bound to an interface stay there (neighbours' link-local addresses).
    EXPECT_NE(route("fe80::1 oif up0").find("dev up0"), std::string::npos);

    EXPECT_EQ(host.source_for(ip("198.51.100.1")).value(), ip("192.0.2.2"));
    EXPECT_EQ(host.source_for(ip("2001:db8:ff::1")).value(), ip("2001:db8:f::2"));
  });
}

TEST_F(HostLive, Path_TellsInterfaceAndMtu) {
  in_namespace([] {
    const Tun tun;
    Host host = open_host();
    const auto none = host.path_to(ip("198.51.100.1"));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ENETUNREACH) << none.error().text();
    EXPECT_FALSE(host.path_to(ip("2001:db8:ff::1")));

    make_uplink();
    shell("ip link set up0 mtu 1400 && ip route add 203.0.113.0/24 via 192.0.2.1 mtu 1300");
    shell("ip -6 route add unreachable 2001:db8:dead::/48");
    const Path path = host.path_to(ip("198.51.100.1")).value();
    EXPECT_EQ(path.interface, "up0");
    EXPECT_EQ(path.mtu, 1400U);
    EXPECT_EQ(path.source, ip("192.0.2.2"));
    EXPECT_EQ(host.path_to(ip("203.0.113.1")).value().mtu, 1300U);
    EXPECT_EQ(host.path_to(ip("127.0.0.1")).value().interface, "lo");
    EXPECT_FALSE(host.path_to(ip("2001:db8:dead::1")));
  });
}

TEST_F(HostLive, Flows_RouteByProtocolAndPort) {
  in_namespace([] {
    const Tun tun;
    make_uplink();
    Host host = open_host();
    const std::string before = snapshot();
    HostNeeds needs;
    needs.vips = {ip("10.9.0.1")};
    needs.source_v4 = ip("10.9.0.1");
    needs.remote_flows = {Flow{.remote = prefix("198.51.100.0/24"),
                               .protocol = 6,
                               .local_ports = {},
                               .remote_ports = {443, 443}},
                          Flow{.remote = prefix("2001:db8:a::/48"), .protocol = 58}};
    needs.pass_flows = {Flow{.remote = prefix("203.0.113.0/24"),
                             .protocol = 17,
                             .local_ports = {},
                             .remote_ports = {53, 53}}};
    needs.remote_prefixes = {prefix("203.0.113.0/24")};
    expect_ok(host.install(1, needs));
    const auto dev = [](const std::string& rest) {
      const std::string out = shell("ip route get " + rest);
      const std::size_t at = out.find("dev ");
      return at == std::string::npos ? out : out.substr(at + 4, out.find(' ', at + 4) - at - 4);
    };
    EXPECT_EQ(dev("198.51.100.1 ipproto tcp dport 443"), "cygnet0");
    EXPECT_EQ(dev("198.51.100.1 ipproto tcp dport 80"), "up0");
    EXPECT_EQ(dev("198.51.100.1 ipproto udp dport 443"), "up0");
    EXPECT_EQ(dev("198.51.100.1 mark 0x42 ipproto tcp dport 443"), "up0");
    EXPECT_EQ(dev("2001:db8:a::1 ipproto ipv6-icmp"), "cygnet0");
    EXPECT_EQ(dev("2001:db8:a::1 ipproto tcp dport 1"), "up0");
    EXPECT_EQ(dev("203.0.113.1 ipproto udp dport 53"), "up0");
    EXPECT_EQ(dev("203.0.113.1 ipproto udp dport 54"), "cygnet0");
    EXPECT_EQ(host.actual().value().rules.size(), 5U + 3U);
    expect_ok(host.remove(1));
    EXPECT_EQ(snapshot(), before);
  });
}

// --- Reverse path filter. ---------------------------------------------------------------------

std::uint16_t checksum(ByteView header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < header.size(); i += 2) {
    sum += static_cast<std::uint32_t>(header[i] << 8 | header[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// An IPv4 UDP datagram without UDP checksum (RFC 768 allows that).
Bytes udp_packet(std::string_view from, std::uint16_t from_port, std::string_view to,
                 std::uint16_t to_port) {
  Bytes out = from_hex("45 00 001d 0000 0000 40 11 0000").value();
  append(out, ip(from).bytes());
  append(out, ip(to).bytes());
  const std::uint16_t sum = checksum(out);
  out[10] = static_cast<std::uint8_t>(sum >> 8);
  out[11] = static_cast<std::uint8_t>(sum);
  for (const int value :
       {from_port >> 8, from_port & 255, to_port >> 8, to_port & 255, 0, 9, 0, 0, 0x55}) {
    out.push_back(static_cast<std::uint8_t>(value));
  }
  return out;
}

/// Does a datagram that came out of the tunnel reach a socket on port 5000?
bool arrives(const Tun& tun, const Bytes& packet) {
  const int file = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(5000);
  EXPECT_EQ(::bind(file, reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
  tun.write(packet);
  // The kernel has delivered or discarded it before write() returns; the wait is for doubt.
  pollfd wait{.fd = file, .events = POLLIN, .revents = 0};
  const bool there = ::poll(&wait, 1, 100) == 1;
  ::close(file);
  return there;
}

// Why rp_filter of the device may stay strict for whole prefixes: the reverse look-up of an
// unmarked packet finds table 220. And the control: without the route it is discarded.
TEST_F(HostLive, DecryptedPackets_PassEvenStrictReversePathFilter) {
  in_namespace([] {
    const Tun tun;
    make_uplink();
    Host host = open_host();
    expect_ok(host.install(1, dual_stack("10.2.0.0/16", "2001:db8:a::/48")));
    expect_ok(write_sysctl("net/ipv4/conf/cygnet0/rp_filter", "1"));
    const Bytes packet = udp_packet("10.2.0.5", 4000, "10.9.0.1", 5000);
    EXPECT_TRUE(arrives(tun, packet));
    expect_ok(host.remove(1));
    HostNeeds address_only;
    address_only.vips = {ip("10.9.0.1")};
    expect_ok(host.install(2, address_only));
    EXPECT_FALSE(arrives(tun, packet));
  });
}

TEST_F(HostLive, StrictDefault_IsLoosenedOnOurDeviceOnly) {
  in_namespace([] {
    make_uplink();
    expect_ok(write_sysctl("net/ipv4/conf/all/rp_filter", "1"));
    const Tun tun;
    Host host = open_host();
    EXPECT_EQ(read_sysctl("net/ipv4/conf/cygnet0/rp_filter").value(), "2");
    EXPECT_EQ(read_sysctl("net/ipv4/conf/cygnet0/disable_policy").value(), "1");
    EXPECT_EQ(read_sysctl("net/ipv4/conf/all/rp_filter").value(), "1");
    EXPECT_EQ(strict_interfaces("cygnet0").value(), (std::vector<std::string>{"up0", "up1"}));
    ASSERT_EQ(host.notes().size(), 2U);
    EXPECT_NE(host.notes()[0].find("rp_filter is strict on up0"), std::string::npos);

    HostNeeds needs;
    needs.vips = {ip("10.9.0.1")};
    needs.source_v4 = ip("10.9.0.1");
    needs.remote_flows = {Flow{.remote = prefix("198.51.100.0/24"),
                               .protocol = 17,
                               .local_ports = {},
                               .remote_ports = {4000, 4000}}};
    expect_ok(host.install(1, needs));
    EXPECT_TRUE(arrives(tun, udp_packet("198.51.100.5", 4000, "10.9.0.1", 5000)));
  });
}

// What the note about strict interfaces warns of: with a full tunnel the kernel takes a packet
// from the gateway for one that came in by the wrong interface.
TEST_F(HostLive, StrictUplink_DiscardsTheGatewaysPacketsUnderAFullTunnel) {
  in_namespace([] {
    const Tun tun;
    make_uplink();
    Host host = open_host();
    expect_ok(host.install(1, dual_stack("0.0.0.0/0", "::/0")));
    const std::string inbound = "ip route get 192.0.2.2 from 198.51.100.1 iif up0";
    EXPECT_NE(shell(inbound).find("local 192.0.2.2"), std::string::npos);
    expect_ok(write_sysctl("net/ipv4/conf/up0/rp_filter", "1"));
    EXPECT_EQ(shell(inbound + " || true").find("local 192.0.2.2"), std::string::npos);
    expect_ok(write_sysctl("net/ipv4/conf/up0/rp_filter", "2"));
    EXPECT_NE(shell(inbound).find("local 192.0.2.2"), std::string::npos);
  });
}

TEST_F(HostLive, Forwarding_IsRead) {
  in_namespace([] {
    expect_ok(write_sysctl("net/ipv4/ip_forward", "1"));
    EXPECT_TRUE(forwarding(IpFamily::v4).value());
    EXPECT_FALSE(forwarding(IpFamily::v6).value());
    EXPECT_FALSE(read_sysctl("net/ipv4/no_such_switch"));
  });
}

TEST_F(HostLive, Open_RefusesWhatCannotWork) {
  in_namespace([] {
    EXPECT_FALSE(Host::open(kOptions));  // no such device
    const Tun tun;
    Options options = kOptions;
    options.fwmark = 0;
    EXPECT_FALSE(Host::open(options));
    options = kOptions;
    options.table = 254;
    EXPECT_FALSE(Host::open(options));
    options = kOptions;
    options.rule_priority = 2;
    EXPECT_FALSE(Host::open(options));
    options = kOptions;
    options.device = "../../x";
    EXPECT_FALSE(Host::open(options));
    EXPECT_TRUE(Host::open(kOptions));
  });
}

}  // namespace
}  // namespace cygnet::host
