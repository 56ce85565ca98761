// Small readers of a message's payloads.                          RFC 7296 §3
#pragma once

#include <variant>
#include <vector>

#include "wire/message.hpp"

namespace cygnet::ike {

/// The first payload of this kind; null when there is none.
template <class P>
[[nodiscard]] const P* first_of(const std::vector<wire::Payload>& payloads) {
  for (const wire::Payload& payload : payloads) {
    if (const P* found = std::get_if<P>(&payload)) return found;
  }
  return nullptr;
}
[[nodiscard]] const wire::NotifyPayload* find_notify(const std::vector<wire::Payload>& payloads,
                                                     NotifyType type);
/// The first error notify, if there is one.
[[nodiscard]] const wire::NotifyPayload* find_error(const std::vector<wire::Payload>& payloads);
[[nodiscard]] const wire::IdPayload* find_id(const std::vector<wire::Payload>& payloads,
                                             bool initiator);
[[nodiscard]] const wire::TsPayload* find_ts(const std::vector<wire::Payload>& payloads,
                                             bool initiator);

}  // namespace cygnet::ike
