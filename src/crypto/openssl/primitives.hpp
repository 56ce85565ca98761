// The functions behind crypto::openssl()'s lists.
#pragma once

#include "crypto/openssl/handles.hpp"
#include "crypto/provider.hpp"

namespace cygnet::crypto {

[[nodiscard]] Result<std::unique_ptr<Sealer>> make_sealer(EncrId encr, std::uint16_t key_bits,
                                                          ByteView key, IntegId integ,
                                                          ByteView integ_key);
/// An HMAC keyed and ready; `prf` names its hash.
[[nodiscard]] Result<MacContext> hmac_context(PrfId prf, ByteView key);
[[nodiscard]] Result<Secret> prf(PrfId id, ByteView key, std::initializer_list<ByteView> data);
/// OpenSSL's digest, or null for HashId::identity.
[[nodiscard]] const EVP_MD* digest_of(HashId id);
[[nodiscard]] Bytes hash(HashId id, ByteView data);
/// The hash of OpenSSL's number; empty for those that signatures of IKE do not have.
[[nodiscard]] std::optional<HashId> hash_of(int nid);

[[nodiscard]] Result<std::unique_ptr<KeyExchange>> begin_exchange(KeId group, Rng* rng);
[[nodiscard]] Result<KeResponse> respond_exchange(KeId group, ByteView peer, Rng* rng);
/// The same with a given private scalar (big-endian for ECP and MODP, as in RFC 7748 for the
/// curves): for known answers.
[[nodiscard]] Result<std::unique_ptr<KeyExchange>> exchange_from_private(KeId group,
                                                                         ByteView scalar);

[[nodiscard]] std::expected<void, SignatureFault> verify_signature(ByteView public_key,
                                                                   AuthMethod method,
                                                                   ByteView auth_data,
                                                                   ByteView octets,
                                                                   std::span<const HashId> allowed);
/// The kind of a key we accept, or weak_key.
[[nodiscard]] std::expected<KeyKind, SignatureFault> kind_of(EVP_PKEY* key);

}  // namespace cygnet::crypto
