// Which keys and signatures are good enough: swanctl's `auth = rsa-3072-ecdsa-384-sha384`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/registry.hpp"

namespace cygnet::model {

enum class KeyType : std::uint8_t { rsa, ecdsa, ed25519, ed448 };
[[nodiscard]] std::string_view to_string(KeyType type);

struct KeyRule {
  KeyType type = KeyType::rsa;
  unsigned bits_min = 0;
  friend auto operator<=>(const KeyRule&, const KeyRule&) = default;
};

/// Empty lists allow everything that our own floor allows.
struct SignatureRule {
  std::vector<KeyRule> keys;   ///< a key must fit one of these
  std::vector<HashId> hashes;  ///< a signature must use one of these; EdDSA's is `identity`

  [[nodiscard]] bool allows(KeyType type, unsigned bits) const;
  [[nodiscard]] bool allows(HashId hash) const;
  /// As it is written: "rsa-3072-sha384"; "pubkey" when nothing is asked for.
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const SignatureRule&, const SignatureRule&) = default;
};

/// One side's `auth` for public keys: key types, each perhaps with its least size in bits, and
/// hashes, joined by '-'. What follows `ike:` is for the AUTH payload alone; without it the rule
/// holds for the certificates and for AUTH.
struct SignatureRules {
  SignatureRule certificates;
  SignatureRule auth;

  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const SignatureRules&, const SignatureRules&) = default;
};
/// "pubkey", "ecdsa-384-sha384", "rsa-3072-sha256-ike:pubkey-sha384".
[[nodiscard]] Result<SignatureRules> parse_signature_rules(std::string_view text);

}  // namespace cygnet::model
