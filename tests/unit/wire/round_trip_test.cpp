// What is written reads the same, and what is read writes the same.          RFC 7296 §3
#include <gtest/gtest.h>

#include "unit/wire/samples.hpp"

namespace cygnet::wire {
namespace {

using test::hex;
using test::PayloadMaker;

constexpr std::uint64_t kSeeds = 300;

TEST(RoundTrip, EveryPayload_ReadsAsWritten) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (std::size_t kind = 0; kind < PayloadMaker::kKinds; ++kind) {
      const Payload payload = PayloadMaker{seed * PayloadMaker::kKinds + kind}.of_kind(kind);
      ASSERT_EQ(payload.index(), kind);
      const Chain chain = write_payloads({payload});
      ASSERT_EQ(chain.first, type_of(payload));
      const auto parsed = parse_payloads(chain.first, chain.bytes);
      ASSERT_TRUE(parsed) << summary(payload) << " seed " << seed << ": " << parsed.error().text();
      ASSERT_EQ(parsed->size(), 1U);
      ASSERT_TRUE(parsed->front() == payload) << summary(payload) << " seed " << seed;
    }
  }
}

TEST(RoundTrip, EveryMessage_ReadsAsWritten) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    PayloadMaker maker{seed};
    const Header header = maker.header();
    const std::vector<Payload> payloads = maker.chain(12);
    const Bytes datagram = write_message(header, payloads);
    const auto parsed = parse_message(datagram);
    ASSERT_TRUE(parsed) << "seed " << seed << ": " << parsed.error().text();
    ASSERT_TRUE(parsed->header == header) << seed;
    ASSERT_TRUE(parsed->payloads == payloads) << seed;
    ASSERT_FALSE(parsed->sealed);
    ASSERT_TRUE(parse_header(datagram).value() == header) << seed;
    ASSERT_EQ(write_message(parsed->header, parsed->payloads), datagram) << seed;
  }
}

// RFC 7296 §3.14, RFC 7383 §2.5: head and body are the datagram, the views say so.
TEST(RoundTrip, EverySealedMessage_ReadsAsWritten) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    PayloadMaker maker{seed};
    const Header header = maker.header();
    const auto inner = static_cast<PayloadType>(maker.rng().below(256));
    const Bytes body = maker.rng().bytes(maker.rng().below(1500));
    const auto total = static_cast<std::uint16_t>(maker.rng().below(4));  // 0: SK
    const auto number = static_cast<std::uint16_t>(total == 0 ? 0 : 1 + maker.rng().below(total));
    const Bytes head = total == 0 ? write_sk_head(header, inner, body.size())
                                  : write_skf_head(header, inner, number, total, body.size());
    const Bytes datagram = concat({head, body});

    const auto parsed = parse_message(datagram);
    ASSERT_TRUE(parsed) << "seed " << seed << ": " << parsed.error().text();
    ASSERT_TRUE(parsed->header == header);
    ASSERT_TRUE(parsed->payloads.empty());
    ASSERT_TRUE(parsed->sealed);
    EXPECT_EQ(parsed->sealed->first_inner, inner);
    EXPECT_EQ(parsed->sealed->fragment, number);
    EXPECT_EQ(parsed->sealed->total, total);
    EXPECT_TRUE(equal(parsed->sealed->associated, head));
    EXPECT_TRUE(equal(parsed->sealed->body, body));
    EXPECT_EQ(parsed->sealed->associated.data(), datagram.data());
  }
}

// Damaged messages are refused or read as something that can be written and read again; nothing
// else may happen. (The fuzz targets hold the same for longer.)
TEST(RoundTrip, DamagedMessage_IsRefusedOrReadsAgain) {
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 20 * kSeeds; ++seed) {
    PayloadMaker maker{seed};
    Bytes datagram = write_message(maker.header(), maker.chain(4));
    for (std::uint64_t n = 1 + maker.rng().below(3); n > 0; --n) {
      const std::uint64_t at = kHeaderSize + maker.rng().below(datagram.size() - kHeaderSize + 1);
      if (at < datagram.size()) datagram[at] = static_cast<std::uint8_t>(maker.rng().below(256));
    }
    const auto parsed = parse_message(datagram);
    if (!parsed || parsed->sealed) continue;
    ++accepted;
    bool unknown_selectors = false;
    for (const Payload& payload : parsed->payloads) {
      const auto* ts = std::get_if<TsPayload>(&payload);
      unknown_selectors = unknown_selectors || (ts != nullptr && ts->unknown_count > 0);
    }
    if (unknown_selectors) continue;  // counted, not kept
    const Bytes written = write_message(parsed->header, parsed->payloads);
    const auto again = parse_message(written);
    ASSERT_TRUE(again) << "seed " << seed << ": " << again.error().text();
    ASSERT_TRUE(again->payloads == parsed->payloads) << seed;
  }
  EXPECT_GT(accepted, kSeeds);  // or the damage was too heavy to say anything
}

// RFC 7296 §3.2: the critical bit of an unknown payload survives, that of a known one is not sent.
TEST(RoundTrip, UnknownPayload_KeepsTypeCriticalBitAndData) {
  const Bytes chain = test::raw_payload(0, {1, 2, 3}, 0x80);
  const auto parsed = parse_payloads(PayloadType{99}, chain);
  ASSERT_TRUE(parsed);
  const UnknownPayload expected{.type = PayloadType{99}, .critical = true, .data = {1, 2, 3}};
  EXPECT_TRUE(parsed->front() == Payload{expected});
  EXPECT_EQ(write_payloads(*parsed).bytes, chain);
}

TEST(RoundTrip, EmptyChain_HasNoFirstPayload) {
  const Chain chain = write_payloads({});
  EXPECT_EQ(chain.first, PayloadType::none);
  EXPECT_TRUE(chain.bytes.empty());
  EXPECT_TRUE(parse_payloads(chain.first, chain.bytes).value().empty());
}

// RFC 7296 §3.1-3.16: RESERVED fields are ignored on receipt and zero on sending.
TEST(RoundTrip, ReservedFields_AreIgnoredAndSentAsZero) {
  struct Case {
    PayloadType type;
    const char* set;
    const char* clear;
  };
  const Case cases[] = {
      {PayloadType::sa, "00ff0010 01010001 00ff0008 01ff0014",
       "00000010 01010001 00000008 01000014"},
      {PayloadType::ke, "0013ffff 0102", "00130000 0102"},
      {PayloadType::id_i, "02ffffff 61", "02000000 61"},
      {PayloadType::auth, "02ffffff 61", "02000000 61"},
      {PayloadType::ts_i, "01ffffff 07000010 0000ffff 0a000001 0a000002",
       "01000000 07000010 0000ffff 0a000001 0a000002"},
      {PayloadType::cp, "01ffffff 80010000", "01000000 00010000"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(cygnet::to_string(one.type));
    const auto parsed = parse_payloads(one.type, test::raw_payload(0, hex(one.set), 0x7f));
    ASSERT_TRUE(parsed) << parsed.error().text();
    EXPECT_EQ(to_hex(write_payloads(*parsed).bytes), to_hex(test::raw_payload(0, hex(one.clear))));
  }
}

// RFC 7296 §3.1: unused flag bits likewise.
TEST(RoundTrip, UnusedHeaderFlags_AreSentAsZero) {
  const auto parsed = parse_message(test::raw_message(0, {}, 34, 0xff));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(write_message(parsed->header, {}), test::raw_message(0, {}, 34, 0x38));
}

}  // namespace
}  // namespace cygnet::wire
