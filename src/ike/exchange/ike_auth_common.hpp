// What both roles of IKE_AUTH share.                              RFC 7296 §2.15, §3.6, §3.7
#pragma once

#include <expected>

#include "ike/exchange/ike_auth.hpp"

namespace cygnet::ike {

/// Our ID: the connection's, or for a PSK without one the outer address.
[[nodiscard]] model::Identity own_identity(const IkeSa& sa);
/// The identity a shared key is looked up for before the responder has said who it is.
[[nodiscard]] model::Identity expected_remote(const IkeSa& sa);

/// InitiatorSignedOctets or ResponderSignedOctets of this handshake.
[[nodiscard]] Result<Bytes> octets_to_sign(const IkeSa& sa, Context& cx, const Handshake& handshake,
                                           const model::Identity& id, bool of_initiator);
/// Emits the Ask for our own signature or MAC.
[[nodiscard]] Result<AskId> ask_own_proof(IkeSa& sa, Context& cx, const Handshake& handshake);
/// Emits the Ask that yields what the peer's AUTH is checked with.
[[nodiscard]] Result<AskId> ask_judgement(IkeSa& sa, Context& cx, const Handshake& handshake,
                                          const std::vector<wire::Payload>& payloads,
                                          const model::Identity& identity);
/// The peer's AUTH against the Ask's answer.
[[nodiscard]] std::expected<PeerAuthenticated, FailureRecord> judge_peer(
    IkeSa& sa, Context& cx, const Handshake& handshake, const std::vector<wire::Payload>& payloads,
    const model::Identity& identity, const Answer& answer);

/// ID, CERT... and AUTH from the answer to our own proof's Ask.
[[nodiscard]] std::expected<std::vector<wire::Payload>, FailureRecord> proof_payloads(
    const IkeSa& sa, const Answer& answer);
[[nodiscard]] FailureRecord record_of(const answer::Refused& refused);

}  // namespace cygnet::ike
