// Extensible Authentication, Vendor ID and unknown payloads.      RFC 7296 §3.12, §3.16
//
//    |     Code      | Identifier    |           Length              |
//    |     Type      | Type_Data...
#include "wire/codec.hpp"

namespace cygnet::wire {

Result<EapPayload, ParseError> parse_eap(Reader body) {
  const std::size_t size = body.remaining();
  Reader header = body;
  header.skip(2);  // Code and Identifier are EAP's business
  const auto length = header.be<std::uint16_t>();
  if (!header.ok()) return std::unexpected(header.error());
  //= RFC7296#3.16 "Length ... MUST be four less than the Payload Length of the encapsulating
  //=               payload."
  body.require(length == size);
  EapPayload out{.message = to_bytes(body.rest())};
  return body.finish(std::move(out));
}

void write_body(Writer& out, const EapPayload& payload) { out.put(payload.message); }

void write_body(Writer& out, const VendorIdPayload& payload) { out.put(payload.data); }

void write_body(Writer& out, const UnknownPayload& payload) { out.put(payload.data); }

}  // namespace cygnet::wire
