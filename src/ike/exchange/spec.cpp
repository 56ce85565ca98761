#include "ike/exchange/spec.hpp"

#include <algorithm>
#include <array>

namespace cygnet::ike {

std::optional<PayloadType> missing(std::span<const PayloadType> required,
                                   const std::vector<wire::Payload>& payloads) {
  for (const PayloadType type : required) {
    if (std::ranges::none_of(payloads, [type](const wire::Payload& payload) {
          return wire::type_of(payload) == type;
        })) {
      return type;
    }
  }
  return std::nullopt;
}

std::optional<PayloadType> duplicated(const std::vector<wire::Payload>& payloads) {
  static constexpr PayloadType kSingles[] = {
      PayloadType::sa,   PayloadType::ke,    PayloadType::id_i, PayloadType::id_r,
      PayloadType::auth, PayloadType::nonce, PayloadType::ts_i, PayloadType::ts_r};
  for (const PayloadType type : kSingles) {
    if (std::ranges::count(payloads, type, wire::type_of) > 1) return type;
  }
  return std::nullopt;
}

std::optional<PayloadType> unknown_critical(const std::vector<wire::Payload>& payloads) {
  for (const wire::Payload& payload : payloads) {
    const auto* unknown = std::get_if<wire::UnknownPayload>(&payload);
    if (unknown != nullptr && unknown->critical) return unknown->type;
  }
  return std::nullopt;
}

}  // namespace cygnet::ike
