// What AUTH signs, and the proof that a peer's was right.         RFC 7296 §2.15
#pragma once

#include <expected>
#include <string>

#include "ike/failure.hpp"
#include "ike/keys.hpp"
#include "model/connection.hpp"
#include "wire/message.hpp"

namespace cygnet::ike {

/// The octets one side's AUTH covers: its own first message, the other side's nonce and
/// prf(SK_px, its ID payload's body).
struct SignedOctetsInput {
  ByteView own_message;  ///< RealMessage1 or RealMessage2, without non-ESP marker
  ByteView other_nonce;
  const Secret& sk_p;  ///< SK_pi for the initiator's AUTH, SK_pr for the responder's
  const model::Identity& id;
};
[[nodiscard]] Result<Bytes> signed_octets(const crypto::Provider& crypto, PrfId prf,
                                          const SignedOctetsInput& input);

/// What a peer's AUTH is verified with: exactly one of the two.
struct PublicKeyProof {
  Bytes public_key;  ///< from the certificate that control has found valid
  model::SignatureRule rule{};
};
struct SharedKeyProof {
  ByteView expected;  ///< the MAC as we compute it
};
struct AuthInput {
  const wire::AuthPayload& auth;
  const model::Identity& identity;
  ByteView octets;
  std::variant<PublicKeyProof, SharedKeyProof> proof;
};

/// Proof that the peer's AUTH payload was verified over this IKE_SA's own
/// messages. Only `authenticate()` can make one (RFC 7296 §2.15).
class PeerAuthenticated {
 public:
  [[nodiscard]] const model::Identity& identity() const { return identity_; }

 private:
  friend std::expected<PeerAuthenticated, FailureRecord> authenticate(
      const crypto::Provider& crypto, const AuthInput& input);
  explicit PeerAuthenticated(model::Identity identity) : identity_(std::move(identity)) {}
  model::Identity identity_;
};

/// The only way to a PeerAuthenticated. The record has reason, ours, theirs and advice set.
[[nodiscard]] std::expected<PeerAuthenticated, FailureRecord> authenticate(
    const crypto::Provider& crypto, const AuthInput& input);

/// The class of an AUTH method, if it is one we know.
[[nodiscard]] std::optional<model::AuthClass> class_of(AuthMethod method);
/// The hash of an AUTH method that has only one; RSA's is taken to be what everybody sends.
[[nodiscard]] std::optional<HashId> hash_of(AuthMethod method);
/// Of the hashes we accept and announce (RFC 7427 §4, RFC 8420 §2) those that `rule` allows; SHA-1
/// is never among them.
[[nodiscard]] std::vector<HashId> accepted_hashes(const model::SignatureRule& rule);

}  // namespace cygnet::ike
