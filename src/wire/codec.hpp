// One parser and one writer per payload body; message.cpp frames them.     RFC 7296 §3
#pragma once

#include "base/writer.hpp"
#include "wire/message.hpp"

namespace cygnet::wire {

[[nodiscard]] Result<SaPayload, ParseError> parse_sa(Reader body);
[[nodiscard]] Result<KePayload, ParseError> parse_ke(Reader body);
[[nodiscard]] Result<IdPayload, ParseError> parse_id(Reader body, bool initiator);
[[nodiscard]] Result<CertPayload, ParseError> parse_cert(Reader body);
[[nodiscard]] Result<CertReqPayload, ParseError> parse_cert_req(Reader body);
[[nodiscard]] Result<AuthPayload, ParseError> parse_auth(Reader body);
[[nodiscard]] Result<NoncePayload, ParseError> parse_nonce(Reader body);
[[nodiscard]] Result<NotifyPayload, ParseError> parse_notify(Reader body);
[[nodiscard]] Result<DeletePayload, ParseError> parse_delete(Reader body);
[[nodiscard]] Result<TsPayload, ParseError> parse_ts(Reader body, bool initiator);
[[nodiscard]] Result<CpPayload, ParseError> parse_cp(Reader body);
[[nodiscard]] Result<EapPayload, ParseError> parse_eap(Reader body);

void write_body(Writer& out, const SaPayload& payload);
void write_body(Writer& out, const KePayload& payload);
void write_body(Writer& out, const IdPayload& payload);
void write_body(Writer& out, const CertPayload& payload);
void write_body(Writer& out, const CertReqPayload& payload);
void write_body(Writer& out, const AuthPayload& payload);
void write_body(Writer& out, const NoncePayload& payload);
void write_body(Writer& out, const NotifyPayload& payload);
void write_body(Writer& out, const DeletePayload& payload);
void write_body(Writer& out, const VendorIdPayload& payload);
void write_body(Writer& out, const TsPayload& payload);
void write_body(Writer& out, const CpPayload& payload);
void write_body(Writer& out, const EapPayload& payload);
void write_body(Writer& out, const UnknownPayload& payload);

}  // namespace cygnet::wire
