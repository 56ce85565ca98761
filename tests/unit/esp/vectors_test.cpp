// Whole ESP packets from the RFCs, and the layout checked by other means.
#include <gtest/gtest.h>

#include "conformance/esp_rig.hpp"

namespace cygnet::esp {
namespace {

using test::endpoint;
using test::EspRig;
using test::make_sa;
using test::net;

Secret secret(const char* hex) { return Secret{ByteView{*from_hex(hex)}}; }

// RFC 7634 Appendix A: the packet as printed there, without its outer IP header.
TEST(EspVector, Rfc7634AppendixA_OpensToTheSourcePacket) {
  model::SaSpec sa{.spi = EspSpi{0x01020304},
                   .encr = EncrId::chacha20_poly1305,
                   .encr_key = secret("808182838485868788898a8b8c8d8e8f909192939495969798999a9b"
                                      "9c9d9e9fa0a1a2a3")};
  model::ChildSpec spec;
  spec.id = model::ChildId{1};
  spec.local_ts = net("192.0.2.5/32");
  spec.remote_ts = net("198.51.100.5/32");
  spec.local = endpoint("203.0.113.5");
  spec.remote = endpoint("203.0.113.153");
  spec.inbound = std::move(sa);
  EspRig rig;
  ASSERT_TRUE(rig.plane().install(spec).has_value());
  rig.from_network(
      {.source = spec.remote,
       .destination = spec.local,
       .esp = *from_hex("0102030400000005101112131415161724039428b97f417e3c13753a4f05087b67c352e6a7"
                        "fab1b982d466ef"
                        "407ae5c614ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cb"
                        "ec163fac469b50"
                        "2773f6fb94e664da9165b82829f641e076aaa8266b7fb0f7b11b369907e1ad43")});
  const auto inner = rig.to_host();
  ASSERT_EQ(inner.size(), 1u);
  EXPECT_EQ(to_hex(inner[0]),
            "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10"
            "0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
            "2425262728292a2b2c2d2e2f3031323334353637");
}

// Installs one outbound SA and returns what a packet becomes.
Bytes sealed(model::SaSpec outbound, ByteView inner, std::uint64_t first = 1) {
  EspRig rig{{.provider = &crypto::openssl(), .first_sequence = first}};
  model::ChildSpec spec = test::make_child(1, true, 0xaa000001, 0xbb000001);
  spec.outbound = std::move(outbound);
  EXPECT_TRUE(rig.plane().install(spec).has_value());
  rig.from_host(inner);
  const auto out = rig.to_network();
  EXPECT_EQ(out.size(), 1u);
  return out.empty() ? Bytes{} : out[0].esp;
}

// RFC 4303 §2: SPI, sequence number, IV; RFC 4106 §3.1: the IV is the counter.
TEST(EspLayout, Gcm_HeaderAndCounterIv) {
  const Bytes esp = sealed(make_sa(0xbb000001), test::a_to_b(), 7);
  EXPECT_EQ(to_hex(ByteView{esp}.first(16)),
            "bb000001"
            "00000007"
            "0000000000000007");
}

// RFC 4106 §5, RFC 4303 §3.3.3: with ESN only the low half travels, the AEAD covers all of it.
TEST(EspLayout, GcmWithEsn_AadHoldsSpiAndTheWholeNumber) {
  const model::SaSpec sa = make_sa(0xbb000001, EncrId::aes_gcm_16, 256, IntegId::none, true);
  Bytes esp = sealed(sa.clone(), test::a_to_b(), 0x0000000500000009);
  EXPECT_EQ(to_hex(ByteView{esp}.first(16)),
            "bb000001"
            "00000009"
            "0000000500000009");
  auto sealer = crypto::openssl().sealer(sa.encr, sa.key_bits, sa.encr_key.reveal(), sa.integ, {});
  ASSERT_TRUE(sealer.has_value());
  const MutableBytes all{esp};
  EXPECT_TRUE((*sealer)->open(*from_hex("bb0000010000000500000009"), all.subspan(8, 8),
                              all.subspan(16, esp.size() - 32), all.last(16)));
}

// RFC 4303 §2.2.1, §3.3.2.1: an HMAC covers header, IV and ciphertext, then the high half, which
// is not sent. Computed here with the PRF of the same hash.
TEST(EspLayout, CbcHmacWithEsn_IcvCoversTheHiddenHighHalf) {
  const model::SaSpec sa =
      make_sa(0xbb000001, EncrId::aes_cbc, 128, IntegId::hmac_sha2_256_128, true);
  const Bytes esp = sealed(sa.clone(), test::a_to_b(), 0x0000000500000009);
  const ByteView covered = ByteView{esp}.first(esp.size() - 16);
  const Bytes high = *from_hex("00000005");
  const auto mac =
      crypto::openssl().prf(PrfId::hmac_sha2_256, sa.integ_key.reveal(), {covered, high});
  ASSERT_TRUE(mac.has_value());
  EXPECT_EQ(to_hex(mac->reveal().first(16)), to_hex(ByteView{esp}.last(16)));
}

// RFC 2410: with NULL encryption the trailer is readable: padding 1, 2, 3.., its length, next
// header 4, the whole a multiple of 4 (RFC 4303 §2.4).
TEST(EspLayout, NullEncryption_ShowsTheTrailer) {
  for (std::size_t payload = 0; payload < 8; ++payload) {
    const Bytes inner = test::make_packet({.payload = payload});
    const Bytes esp =
        sealed(make_sa(0xbb000001, EncrId::null, 0, IntegId::hmac_sha2_256_128), inner);
    const ByteView text = ByteView{esp}.subspan(8, esp.size() - 8 - 16);
    EXPECT_EQ(text.size() % 4, 0u);
    EXPECT_TRUE(equal(text.first(inner.size()), inner));
    const std::size_t pad = text[text.size() - 2];
    EXPECT_EQ(pad, text.size() - inner.size() - 2);
    EXPECT_LT(pad, 4u);
    for (std::size_t i = 0; i < pad; ++i) EXPECT_EQ(text[inner.size() + i], i + 1);
    EXPECT_EQ(text.back(), 4);
  }
}

// RFC 3602 §3: CBC's IVs must not be predictable, so not equal for equal packets nor counters.
TEST(EspLayout, Cbc_IvsDiffer) {
  EspRig rig;
  model::ChildSpec spec = test::make_child(1, true, 0xaa000001, 0xbb000001);
  spec.outbound = make_sa(0xbb000001, EncrId::aes_cbc, 256, IntegId::hmac_sha2_256_128);
  ASSERT_TRUE(rig.plane().install(spec).has_value());
  std::vector<std::string> ivs;
  for (int i = 0; i < 16; ++i) rig.from_host(test::a_to_b());
  for (const auto& outer : rig.to_network()) {
    ivs.push_back(to_hex(ByteView{outer.esp}.subspan(8, 16)));
  }
  ASSERT_EQ(ivs.size(), 16u);
  std::ranges::sort(ivs);
  EXPECT_EQ(std::ranges::adjacent_find(ivs), ivs.end());
  EXPECT_NE(ivs[0].substr(0, 16), "0000000000000000");
}

}  // namespace
}  // namespace cygnet::esp
