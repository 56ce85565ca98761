// The lists of what OpenSSL gives us.
#include "crypto/openssl/primitives.hpp"

namespace cygnet::crypto {
namespace {

constexpr EncrId kEncrs[] = {EncrId::aes_gcm_16, EncrId::aes_gcm_12, EncrId::aes_gcm_8,
                             EncrId::aes_cbc,    EncrId::aes_ctr,    EncrId::chacha20_poly1305,
                             EncrId::null};
constexpr PrfId kPrfs[] = {PrfId::hmac_sha1, PrfId::hmac_sha2_256, PrfId::hmac_sha2_384,
                           PrfId::hmac_sha2_512};
constexpr IntegId kIntegs[] = {IntegId::hmac_sha1_96, IntegId::hmac_sha2_256_128,
                               IntegId::hmac_sha2_384_192, IntegId::hmac_sha2_512_256};
// MODP 1024 has a registry row so that old clients are recognised; it is not offered.
constexpr KeId kKes[] = {KeId::modp_2048,  KeId::modp_3072, KeId::modp_4096, KeId::modp_6144,
                         KeId::modp_8192,  KeId::ecp_256,   KeId::ecp_384,   KeId::ecp_521,
                         KeId::curve25519, KeId::curve448};

}  // namespace

const Provider& openssl() {
  static const Provider provider{.name = "openssl",
                                 .encrs = kEncrs,
                                 .prfs = kPrfs,
                                 .integs = kIntegs,
                                 .kes = kKes,
                                 .sealer = make_sealer,
                                 .prf = prf,
                                 .begin = begin_exchange,
                                 .respond = respond_exchange,
                                 .verify = verify_signature,
                                 .hash = hash};
  return provider;
}

}  // namespace cygnet::crypto
