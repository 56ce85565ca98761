// Why a peer was refused or an attempt gave up: one record each, shown by `cygnet why`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"

namespace cygnet::ike {

/// The field that did not fit. One stable code each.
enum class Reason : std::uint8_t {
  no_connection,        ///< no connection for these addresses or identities
  no_common_proposal,   ///< IKE or ESP proposals
  no_common_selectors,  ///< TS mismatch
  identity_mismatch,    ///< IDi or IDr is not what the connection expects
  identity_not_in_certificate,
  certificate_expired,
  certificate_not_yet_valid,
  certificate_untrusted,  ///< no chain to an accepted CA
  certificate_profile,    ///< key usage, EKU, basic constraints, name constraints
  certificate_revoked,
  certificate_missing,   ///< none was sent, or we have none to send
  auth_method_mismatch,  ///< PSK where a certificate was wanted, or the reverse
  auth_rule,             ///< a key or hash that the connection's `auth` does not allow
  psk_missing,           ///< no shared key for this pair of identities
  psk_wrong,
  signature_wrong,
  pool_exhausted,
  no_pool,         ///< an address was asked for and the connection has none to give
  unreachable,     ///< no address to call, or no way there
  no_response,     ///< retransmissions used up
  peer_refused,    ///< an error notify from the peer; `theirs` names it
  malformed,       ///< a message that does not parse
  limit,           ///< a limit of ours: half-open SAs, children, fragments
  childless_only,  ///< a first child where the connection wants none in IKE_AUTH (RFC 6023)
  transport_mode,  ///< asked for, and this data plane has none
  install_failed,  ///< the data plane could not install the child
  internal,        ///< a bug or a library failure of ours
};
/// "no_common_proposal" as in the enumerator.
[[nodiscard]] std::string_view to_string(Reason reason);

/// The configuration to look at first when a check of credentials fails for this reason; empty
/// for reasons whose field depends on the case.
[[nodiscard]] std::string_view field_of(Reason reason);

/// Why one connection was not the one.
struct Candidate {
  std::string connection;
  std::string field;  ///< "remote_addrs", "proposals", "remote.id", "local.id", "remote.auth"
  std::string ours;
  std::string theirs;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct FailureRecord {
  Instant at;
  Endpoint local;
  Endpoint remote;
  std::string connection;       ///< empty when none was chosen
  std::string remote_identity;  ///< text; empty before it was known
  std::string product;          ///< what the peer seems to be: "Windows"; empty when unknown
  bool initiator = false;
  std::string phase;  ///< "IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA"...
  Reason reason = Reason::internal;
  std::string field;  ///< the configuration field to look at, e.g. "proposals"
  std::string ours;
  std::string theirs;
  std::string advice;  ///< what to change, one sentence
  std::vector<Candidate> candidates;

  /// One log line: reason, field, ours, theirs, advice.
  [[nodiscard]] std::string line() const;
};

/// Nothing but the time differs: the same again, as when a request is repeated.
/// With texts of a bounded length: those of a peer are as long as it likes.
[[nodiscard]] FailureRecord shortened(FailureRecord record);
[[nodiscard]] bool same_failure(const FailureRecord& a, const FailureRecord& b);

}  // namespace cygnet::ike
