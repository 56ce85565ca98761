// IKE_SAs whose ends move.                                        RFC 4555
#include <gtest/gtest.h>

#include "pair.hpp"

namespace cygnet::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const IpAddress kOther = IpAddress::v4(0xc6336409);  // 198.51.100.9

struct Mobile {
  explicit Mobile(Pair::Options options = {}, std::optional<IpAddress> nat = std::nullopt)
      : pair(with_mobike(std::move(options))) {
    pair.nat = nat;
    pair.initiate();
    pair.settle();
    EXPECT_EQ(pair.a.installed.size(), 1U);
    pair.forget();
  }
  static Pair::Options with_mobike(Pair::Options options) {
    const auto turn_on = [](auto before) {
      return [before](model::Connection& connection) {
        connection.mobike = true;
        if (before) before(connection);
      };
    };
    options.initiator = turn_on(options.initiator);
    options.responder = turn_on(options.responder);
    return options;
  }
  void move_a() {
    pair.a.address.address = kOther;
    pair.a.command(ike::command::Readdress{.sa = pair.a.status().sas[0].id, .local = kOther});
  }
  void wait(Duration time) {
    for (Duration passed{0}; passed < time; passed += milliseconds{100}) {
      pair.pass(milliseconds{100});
      pair.settle();
    }
  }
  Pair pair;
};

// RFC 4555 §3.5, §3.7. The caller moves; the other end follows and asks whether it is there.
TEST(Mobike, CallerMoves_TheOtherFollowsAndChecks) {
  Mobile m;
  m.move_a();
  m.pair.settle();
  EXPECT_EQ(m.pair.transcript(),
            "a INFORMATIONAL #2 request N(UPDATE_SA_ADDRESSES) N(NAT_DETECTION_SOURCE_IP) "
            "N(NAT_DETECTION_DESTINATION_IP)\n"
            "b INFORMATIONAL #2 response N(NAT_DETECTION_SOURCE_IP) "
            "N(NAT_DETECTION_DESTINATION_IP)\n"
            "b INFORMATIONAL #0 request N(COOKIE2)\n"
            "a INFORMATIONAL #0 response N(COOKIE2)\n");
  EXPECT_EQ(m.pair.b.status().sas[0].remote.address, kOther);
  EXPECT_EQ(m.pair.a.status().sas[0].local.address, kOther);
  for (Node* node : {&m.pair.a, &m.pair.b}) EXPECT_EQ(node->installed.size(), 1U);
}

// The move comes while a request is under way: it goes out again from the new address at once.
TEST(Mobike, MoveDuringAnExchange_LosesNothing) {
  // Its inner address is the gateway's to give: it stays.
  Mobile m({.initiator = [](model::Connection& c) { c.vips = {IpAddress::any(IpFamily::v4)}; },
            .responder = [](model::Connection& c) { c.pools = {"pool"}; },
            .nodes = [](Node&, Node& b) { b.pool = {IpAddress::v4(0x0a090001)}; }});
  m.pair.a.rekey_child();
  m.pair.a.outbox.clear();  // the old network has swallowed it
  m.move_a();
  m.pair.settle();
  m.wait(seconds{6});
  EXPECT_EQ(m.pair.b.status().sas[0].remote.address, kOther);
  EXPECT_TRUE(m.pair.mirrored());
  EXPECT_EQ(m.pair.a.events_of<ike::event::ChildRekeyed>().size(), 1U) << m.pair.transcript();
}

// Two moves in a row: what the peer is told in the end is the last address.
TEST(Mobike, MovesAgainBeforeTheAnswer_TheLastAddressCounts) {
  Mobile m;
  m.move_a();
  m.pair.a.outbox.clear();
  const IpAddress last = IpAddress::v4(0xc6336455);
  m.pair.a.command(ike::command::Readdress{.sa = m.pair.a.status().sas[0].id, .local = last});
  m.pair.settle();
  m.wait(seconds{5});
  EXPECT_EQ(m.pair.b.status().sas[0].remote.address, last);
  EXPECT_EQ(m.pair.b.status().sas.size(), 1U);
}

// After the gateway has rekeyed the IKE_SA the caller is still who moves.
TEST(Mobike, AfterARekeyByTheOther_TheCallerStillMoves) {
  Mobile m;
  m.pair.b.rekey_ike();
  m.pair.settle();
  m.move_a();
  m.pair.settle();
  EXPECT_EQ(m.pair.b.status().sas[0].remote.address, kOther);
}

// Somebody claims an address and does not answer there with the cookie: the IKE_SA ends.
TEST(Mobike, NobodyAtTheNewAddress_EndsTheSa) {
  Mobile m;
  m.move_a();
  ASSERT_TRUE(m.pair.deliver_from(m.pair.a));
  m.pair.lose = [&](const ike::action::Send& send) { return send.remote.address == kOther; };
  m.wait(seconds{180});
  EXPECT_TRUE(m.pair.b.status().sas.empty());
  EXPECT_EQ(m.pair.b.failures(ike::Reason::no_response), 1U);
}

// A peer without MOBIKE cannot follow: what is to stay up is wanted again from the new address.
TEST(Mobike, PeerWithout_IsCalledAnew) {
  Mobile m({.initiator = [](model::Connection& c) { c.children[0].keep_up = true; },
            .responder = [](model::Connection& c) { c.mobike = false; }});
  m.move_a();
  EXPECT_TRUE(m.pair.a.status().sas.empty());
  EXPECT_EQ(m.pair.a.events_of<ike::event::WantUp>().size(), 1U);
}

// The same address, but perhaps another path: the peer is asked whether it still hears us.
TEST(Mobike, SameAddress_AsksForALifeSign) {
  Mobile m;
  const auto sa = m.pair.a.status().sas[0];
  m.pair.a.command(ike::command::Readdress{.sa = sa.id, .local = sa.local.address});
  m.pair.settle();
  EXPECT_EQ(m.pair.transcript(),
            "a INFORMATIONAL #2 request\n"
            "b INFORMATIONAL #2 response\n");
}

/// Where a node's only child sends to.
Endpoint child_remote(const Node& node) { return node.installed.begin()->second.spec.remote; }

void feed(Node& to, const ike::action::Send& sent) {
  ike::Actions out;
  to.engine.handle(ike::Datagram{.local = sent.remote, .remote = sent.local, .bytes = sent.bytes},
                   to.now, out);
  to.carry_out(std::move(out));
}

//= RFC4555#3.7 test "the return routability check SHOULD be done before updating the IPsec SAs"
TEST(Mobike, PacketsFollow_OnlyWhenTheNewAddressHasAnswered) {
  Mobile m;
  m.move_a();
  ASSERT_TRUE(m.pair.deliver_from(m.pair.a));
  EXPECT_EQ(m.pair.b.status().sas[0].remote.address, kOther);
  EXPECT_NE(child_remote(m.pair.b).address, kOther);
  m.pair.settle();
  EXPECT_EQ(child_remote(m.pair.b).address, kOther);
}

//= RFC4555#3.7 test "In this case, a new INFORMATIONAL request needs to be sent"
// The caller claims a victim's address while the check of its own is under way, and answers that.
TEST(Mobike, MovesAgainDuringTheCheck_IsCheckedAgain) {
  Mobile m;
  const IpAddress victim = IpAddress::v4(0xcb007155);
  m.move_a();
  ASSERT_TRUE(m.pair.deliver_from(m.pair.a));
  const auto answer = m.pair.b.outbox.at(0);
  const auto check = m.pair.b.outbox.at(1);
  m.pair.b.outbox.clear();
  feed(m.pair.a, answer);
  m.pair.a.command(ike::command::Readdress{.sa = m.pair.a.status().sas[0].id, .local = victim});
  ASSERT_TRUE(m.pair.deliver_from(m.pair.a));
  m.pair.b.outbox.clear();  // what goes to the victim never reaches the caller
  m.pair.lose = [&](const ike::action::Send& sent) { return sent.remote.address == victim; };
  feed(m.pair.a, check);
  m.pair.settle();
  EXPECT_NE(child_remote(m.pair.b).address, victim);
  m.wait(seconds{180});
  EXPECT_TRUE(m.pair.b.status().sas.empty()) << "nobody answered at the victim's address";
}

void second_child(model::Connection& connection) {
  connection.children.push_back(connection.children[0]);
  connection.children[1].name = "second";
}

// A caller that claims a victim's address makes no child whose packets go there, whatever it asks
// for before it has answered from there; nor does `dynamic` mean that address.
TEST(Mobike, ChildMadeDuringTheCheck_GoesWhereThePeerIsProved) {
  for (const bool vips : {true, false}) {
    Mobile m({.initiator =
                  [vips](model::Connection& c) {
                    second_child(c);
                    if (vips) c.vips = {IpAddress::any(IpFamily::v4)};
                  },
              .responder =
                  [vips](model::Connection& c) {
                    second_child(c);
                    if (vips) c.pools = {"pool"};
                  },
              .nodes = [](Node&, Node& b) { b.pool = {IpAddress::v4(0x0a090001)}; }});
    const Endpoint proved = child_remote(m.pair.b);
    m.move_a();
    // b's question, sent to where a claims to be, does not arrive.
    m.pair.lose = [](const ike::action::Send& sent) {
      return sent.remote.address == kOther && sent.bytes[18] == 37 && (sent.bytes[19] & 0x20) == 0;
    };
    m.pair.settle();
    m.pair.initiate_from(m.pair.a, "second");
    m.pair.settle();
    for (const auto& [id, child] : m.pair.b.installed) {
      EXPECT_EQ(child.spec.remote, proved) << m.pair.transcript();
      if (vips) continue;
      EXPECT_EQ(model::text_of(child.spec.remote_ts), proved.address.text() + "/32");
    }
    EXPECT_EQ(m.pair.b.installed.size(), vips ? 2U : 1U) << m.pair.transcript();
  }
}

// A connection that may be called from some addresses only stays there.
TEST(Mobike, AddressThatIsNotAllowed_IsRefused) {
  Mobile m({.initiator = [](model::Connection& c) { c.children[0].keep_up = true; },
            .responder =
                [](model::Connection& c) {
                  c.remote_addrs = {IpRange{IpAddress::v4(0xc0000200), IpAddress::v4(0xc00002ff)}};
                }});
  const auto before = m.pair.b.status().sas[0].remote;
  m.move_a();
  m.pair.settle();
  EXPECT_NE(m.pair.transcript().find("N(UNACCEPTABLE_ADDRESSES)"), std::string::npos)
      << m.pair.transcript();
  EXPECT_EQ(m.pair.a.events_of<ike::event::WantUp>().size(), 1U) << "it is called anew";
  for (const auto& sa : m.pair.b.status().sas) EXPECT_EQ(sa.remote, before);
  EXPECT_TRUE(m.pair.b.installed.empty()) << "the other end is told that it is over";
}

// Both rekey while the caller leaves its network: whichever IKE_SA stays knows the new address.
TEST(Mobike, MovesWhileBothRekey_TheSurvivorMoves) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Mobile m({.initiator = [](model::Connection& c) { c.dpd_delay = seconds{30}; },
              .nodes =
                  [seed](Node& a, Node& b) {
                    a.rng = SeededRng{seed};
                    b.rng = SeededRng{seed + 1000};
                  }});
    const IpAddress before = m.pair.a.address.address;
    m.pair.a.rekey_ike();
    m.pair.b.rekey_ike();
    m.pair.a.outbox.clear();
    m.pair.deliver_from(m.pair.b);
    m.pair.a.outbox.clear();
    for (const auto& sa : m.pair.a.status().sas) {
      if (sa.state == ike::IkeStatus::State::deleting) continue;
      m.pair.a.command(ike::command::Readdress{.sa = sa.id, .local = kOther});
    }
    m.pair.a.address.address = kOther;
    m.pair.lose = [before](const ike::action::Send& sent) {
      return sent.local.address == before || sent.remote.address == before;
    };
    m.pair.settle();
    m.wait(seconds{400});
    ASSERT_EQ(m.pair.a.status().sas.size(), 1U) << "seed " << seed << "\n" << m.pair.transcript();
    EXPECT_EQ(m.pair.a.status().sas[0].local.address, kOther) << "seed " << seed;
    EXPECT_TRUE(m.pair.mirrored()) << "seed " << seed;
  }
}

// However often something changes on this host: a peer that is silent is given up in time.
TEST(Mobike, FrequentChanges_DoNotKeepADeadPeerAlive) {
  Mobile m({.initiator = [](model::Connection& c) { c.dpd_delay = seconds{10}; }});
  m.pair.lose = [](const ike::action::Send&) { return true; };
  const auto sa = m.pair.a.status().sas[0];
  for (int second = 0; second < 200; ++second) {
    m.wait(seconds{1});
    m.pair.a.command(ike::command::Readdress{.sa = sa.id, .local = sa.local.address});
  }
  EXPECT_TRUE(m.pair.a.status().sas.empty());
}

// RFC 7296 §2.23, RFC 4555 §3.8. Packets of the tunnel that come from elsewhere: the caller never
// follows them, and with MOBIKE IKE does not either. What was misled comes back with the next sign
// of life.
TEST(Mobike, PacketsFromElsewhere_DoNotMoveIke) {
  Mobile m({.initiator = [](model::Connection& c) { c.dpd_delay = seconds{10}; },
            .config_a = {.force_udp_encap = true},
            .config_b = {.force_udp_encap = true}});
  const Endpoint elsewhere{kOther, 4500};
  const Endpoint a_remote = m.pair.a.status().sas[0].remote;
  const Endpoint b_remote = m.pair.b.status().sas[0].remote;
  for (Node* node : {&m.pair.a, &m.pair.b}) {
    node->plane(
        model::plane::MappingChange{.child = node->installed.begin()->first, .remote = elsewhere});
  }
  EXPECT_EQ(m.pair.a.status().sas[0].remote, a_remote);
  EXPECT_EQ(child_remote(m.pair.a), a_remote);
  EXPECT_EQ(m.pair.b.status().sas[0].remote, b_remote);
  EXPECT_EQ(child_remote(m.pair.b), elsewhere) << "a NAT may have mapped the packets anew";
  m.wait(seconds{11});
  EXPECT_EQ(child_remote(m.pair.b), b_remote);
}

/// Behind a router whose public address may change.
struct BehindNat : Mobile {
  BehindNat()
      : Mobile({.initiator =
                    [](model::Connection& c) {
                      c.dpd_delay = seconds{10};
                      c.vips = {IpAddress::any(IpFamily::v4)};
                    },
                .responder = [](model::Connection& c) { c.pools = {"pool"}; },
                .nodes = [](Node&, Node& b) { b.pool = {IpAddress::v4(0x0a090001)}; }},
               IpAddress::v4(0xcb007101)) {}
  void router_restarts() { pair.nat = IpAddress::v4(0xcb007102); }
};

// RFC 4555 §3.8. The router before the caller has another public address; nobody at home notices,
// and no packet goes out but life signs. The first one tells the caller that it is seen elsewhere.
TEST(Mobike, RouterWithAnotherAddress_IsSeenByTheNextLifeSign) {
  for (const Duration quiet : {Duration{0}, Duration{seconds{25}}}) {
    BehindNat m;
    m.wait(quiet);
    m.router_restarts();
    m.pair.forget();
    m.wait(seconds{11});
    EXPECT_EQ(m.pair.b.status().sas.at(0).remote.address, *m.pair.nat) << m.pair.transcript();
    EXPECT_NE(m.pair.transcript().find("N(UPDATE_SA_ADDRESSES)"), std::string::npos);
    EXPECT_EQ(m.pair.a.events_of<ike::event::IkeDown>().size(), 0U);
  }
}

// While nothing changes the peer is told once, at the first life sign; then it is only asked.
TEST(Mobike, SteadyRouter_IsToldOnce) {
  BehindNat m;
  m.wait(seconds{11});
  m.pair.forget();
  m.wait(seconds{30});
  EXPECT_EQ(m.pair.transcript().find("N(UPDATE_SA_ADDRESSES)"), std::string::npos)
      << m.pair.transcript();
}

// RFC 7296 §2.23. The router before a caller without MOBIKE has given it another port or address:
// the packets that arrive show where to answer, for the IKE_SA and all its children.
TEST(MappingChange, CallerWithoutMobike_IsFollowed) {
  const auto second_child = [](model::Connection& c) {
    c.children.push_back(c.children[0]);
    c.children[1].name = "more";
    const auto far = model::parse_selector("10.2.0.0/24");
    (c.vips.empty() ? c.children[1].local_ts : c.children[1].remote_ts) = {*far};
  };
  Pair pair({.initiator =
                 [&](model::Connection& c) {
                   c.vips = {IpAddress::any(IpFamily::v4)};
                   second_child(c);
                 },
             .responder =
                 [&](model::Connection& c) {
                   c.pools = {"pool"};
                   second_child(c);
                 },
             .nodes = [](Node&, Node& b) { b.pool = {IpAddress::v4(0x0a090001)}; }});
  pair.nat = IpAddress::v4(0xcb007101);
  pair.initiate();
  pair.settle();
  pair.initiate_from(pair.a, "more");
  pair.settle();
  ASSERT_EQ(pair.b.installed.size(), 2U);
  pair.forget();
  pair.nat = kOther;
  const Endpoint fresh{kOther, 40'001};
  pair.b.plane(model::plane::MappingChange{pair.b.installed.begin()->first, fresh});
  EXPECT_EQ(pair.b.status().sas[0].remote, fresh);
  for (const auto& [id, child] : pair.b.installed) EXPECT_EQ(child.spec.remote, fresh);
  EXPECT_EQ(pair.transcript(), "") << "nobody is told";
  pair.b.rekey_child();
  pair.settle();
  EXPECT_TRUE(pair.mirrored()) << "what b asks arrives";
}

// Nobody who is not behind a NAT moves without saying so.
TEST(MappingChange, WithoutNat_IsIgnored) {
  Pair pair;
  pair.initiate();
  pair.settle();
  const auto before = pair.b.status().sas[0].remote;
  pair.b.plane(model::plane::MappingChange{pair.b.installed.begin()->first, {kOther, 4500}});
  EXPECT_EQ(pair.b.status().sas[0].remote, before);
  for (const auto& [id, child] : pair.b.installed) EXPECT_EQ(child.spec.remote, before);
  pair.b.plane(model::plane::MappingChange{model::ChildId{99}, {kOther, 4500}});
}

}  // namespace
}  // namespace cygnet::test
