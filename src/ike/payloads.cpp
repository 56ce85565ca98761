#include "ike/payloads.hpp"

namespace cygnet::ike {

const wire::NotifyPayload* find_notify(const std::vector<wire::Payload>& payloads,
                                       NotifyType type) {
  for (const wire::Payload& payload : payloads) {
    const auto* notify = std::get_if<wire::NotifyPayload>(&payload);
    if (notify != nullptr && notify->type == type) return notify;
  }
  return nullptr;
}

const wire::NotifyPayload* find_error(const std::vector<wire::Payload>& payloads) {
  for (const wire::Payload& payload : payloads) {
    const auto* notify = std::get_if<wire::NotifyPayload>(&payload);
    if (notify != nullptr && is_error(notify->type)) return notify;
  }
  return nullptr;
}

const wire::IdPayload* find_id(const std::vector<wire::Payload>& payloads, bool initiator) {
  for (const wire::Payload& payload : payloads) {
    const auto* id = std::get_if<wire::IdPayload>(&payload);
    if (id != nullptr && id->initiator == initiator) return id;
  }
  return nullptr;
}

const wire::TsPayload* find_ts(const std::vector<wire::Payload>& payloads, bool initiator) {
  for (const wire::Payload& payload : payloads) {
    const auto* ts = std::get_if<wire::TsPayload>(&payload);
    if (ts != nullptr && ts->initiator == initiator) return ts;
  }
  return nullptr;
}

}  // namespace cygnet::ike
