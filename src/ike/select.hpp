// Which connection a peer gets.                                   docs/architecture.md
#pragma once

#include <expected>
#include <optional>
#include <vector>

#include "ike/connections.hpp"
#include "ike/failure.hpp"

namespace cygnet::ike {

/// Candidates that a refusal tells of: the nearest, those that passed the most checks, first.
inline constexpr std::size_t kCandidatesMax = 16;

/// What is known of a peer when its first message arrives.
struct InitFacts {
  Endpoint local;
  Endpoint remote;
  std::vector<model::Proposal> offers;
};
struct InitChoice {
  const model::Connection* connection = nullptr;
  model::Choice proposal;
};
/// The first connection, most specific addresses first, that admits the addresses and has a
/// proposal in common. Otherwise the reason, with the first field of the nearest candidates that
/// did not fit.
[[nodiscard]] std::expected<InitChoice, FailureRecord> select_for_init(
    const Connections& connections, const InitFacts& facts);

/// Whether some connection that admits the addresses may want a certificate of the peer: who it is
/// decides which connection it gets, and it sends one only if asked.
[[nodiscard]] bool may_want_certificate(const Connections& connections, const Endpoint& local,
                                        const Endpoint& remote);

/// What is known when it has said who it is.
struct AuthFacts {
  Endpoint local;
  Endpoint remote;
  model::Suite suite;  ///< already negotiated: the connection must accept it
  model::Identity id_i;
  std::optional<model::Identity> id_r;
  model::AuthClass method = model::AuthClass::pubkey;
};
/// The best connection for an authenticating initiator: ranked by address, IDr, IDi, method,
/// then file order; the most specific identity wins whatever the file order. Every condition
/// must hold: a lax connection never lowers another.
[[nodiscard]] std::expected<const model::Connection*, FailureRecord> select_for_auth(
    const Connections& connections, const AuthFacts& facts);

/// How well an address list admits an address: 0 not at all, 1 by %any or a host name, more
/// the smaller the matching range.
[[nodiscard]] unsigned address_rank(const std::vector<model::AddressPattern>& patterns,
                                    const IpAddress& address);

}  // namespace cygnet::ike
