// The esp engine, packet by packet.                RFC 4301 §5, RFC 4303, RFC 6040, RFC 2983
#include "esp/engine.hpp"

#include <gtest/gtest.h>

#include "conformance/esp_rig.hpp"

namespace cygnet::esp {
namespace {

using model::ChildId;
using model::ChildSpec;
using model::CopyDscp;
using test::a_to_b;
using test::b_to_a;
using test::EspRig;
using test::events_of;
using test::make_child;
using test::make_packet;
using test::make_sa;
using test::net;
using test::Outer;

constexpr std::uint32_t kSpiA = 0xaa000001;
constexpr std::uint32_t kSpiB = 0xbb000001;

ChildSpec child_a() { return make_child(1, true, kSpiA, kSpiB); }
ChildSpec child_b() { return make_child(1, false, kSpiA, kSpiB); }

struct Pair {
  explicit Pair(MasterOptions options = {.provider = &crypto::openssl()})
      : a(options), b(options) {}
  void connect(const ChildSpec& at_a, const ChildSpec& at_b) {
    ASSERT_TRUE(a.plane().install(at_a).has_value());
    ASSERT_TRUE(b.plane().install(at_b).has_value());
  }
  // One packet from a, as it travels.
  Outer seal(ByteView inner) {
    a.from_host(inner);
    auto out = a.to_network();
    EXPECT_EQ(out.size(), 1u) << to_string(a.last().reason);
    return out.empty() ? Outer{} : out[0];
  }
  EspRig a;
  EspRig b;
};

struct SuiteCase {
  EncrId encr;
  std::uint16_t bits;
  IntegId integ;
};
constexpr SuiteCase kSuites[] = {
    {EncrId::aes_gcm_16, 128, IntegId::none},
    {EncrId::aes_gcm_16, 192, IntegId::none},
    {EncrId::aes_gcm_16, 256, IntegId::none},
    {EncrId::aes_gcm_12, 256, IntegId::none},
    {EncrId::aes_gcm_8, 128, IntegId::none},
    {EncrId::chacha20_poly1305, 0, IntegId::none},
    {EncrId::aes_cbc, 128, IntegId::hmac_sha1_96},
    {EncrId::aes_cbc, 192, IntegId::hmac_sha2_384_192},
    {EncrId::aes_cbc, 256, IntegId::hmac_sha2_256_128},
    {EncrId::aes_cbc, 256, IntegId::hmac_sha2_512_256},
    {EncrId::aes_ctr, 256, IntegId::hmac_sha2_256_128},
    {EncrId::null, 0, IntegId::hmac_sha2_256_128},
};

// Every suite, ESN or not, IPv4 and IPv6 inside and outside, every size around the block sizes;
// and the overhead that SaShape promises is exactly what was sent.
TEST(Engine, EverySuiteAndFamily_RoundTripsWithTheExactOverhead) {
  for (const SuiteCase& suite : kSuites) {
    for (const bool esn : {false, true}) {
      for (const bool v6 : {false, true}) {
        ChildSpec at_a = child_a();
        ChildSpec at_b = child_b();
        at_a.outbound = make_sa(kSpiB, suite.encr, suite.bits, suite.integ, esn);
        at_b.inbound = at_a.outbound->clone();
        if (v6) {
          at_a.local_ts = at_b.remote_ts = net("2001:db8:1::/48");
          at_a.remote_ts = at_b.local_ts = net("2001:db8:2::/48");
        }
        Pair pair;
        pair.connect(at_a, at_b);
        const auto keys = SaKeys::make(crypto::openssl(), *at_a.outbound, 1);
        ASSERT_TRUE(keys.has_value());
        for (std::size_t payload = 0; payload < 40; ++payload) {
          const Bytes inner = make_packet({.source = v6 ? "2001:db8:1::1" : "10.1.0.1",
                                           .destination = v6 ? "2001:db8:2::1" : "10.2.0.1",
                                           .payload = payload});
          const Outer outer = pair.seal(inner);
          ASSERT_EQ(outer.esp.size(), keys->shape.esp_size(inner.size()));
          ASSERT_EQ(keys->shape.outer_size(inner.size(), IpFamily::v4, true),
                    outer.esp.size() + 28);
          pair.b.from_network(outer);
          const auto got = pair.b.to_host();
          ASSERT_EQ(got.size(), 1u) << to_string(pair.b.last().reason);
          ASSERT_EQ(got[0], inner);
        }
      }
    }
  }
}

// The largest inner packet fits the MTU, one octet more does not.
TEST(SaShape, InnerMax_IsTheExactInverseOfOuterSize) {
  for (const SuiteCase& suite : kSuites) {
    const auto keys =
        SaKeys::make(crypto::openssl(), make_sa(kSpiB, suite.encr, suite.bits, suite.integ), 1);
    ASSERT_TRUE(keys.has_value());
    for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
      for (std::size_t mtu = 576; mtu < 1600; ++mtu) {
        const std::size_t most = keys->shape.inner_max(mtu, family, true);
        ASSERT_LE(keys->shape.outer_size(most, family, true), mtu);
        ASSERT_GT(keys->shape.outer_size(most + 1, family, true), mtu);
      }
    }
    EXPECT_EQ(keys->shape.inner_max(20, IpFamily::v4, true), 0u);
  }
}

// Every single-bit error and every truncation is refused, whatever the suite.
TEST(Engine, TamperedPacket_IsNeverDelivered) {
  for (const SuiteCase& suite : kSuites) {
    ChildSpec at_a = child_a();
    ChildSpec at_b = child_b();
    at_a.outbound = make_sa(kSpiB, suite.encr, suite.bits, suite.integ);
    at_b.inbound = at_a.outbound->clone();
    Pair pair;
    pair.connect(at_a, at_b);
    const Outer good = pair.seal(a_to_b());
    for (std::size_t bit = 0; bit < good.esp.size() * 8; ++bit) {
      Outer bad = good;
      bad.esp[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      pair.b.from_network(bad);
      ASSERT_EQ(pair.b.last().verdict, Verdict::drop) << bit;
    }
    for (std::size_t size = 0; size < good.esp.size(); ++size) {
      Outer cut = good;
      cut.esp.resize(size);
      pair.b.from_network(cut);
      ASSERT_EQ(pair.b.last().verdict, Verdict::drop) << size;
    }
    EXPECT_TRUE(pair.b.to_host().empty());
    pair.b.from_network(good);
    EXPECT_EQ(pair.b.to_host().size(), 1u);
  }
}

// Seals octets of our choice as `a` would, to see what `b` makes of them.
class Forge {
 public:
  Forge() {
    EXPECT_TRUE(b.plane().install(child_b()).has_value());
    const model::SaSpec sa = make_sa(kSpiB);
    sealer_ = *crypto::openssl().sealer(sa.encr, sa.key_bits, sa.encr_key.reveal(), sa.integ, {});
  }
  // The drop reason for an authentic packet with this text.
  Drop text(Bytes text) {
    Writer out;
    out.be(kSpiB);
    out.be(++sequence_);
    out.be(std::uint64_t{sequence_});
    Bytes icv(16);
    EXPECT_TRUE(sealer_->seal(out.view().first(8), out.view().subspan(8), text, icv).has_value());
    out.put(text);
    out.put(icv);
    b.from_network({.source = test::kOuterA, .destination = test::kOuterB, .esp = out.take()});
    return b.last().reason;
  }
  EspRig b;

 private:
  std::unique_ptr<crypto::Sealer> sealer_;
  std::uint32_t sequence_ = 0;
};

Bytes with_trailer(Bytes text, std::vector<std::uint8_t> trailer) {
  text.insert(text.end(), trailer.begin(), trailer.end());
  return text;
}

// RFC 4303 §2.4, §2.6, §2.7: everything an authenticated but odd peer may put inside.
TEST(Engine, AuthenticButOddText_HasItsOwnDropReason) {
  Forge forge;
  const Bytes inner = a_to_b();  // 60 octets, so that 2 of padding are needed
  ASSERT_EQ(inner.size() % 4, 0u);
  EXPECT_EQ(forge.text(with_trailer(inner, {1, 2, 2, 4})), Drop::none);
  EXPECT_EQ(forge.text(with_trailer(inner, {1, 3, 2, 4})), Drop::bad_padding);
  EXPECT_EQ(forge.text(with_trailer(inner, {0, 0, 2, 4})), Drop::bad_padding);
  EXPECT_EQ(forge.text({1, 2, 3, 4}), Drop::bad_padding);
  EXPECT_EQ(forge.text({0, 0, 255, 59}), Drop::bad_padding);
  EXPECT_EQ(forge.text({1, 2, 2, 59}), Drop::dummy);
  EXPECT_EQ(forge.text({1, 2, 2, 4}), Drop::bad_inner);
  EXPECT_EQ(forge.text(with_trailer(inner, {1, 2, 2, 41})), Drop::bad_inner);
  EXPECT_EQ(forge.text(with_trailer(inner, {1, 2, 2, 17})), Drop::bad_next_header);
  EXPECT_EQ(forge.text(with_trailer(Bytes(inner.begin(), inner.end() - 4), {1, 2, 2, 4})),
            Drop::bad_inner);
  EXPECT_EQ(forge.text(Bytes(5)), Drop::bad_alignment);
  EXPECT_EQ(forge.b.engine().drops().of(Drop::bad_padding), 4u);
}

// RFC 4303 §2.7: TFC padding behind the inner packet is cut off.
TEST(Engine, TfcPadding_IsTrimmed) {
  Forge forge;
  Bytes text = a_to_b();
  text.resize(text.size() + 400, 0xee);
  EXPECT_EQ(forge.text(with_trailer(text, {1, 2, 2, 4})), Drop::none);
  EXPECT_EQ(forge.b.to_host(), std::vector<Bytes>{a_to_b()});
}

// RFC 4301 §5.2: addresses, protocol and ports of what comes out must be as negotiated.
TEST(Engine, InboundOutsideTheSelectors_IsDropped) {
  ChildSpec at_b = child_b();
  at_b.local_ts[0].protocol = at_b.remote_ts[0].protocol = 17;
  at_b.local_ts[0].start_port = at_b.local_ts[0].end_port = 2000;
  ChildSpec at_a = child_a();
  at_a.local_ts = at_a.remote_ts = net("0.0.0.0/0");
  Pair pair;
  pair.connect(at_a, at_b);
  const auto reason = [&](const test::PacketSpec& spec) {
    pair.b.from_network(pair.seal(make_packet(spec)));
    return pair.b.last().reason;
  };
  EXPECT_EQ(reason({}), Drop::none);
  EXPECT_EQ(reason({.source = "10.2.0.9"}), Drop::selector_mismatch);
  EXPECT_EQ(reason({.destination = "10.1.0.9"}), Drop::selector_mismatch);
  EXPECT_EQ(reason({.protocol = 6}), Drop::selector_mismatch);
  EXPECT_EQ(reason({.destination_port = 2001}), Drop::selector_mismatch);
  EXPECT_EQ(reason({.dont_fragment = false, .fragment_offset = 8}), Drop::selector_mismatch);
  EXPECT_EQ(pair.b.plane().stats(ChildId{1})->policy_drops, 5u);
}

// RFC 4301 §5.1.2 and RFC 2983: which way the DSCP is copied. RFC 6040 §4: ECN both ways.
TEST(Engine, DscpAndEcn_FollowTheChildsRules) {
  for (const CopyDscp copy : {CopyDscp::no, CopyDscp::in, CopyDscp::out, CopyDscp::yes}) {
    for (const bool ecn : {false, true}) {
      ChildSpec at_a = child_a();
      ChildSpec at_b = child_b();
      at_a.copy_dscp = at_b.copy_dscp = copy;
      at_a.copy_ecn = at_b.copy_ecn = ecn;
      Pair pair;
      pair.connect(at_a, at_b);
      Outer outer = pair.seal(make_packet({.tos = 0xb8 | 2}));  // EF, ECT(0)
      const bool to_outer = copy == CopyDscp::out || copy == CopyDscp::yes;
      EXPECT_EQ(outer.tos, (to_outer ? 0xb8 : 0) | (ecn ? 2 : 0));
      outer.tos = 0x28 | 3;  // a router on the way marks AF11, CE
      pair.b.from_network(outer);
      const auto inner = pair.b.to_host();
      ASSERT_EQ(inner.size(), 1u);
      const bool to_inner = copy == CopyDscp::in || copy == CopyDscp::yes;
      EXPECT_EQ(inner[0][1], (to_inner ? 0x28 : 0xb8) | (ecn ? 3 : 2));
      EXPECT_EQ(test::checksum_of(ByteView{inner[0]}.first(20)), 0);
    }
  }
}

TEST(Engine, CongestionMarkOnNotEct_IsDroppedAndCounted) {
  Pair pair;
  pair.connect(child_a(), child_b());
  Outer outer = pair.seal(a_to_b());
  outer.tos = 3;
  pair.b.from_network(outer);
  EXPECT_EQ(pair.b.last().reason, Drop::ecn_illegal);
  EXPECT_EQ(pair.b.engine().drops().of(Drop::ecn_illegal), 1u);
}

// RFC 4303 §3.3.3: the sequence number never wraps; a rekey is asked for long before.
TEST(Engine, SequenceNumberAtItsEnd_StopsTheSaForGood) {
  EspRig a{{.provider = &crypto::openssl(), .first_sequence = 0xffffffff - 1}};
  ASSERT_TRUE(a.plane().install(child_a()).has_value());
  for (int i = 0; i < 5; ++i) a.from_host(a_to_b());
  const auto sent = a.to_network();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(to_hex(ByteView{sent[1].esp}.subspan(4, 4)), "ffffffff");
  EXPECT_EQ(a.engine().drops().of(Drop::sequence_exhausted), 1u);
  EXPECT_EQ(a.engine().drops().of(Drop::expired), 2u);
  const auto expires = events_of<model::plane::Expire>(a.plane().take_events());
  ASSERT_EQ(expires.size(), 2u);
  EXPECT_FALSE(expires[0].hard);
  EXPECT_TRUE(expires[1].hard);
}

TEST(Engine, EsnAcrossTheWrap_LosesNothing) {
  ChildSpec at_a = child_a();
  ChildSpec at_b = child_b();
  at_a.outbound->esn = at_b.inbound->esn = true;
  Pair pair{{.provider = &crypto::openssl(), .first_sequence = 1}};
  EspRig late{{.provider = &crypto::openssl(), .first_sequence = 0xfffffffa}};
  ASSERT_TRUE(late.plane().install(at_a).has_value());
  ASSERT_TRUE(pair.b.plane().install(at_b).has_value());
  // The receiver must have followed: its window is brought there in strides below 2^31.
  for (const std::uint64_t at : {0x7fff0000U, 0xfffeff00U}) {
    EspRig on_the_way{{.provider = &crypto::openssl(), .first_sequence = at}};
    ASSERT_TRUE(on_the_way.plane().install(at_a).has_value());
    on_the_way.from_host(a_to_b());
    for (const Outer& outer : on_the_way.to_network()) pair.b.from_network(outer);
  }
  static_cast<void>(pair.b.to_host());
  for (int i = 0; i < 20; ++i) late.from_host(a_to_b());
  for (const Outer& outer : late.to_network()) pair.b.from_network(outer);
  EXPECT_EQ(pair.b.to_host().size(), 20u);
  EXPECT_EQ(pair.b.plane().stats(ChildId{1})->bad_icv, 0u);
}

TEST(Engine, ByteLimit_CountsInnerOctets) {
  ChildSpec at_a = child_a();
  at_a.lifetime.rekey_bytes = a_to_b().size() * 2;
  at_a.lifetime.life_bytes = a_to_b().size() * 3;
  EspRig a;
  ASSERT_TRUE(a.plane().install(at_a).has_value());
  a.from_host(a_to_b());
  EXPECT_TRUE(a.plane().take_events().empty());
  a.from_host(a_to_b());
  EXPECT_EQ(events_of<model::plane::Expire>(a.plane().take_events()).size(), 1u);
  a.from_host(a_to_b());
  a.from_host(a_to_b());
  EXPECT_EQ(a.to_network().size(), 3u);
}

TEST(Engine, InboundLimit_StopsAfterTheLastAllowedPacket) {
  ChildSpec at_b = child_b();
  at_b.lifetime.life_packets = 2;
  Pair pair;
  pair.connect(child_a(), at_b);
  for (int i = 0; i < 4; ++i) pair.b.from_network(pair.seal(a_to_b()));
  EXPECT_EQ(pair.b.to_host().size(), 2u);
  EXPECT_EQ(pair.b.engine().drops().of(Drop::expired), 2u);
}

// T17: a recorded packet that is sent again, or late, from elsewhere moves nothing.
TEST(Engine, OldPacketFromElsewhere_MovesNoMapping) {
  Pair pair;
  pair.connect(child_a(), child_b());
  Outer first = pair.seal(a_to_b());
  const Outer second = pair.seal(a_to_b());
  pair.b.from_network(second);
  first.source.port = 31337;
  pair.b.from_network(first);  // authentic, but not the newest
  Outer replayed = second;
  replayed.source.port = 31337;
  pair.b.from_network(replayed);
  EXPECT_TRUE(events_of<model::plane::MappingChange>(pair.b.plane().take_events()).empty());
}

TEST(Engine, FlappingMapping_IsReportedAtMostOncePerInterval) {
  Pair pair;
  pair.connect(child_a(), child_b());
  for (std::uint16_t port = 1; port <= 50; ++port) {
    Outer outer = pair.seal(a_to_b());
    outer.source.port = port;
    pair.b.from_network(outer);
  }
  EXPECT_EQ(events_of<model::plane::MappingChange>(pair.b.plane().take_events()).size(), 1u);
  pair.b.advance(kMappingInterval);
  Outer outer = pair.seal(a_to_b());
  outer.source.port = 99;
  pair.b.from_network(outer);
  const auto changes = events_of<model::plane::MappingChange>(pair.b.plane().take_events());
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].remote.port, 99);
}

TEST(Trap, Full_DropsAndCounts) {
  EspRig a;
  ASSERT_TRUE(a.plane().install(test::make_trap(7, true)).has_value());
  for (std::uint16_t i = 0; i < kHeldPacketsMax + 3; ++i) a.from_host(a_to_b(i));
  EXPECT_EQ(a.engine().drops().of(Drop::trap_full), 3u);
  ASSERT_TRUE(a.plane().install(child_a()).has_value());
  EXPECT_EQ(a.to_network().size(), kHeldPacketsMax);
}

TEST(Trap, StalePackets_AreNotSent) {
  EspRig a;
  ASSERT_TRUE(a.plane().install(test::make_trap(7, true)).has_value());
  a.from_host(a_to_b());
  a.advance(kHeldTimeMax + std::chrono::seconds{1});
  a.from_host(a_to_b(2));
  ASSERT_TRUE(a.plane().install(child_a()).has_value());
  EXPECT_EQ(a.to_network().size(), 1u);
  EXPECT_EQ(a.engine().drops().of(Drop::trap_stale), 1u);
}

// The acquire may fail (the peer is away): the trap asks again, but not for each packet.
TEST(Trap, UnansweredAcquire_IsRepeatedAfterTheInterval) {
  EspRig a;
  ASSERT_TRUE(a.plane().install(test::make_trap(7, true)).has_value());
  const auto acquires = [&] {
    return events_of<model::plane::Acquire>(a.plane().take_events()).size();
  };
  a.from_host(a_to_b());
  EXPECT_EQ(acquires(), 1u);
  a.advance(kAcquireInterval - std::chrono::seconds{1});
  a.from_host(a_to_b());
  EXPECT_EQ(acquires(), 0u);
  a.advance(std::chrono::seconds{1});
  a.from_host(a_to_b());
  EXPECT_EQ(acquires(), 1u);
}

// Once served, a trap asks at once when the child is gone again.
TEST(Trap, AfterItsChildWasRemoved_AcquiresAtOnce) {
  EspRig a;
  ASSERT_TRUE(a.plane().install(test::make_trap(7, true)).has_value());
  a.from_host(a_to_b());
  ASSERT_TRUE(a.plane().install(child_a()).has_value());
  ASSERT_TRUE(a.plane().remove(ChildId{1}).has_value());
  static_cast<void>(a.plane().take_events());
  a.from_host(a_to_b());
  EXPECT_EQ(events_of<model::plane::Acquire>(a.plane().take_events()).size(), 1u);
}

// A held packet goes to the child that takes it; one for somebody else stays held.
TEST(Trap, NarrowerChild_ReleasesOnlyItsPackets) {
  EspRig a;
  ASSERT_TRUE(a.plane().install(test::make_trap(7, true)).has_value());
  a.from_host(a_to_b());
  a.from_host(make_packet({.destination = "10.2.9.9"}));
  ChildSpec narrow = child_a();
  narrow.remote_ts = net("10.2.9.0/24");
  ASSERT_TRUE(a.plane().install(narrow).has_value());
  EXPECT_EQ(a.to_network().size(), 1u);
}

// RFC 1191 §4, RFC 4301 §8.2.1: an inner packet with DF that would not fit is answered.
TEST(TooBig, Ipv4WithDf_IsAnsweredWithTheExactMtu) {
  EspRig a;
  ASSERT_TRUE(a.plane().install(child_a()).has_value());
  a.engine().set_path_mtu(ChildId{1}, 1300);
  const auto keys = SaKeys::make(crypto::openssl(), make_sa(kSpiB), 1);
  const std::size_t mtu = keys->shape.inner_max(1300, IpFamily::v4, true);
  a.from_host(make_packet({.payload = mtu - 28}));
  EXPECT_EQ(a.to_network().size(), 1u);
  EXPECT_TRUE(a.last().dont_fragment);

  const Bytes big = make_packet({.payload = mtu - 28 + 1});
  a.from_host(big);
  EXPECT_TRUE(a.to_network().empty());
  EXPECT_EQ(a.last().reason, Drop::too_big);
  const auto answers = a.to_host();
  ASSERT_EQ(answers.size(), 1u);
  const ByteView answer = answers[0];
  const auto inner = parse_inner(answer);
  ASSERT_TRUE(inner.has_value());
  EXPECT_EQ(inner->size, answer.size());
  EXPECT_EQ(inner->flow.source, test::ip("10.2.0.1"));
  EXPECT_EQ(inner->flow.destination, test::ip("10.1.0.1"));
  EXPECT_EQ(inner->flow.source_port, 0x0304);
  EXPECT_EQ(static_cast<std::size_t>(answer[26] << 8 | answer[27]), mtu);
  EXPECT_EQ(test::checksum_of(answer.first(20)), 0);
  EXPECT_EQ(test::checksum_of(answer.subspan(20)), 0);
  EXPECT_TRUE(equal(answer.subspan(28, 100), ByteView{big}.first(100)));
}

// RFC 4443 §3.2. Below 1280 nothing may be asked for: such packets are fragmented outside.
TEST(TooBig, Ipv6_IsAnsweredButNeverBelow1280) {
  ChildSpec spec = child_a();
  spec.local_ts = net("2001:db8:1::/48");
  spec.remote_ts = net("2001:db8:2::/48");
  EspRig a;
  ASSERT_TRUE(a.plane().install(spec).has_value());
  a.engine().set_path_mtu(ChildId{1}, 1300);
  const auto packet = [](std::size_t size) {
    return make_packet(
        {.source = "2001:db8:1::1", .destination = "2001:db8:2::1", .payload = size - 48});
  };
  a.from_host(packet(1281));
  const auto answers = a.to_host();
  ASSERT_EQ(answers.size(), 1u);
  const ByteView answer = answers[0];
  EXPECT_EQ(parse_inner(answer)->flow.source_port, 0x0200);
  EXPECT_EQ(to_hex(answer.subspan(44, 4)), "00000500");
  EXPECT_LE(answer.size(), 1280u);
  Writer pseudo;
  pseudo.put(answer.subspan(8, 32));
  pseudo.be(static_cast<std::uint32_t>(answer.size() - 40));
  pseudo.be(std::uint32_t{58});
  pseudo.put(answer.subspan(40));
  EXPECT_EQ(test::checksum_of(pseudo.view()), 0);

  a.from_host(packet(1280));
  EXPECT_EQ(a.to_network().size(), 1u);
  EXPECT_FALSE(a.last().dont_fragment);
}

TEST(TooBig, WithoutDf_IsSentAndMayBeFragmentedOutside) {
  EspRig a;
  ASSERT_TRUE(a.plane().install(child_a()).has_value());
  a.engine().set_path_mtu(ChildId{1}, 1000);
  a.from_host(make_packet({.payload = 1300, .dont_fragment = false}));
  EXPECT_EQ(a.to_network().size(), 1u);
  EXPECT_FALSE(a.last().dont_fragment);
}

TEST(TooBig, CopyDfOff_NeverAnswers) {
  ChildSpec spec = child_a();
  spec.copy_df = false;
  EspRig a;
  ASSERT_TRUE(a.plane().install(spec).has_value());
  a.engine().set_path_mtu(ChildId{1}, 1000);
  a.from_host(make_packet({.payload = 1300}));
  EXPECT_EQ(a.to_network().size(), 1u);
  EXPECT_FALSE(a.last().dont_fragment);
}

// RFC 1122 §3.2.2, RFC 4443 §2.4: no errors about errors; and not too many of them.
TEST(TooBig, IcmpErrorsAndFloods_AreNotAnswered) {
  EspRig a;
  ASSERT_TRUE(a.plane().install(child_a()).has_value());
  a.engine().set_path_mtu(ChildId{1}, 1000);
  a.from_host(make_packet({.protocol = 1, .source_port = 0x0300, .payload = 1300}));
  EXPECT_EQ(a.last().reason, Drop::too_big_quiet);
  a.from_host(make_packet({.protocol = 1, .source_port = 0x0800, .payload = 1300}));
  EXPECT_EQ(a.last().reason, Drop::too_big);
  a.advance(std::chrono::seconds{1});
  static_cast<void>(a.to_host());
  for (int i = 0; i < 100; ++i) a.from_host(make_packet({.payload = 1300}));
  EXPECT_EQ(a.to_host().size(), kTooBigBurst);
}

// RFC 4301 §7: a later fragment is not let out in the clear past a port policy.
TEST(Shunt, PassAndDrop_AreCountedApart) {
  EspRig a;
  ChildSpec pass = test::make_trap(7, true);
  pass.action = model::PolicyAction::pass;
  ASSERT_TRUE(a.plane().install(pass).has_value());
  a.from_host(a_to_b());
  EXPECT_EQ(a.last().reason, Drop::policy_pass);
  ChildSpec ports = child_a();
  ports.remote_ts[0].protocol = 17;
  ports.remote_ts[0].start_port = ports.remote_ts[0].end_port = 2000;
  ASSERT_TRUE(a.plane().install(ports).has_value());
  a.from_host(make_packet({.dont_fragment = false, .fragment_offset = 8}));
  EXPECT_EQ(a.last().reason, Drop::fragment_opaque);
}

TEST(Install, WhatCannotBeExpressed_IsRefusedWithAReason) {
  EspRig a;
  const auto refused = [&](auto&& change) {
    ChildSpec spec = child_a();
    change(spec);
    const auto result = a.plane().install(spec);
    EXPECT_FALSE(a.plane().stats(ChildId{1}).has_value());
    return result ? std::string{"accepted"} : result.error().detail;
  };
  EXPECT_NE(refused([](ChildSpec& s) { s.udp_encap = false; }).find("UDP"), std::string::npos);
  EXPECT_NE(refused([](ChildSpec& s) { s.replay_window = 4097; }).find("4096"), std::string::npos);
  EXPECT_NE(refused([](ChildSpec& s) { s.local_ts.clear(); }), "accepted");
  EXPECT_NE(refused([](ChildSpec& s) { s.inbound.reset(); }), "accepted");
  EXPECT_NE(refused([](ChildSpec& s) { s.inbound->spi = EspSpi{255}; }), "accepted");
  EXPECT_NE(refused([](ChildSpec& s) { s.remote = test::endpoint("2001:db8::1"); }), "accepted");
  EXPECT_NE(refused([](ChildSpec& s) { s.local_ts = net("::/0"); }), "accepted");
  EXPECT_NE(refused([](ChildSpec& s) {
              s.outbound = make_sa(kSpiB, EncrId::aes_cbc, 256, IntegId::none);
            }).find("integrity"),
            std::string::npos);
  EXPECT_NE(refused([](ChildSpec& s) { s.local_ts.assign(kSelectorsMax + 1, s.local_ts[0]); }),
            "accepted");
  EXPECT_TRUE(a.plane().install(child_a()).has_value());
}

TEST(Install, SlotOfALiveSa_IsRefusedUntilItIsFree) {
  EspRig a;
  ASSERT_TRUE(a.plane().install(child_a()).has_value());
  ChildSpec same_slot = make_child(2, true, kSpiA ^ 0x10000000, 0xbb000002);
  EXPECT_FALSE(a.plane().install(same_slot).has_value());
  ASSERT_TRUE(a.plane().remove(ChildId{1}).has_value());
  EXPECT_TRUE(a.plane().install(same_slot).has_value());
}

// A range that no prefix covers makes many entries; the product has a limit.
TEST(Install, TooManyPolicyEntries_IsRefused) {
  EspRig a;
  ChildSpec spec = child_a();
  spec.remote_ts = net("::/0");
  spec.remote_ts[0].range = {test::ip("::1"), test::ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe")};
  spec.local_ts = net("::/0");
  const std::size_t each = spec.remote_ts[0].range.prefixes().size();
  spec.local_ts.assign(kPolicyEntriesMax / each, spec.local_ts[0]);
  EXPECT_TRUE(a.plane().install(spec).has_value());
  ASSERT_TRUE(a.plane().remove(ChildId{1}).has_value());
  spec.local_ts.push_back(spec.local_ts[0]);
  EXPECT_FALSE(a.plane().install(spec).has_value());
}

// An attacker's guess at a live slot still has to match the whole SPI.
TEST(Engine, RightSlotWrongSpi_IsUnknown) {
  Pair pair;
  pair.connect(child_a(), child_b());
  Outer outer = pair.seal(a_to_b());
  outer.esp[0] ^= 0x10;
  pair.b.from_network(outer);
  EXPECT_EQ(pair.b.last().reason, Drop::unknown_spi);
}

// The buffer's room is checked before a sequence number is spent.
TEST(Engine, TooLittleRoom_IsRefusedBeforeSealing) {
  EspRig rig;
  ASSERT_TRUE(rig.plane().install(child_a()).has_value());
  for (const auto& [head, tail] : {std::pair{15, 64}, std::pair{64, 17}}) {
    const Bytes inner = a_to_b();
    Bytes storage(static_cast<std::size_t>(head));
    append(storage, inner);
    storage.resize(storage.size() + static_cast<std::size_t>(tail));
    Packet packet{
        .buffer = storage, .offset = static_cast<std::size_t>(head), .size = inner.size()};
    rig.engine().outbound({&packet, 1}, Instant{std::chrono::hours{2}});
    EXPECT_EQ(packet.reason, Drop::no_room);
  }
  rig.from_host(a_to_b());
  const auto sent = rig.to_network();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(to_hex(ByteView{sent[0].esp}.subspan(4, 4)), "00000001");
}

// Only the owner seals, so that a child's packets leave in sequence order whatever queue they
// came from; any worker opens.
TEST(Worker, ChildOfAnotherWorker_IsHandedOverUnchanged) {
  test::SeededRng rng{1};
  Master master{{.provider = &crypto::openssl(), .workers = 2}};
  Tables tables;
  const ChildSpec spec = child_a();
  const auto changes = master.install(spec);
  ASSERT_TRUE(changes.has_value());
  for (const Change& change : *changes) tables.apply(change);
  const std::size_t owner = owner_of(spec.inbound->spi, 2);
  for (const std::size_t index : {0U, 1U}) {
    Worker worker{index, rng};
    OwnedPacket owned{a_to_b()};
    worker.outbound(tables, {&owned.packet, 1}, Instant{});
    EXPECT_EQ(owned.packet.verdict, index == owner ? Verdict::send : Verdict::elsewhere);
    if (index == owner) continue;
    EXPECT_EQ(owned.packet.owner, owner);
    EXPECT_EQ(to_bytes(owned.packet.data()), a_to_b());
  }
}

TEST(Drops, EveryReason_HasAName) {
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    EXPECT_NE(to_string(static_cast<Drop>(i)), "unknown");
  }
}

}  // namespace
}  // namespace cygnet::esp
