// Who gets which address.                                     RFC 7296 §2.19
#include "control/pools.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "control/report.hpp"
#include "pki/identity.hpp"

namespace cygnet::control {
namespace {

model::Identity identity(const std::string& name) { return *pki::parse_identity(name); }
IpAddress ip(const char* text) { return *IpAddress::parse(text); }
const IpAddress kAny4 = IpAddress::any(IpFamily::v4);

model::Pool pool(const char* first, const char* last, std::string name = "p") {
  return {.name = std::move(name), .range = {ip(first), ip(last)}, .dns = {ip("10.0.0.53")}};
}
Pools pools(std::vector<model::Pool> configs) {
  Pools out;
  out.configure({.all = std::move(configs)});
  return out;
}

struct Got {
  std::vector<std::string> addresses;
  std::string refusal;
  std::size_t dns = 0;
};
Got lease(Pools& from, const std::string& who, std::uint32_t sa,
          std::vector<IpAddress> wishes = {kAny4}, std::vector<std::string> names = {"p"},
          model::Uniqueness unique = model::Uniqueness::no) {
  auto out = from.lease(
      {.remote = identity(who), .sa = ike::SaId{sa}, .requested = wishes, .unique = unique}, names);
  Got got;
  if (const auto* leased = std::get_if<ike::answer::Leased>(&out)) {
    for (const IpAddress& address : leased->addresses) got.addresses.push_back(address.text());
    got.dns = leased->dns.size();
  } else {
    got.refusal = std::string{to_string(std::get<ike::answer::Refused>(out).reason)};
  }
  return got;
}
/// Of one identity that many devices share.
Got shared_lease(Pools& from, std::uint32_t sa, IpAddress wish = kAny4) {
  return lease(from, "office", sa, {wish}, {"p"}, model::Uniqueness::never);
}
using Addresses = std::vector<std::string>;

TEST(Pool, EachClient_GetsItsOwnAddress) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.3")});
  EXPECT_EQ(lease(all, "a", 1).addresses, Addresses{"10.9.0.1"});
  EXPECT_EQ(lease(all, "b", 2).addresses, Addresses{"10.9.0.2"});
  EXPECT_EQ(lease(all, "c", 3).addresses, Addresses{"10.9.0.3"});
  EXPECT_EQ(lease(all, "d", 4).refusal, "pool_exhausted");
  EXPECT_EQ(all.all().at("p").online(), 3u);
}

// The client's old IKE_SA is still there: it lost its line and connects anew.
TEST(Pool, ClientThatComesBackEarly_TakesItsOwnAddressOver) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.1")});
  static_cast<void>(lease(all, "t520", 1));
  EXPECT_EQ(lease(all, "other", 2).refusal, "pool_exhausted");
  EXPECT_EQ(lease(all, "t520", 3).addresses, Addresses{"10.9.0.1"});
  all.release(ike::SaId{1});
  EXPECT_EQ(all.all().at("p").online(), 1u) << "the new IKE_SA holds it now";
}

TEST(Pool, ClientThatComesBack_GetsTheSameAddress) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.3")});
  static_cast<void>(lease(all, "a", 1));
  EXPECT_EQ(lease(all, "b", 2).addresses, Addresses{"10.9.0.2"});
  all.release(ike::SaId{2});
  EXPECT_EQ(lease(all, "c", 3).addresses, Addresses{"10.9.0.3"});
  EXPECT_EQ(lease(all, "b", 4).addresses, Addresses{"10.9.0.2"});
}

TEST(Pool, Full_TakesTheAddressUnusedLongest) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.2")});
  static_cast<void>(lease(all, "a", 1));
  static_cast<void>(lease(all, "b", 2));
  all.release(ike::SaId{2});
  all.release(ike::SaId{1});
  EXPECT_EQ(lease(all, "c", 3).addresses, Addresses{"10.9.0.1"});
}

// Two devices of one person share an identity: both get an address.
TEST(Pool, SameIdentityTwice_GetsTwoAddresses) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.9")});
  EXPECT_EQ(lease(all, "a", 1).addresses, Addresses{"10.9.0.1"});
  EXPECT_EQ(lease(all, "a", 2).addresses, Addresses{"10.9.0.2"});
  all.release(ike::SaId{1});
  EXPECT_EQ(all.all().at("p").online(), 1u);
  EXPECT_EQ(all.all().at("p").offline(), 1u);
}

// unique = never: another device of the same identity holds it, and goes on using it.
TEST(Pool, SharedIdentity_NeverTakesWhatAnotherDeviceHolds) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.2")});
  EXPECT_EQ(shared_lease(all, 1).addresses, Addresses{"10.9.0.1"});
  EXPECT_EQ(shared_lease(all, 2, ip("10.9.0.1")).addresses, Addresses{"10.9.0.2"});
  EXPECT_EQ(shared_lease(all, 3, ip("10.9.0.1")).refusal, "pool_exhausted");
  all.release(ike::SaId{1});
  EXPECT_EQ(shared_lease(all, 4, ip("10.9.0.2")).addresses, Addresses{"10.9.0.1"});
}

// Whoever has one key cannot take every address.
TEST(Pool, OneIdentity_CannotEmptyIt) {
  for (const model::Uniqueness unique : {model::Uniqueness::never, model::Uniqueness::no}) {
    Pools all = pools({pool("10.9.0.1", "10.9.9.255")});
    const auto again = [&](std::uint32_t sa) {
      return lease(all, "greedy", sa, {kAny4}, {"p"}, unique);
    };
    for (std::uint32_t sa = 1; sa <= kLeasesOfIdentityMax; ++sa) {
      ASSERT_EQ(again(sa).addresses.size(), 1u) << sa;
    }
    EXPECT_EQ(again(1 + kLeasesOfIdentityMax).refusal, "limit");
    EXPECT_EQ(lease(all, "modest", 2000).addresses.size(), 1u);
    all.release(ike::SaId{7});
    EXPECT_EQ(again(3000).addresses.size(), 1u);
  }
}

TEST(Pool, Wish_IsGrantedWhenFree) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.9")});
  EXPECT_EQ(lease(all, "a", 1, {ip("10.9.0.7")}).addresses, Addresses{"10.9.0.7"});
  // Somebody's online address, or one that is remembered for another, is not.
  EXPECT_EQ(lease(all, "b", 2, {ip("10.9.0.7")}).addresses, Addresses{"10.9.0.1"});
  all.release(ike::SaId{1});
  EXPECT_EQ(lease(all, "c", 3, {ip("10.9.0.7")}).addresses, Addresses{"10.9.0.2"});
  EXPECT_EQ(lease(all, "d", 4, {ip("192.168.0.1")}).addresses, Addresses{"10.9.0.3"});
}

TEST(Pool, RekeyedSa_KeepsItsAddress) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.1")});
  static_cast<void>(lease(all, "a", 1));
  all.transfer(ike::SaId{1}, ike::SaId{2});
  all.release(ike::SaId{1});
  EXPECT_EQ(lease(all, "b", 3).refusal, "pool_exhausted");
  all.release(ike::SaId{2});
  EXPECT_EQ(lease(all, "b", 3).addresses, Addresses{"10.9.0.1"});
}

// strongswan.conf's dns1: for whoever gets an address, behind what its pool says.
TEST(Pools, ServersForEverybody) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.3")});
  all.set_servers({ip("10.0.0.54"), ip("2001:db8::53")}, {});
  EXPECT_EQ(lease(all, "a", 1).dns, 3u);
  all.set_servers({}, {});
  EXPECT_EQ(lease(all, "a", 1).dns, 1u);
}

TEST(Pools, FamiliesAndSeveralPools) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.1"), pool("10.8.0.1", "10.8.0.1", "more"),
                     pool("2001:db8::1", "2001:db8::ffff", "six")});
  const std::vector<std::string> names{"p", "more", "six"};
  const Got both = lease(all, "a", 1, {kAny4, IpAddress::any(IpFamily::v6)}, names);
  EXPECT_EQ(both.addresses, (Addresses{"10.9.0.1", "2001:db8::1"}));
  EXPECT_EQ(both.dns, 2u);
  EXPECT_EQ(lease(all, "b", 2, {kAny4}, names).addresses, Addresses{"10.8.0.1"});
  EXPECT_EQ(lease(all, "c", 3, {IpAddress::any(IpFamily::v6)}).refusal, "no_pool");
}

TEST(Pools, Reload_KeepsWhatIsStillInRange) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.9")});
  static_cast<void>(lease(all, "a", 1));
  static_cast<void>(lease(all, "b", 2));
  all.configure({.all = {pool("10.9.0.2", "10.9.0.9")}});
  EXPECT_EQ(all.all().at("p").online(), 1u);
  EXPECT_EQ(lease(all, "c", 3).addresses, Addresses{"10.9.0.3"});
  all.configure({});
  EXPECT_TRUE(all.all().empty());
}

// The pool shrinks below an address that is in use, and grows again.
TEST(Pools, AddressInUse_IsNotGivenAgainAfterReloads) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.2")});
  static_cast<void>(lease(all, "a", 1));
  ASSERT_EQ(lease(all, "b", 2).addresses, Addresses{"10.9.0.2"});
  all.configure({.all = {pool("10.9.0.1", "10.9.0.1")}});
  all.configure({.all = {pool("10.9.0.1", "10.9.0.2")}});
  EXPECT_EQ(lease(all, "c", 3).refusal, "pool_exhausted");
  all.release(ike::SaId{2});
  EXPECT_EQ(lease(all, "c", 3).addresses, Addresses{"10.9.0.2"});
}

TEST(Pools, OverlappingPools_ShareTheirAddresses) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.2"), pool("10.9.0.1", "10.9.0.2", "q")});
  EXPECT_EQ(lease(all, "a", 1).addresses, Addresses{"10.9.0.1"});
  EXPECT_EQ(lease(all, "b", 2, {kAny4}, {"q"}).addresses, Addresses{"10.9.0.2"});
  EXPECT_EQ(lease(all, "c", 3).refusal, "pool_exhausted");
}

TEST(Pools, SeveralWishesOfOneFamily_GetOneAddress) {
  Pools all = pools({pool("10.9.0.1", "10.9.0.9")});
  EXPECT_EQ(lease(all, "a", 1, {kAny4, kAny4, kAny4, kAny4}).addresses.size(), 1u);
}

// One answer is one packet of vici: what does not fit is asked for with `from`.
TEST(Pools, LeasesOfALargePool_FitIntoPackets) {
  Pools all = pools({pool("10.0.0.1", "10.0.255.254")});
  constexpr std::uint64_t kLeases = 4000;
  const std::string tail(200, 'x');
  for (std::uint32_t i = 1; i <= kLeases; ++i) {
    static_cast<void>(lease(all, fmt::format("{}{}.example", i, tail), i));
  }
  const Pool& one = all.all().at("p");
  std::uint64_t told = 0;
  std::uint64_t left = kLeases;
  for (int answers = 0; left != 0; ++answers) {
    ASSERT_LT(answers, 10);
    vici::Message message;
    std::size_t room = kLeaseOctetsMax;
    vici::Message& section = message.section("p");
    add_leases(section, one, told, room);
    EXPECT_TRUE(vici::write_message(message).has_value());
    ASSERT_NE(section.find("leases"), nullptr);
    EXPECT_EQ(section.find("leases")->items().front().name, std::to_string(told));
    told += section.find("leases")->size();
    left = section.number("leases-left").value_or(0);
    EXPECT_EQ(told + left, kLeases);
  }
  EXPECT_EQ(told, kLeases);
}

}  // namespace
}  // namespace cygnet::control
