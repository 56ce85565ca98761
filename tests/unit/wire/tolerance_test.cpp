// What real clients send must be read, and what we do not know must match nothing.
#include <gtest/gtest.h>

#include <limits>

#include "model/proposal.hpp"
#include "unit/wire/bad_inputs.hpp"

namespace cygnet::wire {
namespace {

using test::hex;

std::vector<model::Proposal> offers(const Bytes& body) {
  const auto parsed = parse_sa(Reader{body});
  EXPECT_TRUE(parsed.has_value());
  return parsed ? parsed->offers() : std::vector<model::Proposal>{};
}

// Windows' IKE_AUTH request asks for 53 authorities and for attributes of Microsoft's own.
TEST(Tolerance, WindowsAuthRequest_IsRead) {
  const Chain chain = write_payloads(test::windows_auth_request());
  const auto parsed = parse_payloads(chain.first, chain.bytes);
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(summary(*parsed, false), "IDi CERTREQ N(MOBIKE_SUPPORTED) CP(CFG_REQUEST) SA TSi TSr");
  const auto& request = std::get<CertReqPayload>((*parsed)[1]);
  EXPECT_EQ(request.authorities.size(), 53U * 20U);
  const auto& cp = std::get<CpPayload>((*parsed)[3]);
  ASSERT_EQ(cp.attributes.size(), 7U);
  EXPECT_EQ(cp.attributes[3].type, CfgAttributeType::internal_ip4_server);
  EXPECT_TRUE(cp.attributes[3].value.empty());
}

TEST(Tolerance, VendorIds_AreKeptInOrder) {
  const std::vector<Payload> ids = test::windows_vendor_ids();
  const Bytes datagram = write_message({}, ids);
  const auto parsed = parse_message(datagram);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->payloads == ids);
  EXPECT_EQ(summary(parsed->payloads, false), "V V V V");
}

// RFC 7296 §3.3.6: "if the responder receives a transform that it does not understand, or one
// that contains a Transform Attribute it does not understand, it MUST consider this transform
// unacceptable". Every spelling of AES-CBC but the right one must miss a configured aes128.
TEST(Tolerance, TransformWithOddAttributes_MatchesNothing) {
  struct Case {
    const char* attributes;
    std::uint16_t key_bits;
  };
  const Case cases[] = {
      {"800e0080", 128},                           // the right one
      {"", 0},                                     // no Key Length
      {"800e0000", kUnusableKeyBits},              // of nothing
      {"800effff", kUnusableKeyBits},              //
      {"800e0080 800e0080", kUnusableKeyBits},     // twice
      {"800e0080 800f0001", kUnusableKeyBits},     // with an unknown one behind
      {"800f0001 800e0080", kUnusableKeyBits},     // or in front
      {"800e0080 00630001 00", kUnusableKeyBits},  // unknown, of variable length
      {"000e0002 0080", kUnusableKeyBits},         // Key Length in the wrong form
  };
  model::Transform wanted{TransformType::encr, 12, 128};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.attributes);
    const auto offered = offers(test::bad::with_attributes(hex(one.attributes)));
    ASSERT_EQ(offered.size(), 1U);
    const model::Transform transform = offered[0].transforms.at(0);
    EXPECT_EQ(transform.key_bits, one.key_bits);
    EXPECT_EQ(transform == wanted, one.key_bits == 128);
  }
}

// The same for a type that takes no Key Length at all: PRF with one is not our PRF.
TEST(Tolerance, PrfWithUnknownAttribute_IsNotTheBarePrf) {
  const Bytes body =
      test::bad::proposal({.transforms = test::bad::raw_transform(0, 2, 5, hex("80630001"))});
  const model::Transform bare{TransformType::prf, 5, 0};
  EXPECT_FALSE(offers(body).at(0).transforms.at(0) == bare);
}

// The mark cannot be a real key length of any cipher we know.
TEST(Tolerance, UnusableMark_IsNoCiphersKeyLength) {
  for (const EncrInfo& row : all_encrs()) EXPECT_FALSE(row.allows(kUnusableKeyBits)) << row.name;
}

// RFC 7296 §3.3.6: an unknown Transform Type spoils its own proposal only.
TEST(Tolerance, UnknownTransformType_IsKeptInItsProposal) {
  const Bytes body =
      concat({test::bad::proposal({.more = 2, .transforms = test::bad::raw_transform(0, 200, 7)}),
              test::bad::proposal({.number = 2})});
  const auto offered = offers(body);
  ASSERT_EQ(offered.size(), 2U);
  EXPECT_EQ(offered[0].transforms.at(0).type, TransformType{200});
  EXPECT_EQ(offered[0].transforms.at(0).id, 7);
}

// RFC 7296 §3.13: a label (RFC 9478) is not "nothing offered"; it is counted.
TEST(Tolerance, UnknownSelectors_AreCounted) {
  const Bytes body = hex("03000000 0a000008 61626300 07000010 0000ffff 0a000001 0a000001 63000004");
  const auto parsed = parse_ts(Reader{body}, false);
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->selectors.size(), 1U);
  EXPECT_EQ(parsed->unknown_count, 2);
  EXPECT_FALSE(parsed->initiator);
}

// All 255 unknown: the counter stays exact.
TEST(Tolerance, AllSelectorsUnknown_CountTo255) {
  Bytes body{255, 0, 0, 0};
  append(body, test::bad::many(hex("0a000004"), 255));
  const auto parsed = parse_ts(Reader{body}, true);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->selectors.empty());
  EXPECT_EQ(parsed->unknown_count, 255);
}

// RFC 7296 §3.13.1: OPAQUE ports are the one pair that may be reversed.
TEST(Tolerance, OpaquePorts_AreKept) {
  const Bytes body = hex("01000000 07110010 ffff0000 0a000001 0a000001");
  const auto parsed = parse_ts(Reader{body}, true);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->selectors.at(0).start_port, 65535);
  EXPECT_EQ(parsed->selectors.at(0).end_port, 0);
}

// RFC 7383 §2.5: Next Payload must be zero in later fragments; a peer that fills it harms nobody.
TEST(Tolerance, LaterFragmentWithNextPayload_IsRead) {
  const auto parsed =
      parse_message(test::raw_message(53, test::raw_payload(35, hex("00020003 aabb")), 35));
  // The parsed views point into a temporary that is gone; only numbers are looked at.
  ASSERT_TRUE(parsed);
  ASSERT_TRUE(parsed->sealed);
  EXPECT_EQ(parsed->sealed->fragment, 2);
  EXPECT_EQ(parsed->sealed->total, 3);
}

// RFC 7383 §2.5.3: payloads in the clear may stand in front of SK.
TEST(Tolerance, PayloadInFrontOfSk_IsRead) {
  Bytes chain = test::raw_payload(46, {9, 9});
  append(chain, test::raw_payload(33, test::repeat(7, 32)));
  const Bytes datagram = test::raw_message(99, chain, 35);
  const auto parsed = parse_message(datagram);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->payloads.size(), 1U);
  EXPECT_EQ(type_of(parsed->payloads[0]), PayloadType{99});
  ASSERT_TRUE(parsed->sealed);
  EXPECT_EQ(parsed->sealed->first_inner, PayloadType::sa);
  EXPECT_EQ(parsed->sealed->associated.size(), kHeaderSize + 6 + 4);
}

// RFC 7296 §2.5: the header of a newer version is read, so that it can be answered.
TEST(Tolerance, HeaderOfNewerMajorVersion_IsRead) {
  const Bytes datagram = test::raw_message(43, test::raw_payload(0, {1}), 34, 0x08, 0x30);
  EXPECT_EQ(parse_header(datagram).value().major, 3);
  const auto parsed = parse_message(datagram);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().fault, ParseFault::unsupported);
}

}  // namespace
}  // namespace cygnet::wire
