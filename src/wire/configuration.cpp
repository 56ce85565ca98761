// Configuration, EAP, Vendor ID and unknown payloads.             RFC 7296 §3.12, §3.15, §3.16
//
//    |   CFG Type    |                    RESERVED                   |
//      |R|         Attribute Type      |            Length             |
//      ~                             Value                             ~
#include "wire/codec.hpp"

namespace cygnet::wire {

Result<CpPayload, ParseError> parse_cp(Reader body) {
  CpPayload out{.type = body.be<CfgType>()};
  body.skip(3);
  while (body.ok() && !body.empty()) {
    body.require(out.attributes.size() < kCfgAttributesMax, ParseFault::too_many);
    const auto type = static_cast<std::uint16_t>(body.be<std::uint16_t>() & 0x7fff);
    const auto length = body.be<std::uint16_t>();
    CfgAttribute attribute{.type = static_cast<CfgAttributeType>(type),
                           .value = to_bytes(body.take(length))};
    if (body.ok()) out.attributes.push_back(std::move(attribute));
  }
  return body.finish(std::move(out));
}

void write_body(Writer& out, const CpPayload& payload) {
  out.be(payload.type);
  out.zeros(3);
  for (const CfgAttribute& attribute : payload.attributes) {
    CYG_CHECK(attribute.value.size() <= 0xffff);
    out.be(attribute.type);
    out.be(static_cast<std::uint16_t>(attribute.value.size()));
    out.put(attribute.value);
  }
}

void write_body(Writer& out, const VendorIdPayload& payload) { out.put(payload.data); }
void write_body(Writer& out, const EapPayload& payload) { out.put(payload.message); }
void write_body(Writer& out, const UnknownPayload& payload) { out.put(payload.data); }

}  // namespace cygnet::wire
