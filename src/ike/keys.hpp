// Keying material of an IKE_SA and of its Child SAs.        RFC 7296 §2.13, §2.14, §2.17, §2.18
#pragma once

#include "base/secret.hpp"
#include "base/strong.hpp"
#include "crypto/provider.hpp"
#include "model/data_plane.hpp"
#include "model/proposal.hpp"

namespace cygnet::ike {

/// SK_d to SK_pr, and how many messages we have sealed with them: the counter that makes
/// AEAD IVs unique (RFC 5282 §3.1).
struct SkKeys {
  model::Suite suite;
  Secret d, ai, ar, ei, er, pi, pr;
  std::uint64_t sealed_count = 0;
};

/// The inputs of RFC 7296 §2.14.
struct IkeKeyInput {
  ByteView shared;  ///< g^ir
  ByteView nonce_i;
  ByteView nonce_r;
  IkeSpi spi_i;
  IkeSpi spi_r;
};

/// SKEYSEED = prf(Ni | Nr, g^ir), then prf+.
[[nodiscard]] Result<SkKeys> derive_keys(const crypto::Provider& crypto, const model::Suite& suite,
                                         const IkeKeyInput& input);
/// SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr) with the old PRF (RFC 7296 §2.18).
[[nodiscard]] Result<SkKeys> derive_rekeyed(const crypto::Provider& crypto, const SkKeys& old,
                                            const model::Suite& suite, const IkeKeyInput& input);

/// KEYMAT of a Child SA, cut up: `i` protects what the exchange's initiator sends.
struct ChildKeys {
  Secret encr_i, integ_i, encr_r, integ_r;
};
/// KEYMAT = prf+(SK_d, [g^ir (new)] | Ni | Nr); `shared` is empty without a key exchange.
[[nodiscard]] Result<ChildKeys> derive_child(const crypto::Provider& crypto, const SkKeys& keys,
                                             const model::Suite& suite, ByteView shared,
                                             ByteView nonce_i, ByteView nonce_r);

}  // namespace cygnet::ike
