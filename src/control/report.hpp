// What is true now, in vici's words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/load.hpp"
#include "control/effects.hpp"
#include "control/failure_log.hpp"
#include "control/pools.hpp"
#include "crypto/provider.hpp"
#include "pki/certificate.hpp"
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
/// Octets of leases in one answer of get-pools: it is one packet, which has kPacketMax at most.
inline constexpr std::size_t kLeaseOctetsMax = 320 * 1024;
/// Section of get-pools.
[[nodiscard]] vici::Message pool_message(const Pool& pool);
/// Its leases from number `from` on, as far as there is `room` (octets), which is used up. When
/// some do not fit, `leases-left` says how many.
void add_leases(vici::Message& to, const Pool& pool, std::uint64_t from, std::size_t& room);
/// Event list-cert. `flag` is NONE or CA.
[[nodiscard]] vici::Message certificate_message(ByteView der, std::string_view flag, bool has_key);
/// Event list-authority.
[[nodiscard]] vici::Message authority_message(const config::Authority& authority);
/// Answer of stats.
[[nodiscard]] vici::Message stats_message(const View& view, Instant started, Instant now);
/// One section of get-counters.
[[nodiscard]] vici::Message counts_message(const ike::Counts& counts);
/// Answer of get-algorithms.
[[nodiscard]] vici::Message algorithms_message(const crypto::Provider& crypto);

/// The vici event that an engine's event is, if it is one of ike-updown, ike-rekey, ike-update,
/// child-updown, child-rekey and alert, and somebody hears it.
struct ViciEvent {
  std::string name;
  vici::Message message;
};
[[nodiscard]] std::optional<ViciEvent> event_message(const ike::Event& event, const View& view,
                                                     Instant now);
/// Tells one failure: each when it happens, and all that are kept in answer to cygnet-failures.
inline constexpr std::string_view kFailureEvent = "cygnet-failure";
/// The message of that event; `age` in seconds. Without its numbers while it is not in the log.
[[nodiscard]] vici::Message failure_message(const Failure& failure, Instant now);

}  // namespace cygnet::control
