// Key Exchange and Nonce payloads.                                RFC 7296 §3.4, §3.9
//
//    |   Diffie-Hellman Group Num    |           RESERVED            |
//    ~                       Key Exchange Data                       ~
#include "wire/codec.hpp"

namespace cygnet::wire {

Result<KePayload, ParseError> parse_ke(Reader body) {
  KePayload out{.group = body.be<KeId>()};
  body.skip(2);
  out.data = to_bytes(body.rest());
  return body.finish(std::move(out));
}

void write_body(Writer& out, const KePayload& payload) {
  out.be(payload.group);
  out.zeros(2);
  out.put(payload.data);
}

Result<NoncePayload, ParseError> parse_nonce(Reader body) {
  NoncePayload out{.data = to_bytes(body.rest())};
  //= RFC7296#3.9 "The size of the Nonce Data MUST be between 16 and 256 octets, inclusive."
  body.require(out.data.size() >= 16 && out.data.size() <= 256);
  return body.finish(std::move(out));
}

void write_body(Writer& out, const NoncePayload& payload) { out.put(payload.data); }

}  // namespace cygnet::wire
