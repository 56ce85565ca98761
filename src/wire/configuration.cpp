// Configuration payload.                                          RFC 7296 §3.15
//
//    |   CFG Type    |                    RESERVED                   |
//      |R|         Attribute Type      |            Length             |
//      ~                             Value                             ~
#include "wire/codec.hpp"

namespace cygnet::wire {
namespace {

constexpr std::uint16_t kReserved = 0x8000;  // R: zero on sending, ignored on receipt

}  // namespace

// Lengths are not checked here: real clients send an empty netmask or a lone address without its
// prefix length, and only who uses an attribute knows what it can do without.
Result<CpPayload, ParseError> parse_cp(Reader body) {
  CpPayload out{.type = body.be<CfgType>()};
  body.skip(3);  // RESERVED
  while (body.ok() && !body.empty()) {
    body.require(out.attributes.size() < kCfgAttributesMax, ParseFault::too_many);
    const auto type = static_cast<std::uint16_t>(body.be<std::uint16_t>() & ~kReserved);
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
    const auto type = static_cast<std::uint16_t>(attribute.type);
    CYG_CHECK(attribute.value.size() <= 0xffff && (type & kReserved) == 0);
    out.be(type);
    out.be(static_cast<std::uint16_t>(attribute.value.size()));
    out.put(attribute.value);
  }
}

}  // namespace cygnet::wire
