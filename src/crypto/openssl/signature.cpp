// Signatures of AUTH payloads.         RFC 7427, RFC 4754, RFC 8420, RFC 7296 §2.15, RFC 4055
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "base/reader.hpp"
#include "crypto/openssl/primitives.hpp"

namespace cygnet::crypto {
namespace {

using Algorithm = std::unique_ptr<X509_ALGOR, Deleter<X509_ALGOR_free>>;
using PssParameters = std::unique_ptr<RSA_PSS_PARAMS, Deleter<RSA_PSS_PARAMS_free>>;
using EcdsaPair = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 16384;

struct Curve {
  KeyKind kind;
  std::string_view name;   ///< as OpenSSL spells the group
  HashId hash;             ///< of its size (RFC 4754 §7)
  AuthMethod method;       ///< the old form's
  std::size_t field_size;  ///< octets of r and of s
};
constexpr Curve kCurves[] = {
    {KeyKind::ecdsa_256, "prime256v1", HashId::sha2_256, AuthMethod::ecdsa_256, 32},
    {KeyKind::ecdsa_384, "secp384r1", HashId::sha2_384, AuthMethod::ecdsa_384, 48},
    {KeyKind::ecdsa_521, "secp521r1", HashId::sha2_512, AuthMethod::ecdsa_521, 66},
};

const Curve* curve_of(KeyKind kind) {
  const auto at = std::ranges::find(kCurves, kind, &Curve::kind);
  return at == std::end(kCurves) ? nullptr : at;
}

/// How a signature is made: with which hash, and for RSA with which padding.
struct Scheme {
  HashId hash = HashId::identity;
  bool pss = false;
  int salt_size = 0;
};

/// RFC 7427 §3: what an AlgorithmIdentifier says, for this kind of key.
std::expected<Scheme, SignatureFault> scheme_of(const X509_ALGOR& algorithm, KeyKind kind) {
  const ASN1_OBJECT* object = nullptr;
  int parameter_type = 0;
  const void* parameter = nullptr;
  X509_ALGOR_get0(&object, &parameter_type, &parameter, &algorithm);
  const int nid = OBJ_obj2nid(object);
  const bool eddsa = kind == KeyKind::ed25519 || kind == KeyKind::ed448;
  if (eddsa) {
    const int expected = kind == KeyKind::ed25519 ? NID_ED25519 : NID_ED448;
    if (nid != expected) return std::unexpected(SignatureFault::method_mismatch);
    //= RFC8410#3 "For all of the OIDs, the parameters MUST be absent."
    if (parameter_type != V_ASN1_UNDEF) return std::unexpected(SignatureFault::malformed);
    return Scheme{};
  }
  if (nid == NID_rsassaPss) {
    if (kind != KeyKind::rsa) return std::unexpected(SignatureFault::method_mismatch);
    if (parameter_type != V_ASN1_SEQUENCE) return std::unexpected(SignatureFault::malformed);
    const auto* text = static_cast<const ASN1_STRING*>(parameter);
    const unsigned char* at = ASN1_STRING_get0_data(text);
    const PssParameters pss{d2i_RSA_PSS_PARAMS(nullptr, &at, ASN1_STRING_length(text))};
    if (!pss || pss->hashAlgorithm == nullptr || pss->maskGenAlgorithm == nullptr ||
        pss->trailerField != nullptr) {
      return std::unexpected(SignatureFault::malformed);
    }
    const auto hash = hash_of(OBJ_obj2nid(pss->hashAlgorithm->algorithm));
    const Algorithm mask{static_cast<X509_ALGOR*>(
        ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), pss->maskGenAlgorithm->parameter))};
    const bool mgf1 = OBJ_obj2nid(pss->maskGenAlgorithm->algorithm) == NID_mgf1 && mask;
    if (!hash || !mgf1 || hash_of(OBJ_obj2nid(mask->algorithm)) != hash) {
      return std::unexpected(SignatureFault::malformed);
    }
    const long salt = pss->saltLength == nullptr ? 20 : ASN1_INTEGER_get(pss->saltLength);
    if (salt < 0 || salt > 512) return std::unexpected(SignatureFault::malformed);
    return Scheme{.hash = *hash, .pss = true, .salt_size = static_cast<int>(salt)};
  }
  // NULL for RSA, absent for ECDSA; both are seen with both (RFC 4055 §5, RFC 5758 §3.2).
  if (parameter_type != V_ASN1_NULL && parameter_type != V_ASN1_UNDEF) {
    return std::unexpected(SignatureFault::malformed);
  }
  int digest = 0;
  int key_type = 0;
  if (OBJ_find_sigid_algs(nid, &digest, &key_type) != 1) {
    return std::unexpected(SignatureFault::malformed);
  }
  const auto hash = hash_of(digest);
  if (!hash) return std::unexpected(SignatureFault::hash_not_allowed);
  const bool fits =
      kind == KeyKind::rsa ? key_type == NID_rsaEncryption : key_type == NID_X9_62_id_ecPublicKey;
  if (!fits) return std::unexpected(SignatureFault::method_mismatch);
  return Scheme{.hash = *hash};
}

bool configure(EVP_PKEY_CTX* context, KeyKind kind, const Scheme& scheme) {
  if (kind != KeyKind::rsa) return true;
  if (!scheme.pss) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, scheme.salt_size) == 1;
}

std::expected<void, SignatureFault> check(EVP_PKEY* key, KeyKind kind, const Scheme& scheme,
                                          ByteView signature, ByteView octets) {
  const DigestContext context{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* key_context = nullptr;
  const bool right = EVP_DigestVerifyInit(context.get(), &key_context, digest_of(scheme.hash),
                                          nullptr, key) == 1 &&
                     configure(key_context, kind, scheme) &&
                     EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                      octets.data(), octets.size()) == 1;
  ERR_clear_error();
  if (!right) return std::unexpected(SignatureFault::wrong);
  return {};
}

/// RFC 4754 §7: r | s, each of the field's size, to DER.
std::expected<Bytes, SignatureFault> der_of(const Curve& curve, ByteView raw) {
  if (raw.size() != 2 * curve.field_size) return std::unexpected(SignatureFault::malformed);
  const auto half = [&](std::size_t at) {
    return BN_bin2bn(raw.data() + at, static_cast<int>(curve.field_size), nullptr);
  };
  const EcdsaPair pair{ECDSA_SIG_new()};
  if (!pair || ECDSA_SIG_set0(pair.get(), half(0), half(curve.field_size)) != 1) {
    return std::unexpected(SignatureFault::malformed);
  }
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &out);
  if (size <= 0) return std::unexpected(SignatureFault::malformed);
  Bytes der(out, out + size);
  OPENSSL_free(out);
  return der;
}

Result<Bytes> raw_of(const Curve& curve, ByteView der) {
  const unsigned char* at = der.data();
  const EcdsaPair pair{d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()))};
  Bytes out(2 * curve.field_size);
  const int half = static_cast<int>(curve.field_size);
  if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out.data(), half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out.data() + half, half) != half) {
    return openssl_error("ECDSA signature");
  }
  return out;
}

std::expected<void, SignatureFault> verify_digital(EVP_PKEY* key, KeyKind kind, ByteView auth_data,
                                                   ByteView octets,
                                                   std::span<const HashId> allowed) {
  // RFC 7427 §3: length of the AlgorithmIdentifier, the AlgorithmIdentifier, the signature.
  Reader in{auth_data, "AUTH data"};
  const auto size = in.be<std::uint8_t>();
  const ByteView identifier = in.take(size);
  const ByteView signature = in.rest();
  if (!in.ok() || size == 0) return std::unexpected(SignatureFault::malformed);
  const unsigned char* at = identifier.data();
  const Algorithm algorithm{d2i_X509_ALGOR(nullptr, &at, size)};
  ERR_clear_error();
  if (!algorithm || at != identifier.data() + size) {
    return std::unexpected(SignatureFault::malformed);
  }
  const auto scheme = scheme_of(*algorithm, kind);
  if (!scheme) return std::unexpected(scheme.error());
  if (std::ranges::find(allowed, scheme->hash) == allowed.end()) {
    return std::unexpected(SignatureFault::hash_not_allowed);
  }
  return check(key, kind, *scheme, signature, octets);
}

// --- signing
// ---------------------------------------------------------------------------------------

Result<Bytes> make_signature(EVP_PKEY* key, KeyKind kind, const Scheme& scheme, ByteView octets) {
  const DigestContext context{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* key_context = nullptr;
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), &key_context, digest_of(scheme.hash), nullptr, key) != 1 ||
      !configure(key_context, kind, scheme) ||
      EVP_DigestSign(context.get(), nullptr, &size, octets.data(), octets.size()) != 1) {
    return openssl_error("sign");
  }
  Bytes out(size);
  if (EVP_DigestSign(context.get(), out.data(), &size, octets.data(), octets.size()) != 1) {
    return openssl_error("sign");
  }
  out.resize(size);
  return out;
}

int digest_nid(HashId hash) { return EVP_MD_get_type(digest_of(hash)); }

Algorithm digest_algorithm(HashId hash) {
  Algorithm out{X509_ALGOR_new()};
  X509_ALGOR_set0(out.get(), OBJ_nid2obj(digest_nid(hash)), V_ASN1_NULL, nullptr);
  return out;
}

/// The DER AlgorithmIdentifier of RFC 7427 appendix A for a scheme.
Result<Bytes> identifier_of(KeyKind kind, const Scheme& scheme) {
  const Algorithm out{X509_ALGOR_new()};
  if (kind == KeyKind::ed25519 || kind == KeyKind::ed448) {
    const int nid = kind == KeyKind::ed25519 ? NID_ED25519 : NID_ED448;
    X509_ALGOR_set0(out.get(), OBJ_nid2obj(nid), V_ASN1_UNDEF, nullptr);
  } else if (scheme.pss) {
    const PssParameters pss{RSA_PSS_PARAMS_new()};
    pss->hashAlgorithm = digest_algorithm(scheme.hash).release();
    pss->maskGenAlgorithm = X509_ALGOR_new();
    const Algorithm inner = digest_algorithm(scheme.hash);
    X509_ALGOR_set0(pss->maskGenAlgorithm, OBJ_nid2obj(NID_mgf1), V_ASN1_SEQUENCE,
                    ASN1_item_pack(inner.get(), ASN1_ITEM_rptr(X509_ALGOR), nullptr));
    pss->saltLength = ASN1_INTEGER_new();
    ASN1_INTEGER_set(pss->saltLength, scheme.salt_size);
    X509_ALGOR_set0(out.get(), OBJ_nid2obj(NID_rsassaPss), V_ASN1_SEQUENCE,
                    ASN1_item_pack(pss.get(), ASN1_ITEM_rptr(RSA_PSS_PARAMS), nullptr));
  } else {
    const bool rsa = kind == KeyKind::rsa;
    int nid = 0;
    OBJ_find_sigid_by_algs(&nid, digest_nid(scheme.hash),
                           rsa ? NID_rsaEncryption : NID_X9_62_id_ecPublicKey);
    X509_ALGOR_set0(out.get(), OBJ_nid2obj(nid), rsa ? V_ASN1_NULL : V_ASN1_UNDEF, nullptr);
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509_ALGOR(out.get(), &der);
  if (size <= 0 || size > 255) return openssl_error("AlgorithmIdentifier");
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

/// The strongest hash both sides know: for ECDSA the curve's own if possible.
std::optional<HashId> choose_hash(KeyKind kind, std::span<const HashId> hashes) {
  const auto accepted = [hashes](HashId hash) {
    return std::ranges::find(hashes, hash) != hashes.end();
  };
  if (const Curve* curve = curve_of(kind); curve != nullptr && accepted(curve->hash)) {
    return curve->hash;
  }
  for (const HashId hash : {HashId::sha2_256, HashId::sha2_384, HashId::sha2_512}) {
    if (accepted(hash)) return hash;
  }
  return std::nullopt;
}

class OpensslKey final : public PrivateKey {
 public:
  OpensslKey(Key key, KeyKind kind, Bytes public_key)
      : key_(std::move(key)), kind_(kind), public_key_(std::move(public_key)) {}

  KeyKind kind() const override { return kind_; }
  ByteView public_key() const override { return public_key_; }

  Result<Signature> sign(ByteView octets, const SignatureOptions& options) const override {
    const bool eddsa = kind_ == KeyKind::ed25519 || kind_ == KeyKind::ed448;
    if (options.digital_signature) {
      Scheme scheme;
      if (!eddsa) {
        const auto hash = choose_hash(kind_, options.hashes);
        if (!hash) return fail("sign", "the peer accepts no hash that we have");
        scheme.hash = *hash;
        scheme.pss = kind_ == KeyKind::rsa;
        scheme.salt_size = scheme.pss ? EVP_MD_get_size(digest_of(*hash)) : 0;
      } else if (std::ranges::find(options.hashes, HashId::identity) == options.hashes.end()) {
        return fail("sign", "the peer does not accept EdDSA (RFC 8420)");
      }
      CYG_TRY(Bytes identifier, identifier_of(kind_, scheme));
      CYG_TRY(const Bytes signature, make_signature(key_.get(), kind_, scheme, octets));
      Bytes data{static_cast<std::uint8_t>(identifier.size())};
      append(data, identifier);
      append(data, signature);
      return Signature{.method = AuthMethod::digital_signature, .auth_data = std::move(data)};
    }
    if (eddsa) return fail("sign", "the peer has no RFC 7427, which EdDSA keys need");
    if (const Curve* curve = curve_of(kind_)) {
      CYG_TRY(const Bytes der, make_signature(key_.get(), kind_, {.hash = curve->hash}, octets));
      CYG_TRY(Bytes raw, raw_of(*curve, der));
      return Signature{.method = curve->method, .auth_data = std::move(raw)};
    }
    // RFC 7296 §2.15 leaves RSA without RFC 7427 nothing but SHA-1.
    CYG_TRY(Bytes data, make_signature(key_.get(), kind_, {.hash = HashId::sha1}, octets));
    return Signature{.method = AuthMethod::rsa_signature, .auth_data = std::move(data)};
  }

 private:
  Key key_;
  KeyKind kind_;
  Bytes public_key_;
};

Key decode(ByteView data, std::string_view password) {
  struct Passphrase {
    std::string_view text;
  } phrase{password};
  // Never prompts: without a password an encrypted key does not load.
  const auto give = [](char* buffer, int size, int, void* user) -> int {
    const auto& wanted = *static_cast<Passphrase*>(user);
    if (wanted.text.empty() || wanted.text.size() > static_cast<std::size_t>(size)) return -1;
    std::ranges::copy(wanted.text, buffer);
    return static_cast<int>(wanted.text.size());
  };
  const std::unique_ptr<BIO, Deleter<BIO_free_all>> bio{
      BIO_new_mem_buf(data.data(), static_cast<int>(data.size()))};
  if (Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, give, &phrase)}) return key;
  BIO_reset(bio.get());
  if (Key key{d2i_PKCS8PrivateKey_bio(bio.get(), nullptr, give, &phrase)}) return key;
  const unsigned char* at = data.data();
  return Key{d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(data.size()))};
}

}  // namespace

std::optional<HashId> hash_of(int nid) {
  switch (nid) {
    case NID_sha1:
      return HashId::sha1;
    case NID_sha256:
      return HashId::sha2_256;
    case NID_sha384:
      return HashId::sha2_384;
    case NID_sha512:
      return HashId::sha2_512;
    default:
      return std::nullopt;
  }
}

std::string_view to_string(KeyKind kind) {
  switch (kind) {
    case KeyKind::rsa:
      return "RSA";
    case KeyKind::ecdsa_256:
      return "ECDSA P-256";
    case KeyKind::ecdsa_384:
      return "ECDSA P-384";
    case KeyKind::ecdsa_521:
      return "ECDSA P-521";
    case KeyKind::ed25519:
      return "Ed25519";
    case KeyKind::ed448:
      return "Ed448";
  }
  return "unknown key";
}

std::string_view to_string(SignatureFault fault) {
  switch (fault) {
    case SignatureFault::wrong:
      return "the signature does not verify";
    case SignatureFault::malformed:
      return "the AUTH data does not parse";
    case SignatureFault::method_mismatch:
      return "the AUTH method does not fit the key";
    case SignatureFault::hash_not_allowed:
      return "signed with a hash that was not announced";
    case SignatureFault::weak_key:
      return "the key is too weak or of an unknown kind";
  }
  return "unknown fault";
}

std::expected<KeyKind, SignatureFault> kind_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeyKind::ed25519;
  if (EVP_PKEY_is_a(key, "ED448") == 1) return KeyKind::ed448;
  if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1) {
    BIGNUM* exponent = nullptr;
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent);
    const Number e{exponent};
    const int bits = EVP_PKEY_get_bits(key);
    const bool strong = bits >= kRsaBitsMin && bits <= kRsaBitsMax && e && BN_is_odd(e.get()) &&
                        BN_num_bits(e.get()) >= 17 && BN_num_bits(e.get()) <= 64;
    if (!strong) return std::unexpected(SignatureFault::weak_key);
    return KeyKind::rsa;
  }
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_is_a(key, "EC") == 1 &&
      EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1) {
    for (const Curve& curve : kCurves) {
      if (curve.name == std::string_view{name.data(), size}) return curve.kind;
    }
  }
  return std::unexpected(SignatureFault::weak_key);
}

std::expected<void, SignatureFault> verify_signature(ByteView public_key, AuthMethod method,
                                                     ByteView auth_data, ByteView octets,
                                                     std::span<const HashId> allowed) {
  const unsigned char* at = public_key.data();
  const Key key{d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key.size()))};
  ERR_clear_error();
  if (!key) return std::unexpected(SignatureFault::weak_key);
  const auto kind = kind_of(key.get());
  if (!kind) return std::unexpected(kind.error());
  if (method == AuthMethod::digital_signature) {
    return verify_digital(key.get(), *kind, auth_data, octets, allowed);
  }
  if (method == AuthMethod::rsa_signature) {
    if (*kind != KeyKind::rsa) return std::unexpected(SignatureFault::method_mismatch);
    // RFC 7296 §3.8 allows any hash here; SHA-1 is what everybody sends, SHA-2 is better.
    for (const HashId hash : {HashId::sha1, HashId::sha2_256, HashId::sha2_384, HashId::sha2_512}) {
      if (check(key.get(), *kind, {.hash = hash}, auth_data, octets)) return {};
    }
    return std::unexpected(SignatureFault::wrong);
  }
  const Curve* curve = curve_of(*kind);
  if (curve == nullptr || curve->method != method) {
    return std::unexpected(SignatureFault::method_mismatch);
  }
  const auto der = der_of(*curve, auth_data);
  if (!der) return std::unexpected(der.error());
  return check(key.get(), *kind, {.hash = curve->hash}, *der, octets);
}

Result<std::unique_ptr<PrivateKey>> load_private_key(ByteView data, std::string_view password) {
  Key key = decode(data, password);
  ERR_clear_error();
  if (!key) {
    return fail("private key",
                password.empty()
                    ? "not a private key, or encrypted and without its passphrase in secrets"
                    : "not a private key, or its passphrase in secrets is wrong");
  }
  const auto kind = kind_of(key.get());
  if (!kind) return fail("private key", "too weak or of an unknown kind (RSA needs 2048 bits)");
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  if (size <= 0) return openssl_error("private key");
  Bytes public_key(der, der + size);
  OPENSSL_free(der);
  return std::make_unique<OpensslKey>(std::move(key), *kind, std::move(public_key));
}

}  // namespace cygnet::crypto
