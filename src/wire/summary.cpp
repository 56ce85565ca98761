// Payloads in the notation of RFC 7296 §1.2, for transcripts and logs.
#include <fmt/format.h>

#include <algorithm>

#include "wire/message.hpp"

namespace cygnet::wire {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

std::string protocol_text(ProtocolId protocol) {
  switch (protocol) {
    case ProtocolId::ike:
      return "ike";
    case ProtocolId::esp:
      return "esp";
    case ProtocolId::ah:
      return "ah";
    case ProtocolId::none:
      break;
  }
  return cygnet::to_string(protocol);
}

}  // namespace

PayloadType type_of(const Payload& payload) {
  return std::visit(
      Overloaded{
          [](const SaPayload&) { return PayloadType::sa; },
          [](const KePayload&) { return PayloadType::ke; },
          [](const IdPayload& p) { return p.initiator ? PayloadType::id_i : PayloadType::id_r; },
          [](const CertPayload&) { return PayloadType::cert; },
          [](const CertReqPayload&) { return PayloadType::cert_req; },
          [](const AuthPayload&) { return PayloadType::auth; },
          [](const NoncePayload&) { return PayloadType::nonce; },
          [](const NotifyPayload&) { return PayloadType::notify; },
          [](const DeletePayload&) { return PayloadType::del; },
          [](const VendorIdPayload&) { return PayloadType::vendor_id; },
          [](const TsPayload& p) { return p.initiator ? PayloadType::ts_i : PayloadType::ts_r; },
          [](const CpPayload&) { return PayloadType::cp; },
          [](const EapPayload&) { return PayloadType::eap; },
          [](const UnknownPayload& p) { return p.type; },
      },
      payload);
}

std::string summary(const Payload& payload) {
  if (const auto* notify = std::get_if<NotifyPayload>(&payload)) {
    return fmt::format("N({})", cygnet::to_string(notify->type));
  }
  if (const auto* del = std::get_if<DeletePayload>(&payload)) {
    std::string out = "D(" + protocol_text(del->protocol);
    const std::size_t shown = std::min(del->spis.size(), kSummarySpisMax);
    for (std::size_t i = 0; i < shown; ++i) {
      out += fmt::format("{}{:08x}", i == 0 ? " " : ",", del->spis[i].value());
    }
    if (del->spis.size() > shown) out += fmt::format(",+{}", del->spis.size() - shown);
    return out + ")";
  }
  if (const auto* cp = std::get_if<CpPayload>(&payload)) {
    return fmt::format("CP({})", cygnet::to_string(cp->type));
  }
  return cygnet::to_string(type_of(payload));
}

std::string summary(const std::vector<Payload>& payloads, bool response) {
  std::string out;
  for (const Payload& payload : payloads) {
    if (!out.empty()) out += ' ';
    if (std::holds_alternative<NoncePayload>(payload)) {
      out += response ? "Nr" : "Ni";
    } else {
      out += summary(payload);
    }
  }
  return out;
}

}  // namespace cygnet::wire
