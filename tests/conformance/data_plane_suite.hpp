// What every data plane must do, whatever moves its packets.       model/data_plane.hpp
//
// A Rig is default-constructible and gives the suite one plane with both of its sides:
//
//   model::DataPlane& plane();
//   void from_host(ByteView inner);                  // an inner packet enters the plane
//   std::vector<Outer> to_network();                 // ESP that left since the last call
//   void from_network(const Outer& outer);           // an ESP packet arrives
//   std::vector<Bytes> to_host();                    // inner packets that came out
//   void settle();                                   // lets asynchronous planes finish
//
// Two rigs face each other: what leaves one enters the other.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "conformance/packets.hpp"
#include "model/data_plane.hpp"
#include "registry/registry.hpp"

namespace cygnet::test {

/// An ESP packet on its way, without IP and UDP headers.
struct Outer {
  Endpoint source;
  Endpoint destination;
  std::uint8_t tos = 0;
  Bytes esp;
};

/// The two ends of the suite's tunnel: a protects 10.1.0.0/16, b 10.2.0.0/16.
inline const Endpoint kOuterA = endpoint("192.0.2.1");
inline const Endpoint kOuterB = endpoint("192.0.2.2");

/// A deterministic key for one direction of one generation of the child.
[[nodiscard]] inline model::SaSpec make_sa(std::uint32_t spi, EncrId encr = EncrId::aes_gcm_16,
                                           std::uint16_t bits = 256, IntegId integ = IntegId::none,
                                           bool esn = false) {
  const auto key = [&](std::size_t size) {
    Secret out{size};
    std::uint8_t next = static_cast<std::uint8_t>(spi);
    for (std::uint8_t& byte : out.fill()) byte = next++;
    return out;
  };
  const EncrInfo* cipher = find(encr);
  const IntegInfo* hash = find(integ);
  return {.spi = EspSpi{spi},
          .encr = encr,
          .key_bits = bits,
          .integ = integ,
          .encr_key = key(cipher->key_size(bits) + cipher->salt_size),
          .integ_key = key(hash == nullptr ? 0 : hash->key_size),
          .esn = esn};
}

[[nodiscard]] inline std::vector<model::TrafficSelector> net(const char* prefix) {
  return {model::TrafficSelector::of(*Prefix::parse(prefix))};
}

/// One end of a child between a and b. SPIs are what the two ends receive on.
[[nodiscard]] inline model::ChildSpec make_child(std::uint32_t id, bool at_a, std::uint32_t spi_a,
                                                 std::uint32_t spi_b) {
  model::ChildSpec spec;
  spec.id = model::ChildId{id};
  spec.name = "suite/child";
  spec.local_ts = net(at_a ? "10.1.0.0/16" : "10.2.0.0/16");
  spec.remote_ts = net(at_a ? "10.2.0.0/16" : "10.1.0.0/16");
  spec.local = at_a ? kOuterA : kOuterB;
  spec.remote = at_a ? kOuterB : kOuterA;
  spec.inbound = make_sa(at_a ? spi_a : spi_b);
  spec.outbound = make_sa(at_a ? spi_b : spi_a);
  return spec;
}
[[nodiscard]] inline model::ChildSpec make_trap(std::uint32_t id, bool at_a) {
  model::ChildSpec spec = make_child(id, at_a, 0x10000001, 0x10000002);
  spec.action = model::PolicyAction::trap;
  spec.inbound.reset();
  spec.outbound.reset();
  return spec;
}
[[nodiscard]] inline Bytes a_to_b(std::uint16_t port = 1000) {
  return make_packet({.source_port = port});
}
[[nodiscard]] inline Bytes b_to_a(std::uint16_t port = 1000) {
  return make_packet({.source = "10.2.0.1", .destination = "10.1.0.1", .source_port = port});
}

template <class Event>
[[nodiscard]] std::vector<Event> events_of(const std::vector<model::PlaneEvent>& events) {
  std::vector<Event> out;
  for (const model::PlaneEvent& event : events) {
    if (const auto* hit = std::get_if<Event>(&event)) out.push_back(*hit);
  }
  return out;
}

template <class Rig>
class DataPlaneSuite : public ::testing::Test {
 protected:
  // Moves everything that waits on one side to the other.
  void carry() {
    for (const Outer& outer : a.to_network()) b.from_network(outer);
    for (const Outer& outer : b.to_network()) a.from_network(outer);
    a.settle();
    b.settle();
  }
  void connect(std::uint32_t id = 1, std::uint32_t spi_a = 0xaa000001,
               std::uint32_t spi_b = 0xbb000001) {
    ASSERT_TRUE(a.plane().install(make_child(id, true, spi_a, spi_b)).has_value());
    ASSERT_TRUE(b.plane().install(make_child(id, false, spi_a, spi_b)).has_value());
  }
  Rig a;
  Rig b;
};
TYPED_TEST_SUITE_P(DataPlaneSuite);
// Tests of one plane alone borrow the packet helpers of this header without the suite.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DataPlaneSuite);

// RFC 4303 §3.3, §3.4: what goes in on one side comes out on the other, unchanged.
TYPED_TEST_P(DataPlaneSuite, InstalledChild_CarriesBothWays) {
  this->connect();
  this->a.from_host(a_to_b());
  this->carry();
  EXPECT_EQ(this->b.to_host(), (std::vector<Bytes>{a_to_b()}));
  this->b.from_host(b_to_a());
  this->carry();
  EXPECT_EQ(this->a.to_host(), (std::vector<Bytes>{b_to_a()}));
}

// RFC 4301 §5.1: nothing leaves without a policy.
TYPED_TEST_P(DataPlaneSuite, NoPolicy_NothingLeaves) {
  this->a.from_host(a_to_b());
  this->a.settle();
  EXPECT_TRUE(this->a.to_network().empty());
  this->connect();
  this->a.from_host(make_packet({.destination = "10.3.0.1"}));
  this->a.settle();
  EXPECT_TRUE(this->a.to_network().empty());
}

// RFC 4303 §3.4.3.
TYPED_TEST_P(DataPlaneSuite, ReplayedPacket_IsDroppedAndCounted) {
  this->connect();
  this->a.from_host(a_to_b());
  this->a.settle();
  const auto sent = this->a.to_network();
  ASSERT_EQ(sent.size(), 1u);
  this->b.from_network(sent[0]);
  this->b.from_network(sent[0]);
  this->b.settle();
  EXPECT_EQ(this->b.to_host().size(), 1u);
  EXPECT_EQ(this->b.plane().stats(model::ChildId{1})->replayed, 1u);
}

TYPED_TEST_P(DataPlaneSuite, ForgedPacket_IsDroppedAndCounted) {
  this->connect();
  this->a.from_host(a_to_b());
  this->a.settle();
  auto sent = this->a.to_network();
  ASSERT_EQ(sent.size(), 1u);
  sent[0].esp.back() ^= 1;
  this->b.from_network(sent[0]);
  this->b.settle();
  EXPECT_TRUE(this->b.to_host().empty());
  EXPECT_EQ(this->b.plane().stats(model::ChildId{1})->bad_icv, 1u);
}

// RFC 4301 §5.2: a peer may only send what was negotiated.
TYPED_TEST_P(DataPlaneSuite, InnerAddressOutsideTheSelectors_IsDroppedAndCounted) {
  model::ChildSpec wide = make_child(1, true, 0xaa000001, 0xbb000001);
  wide.local_ts = net("10.0.0.0/8");
  ASSERT_TRUE(this->a.plane().install(wide).has_value());
  ASSERT_TRUE(this->b.plane().install(make_child(1, false, 0xaa000001, 0xbb000001)).has_value());
  this->a.from_host(make_packet({.source = "10.9.0.1"}));
  this->carry();
  EXPECT_TRUE(this->b.to_host().empty());
  EXPECT_EQ(this->b.plane().stats(model::ChildId{1})->policy_drops, 1u);
}

// RFC 7296 §2.8: the responder of a rekey installs without outbound, hears the first packet,
// then switches; the old child receives until it is removed. No packet is lost at any point.
TYPED_TEST_P(DataPlaneSuite, Rekey_LosesNoPacket) {
  this->connect();
  std::uint16_t port = 1;
  std::size_t sent = 0;
  const auto exchange = [&] {
    this->a.from_host(a_to_b(port));
    this->b.from_host(b_to_a(port++));
    ++sent;
    this->carry();
  };
  exchange();
  static_cast<void>(this->b.plane().take_events());

  model::ChildSpec answer = make_child(2, false, 0xaa000002, 0xbb000002);
  const model::SaSpec outbound = std::move(*answer.outbound);
  answer.outbound.reset();
  answer.replaces = model::ChildId{1};
  ASSERT_TRUE(this->b.plane().install(answer).has_value());
  exchange();
  EXPECT_TRUE(events_of<model::plane::FirstInbound>(this->b.plane().take_events()).empty());

  // A packet of the old SA is still on its way while the initiator changes over.
  this->a.from_host(a_to_b(60000));
  this->a.settle();
  const auto late = this->a.to_network();
  model::ChildSpec fresh = make_child(2, true, 0xaa000002, 0xbb000002);
  fresh.replaces = model::ChildId{1};
  ASSERT_TRUE(this->a.plane().install(fresh).has_value());
  exchange();
  const auto first = events_of<model::plane::FirstInbound>(this->b.plane().take_events());
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].child, model::ChildId{2});
  ASSERT_EQ(late.size(), 1u);
  this->b.from_network(late[0]);
  this->b.settle();
  EXPECT_EQ(this->b.plane().stats(model::ChildId{1})->packets_in, 3u);

  ASSERT_TRUE(this->b.plane().activate(model::ChildId{2}, outbound).has_value());
  exchange();
  ASSERT_TRUE(this->a.plane().remove(model::ChildId{1}).has_value());
  ASSERT_TRUE(this->b.plane().remove(model::ChildId{1}).has_value());
  exchange();
  EXPECT_EQ(this->a.to_host().size(), sent);
  EXPECT_EQ(this->b.to_host().size(), sent + 1);
}

// RFC 7296 §2.8.1: the redundant child of a collision goes away; the old one carries on.
TYPED_TEST_P(DataPlaneSuite, RemovedReplacement_GivesTrafficBackToTheOldChild) {
  this->connect();
  model::ChildSpec fresh = make_child(2, true, 0xaa000002, 0xbb000002);
  fresh.replaces = model::ChildId{1};
  ASSERT_TRUE(this->a.plane().install(fresh).has_value());
  ASSERT_TRUE(this->a.plane().remove(model::ChildId{2}).has_value());
  this->a.from_host(a_to_b());
  this->carry();
  EXPECT_EQ(this->b.to_host().size(), 1u);
}

// RFC 7296 §2.9: a trap reports the packet, and the packet that asked for the tunnel gets through.
TYPED_TEST_P(DataPlaneSuite, Trap_AcquiresOnceAndReleasesWhatItHeld) {
  ASSERT_TRUE(this->a.plane().install(make_trap(7, true)).has_value());
  this->a.from_host(a_to_b(1));
  this->a.from_host(a_to_b(2));
  this->a.settle();
  EXPECT_TRUE(this->a.to_network().empty());
  const auto acquires = events_of<model::plane::Acquire>(this->a.plane().take_events());
  ASSERT_EQ(acquires.size(), 1u);
  EXPECT_EQ(acquires[0].trap, model::ChildId{7});
  EXPECT_EQ(acquires[0].packet.destination, ip("10.2.0.1"));
  EXPECT_EQ(acquires[0].packet.source_port, 1);
  EXPECT_EQ(acquires[0].packet.destination_port, 2000);

  this->connect();
  this->a.settle();
  this->carry();
  EXPECT_EQ(this->b.to_host(), (std::vector<Bytes>{a_to_b(1), a_to_b(2)}));
}

TYPED_TEST_P(DataPlaneSuite, DropShunt_WinsOverTheWiderChild) {
  this->connect();
  model::ChildSpec shunt = make_trap(9, true);
  shunt.action = model::PolicyAction::drop;
  shunt.remote_ts = net("10.2.0.1/32");
  ASSERT_TRUE(this->a.plane().install(shunt).has_value());
  this->a.from_host(a_to_b());
  this->a.settle();
  EXPECT_TRUE(this->a.to_network().empty());
  ASSERT_TRUE(this->a.plane().remove(model::ChildId{9}).has_value());
  this->a.from_host(a_to_b());
  this->carry();
  EXPECT_EQ(this->b.to_host().size(), 1u);
}

// RFC 7296 §2.8: soft asks for a rekey once, hard stops the SA; each is told once.
TYPED_TEST_P(DataPlaneSuite, PacketLimits_SoftThenHard) {
  model::ChildSpec limited = make_child(1, true, 0xaa000001, 0xbb000001);
  limited.lifetime.rekey_packets = 2;
  limited.lifetime.life_packets = 3;
  ASSERT_TRUE(this->a.plane().install(limited).has_value());
  for (std::uint16_t port = 1; port <= 5; ++port) this->a.from_host(a_to_b(port));
  this->a.settle();
  EXPECT_EQ(this->a.to_network().size(), 3u);
  const auto expires = events_of<model::plane::Expire>(this->a.plane().take_events());
  ASSERT_EQ(expires.size(), 2u);
  EXPECT_FALSE(expires[0].hard);
  EXPECT_TRUE(expires[1].hard);
}

// RFC 7296 §2.23: an authenticated packet from elsewhere is reported; the core decides to move.
TYPED_TEST_P(DataPlaneSuite, PeerBehindAnotherMapping_IsReportedAndFollowedOnRelocate) {
  this->connect();
  this->a.from_host(a_to_b());
  this->a.settle();
  auto sent = this->a.to_network();
  ASSERT_EQ(sent.size(), 1u);
  const Endpoint moved{kOuterA.address, 30000};
  sent[0].source = moved;
  this->b.from_network(sent[0]);
  this->b.settle();
  const auto changes = events_of<model::plane::MappingChange>(this->b.plane().take_events());
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].remote, moved);

  ASSERT_TRUE(this->b.plane().relocate(model::ChildId{1}, kOuterB, moved).has_value());
  this->b.from_host(b_to_a());
  this->b.settle();
  const auto back = this->b.to_network();
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].destination, moved);
}

TYPED_TEST_P(DataPlaneSuite, Stats_CountPacketsAndIdleness) {
  this->connect();
  EXPECT_FALSE(this->a.plane().stats(model::ChildId{1})->idle_out.has_value());
  this->a.from_host(a_to_b());
  this->carry();
  const auto out = this->a.plane().stats(model::ChildId{1});
  const auto in = this->b.plane().stats(model::ChildId{1});
  ASSERT_TRUE(out.has_value());
  ASSERT_TRUE(in.has_value());
  EXPECT_EQ(out->packets_out, 1u);
  EXPECT_EQ(in->packets_in, 1u);
  EXPECT_EQ(in->bytes_in, a_to_b().size());
  EXPECT_TRUE(out->idle_out.has_value());
  EXPECT_TRUE(in->idle_in.has_value());
  EXPECT_FALSE(in->idle_out.has_value());
}

TYPED_TEST_P(DataPlaneSuite, RemovedChild_NeitherSendsNorReceives) {
  this->connect();
  this->a.from_host(a_to_b());
  this->a.settle();
  const auto sent = this->a.to_network();
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_TRUE(this->b.plane().remove(model::ChildId{1}).has_value());
  this->b.from_network(sent[0]);
  this->b.from_host(b_to_a());
  this->b.settle();
  EXPECT_TRUE(this->b.to_host().empty());
  EXPECT_TRUE(this->b.to_network().empty());
  EXPECT_FALSE(this->b.plane().stats(model::ChildId{1}).has_value());
}

// After a crash the plane may know less than the core: removing what is not there succeeds.
TYPED_TEST_P(DataPlaneSuite, UnknownChild_RemoveSucceedsOthersFail) {
  EXPECT_TRUE(this->a.plane().remove(model::ChildId{99}).has_value());
  EXPECT_FALSE(this->a.plane().activate(model::ChildId{99}, make_sa(0xbb000001)).has_value());
  EXPECT_FALSE(this->a.plane().relocate(model::ChildId{99}, kOuterA, kOuterB).has_value());
  EXPECT_FALSE(this->a.plane().stats(model::ChildId{99}).has_value());
}

// An install that fails leaves nothing behind: the same child can be installed mended.
TYPED_TEST_P(DataPlaneSuite, RefusedInstall_LeavesNothingBehind) {
  model::ChildSpec broken = make_child(1, true, 0xaa000001, 0xbb000001);
  broken.outbound->encr_key = Secret{std::size_t{3}};
  EXPECT_FALSE(this->a.plane().install(broken).has_value());
  EXPECT_FALSE(this->a.plane().stats(model::ChildId{1}).has_value());
  this->connect();
  this->a.from_host(a_to_b());
  this->carry();
  EXPECT_EQ(this->b.to_host().size(), 1u);
}

REGISTER_TYPED_TEST_SUITE_P(DataPlaneSuite, InstalledChild_CarriesBothWays, NoPolicy_NothingLeaves,
                            ReplayedPacket_IsDroppedAndCounted, ForgedPacket_IsDroppedAndCounted,
                            InnerAddressOutsideTheSelectors_IsDroppedAndCounted,
                            Rekey_LosesNoPacket, RemovedReplacement_GivesTrafficBackToTheOldChild,
                            Trap_AcquiresOnceAndReleasesWhatItHeld, DropShunt_WinsOverTheWiderChild,
                            PacketLimits_SoftThenHard,
                            PeerBehindAnotherMapping_IsReportedAndFollowedOnRelocate,
                            Stats_CountPacketsAndIdleness, RemovedChild_NeitherSendsNorReceives,
                            UnknownChild_RemoveSucceedsOthersFail,
                            RefusedInstall_LeavesNothingBehind);

}  // namespace cygnet::test
