// Hashes, HMAC as PRF, prf+, randomness, comparison.      RFC 2104, RFC 4868, RFC 7296 §2.13
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/check.hpp"
#include "crypto/openssl/primitives.hpp"

namespace cygnet::crypto {
namespace {

const char* digest_name(PrfId id) {
  switch (id) {
    case PrfId::hmac_sha1:
      return "SHA1";
    case PrfId::hmac_sha2_256:
      return "SHA256";
    case PrfId::hmac_sha2_384:
      return "SHA384";
    case PrfId::hmac_sha2_512:
      return "SHA512";
  }
  return nullptr;
}

class SystemRng final : public Rng {
 public:
  void fill(MutableBytes out) override {
    // Without randomness nothing we send would be safe; no peer can cause this.
    CYG_CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
  }
};

}  // namespace

const EVP_MD* digest_of(HashId id) {
  switch (id) {
    case HashId::sha1:
      return EVP_sha1();
    case HashId::sha2_256:
      return EVP_sha256();
    case HashId::sha2_384:
      return EVP_sha384();
    case HashId::sha2_512:
      return EVP_sha512();
    case HashId::identity:
      break;
  }
  return nullptr;
}

Result<MacContext> hmac_context(PrfId prf, ByteView key) {
  static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  const char* digest = digest_name(prf);
  MacContext context{EVP_MAC_CTX_new(hmac)};
  if (digest == nullptr || !context) return fail("HMAC", "not available: " + to_string(prf));
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(digest), 0),
      OSSL_PARAM_construct_end()};
  // An empty key must still be given as one, else OpenSSL takes it for "the key as before".
  static constexpr std::uint8_t kNone = 0;
  const std::uint8_t* start = key.empty() ? &kNone : key.data();
  if (EVP_MAC_init(context.get(), start, key.size(), params) != 1) return openssl_error("HMAC key");
  return context;
}

Result<Secret> prf(PrfId id, ByteView key, std::initializer_list<ByteView> data) {
  const PrfInfo* info = find(id);
  if (info == nullptr) return fail("PRF", "not available: " + to_string(id));
  CYG_TRY(const MacContext context, hmac_context(id, key));
  for (const ByteView part : data) {
    if (!part.empty() && EVP_MAC_update(context.get(), part.data(), part.size()) != 1) {
      return openssl_error("PRF");
    }
  }
  Secret out{info->size};
  std::size_t size = 0;
  if (EVP_MAC_final(context.get(), out.fill().data(), &size, info->size) != 1) {
    return openssl_error("PRF");
  }
  return out;
}

Result<Secret> prf_plus(const Provider& crypto, PrfId id, ByteView key, ByteView seed,
                        std::size_t size) {
  const PrfInfo* info = find(id);
  if (info == nullptr || size > 255 * info->size) return fail("prf+", "too much output wanted");
  Secret out{size};
  Secret block;
  std::size_t done = 0;
  for (std::uint8_t counter = 1; done < size; ++counter) {
    CYG_TRY(block, crypto.prf(id, key, {block.reveal(), seed, ByteView{&counter, 1}}));
    const std::size_t take = std::min(info->size, size - done);
    std::copy_n(block.reveal().begin(), take,
                out.fill().begin() + static_cast<std::ptrdiff_t>(done));
    done += take;
  }
  return out;
}

Bytes hash(HashId id, ByteView data) {
  if (id == HashId::identity) return to_bytes(data);
  const EVP_MD* digest = digest_of(id);
  if (digest == nullptr) return {};
  Bytes out(static_cast<std::size_t>(EVP_MD_get_size(digest)));
  unsigned size = 0;
  CYG_CHECK(EVP_Digest(data.data(), data.size(), out.data(), &size, digest, nullptr) == 1);
  return out;
}

bool equal_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Rng& system_rng() {
  static SystemRng rng;
  return rng;
}

}  // namespace cygnet::crypto
