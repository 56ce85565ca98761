// What each exchange must carry, as one row next to its drawing.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "wire/message.hpp"

namespace cygnet::ike {

/// The rules for one exchange's request. Payloads that are not listed are tolerated (RFC 7296
/// §2.5); missing required ones become INVALID_SYNTAX once, in the dispatcher.
struct ExchangeSpec {
  ExchangeType type;
  std::span<const PayloadType> request;  ///< required
};

/// The first required payload that is not there.
[[nodiscard]] std::optional<PayloadType> missing(std::span<const PayloadType> required,
                                                 const std::vector<wire::Payload>& payloads);
/// The first payload that may stand once only and stands twice (SA, KE, Nonce, ID, AUTH, TS).
[[nodiscard]] std::optional<PayloadType> duplicated(const std::vector<wire::Payload>& payloads);
/// The first payload without a row whose critical bit is set (RFC 7296 §2.5).
[[nodiscard]] std::optional<PayloadType> unknown_critical(
    const std::vector<wire::Payload>& payloads);

}  // namespace cygnet::ike
