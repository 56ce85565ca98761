// Packets that ask for a tunnel.                                  RFC 7296 §2.9, RFC 4301 §4.4.1
#include <gtest/gtest.h>

#include "insider.hpp"

namespace cygnet::test {
namespace {

model::PacketFlow packet_to(std::uint8_t host) {
  return {.source = IpAddress::v4(0xc0000201),
          .destination = IpAddress::v4(0x0a010000U + host),
          .protocol = 6,
          .source_port = 40000,
          .destination_port = 80};
}

/// a's trap for "net"; its id.
model::ChildId set_trap(Pair& pair) {
  pair.a.command(ike::command::Route{.request = ike::RequestId{9},
                                     .connection = "home",
                                     .child = "net",
                                     .local = pair.a.address,
                                     .remote = pair.b.address});
  return pair.a.status().routed.at(0).id;
}

std::size_t children(const Node& node) {
  std::size_t out = 0;
  for (const auto& sa : node.status().sas) out += sa.children.size();
  return out;
}

//= RFC7296#2.9 test "the initiator SHOULD include as the first Traffic Selector in each of TSi and
//=                   TSr a very specific Traffic Selector including the addresses in the packet"
TEST(TrapTrigger, GoesFirstInIkeAuth) {
  const model::PacketFlow packet = packet_to(5);
  Insider insider{{}, [&](Pair& pair) {
                    const model::ChildId trap = set_trap(pair);
                    pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet});
                    const auto wanted = pair.a.events_of<ike::event::WantUp>();
                    ASSERT_EQ(wanted.size(), 1U);
                    pair.a.command(ike::command::Initiate{.request = ike::RequestId{1},
                                                          .connection = wanted[0].connection,
                                                          .child = wanted[0].child,
                                                          .local = pair.a.address,
                                                          .remote = pair.b.address,
                                                          .trigger = wanted[0].trigger});
                  }};
  EXPECT_EQ(insider.first_selectors(),
            std::pair(packet.source_selector(), packet.destination_selector()));
}

// Without a packet nothing narrower stands in front.
TEST(TrapTrigger, IsNotThereWhenTheOperatorAsks) {
  const Insider insider;
  EXPECT_EQ(insider.first_selectors().second, model::parse_selector("10.1.0.0/24")->selector);
}

// The peer lets us reach one host only: a packet to another one asks for a child of its own.
TEST(TrapTrigger, OutsideANarrowedChild_AsksForAnother) {
  Pair pair({.responder = [](model::Connection& c) {
    c.children[0].local_ts = {*model::parse_selector("10.1.0.5/32")};
    c.children.push_back(c.children[0]);
    c.children[1].name = "second";
    c.children[1].local_ts = {*model::parse_selector("10.1.0.6/32")};
  }});
  const model::ChildId trap = set_trap(pair);
  pair.initiate();
  pair.settle();
  ASSERT_EQ(children(pair.a), 1U);
  pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet_to(5)});
  pair.settle();
  EXPECT_EQ(children(pair.a), 1U) << "that packet has its child";
  pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet_to(6)});
  pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet_to(6)});
  pair.settle();
  EXPECT_EQ(children(pair.a), 2U) << pair.transcript();
  EXPECT_TRUE(pair.mirrored());
}

// The handshake makes one child; a packet for another one, before it is over, asks for that one.
TEST(TrapTrigger, ForAnotherChildDuringTheHandshake_AsksForIt) {
  const auto second = [](bool initiator) {
    return [initiator](model::Connection& c) {
      c.children.push_back(c.children[0]);
      c.children[1].name = "second";
      auto& far = initiator ? c.children[1].remote_ts : c.children[1].local_ts;
      far = {*model::parse_selector("10.2.0.0/24")};
    };
  };
  Pair pair({.initiator = second(true), .responder = second(false)});
  const model::ChildId trap = set_trap(pair);
  pair.a.command(ike::command::Route{.request = ike::RequestId{9},
                                     .connection = "home",
                                     .child = "second",
                                     .local = pair.a.address,
                                     .remote = pair.b.address});
  const model::ChildId other = pair.a.status().routed.at(1).id;
  model::PacketFlow packet = packet_to(5);
  packet.destination = IpAddress::v4(0x0a020005);
  pair.initiate();
  // Each twice, and once more when only the answer to IKE_AUTH is missing.
  for (int i = 0; i < 2; ++i) {
    pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet_to(5)});
    pair.a.plane(model::plane::Acquire{.trap = other, .packet = packet});
  }
  for (Node* from : {&pair.a, &pair.b, &pair.a}) ASSERT_TRUE(pair.deliver_from(*from));
  pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet_to(5)});
  pair.a.plane(model::plane::Acquire{.trap = other, .packet = packet});
  pair.settle();
  EXPECT_EQ(children(pair.a), 2U) << pair.transcript();
  EXPECT_EQ(children(pair.b), 2U);
  EXPECT_EQ(pair.a.events_of<ike::event::WantUp>().size(), 0U);
}

// The peer was busy, and the child waits to be asked for again: no further one is.
TEST(TrapTrigger, ForAChildThatWaits_AsksForNoOther) {
  Pair pair;
  const model::ChildId trap = set_trap(pair);
  pair.initiate();
  pair.settle();
  pair.a.command(ike::command::Terminate{.filter = {.child = "net"}});
  pair.settle();
  pair.lose = [&](const ike::action::Send& sent) {
    return sent.local.address == pair.b.address.address &&
           !wire::parse_header(sent.bytes)->response;
  };
  pair.b.rekey_ike();
  for (int i = 0; i < 3; ++i) {
    pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet_to(5)});
    pair.settle();
  }
  EXPECT_EQ(pair.a.status().sas.at(0).waiting, 1U) << pair.transcript();
}

// No child that the peer agrees to would carry the packet: none is kept for it.
TEST(TrapTrigger, ThatNoChildCarries_LeavesNothing) {
  Pair pair({.responder = [](model::Connection& c) {
    c.children[0].local_ts = {*model::parse_selector("10.1.0.5/32")};
  }});
  const model::ChildId trap = set_trap(pair);
  pair.initiate();
  pair.settle();
  for (int i = 0; i < 5; ++i) {
    pair.a.plane(model::plane::Acquire{.trap = trap, .packet = packet_to(7)});
    pair.settle();
  }
  EXPECT_EQ(children(pair.a), 1U) << pair.transcript();
  EXPECT_EQ(children(pair.b), 1U);
  EXPECT_GE(pair.a.failures(ike::Reason::no_common_selectors), 1U);
}

// A trap that the plane cannot take is not believed in.
TEST(TrapTrigger, TrapThatCannotBeInstalled_IsSaidToBeGone) {
  Pair pair({.nodes = [](Node& a, Node&) { a.refuse_installs = true; }});
  pair.a.command(ike::command::Route{.request = ike::RequestId{9},
                                     .connection = "home",
                                     .child = "net",
                                     .local = pair.a.address,
                                     .remote = pair.b.address});
  EXPECT_TRUE(pair.a.status().routed.empty());
  const auto gone = pair.a.events_of<ike::event::Unrouted>();
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].child, "net");
}

}  // namespace
}  // namespace cygnet::test
