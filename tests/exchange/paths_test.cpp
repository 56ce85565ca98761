// Several ways to one responder.                                   RFC 4555 §3.4, §3.6, §3.10
#include <gtest/gtest.h>

#include <algorithm>

#include "pair.hpp"

namespace cygnet::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const IpAddress kSecond = IpAddress::v4(0xc6336463);  // 198.51.100.99
const IpAddress kSix = *IpAddress::parse("2001:db8::2");
const IpAddress kOwnSix = *IpAddress::parse("2001:db8:1::1");

struct Multihomed {
  explicit Multihomed(std::function<void(model::Connection&)> initiator = {},
                      std::function<void(model::Connection&)> responder = {})
      : pair({.initiator =
                  [initiator](model::Connection& c) {
                    c.mobike = true;
                    c.dpd_delay = seconds{10};
                    // The inner address is the gateway's to give: it stays.
                    c.vips = {IpAddress::any(IpFamily::v4)};
                    if (initiator) initiator(c);
                  },
              .responder =
                  [responder](model::Connection& c) {
                    c.mobike = true;
                    c.pools = {"pool"};
                    if (responder) responder(c);
                  },
              .nodes = [](Node&, Node& b) { b.pool = {IpAddress::v4(0x0a090001)}; }}) {
    tell({pair.b.address.address, kSecond, kSix});
    pair.initiate();
    pair.settle();
    EXPECT_EQ(pair.a.installed.size(), 1U);
    first = pair.b.address.address;
    pair.a.paths = {
        {pair.a.address.address, first}, {pair.a.address.address, kSecond}, {kOwnSix, kSix}};
  }
  void tell(std::vector<IpAddress> addresses) {
    pair.b.command(ike::command::SetAddresses{.addresses = std::move(addresses)});
  }
  void wait(Duration time) {
    for (Duration passed{0}; passed < time; passed += milliseconds{100}) {
      pair.pass(milliseconds{100});
      pair.settle();
    }
  }
  /// Nothing gets through to or from this address any more.
  void kill(const IpAddress& address) {
    dead.push_back(address);
    pair.lose = [this](const ike::action::Send& send) {
      return std::ranges::any_of(dead, [&](const IpAddress& one) {
        return send.remote.address == one || send.local.address == one;
      });
    };
  }
  [[nodiscard]] ike::IkeStatus sa() const { return pair.a.status().sas.at(0); }

  Pair pair;
  IpAddress first;
  std::vector<IpAddress> dead;
};

TEST(Paths, ResponderTellsItsAddresses) {
  Multihomed m;
  EXPECT_NE(m.pair.transcript().find("N(ADDITIONAL_IP4_ADDRESS) N(ADDITIONAL_IP6_ADDRESS)"),
            std::string::npos)
      << m.pair.transcript();
}

// What local_addrs does not allow, and what nobody could call, is not told.
TEST(Paths, OnlyAddressesOfTheConnectionAreTold) {
  Multihomed m({}, [](model::Connection& c) {
    c.local_addrs = {IpRange{IpAddress::v4(0xc0000200), IpAddress::v4(0xc00002ff)}};
  });
  m.tell({m.first, *IpAddress::parse("127.0.0.1"), *IpAddress::parse("fe80::1")});
  m.pair.settle();
  EXPECT_EQ(m.pair.transcript().find("N(ADDITIONAL"), std::string::npos) << m.pair.transcript();
}

TEST(Paths, ChangedAddresses_AreToldAgain) {
  Multihomed m;
  m.pair.forget();
  m.tell({m.first, kSix});
  m.pair.settle();
  m.tell({m.first});
  m.pair.settle();
  m.tell({m.first});
  m.pair.settle();
  EXPECT_EQ(m.pair.transcript(),
            "b INFORMATIONAL #0 request N(ADDITIONAL_IP6_ADDRESS)\n"
            "a INFORMATIONAL #0 response\n"
            "b INFORMATIONAL #1 request N(NO_ADDITIONAL_ADDRESSES)\n"
            "a INFORMATIONAL #1 response\n");
}

// The way to the first address dies: the request that finds out tries the others and the tunnel
// goes on along the one that answers.
TEST(Paths, SilentPath_TheNextOneIsTaken) {
  Multihomed m;
  const auto before = m.sa().spi_i;
  m.kill(m.first);
  m.wait(seconds{40});
  EXPECT_EQ(m.sa().spi_i, before);
  EXPECT_EQ(m.sa().remote.address, kSecond) << m.pair.transcript();
  EXPECT_EQ(m.pair.b.status().sas.at(0).local.address, kSecond);
  for (Node* node : {&m.pair.a, &m.pair.b}) EXPECT_EQ(node->installed.size(), 1U);
  EXPECT_EQ(m.pair.a.failures(ike::Reason::no_response), 0U);
}

// Whoever calls the gateway at its other address means the tunnel that is there.
TEST(Paths, CallToAnotherAddress_UsesTheTunnelThatIsThere) {
  Multihomed m;
  m.pair.a.command(ike::command::Initiate{.request = ike::RequestId{9},
                                          .connection = "home",
                                          .child = "net",
                                          .local = m.pair.a.address,
                                          .remote = {kSecond, 500}});
  m.pair.settle();
  EXPECT_EQ(m.pair.a.status().sas.size(), 1U) << m.pair.transcript();
  EXPECT_EQ(m.pair.b.status().sas.size(), 1U);
  const auto answers = m.pair.a.events_of<ike::event::CommandDone>();
  EXPECT_EQ(answers.back().request, ike::RequestId{9});
  EXPECT_TRUE(answers.back().success);
}

// A host with two lines whose routes lead out of the other one now, while its address on the first
// stays: what is silent from there is tried from here.
TEST(Paths, SilentLine_TheOtherOneIsTaken) {
  Multihomed m;
  const IpAddress own = IpAddress::v4(0xcb007109);
  const auto before = m.sa().spi_i;
  m.pair.a.paths = {{own, m.first}};
  m.kill(m.pair.a.address.address);
  m.wait(seconds{40});
  EXPECT_EQ(m.sa().spi_i, before);
  EXPECT_EQ(m.sa().local.address, own) << m.pair.transcript();
  EXPECT_EQ(m.pair.b.status().sas.at(0).remote.address, own);
  EXPECT_EQ(m.pair.a.failures(ike::Reason::no_response), 0U);
}

// And when that one dies as well, on to IPv6; when only the first is left, back to it.
TEST(Paths, PathAfterPath) {
  Multihomed m;
  const auto before = m.sa().spi_i;
  m.kill(m.first);
  m.wait(seconds{40});
  m.kill(kSecond);
  m.wait(seconds{40});
  EXPECT_EQ(m.sa().remote.address, kSix) << m.pair.transcript();
  EXPECT_EQ(m.sa().local.address, kOwnSix);
  EXPECT_EQ(m.pair.b.status().sas.at(0).remote.address, kOwnSix);
  m.dead = {kSix};
  m.wait(seconds{40});
  EXPECT_NE(m.sa().remote.address, kSix);
  EXPECT_EQ(m.sa().spi_i, before);
}

// From a network with IPv4 only to one with IPv6 only: there is no way to the old address at all.
TEST(Paths, FromIpv4ToIpv6) {
  Multihomed m;
  const auto before = m.sa();
  m.kill(before.local.address);
  m.pair.a.paths = {{kOwnSix, kSix}};
  m.pair.forget();
  m.pair.a.command(ike::command::Readdress{.sa = before.id, .local = std::nullopt});
  m.pair.settle();
  EXPECT_EQ(m.sa().local.address, kOwnSix);
  EXPECT_EQ(m.sa().remote.address, kSix);
  EXPECT_EQ(m.pair.b.status().sas.at(0).remote.address, kOwnSix);
  EXPECT_EQ(m.sa().spi_i, before.spi_i);
  EXPECT_NE(m.pair.transcript().find("a INFORMATIONAL #2 request N(UPDATE_SA_ADDRESSES)"),
            std::string::npos)
      << m.pair.transcript();
}

// The test of another path changes nothing at the responder (RFC 4555 §3.8).
TEST(Paths, ARequestFromElsewhere_DoesNotMoveThePeer) {
  Multihomed m;
  const auto before = m.pair.b.status().sas.at(0);
  m.pair.a.command(ike::command::Readdress{.sa = m.sa().id, .local = m.sa().local.address});
  ASSERT_EQ(m.pair.a.outbox.size(), 1U);
  m.pair.a.outbox.front().local = {kOwnSix, 4500};
  m.pair.a.outbox.front().remote = {kSix, 4500};
  ASSERT_TRUE(m.pair.deliver_from(m.pair.a));
  EXPECT_EQ(m.pair.b.status().sas.at(0).remote, before.remote);
  EXPECT_EQ(m.pair.b.status().sas.at(0).local, before.local);
  // The answer goes where the request came from.
  ASSERT_EQ(m.pair.b.outbox.size(), 1U);
  EXPECT_EQ(m.pair.b.outbox.front().remote.address, kOwnSix);
}

// A responder that names what is no host, or too many hosts, gains nothing.
TEST(Paths, NonsenseAddresses_AreNotCalled) {
  Multihomed m;
  std::vector<IpAddress> many{m.first};
  for (std::uint32_t i = 0; i < 100; ++i) many.push_back(IpAddress::v4(0xc6336500 + i));
  m.tell(many);
  m.pair.settle();
  m.pair.a.paths.clear();
  m.kill(m.first);
  std::size_t asked = 0;
  m.wait(seconds{200});
  for (const auto& failed : m.pair.a.events_of<ike::event::Failed>()) {
    asked += failed.record.reason == ike::Reason::no_response;
  }
  EXPECT_EQ(asked, 1U) << "no other path: the peer is given up as always";
}

}  // namespace
}  // namespace cygnet::test
