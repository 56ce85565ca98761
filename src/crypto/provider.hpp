// Cryptographic primitives behind lists keyed by registry ids.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "registry/registry.hpp"

namespace cygnet::crypto {

/// A keyed cipher with its integrity protection: an AEAD, or a block cipher with an HMAC over
/// associated data, IV and ciphertext (encrypt-then-MAC, RFC 7296 §3.14, RFC 4303 §3.3.2).
/// One direction of one SA. Not thread-safe; clone keys for more threads.
class Sealer {
 public:
  virtual ~Sealer() = default;
  [[nodiscard]] virtual std::size_t iv_size() const = 0;
  [[nodiscard]] virtual std::size_t icv_size() const = 0;
  /// What the plaintext's length must be a multiple of (1, 4 or 16), before ESP's own rule of 4.
  [[nodiscard]] virtual std::size_t block_size() const = 0;
  /// True when the IV must be unpredictable (CBC, RFC 3602 §3) rather than a counter.
  [[nodiscard]] virtual bool random_iv() const = 0;

  /// Encrypts `text` in place and writes the ICV. `extra` is appended to the data an HMAC covers
  /// after the ciphertext (ESP's high sequence number, RFC 4303 §2.2.1) and is empty for AEAD,
  /// whose associated data already holds it. Fails only when the library does.
  [[nodiscard]] virtual Result<void> seal(ByteView associated, ByteView iv, MutableBytes text,
                                          MutableBytes icv, ByteView extra = {}) = 0;
  /// Checks the ICV in constant time, then decrypts in place. False: forged; `text` is then
  /// unspecified and must not be used.
  [[nodiscard]] virtual bool open(ByteView associated, ByteView iv, MutableBytes text, ByteView icv,
                                  ByteView extra = {}) = 0;
};

/// prf(key, data) of RFC 7296 §2.13.
using PrfFunction = Result<Secret> (*)(PrfId id, ByteView key,
                                       std::initializer_list<ByteView> data);

/// A key exchange in the shape of a KEM, so that MODP, ECP, X25519 and ML-KEM look alike.
class KeyExchange {
 public:
  virtual ~KeyExchange() = default;
  /// The Key Exchange Data to send: made once, by the constructor's randomness.
  [[nodiscard]] virtual ByteView public_value() const = 0;
  /// The shared secret from the responder's value. Refuses values that RFC 6989 §2 and RFC 8031
  /// forbid (0, 1, p-1, off-curve points, all-zero results) and wrong lengths.
  [[nodiscard]] virtual Result<Secret> finish(ByteView peer) = 0;
};
struct KeResponse {
  Bytes public_value;
  Secret shared;
};

/// What a peer or we sign with (RFC 7427, RFC 4754, RFC 8420, RFC 7296 §2.15).
enum class KeyKind : std::uint8_t { rsa, ecdsa_256, ecdsa_384, ecdsa_521, ed25519, ed448 };
[[nodiscard]] std::string_view to_string(KeyKind kind);

/// Why a signature was not accepted; `wrong` is a bad signature, the others say what to mend.
enum class SignatureFault : std::uint8_t {
  wrong,             ///< well-formed but does not verify
  malformed,         ///< the AUTH data does not parse
  method_mismatch,   ///< the AUTH method does not fit the key
  hash_not_allowed,  ///< a hash we did not announce, or SHA-1 where it is refused
  weak_key,          ///< RSA below 2048 bits, exponent below 65537, unknown curve
};
[[nodiscard]] std::string_view to_string(SignatureFault fault);

/// What a signer may use: from the peer's SIGNATURE_HASH_ALGORITHMS.
struct SignatureOptions {
  bool digital_signature = false;  ///< RFC 7427 negotiated: use method 14
  std::span<const HashId> hashes;  ///< that the peer accepts, with method 14
};
struct Signature {
  AuthMethod method = AuthMethod::digital_signature;
  Bytes auth_data;  ///< the whole Authentication Data field, AlgorithmIdentifier included
};

/// A private key. Its octets never leave it.
class PrivateKey {
 public:
  virtual ~PrivateKey() = default;
  [[nodiscard]] virtual KeyKind kind() const = 0;
  /// DER SubjectPublicKeyInfo: what binds it to a certificate.
  [[nodiscard]] virtual ByteView public_key() const = 0;
  /// Signs the octets of RFC 7296 §2.15: with method 14 if allowed (RSA as PSS with the
  /// strongest common hash not above the key's need, ECDSA with the hash of its size, EdDSA with
  /// IDENTITY), else with 1 (RSA, SHA-1) or 9, 10, 11. EdDSA without method 14 is an error.
  [[nodiscard]] virtual Result<Signature> sign(ByteView octets,
                                               const SignatureOptions& options) const = 0;
};

/// The primitives of one library. Lists are in no order of preference.
struct Provider {
  std::string name;
  std::span<const EncrId> encrs;
  std::span<const PrfId> prfs;
  std::span<const IntegId> integs;
  std::span<const KeId> kes;

  /// `key` is key plus salt; `integ_key` is empty with an AEAD.
  Result<std::unique_ptr<Sealer>> (*sealer)(EncrId encr, std::uint16_t key_bits, ByteView key,
                                            IntegId integ, ByteView integ_key);
  PrfFunction prf;
  /// A fresh ephemeral key pair. Randomness is the library's own unless `rng` is given (tests).
  Result<std::unique_ptr<KeyExchange>> (*begin)(KeId group, Rng* rng);
  /// The responder's half in one step.
  Result<KeResponse> (*respond)(KeId group, ByteView peer, Rng* rng);
  /// Verifies AUTH data over `octets` with a DER SubjectPublicKeyInfo. `allowed` are the hashes
  /// we announced; methods 1, 9, 10, 11 need no announcement.
  std::expected<void, SignatureFault> (*verify)(ByteView public_key, AuthMethod method,
                                                ByteView auth_data, ByteView octets,
                                                std::span<const HashId> allowed);
  Bytes (*hash)(HashId id, ByteView data);
};

/// OpenSSL 3.
[[nodiscard]] const Provider& openssl();

/// True when the sizes and all octets are equal; takes the same time wherever they differ.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b);
/// prf+ of RFC 7296 §2.13: `size` octets (at most 255 outputs of the PRF).
[[nodiscard]] Result<Secret> prf_plus(const Provider& crypto, PrfId prf, ByteView key,
                                      ByteView seed, std::size_t size);
/// Parses a private key: PEM or DER; PKCS#8 (also encrypted), PKCS#1, SEC 1.
[[nodiscard]] Result<std::unique_ptr<PrivateKey>> load_private_key(ByteView data,
                                                                   std::string_view password = {});
/// Randomness of the operating system through OpenSSL.
[[nodiscard]] Rng& system_rng();

}  // namespace cygnet::crypto
