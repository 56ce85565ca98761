// Identification, certificate, certificate request and authentication payloads.
//                                                          RFC 7296 §3.5, §3.6, §3.7, §3.8
//    |   ID Type     |                 RESERVED                      |
//    ~                   Identification Data                         ~
//    | Cert Encoding |   Certificate Data or Certification Authority ~
//    | Auth Method   |                RESERVED                       |
//    ~                      Authentication Data                      ~
#include "wire/codec.hpp"

namespace cygnet::wire {

Result<IdPayload, ParseError> parse_id(Reader body, bool initiator) {
  IdPayload out{.initiator = initiator};
  out.id.type = body.be<IdType>();
  body.skip(3);
  out.id.data = to_bytes(body.rest());
  if (out.id.type == IdType::ipv4_addr) body.require(out.id.data.size() == 4);
  if (out.id.type == IdType::ipv6_addr) body.require(out.id.data.size() == 16);
  return body.finish(std::move(out));
}

void write_body(Writer& out, const IdPayload& payload) { out.put(id_body(payload.id)); }

Bytes id_body(const model::Identity& id) {
  Writer out;
  out.be(id.type);
  out.zeros(3);
  out.put(id.data);
  return out.take();
}

Result<CertPayload, ParseError> parse_cert(Reader body) {
  CertPayload out{.encoding = body.be<CertEncoding>()};
  out.data = to_bytes(body.rest());
  return body.finish(std::move(out));
}

void write_body(Writer& out, const CertPayload& payload) {
  out.be(payload.encoding);
  out.put(payload.data);
}

Result<CertReqPayload, ParseError> parse_cert_req(Reader body) {
  CertReqPayload out{.encoding = body.be<CertEncoding>()};
  out.authorities = to_bytes(body.rest());
  return body.finish(std::move(out));
}

void write_body(Writer& out, const CertReqPayload& payload) {
  out.be(payload.encoding);
  out.put(payload.authorities);
}

Result<AuthPayload, ParseError> parse_auth(Reader body) {
  AuthPayload out{.method = body.be<AuthMethod>()};
  body.skip(3);
  out.data = to_bytes(body.rest());
  return body.finish(std::move(out));
}

void write_body(Writer& out, const AuthPayload& payload) {
  out.be(payload.method);
  out.zeros(3);
  out.put(payload.data);
}

}  // namespace cygnet::wire
