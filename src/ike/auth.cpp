#include "ike/auth.hpp"

#include <algorithm>
#include <iterator>

namespace cygnet::ike {
namespace {

constexpr HashId kAcceptedHashes[] = {HashId::sha2_256, HashId::sha2_384, HashId::sha2_512,
                                      HashId::identity};

FailureRecord signature_failure(crypto::SignatureFault fault, AuthMethod method) {
  FailureRecord record{.reason = Reason::signature_wrong,
                       .field = "remote.auth",
                       .theirs = to_string(method) + ", " + std::string{crypto::to_string(fault)}};
  switch (fault) {
    case crypto::SignatureFault::wrong:
      record.advice = "the peer's private key does not belong to its certificate; install the pair";
      break;
    case crypto::SignatureFault::malformed:
      record.advice = "the peer's AUTH payload does not parse; update the peer";
      break;
    case crypto::SignatureFault::method_mismatch:
      record.reason = Reason::auth_method_mismatch;
      record.advice = "the AUTH method does not fit the certificate's key; use a matching pair";
      break;
    case crypto::SignatureFault::hash_not_allowed:
      record.advice = "the peer signed with a hash we did not announce; allow SHA-2 at the peer";
      break;
    case crypto::SignatureFault::weak_key:
      record.reason = Reason::certificate_profile;
      record.advice =
          "issue the peer a certificate with RSA of 2048 bits or more, or P-256 or better";
      break;
  }
  return record;
}

FailureRecord rule_failure(const model::SignatureRule& rule, std::string theirs) {
  return {.reason = Reason::auth_rule,
          .field = std::string{field_of(Reason::auth_rule)},
          .ours = rule.text(),
          .theirs = "signed with " + std::move(theirs),
          .advice = "let the peer sign with such a hash (its local.auth), or change remote.auth"};
}

}  // namespace

Result<Bytes> signed_octets(const crypto::Provider& crypto, PrfId prf,
                            const SignedOctetsInput& input) {
  CYG_TRY(const Secret maced_id, crypto.prf(prf, input.sk_p.reveal(), {wire::id_body(input.id)}));
  return concat({input.own_message, input.other_nonce, maced_id.reveal()});
}

std::optional<model::AuthClass> class_of(AuthMethod method) {
  switch (method) {
    case AuthMethod::shared_key:
      return model::AuthClass::psk;
    case AuthMethod::rsa_signature:
    case AuthMethod::ecdsa_256:
    case AuthMethod::ecdsa_384:
    case AuthMethod::ecdsa_521:
    case AuthMethod::digital_signature:
      return model::AuthClass::pubkey;
    case AuthMethod::null:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<HashId> hash_of(AuthMethod method) {
  switch (method) {
    case AuthMethod::rsa_signature:
      return HashId::sha1;
    case AuthMethod::ecdsa_256:
      return HashId::sha2_256;
    case AuthMethod::ecdsa_384:
      return HashId::sha2_384;
    case AuthMethod::ecdsa_521:
      return HashId::sha2_512;
    case AuthMethod::digital_signature:  // says it in its data
    case AuthMethod::shared_key:
    case AuthMethod::null:
      break;
  }
  return std::nullopt;
}

std::vector<HashId> accepted_hashes(const model::SignatureRule& rule) {
  std::vector<HashId> out;
  std::ranges::copy_if(kAcceptedHashes, std::back_inserter(out),
                       [&rule](HashId hash) { return rule.allows(hash); });
  return out;
}

std::expected<PeerAuthenticated, FailureRecord> authenticate(const crypto::Provider& crypto,
                                                             const AuthInput& input) {
  if (const auto* key = std::get_if<PublicKeyProof>(&input.proof)) {
    if (const auto hash = hash_of(input.auth.method); hash && !key->rule.allows(*hash)) {
      return std::unexpected(rule_failure(key->rule, to_string(input.auth.method)));
    }
    const auto verdict = crypto.verify(key->public_key, input.auth.method, input.auth.data,
                                       input.octets, accepted_hashes(key->rule));
    if (!verdict && verdict.error() == crypto::SignatureFault::hash_not_allowed &&
        !key->rule.hashes.empty()) {
      return std::unexpected(rule_failure(key->rule, "another hash"));
    }
    if (!verdict) return std::unexpected(signature_failure(verdict.error(), input.auth.method));
    return PeerAuthenticated{input.identity};
  }
  const auto& shared = std::get<SharedKeyProof>(input.proof);
  const bool right = input.auth.method == AuthMethod::shared_key && !shared.expected.empty() &&
                     crypto::equal_constant_time(shared.expected, input.auth.data);
  if (!right) {
    return std::unexpected(FailureRecord{
        .reason = Reason::psk_wrong,
        .field = "secrets",
        .advice = "the pre-shared keys of both ends differ for this pair of identities; "
                  "copy the same key to both"});
  }
  return PeerAuthenticated{input.identity};
}

}  // namespace cygnet::ike
