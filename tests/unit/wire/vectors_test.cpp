// Octets from RFCs, and payloads drawn by hand after the RFC's figures.
#include <gtest/gtest.h>

#include "model/proposal.hpp"
#include "unit/wire/samples.hpp"

namespace cygnet::wire {
namespace {

using test::body_of;
using test::hex;

Payload only(const Result<std::vector<Payload>, ParseError>& parsed) {
  EXPECT_TRUE(parsed.has_value() && parsed->size() == 1);
  return parsed.has_value() && !parsed->empty() ? parsed->front() : Payload{UnknownPayload{}};
}

// RFC 5903 §8.1: "The KEi payload is as follows."
TEST(Vectors, Rfc5903KePayload_ReadsAndWrites) {
  const Bytes payload = hex(R"(
    00000048 00130000 DAD0B653 94221CF9 B051E1FE CA5787D0 98DFE637 FC90B9EF
    945D0C37 72581180 5271A046 1CDB8252 D61F1C45 6FA3E59A B1F45B33 ACCF5F58
    389E0577 B8990BB3)");
  const Payload parsed = only(parse_payloads(PayloadType::ke, payload));
  const auto* ke = std::get_if<KePayload>(&parsed);
  ASSERT_NE(ke, nullptr);
  EXPECT_EQ(ke->group, KeId::ecp_256);
  EXPECT_EQ(ke->data.size(), 64U);
  EXPECT_EQ(to_hex(ByteView{ke->data}.first(4)), "dad0b653");
  EXPECT_EQ(to_hex(ByteView{ke->data}.last(4)), "b8990bb3");
  EXPECT_EQ(write_payloads({*ke}).bytes, payload);
}

// RFC 7634 Appendix B: an INFORMATIONAL request with SET_WINDOW_SIZE 10, sealed.
TEST(Vectors, Rfc7634IkeMessage_HasTheGivenAssociatedData) {
  const Bytes datagram = hex(R"(
    c0 c1 c2 c3 c4 c5 c6 c7 d0 d1 d2 d3 d4 d5 d6 d7
    2e 20 25 00 00 00 00 09 00 00 00 45 29 00 00 29
    10 11 12 13 14 15 16 17 61 03 94 70 1f 8d 01 7f
    7c 12 92 48 89 6b 71 bf e2 52 36 ef d7 cd c6 70
    66 90 63 15 b2)");
  const auto parsed = parse_message(datagram);
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->header.spi_i, IkeSpi{0xc0c1c2c3c4c5c6c7});
  EXPECT_EQ(parsed->header.spi_r, IkeSpi{0xd0d1d2d3d4d5d6d7});
  EXPECT_EQ(parsed->header.exchange, ExchangeType::informational);
  EXPECT_EQ(parsed->header.id, MessageId{9});
  EXPECT_FALSE(parsed->header.initiator);
  EXPECT_FALSE(parsed->header.response);
  ASSERT_TRUE(parsed->sealed);
  EXPECT_EQ(parsed->sealed->first_inner, PayloadType::notify);
  EXPECT_EQ(to_hex(parsed->sealed->associated), to_hex(ByteView{datagram}.first(32)));
  EXPECT_EQ(parsed->sealed->body.size(), 8U + 13U + 16U);  // IV, ciphertext, ICV
  EXPECT_EQ(write_sk_head(parsed->header, PayloadType::notify, 37),
            to_bytes(ByteView{datagram}.first(32)));
}

// The plaintext of the same example, without its Pad Length octet.
TEST(Vectors, Rfc7634Notify_IsSetWindowSize) {
  const Bytes plaintext = hex("00 00 00 0c 00 00 40 01 00 00 00 0a");
  const NotifyPayload expected{.type = NotifyType::set_window_size, .data = {0, 0, 0, 10}};
  EXPECT_TRUE(only(parse_payloads(PayloadType::notify, plaintext)) == Payload{expected});
  EXPECT_EQ(write_payloads({expected}).bytes, plaintext);
}

// RFC 7296 §3.1, Figure 4; §3.2, Figure 5.
TEST(Vectors, HeaderFigure_HasEachFieldInItsPlace) {
  const Header header{.spi_i = IkeSpi{0x0102030405060708},
                      .spi_r = IkeSpi{0x1112131415161718},
                      .minor = 3,
                      .exchange = ExchangeType::create_child_sa,
                      .initiator = true,
                      .response = true,
                      .id = MessageId{0xa1a2a3a4}};
  const Bytes expected = hex(R"(
    0102030405060708 1112131415161718
    2b 23 24 28 a1a2a3a4 00000024
    00 00 0008 dead beef)");
  EXPECT_EQ(to_hex(write_message(header, {VendorIdPayload{hex("deadbeef")}})), to_hex(expected));
  EXPECT_TRUE(parse_header(expected).value() == header);
}

// RFC 7296 §3.3, Figures 6 to 9: two proposals, the first with an AEAD, the second without.
TEST(Vectors, SaFigure_HasNestedSubstructures) {
  const Bytes body = hex(R"(
    02 00 0028  01 03 04 03  a0a1a2a3
      03 00 000c  01 00 0014  800e 0100
      03 00 0008  04 00 0013
      00 00 0008  05 00 0001
    00 00 0024  02 03 04 03  b0b1b2b3
      03 00 0008  01 00 0003
      03 00 0008  03 00 0002
      00 00 0008  05 00 0000)");
  SaPayload expected;
  expected.proposals.push_back({.number = 1,
                                .spi = hex("a0a1a2a3"),
                                .proposal = {.protocol = ProtocolId::esp,
                                             .transforms = {{TransformType::encr, 20, 256},
                                                            {TransformType::ke, 19, 0},
                                                            {TransformType::esn, 1, 0}}}});
  expected.proposals.push_back({.number = 2,
                                .spi = hex("b0b1b2b3"),
                                .proposal = {.protocol = ProtocolId::esp,
                                             .transforms = {{TransformType::encr, 3, 0},
                                                            {TransformType::integ, 2, 0},
                                                            {TransformType::esn, 0, 0}}}});
  const auto parsed = parse_sa(Reader{body});
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_TRUE(*parsed == expected);
  EXPECT_EQ(to_hex(body_of(expected)), to_hex(body));
  EXPECT_EQ(parsed->offers().size(), 2U);
  EXPECT_TRUE(parsed->offers()[1] == expected.proposals[1].proposal);
}

// RFC 7296 §3.5 to §3.8, Figures 11 to 14.
TEST(Vectors, IdentityFigures_HaveTypeReservedData) {
  const IdPayload id{.initiator = false,
                     .id = {.type = IdType::fqdn, .data = to_bytes("gw.example")}};
  EXPECT_EQ(to_hex(body_of(id)), "02000000" + to_hex(as_bytes("gw.example")));
  EXPECT_EQ(id_body(id.id), body_of(id));
  EXPECT_EQ(to_hex(body_of(CertPayload{.data = {0x30, 0x00}})), "043000");
  EXPECT_EQ(to_hex(body_of(CertReqPayload{.authorities = hex("a1a2")})), "04a1a2");
  EXPECT_EQ(to_hex(body_of(AuthPayload{.method = AuthMethod::digital_signature, .data = {0xaa}})),
            "0e000000aa");
}

// RFC 7296 §3.10, §3.11, Figures 16 and 17.
TEST(Vectors, NotifyAndDeleteFigures_HaveSpis) {
  const NotifyPayload rekey{
      .protocol = ProtocolId::esp, .spi = hex("01020304"), .type = NotifyType::rekey_sa};
  EXPECT_EQ(to_hex(body_of(rekey)), "0304400901020304");
  EXPECT_EQ(to_hex(body_of(DeletePayload{})), "01000000");
  const DeletePayload children{.protocol = ProtocolId::esp,
                               .spis = {EspSpi{0x1234abcd}, EspSpi{0x100}}};
  EXPECT_EQ(to_hex(body_of(children)), "030400021234abcd00000100");
}

// RFC 7296 §3.13, Figures 19 and 20: 10.0.1.0/24 with TCP port 443, and an IPv6 address.
TEST(Vectors, TrafficSelectorFigure_HasRanges) {
  TsPayload ts;
  ts.selectors.push_back(
      model::TrafficSelector{.range = {IpAddress::v4(0x0a000100), IpAddress::v4(0x0a0001ff)},
                             .protocol = 6,
                             .start_port = 443,
                             .end_port = 443});
  const IpAddress one = IpAddress::parse("2001:db8::1").value();
  ts.selectors.push_back(model::TrafficSelector{.range = {one, one}});
  const Bytes expected = hex(R"(
    02 000000
    07 06 0010 01bb 01bb 0a000100 0a0001ff
    08 00 0028 0000 ffff 20010db8000000000000000000000001 20010db8000000000000000000000001)");
  EXPECT_EQ(to_hex(body_of(ts)), to_hex(expected));
  EXPECT_TRUE(parse_ts(Reader{expected}, true).value() == ts);
}

// RFC 7296 §3.15, Figures 22 and 23.
TEST(Vectors, ConfigurationFigure_HasAttributes) {
  const CpPayload reply{.type = CfgType::reply,
                        .attributes = {{CfgAttributeType::internal_ip4_address, {192, 0, 2, 202}},
                                       {CfgAttributeType::internal_ip4_netmask, {}},
                                       {CfgAttributeType::internal_dns_domain, to_bytes("a.b")}}};
  const Bytes expected = hex("02000000 00010004c00002ca 00020000 00190003612e62");
  EXPECT_EQ(to_hex(body_of(reply)), to_hex(expected));
  EXPECT_TRUE(parse_cp(Reader{expected}).value() == reply);
}

// RFC 7383 §2.5, Figure 1: fragment 2 of 3.
TEST(Vectors, FragmentFigure_CountsBehindTheGenericHeader) {
  const Header header{.spi_i = IkeSpi{1}, .spi_r = IkeSpi{2}, .exchange = ExchangeType::ike_auth};
  const Bytes head = write_skf_head(header, PayloadType::none, 2, 3, 100);
  EXPECT_EQ(to_hex(head),
            "00000000000000010000000000000002"
            "352023000000000000000088"
            "0000006c00020003");
}

}  // namespace
}  // namespace cygnet::wire
