// Key exchange in the shape of a KEM.      RFC 3526, RFC 5903, RFC 7748, RFC 8031, RFC 6989
#include <algorithm>

#include "crypto/openssl/primitives.hpp"

namespace cygnet::crypto {
namespace {

enum class Family : std::uint8_t { modp, ecp, montgomery };

struct Group {
  KeId id;
  Family family;
  const char* name;         ///< OpenSSL's
  std::size_t public_size;  ///< octets of the Key Exchange Data
  std::size_t secret_size;  ///< octets of g^ir
  int private_bits;  ///< MODP: exponent length, about twice the group's strength (RFC 3526 §8)
};

// One entry a group; names are OpenSSL's for the RFC's primes and curves.
constexpr Group kGroups[] = {
    {KeId::modp_2048, Family::modp, "modp_2048", 256, 256, 256},
    {KeId::modp_3072, Family::modp, "modp_3072", 384, 384, 320},
    {KeId::modp_4096, Family::modp, "modp_4096", 512, 512, 384},
    {KeId::modp_6144, Family::modp, "modp_6144", 768, 768, 448},
    {KeId::modp_8192, Family::modp, "modp_8192", 1024, 1024, 512},
    {KeId::ecp_256, Family::ecp, "P-256", 64, 32, 0},
    {KeId::ecp_384, Family::ecp, "P-384", 96, 48, 0},
    {KeId::ecp_521, Family::ecp, "P-521", 132, 66, 0},
    {KeId::curve25519, Family::montgomery, "X25519", 32, 32, 0},
    {KeId::curve448, Family::montgomery, "X448", 56, 56, 0},
};

const Group* find_group(KeId id) {
  const auto at = std::ranges::find(kGroups, id, &Group::id);
  return at == std::end(kGroups) ? nullptr : at;
}

const char* key_type(Family family) {
  switch (family) {
    case Family::modp:
      return "DH";
    case Family::ecp:
      return "EC";
    case Family::montgomery:
      break;
  }
  return nullptr;
}

Number number_from(ByteView bytes) {
  return Number{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)};
}

Result<Key> import(const Group& group, int selection, const Params& params) {
  const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, key_type(group.family), nullptr)};
  EVP_PKEY* key = nullptr;
  if (!context || !params || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1) {
    return openssl_error("key exchange value of " + std::string{group.name});
  }
  return Key{key};
}

/// The peer's value as a key, after the checks of RFC 6989 §2: length; for MODP 1 < y < p-1 (the
/// primes are safe and our exponents fresh, so no order check is due: §2.1); for ECP that the
/// point is on the curve, which OpenSSL does when it decodes it (§2.3).
Result<Key> import_peer(const Group& group, ByteView value) {
  const std::string what = "the peer's KE value for " + to_string(group.id);
  if (value.size() != group.public_size) return fail(what, "wrong length");
  if (group.family == Family::montgomery) {
    Key key{
        EVP_PKEY_new_raw_public_key_ex(nullptr, group.name, nullptr, value.data(), value.size())};
    if (!key) return openssl_error(what);
    return key;
  }
  const ParamBuilder builder{OSSL_PARAM_BLD_new()};
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group.name, 0);
  if (group.family == Family::ecp) {
    Bytes point{0x04};  // uncompressed (RFC 5903 §7 sends x | y alone)
    append(point, value);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                     point.size());
    return import(group, EVP_PKEY_PUBLIC_KEY, Params{OSSL_PARAM_BLD_to_param(builder.get())});
  }
  const Number y = number_from(value);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, y.get());
  CYG_TRY(Key key,
          import(group, EVP_PKEY_PUBLIC_KEY, Params{OSSL_PARAM_BLD_to_param(builder.get())}));
  BIGNUM* p = nullptr;
  EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_FFC_P, &p);
  const Number top{p};
  if (!top || BN_sub_word(top.get(), 1) != 1) return openssl_error(what);
  if (BN_cmp(y.get(), BN_value_one()) <= 0 || BN_cmp(y.get(), top.get()) >= 0) {
    return fail(what, "not between 1 and p-1");
  }
  return key;
}

Result<Key> generate(const Group& group) {
  const char* type = group.family == Family::montgomery ? group.name : key_type(group.family);
  const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1) return openssl_error("make a key");
  if (group.family != Family::montgomery) {
    int bits = group.private_bits;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                            const_cast<char*>(group.name), 0),
                           group.family == Family::modp
                               ? OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_DH_PRIV_LEN, &bits)
                               : OSSL_PARAM_construct_end(),
                           OSSL_PARAM_construct_end()};
    if (EVP_PKEY_CTX_set_params(context.get(), params) != 1) return openssl_error("choose a group");
  }
  if (EVP_PKEY_generate(context.get(), &key) != 1) return openssl_error("make a key");
  return Key{key};
}

Result<Bytes> public_of(const Group& group, EVP_PKEY* key) {
  Bytes out(group.public_size);
  std::size_t size = out.size();
  if (group.family == Family::montgomery) {
    if (EVP_PKEY_get_raw_public_key(key, out.data(), &size) != 1) return openssl_error("KE value");
    return out;
  }
  if (group.family == Family::modp) {
    BIGNUM* y = nullptr;
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PUB_KEY, &y);
    const Number owned{y};
    if (!owned || BN_bn2binpad(y, out.data(), static_cast<int>(out.size())) < 0) {
      return openssl_error("KE value");
    }
    return out;
  }
  Bytes point(group.public_size + 1);
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(),
                                      point.size(), &size) != 1 ||
      size != point.size() || point[0] != 0x04) {
    return openssl_error("KE value");
  }
  std::copy(point.begin() + 1, point.end(), out.begin());
  return out;
}

Result<Secret> derive(const Group& group, EVP_PKEY* ours, EVP_PKEY* peer) {
  const KeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, ours, nullptr)};
  if (!context || EVP_PKEY_derive_init(context.get()) != 1) return openssl_error("derive");
  if (group.family == Family::modp) {
    unsigned pad = 1;  // g^ir has the length of the prime (RFC 7296 §2.14)
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &pad),
                                 OSSL_PARAM_construct_end()};
    if (EVP_PKEY_CTX_set_params(context.get(), params) != 1) return openssl_error("derive");
  }
  // import_peer() has made the checks that are due; the library's repeat costs 0.4 ms on P-384.
  if (EVP_PKEY_derive_set_peer_ex(context.get(), peer, 0) != 1) return openssl_error("derive");
  Secret out{group.secret_size};
  std::size_t size = out.size();
  // X25519 and X448 fail here when the result is all zero (RFC 8031 §5).
  if (EVP_PKEY_derive(context.get(), out.fill().data(), &size) != 1 || size != out.size()) {
    return openssl_error("derive");
  }
  const ByteView secret = out.reveal();
  if (std::ranges::all_of(secret, [](std::uint8_t byte) { return byte == 0; })) {
    return fail("derive", "the shared secret is zero");
  }
  return out;
}

class EphemeralKey final : public KeyExchange {
 public:
  EphemeralKey(const Group& group, Key key, Bytes value)
      : group_(group), key_(std::move(key)), public_(std::move(value)) {}
  ByteView public_value() const override { return public_; }
  Result<Secret> finish(ByteView peer) override {
    CYG_TRY(const Key theirs, import_peer(group_, peer));
    return derive(group_, key_.get(), theirs.get());
  }

 private:
  const Group& group_;
  Key key_;
  Bytes public_;
};

Result<std::unique_ptr<KeyExchange>> wrap(const Group& group, Key key) {
  CYG_TRY(Bytes value, public_of(group, key.get()));
  return std::make_unique<EphemeralKey>(group, std::move(key), std::move(value));
}

/// A private scalar of suitable size from reproducible randomness.
Bytes scalar_from(const Group& group, Rng& rng) {
  const std::size_t size = group.family == Family::modp
                               ? static_cast<std::size_t>(group.private_bits) / 8
                               : group.secret_size;
  Bytes out = rng.bytes(size);
  // Below every curve's order and never zero; tests need no more uniformity.
  if (group.family == Family::ecp) {
    out[0] = 0;
    if (group.id == KeId::ecp_521) out[1] &= 0x7f;
  }
  out.back() |= 1;
  return out;
}

}  // namespace

Result<std::unique_ptr<KeyExchange>> exchange_from_private(KeId id, ByteView scalar) {
  const Group* group = find_group(id);
  if (group == nullptr) return fail("key exchange", "not available: " + to_string(id));
  if (group->family == Family::montgomery) {
    Key key{EVP_PKEY_new_raw_private_key_ex(nullptr, group->name, nullptr, scalar.data(),
                                            scalar.size())};
    if (!key) return openssl_error("private scalar");
    return wrap(*group, std::move(key));
  }
  const Number secret = number_from(scalar);
  const ParamBuilder builder{OSSL_PARAM_BLD_new()};
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group->name, 0);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get());
  if (group->family == Family::ecp) {
    const std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>> curve{
        EC_GROUP_new_by_curve_name(EC_curve_nist2nid(group->name))};
    const std::unique_ptr<EC_POINT, Deleter<EC_POINT_free>> point{EC_POINT_new(curve.get())};
    Bytes encoded(group->public_size + 1);
    if (EC_POINT_mul(curve.get(), point.get(), secret.get(), nullptr, nullptr, nullptr) != 1 ||
        EC_POINT_point2oct(curve.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                           encoded.size(), nullptr) != encoded.size()) {
      return openssl_error("private scalar");
    }
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(),
                                     encoded.size());
    CYG_TRY(Key key,
            import(*group, EVP_PKEY_KEYPAIR, Params{OSSL_PARAM_BLD_to_param(builder.get())}));
    return wrap(*group, std::move(key));
  }
  // MODP: the public value 2^x mod p is computed here, from the group's own parameters.
  CYG_TRY(const Key any, generate(*group));
  BIGNUM* p = nullptr;
  EVP_PKEY_get_bn_param(any.get(), OSSL_PKEY_PARAM_FFC_P, &p);
  const Number prime{p};
  const Number base{BN_new()};
  const Number value{BN_new()};
  const std::unique_ptr<BN_CTX, Deleter<BN_CTX_free>> scratch{BN_CTX_new()};
  if (!prime || BN_set_word(base.get(), 2) != 1 ||
      BN_mod_exp(value.get(), base.get(), secret.get(), prime.get(), scratch.get()) != 1) {
    return openssl_error("private scalar");
  }
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, value.get());
  CYG_TRY(Key key,
          import(*group, EVP_PKEY_KEYPAIR, Params{OSSL_PARAM_BLD_to_param(builder.get())}));
  return wrap(*group, std::move(key));
}

Result<std::unique_ptr<KeyExchange>> begin_exchange(KeId id, Rng* rng) {
  const Group* group = find_group(id);
  if (group == nullptr) return fail("key exchange", "not available: " + to_string(id));
  if (rng != nullptr) return exchange_from_private(id, scalar_from(*group, *rng));
  CYG_TRY(Key key, generate(*group));
  return wrap(*group, std::move(key));
}

Result<KeResponse> respond_exchange(KeId id, ByteView peer, Rng* rng) {
  CYG_TRY(const auto ours, begin_exchange(id, rng));
  CYG_TRY(Secret shared, ours->finish(peer));
  return KeResponse{.public_value = to_bytes(ours->public_value()), .shared = std::move(shared)};
}

}  // namespace cygnet::crypto
