// The notation of transcripts.                                               RFC 7296 §1.2
#include <gtest/gtest.h>

#include "wire/message.hpp"

namespace cygnet::wire {
namespace {

TEST(Summary, EveryPayload_PrintsAsTheRfcDoes) {
  const std::pair<Payload, const char*> cases[] = {
      {SaPayload{}, "SA"},
      {KePayload{}, "KE"},
      {IdPayload{}, "IDi"},
      {IdPayload{.initiator = false}, "IDr"},
      {CertPayload{}, "CERT"},
      {CertReqPayload{}, "CERTREQ"},
      {AuthPayload{}, "AUTH"},
      {NoncePayload{}, "N"},
      {NotifyPayload{.type = NotifyType::cookie}, "N(COOKIE)"},
      {NotifyPayload{.type = NotifyType{40001}}, "N(NOTIFY(40001))"},
      {DeletePayload{}, "D(ike)"},
      {DeletePayload{.protocol = ProtocolId::esp}, "D(esp)"},
      {DeletePayload{.protocol = ProtocolId::esp, .spis = {EspSpi{0x1234abcd}}}, "D(esp 1234abcd)"},
      {DeletePayload{.protocol = ProtocolId::ah, .spis = {EspSpi{0x1234abcd}, EspSpi{0x100}}},
       "D(ah 1234abcd,00000100)"},
      {VendorIdPayload{}, "V"},
      {TsPayload{}, "TSi"},
      {TsPayload{.initiator = false}, "TSr"},
      {CpPayload{}, "CP(CFG_REQUEST)"},
      {CpPayload{.type = CfgType::reply}, "CP(CFG_REPLY)"},
      {CpPayload{.type = CfgType{9}}, "CP(CFG(9))"},
      {EapPayload{}, "EAP"},
      {UnknownPayload{.type = PayloadType{99}}, "PAYLOAD(99)"},
  };
  for (const auto& [payload, expected] : cases) EXPECT_EQ(summary(payload), expected);
}

// RFC 7296 §1.2: the initiator's nonce is Ni, the responder's Nr.
TEST(Summary, Nonces_TellTheirSide) {
  const std::vector<Payload> payloads{SaPayload{}, KePayload{}, NoncePayload{},
                                      NotifyPayload{.type = NotifyType::nat_detection_source_ip}};
  EXPECT_EQ(summary(payloads, false), "SA KE Ni N(NAT_DETECTION_SOURCE_IP)");
  EXPECT_EQ(summary(payloads, true), "SA KE Nr N(NAT_DETECTION_SOURCE_IP)");
  EXPECT_EQ(summary({}, true), "");
}

// One datagram can delete 16,000 SAs; it cannot write that many into a log line.
TEST(Summary, DeleteOfManySas_CountsTheRest) {
  DeletePayload del{.protocol = ProtocolId::esp};
  del.spis.resize(kSummarySpisMax, EspSpi{0x11111111});
  EXPECT_EQ(summary(Payload{del}).find('+'), std::string::npos);
  del.spis.resize(16'000);
  const std::string text = summary(Payload{del});
  EXPECT_TRUE(text.ends_with(",+15984)")) << text;
  EXPECT_LT(text.size(), 200U);
}

}  // namespace
}  // namespace cygnet::wire
