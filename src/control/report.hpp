// What is true now, in vici's words.
#pragma once

#include <deque>
#include <optional>

#include "control/effects.hpp"
#include "control/failure_log.hpp"
#include "control/pools.hpp"
#include "vici/message.hpp"

namespace cygnet::control {

/// Event list-sa: one IKE_SA with its children under its connection's name. Times are in seconds
/// from `now`. Beyond strongSwan's keys: `dns` (of the gateway), `proposal` (text of the suite).
[[nodiscard]] vici::Message sa_message(const ike::IkeStatus& sa, const View& view, Instant now);
/// Event list-conn.
[[nodiscard]] vici::Message connection_message(const model::Connection& connection);
/// Event list-policy: one trap or shunt.
[[nodiscard]] vici::Message policy_message(const ike::ChildStatus& routed,
                                           const model::ChildTemplate& child);
/// Section of get-pools.
[[nodiscard]] vici::Message pool_message(const Pool& pool, bool with_leases);
/// One record of cygnet-failures; `age` in seconds.
[[nodiscard]] vici::Message failure_message(const ike::FailureRecord& record, Instant now);

}  // namespace cygnet::control
