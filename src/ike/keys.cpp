#include "ike/keys.hpp"

#include "base/writer.hpp"

namespace cygnet::ike {
namespace {

struct CipherSizes {
  std::size_t encr = 0;  // key and salt
  std::size_t integ = 0;
};

Result<CipherSizes> sizes_of(const model::Suite& suite) {
  const EncrInfo* encr = find(suite.encr);
  if (encr == nullptr) return fail("derive keys", "unknown cipher " + to_string(suite.encr));
  CipherSizes sizes{.encr = encr->key_size(suite.key_bits) + encr->salt_size};
  if (!encr->aead) {
    const IntegInfo* integ = find(suite.integ);
    if (integ == nullptr) return fail("derive keys", "no integrity for " + to_string(suite.encr));
    sizes.integ = integ->key_size;
  }
  return sizes;
}

/// Cuts key after key off a block of keying material.
class Cutter {
 public:
  explicit Cutter(const Secret& material) : rest_(material.reveal()) {}
  Secret cut(std::size_t size) {
    Secret out{rest_.first(size)};
    rest_ = rest_.subspan(size);
    return out;
  }

 private:
  ByteView rest_;
};

Result<SkKeys> expand(const crypto::Provider& crypto, const model::Suite& suite,
                      const Secret& skeyseed, const IkeKeyInput& input) {
  const PrfInfo* prf = find(suite.prf);
  if (prf == nullptr) return fail("derive keys", "unknown PRF " + to_string(suite.prf));
  CYG_TRY(const CipherSizes sizes, sizes_of(suite));

  Writer seed;
  seed.put(input.nonce_i);
  seed.put(input.nonce_r);
  seed.be(input.spi_i);
  seed.be(input.spi_r);
  const std::size_t total = 3 * prf->size + 2 * sizes.integ + 2 * sizes.encr;
  CYG_TRY(const Secret material,
          crypto::prf_plus(crypto, suite.prf, skeyseed.reveal(), seed.view(), total));

  Cutter cutter{material};
  SkKeys keys{.suite = suite};
  keys.d = cutter.cut(prf->size);
  keys.ai = cutter.cut(sizes.integ);
  keys.ar = cutter.cut(sizes.integ);
  keys.ei = cutter.cut(sizes.encr);
  keys.er = cutter.cut(sizes.encr);
  keys.pi = cutter.cut(prf->size);
  keys.pr = cutter.cut(prf->size);
  return keys;
}

}  // namespace

Result<SkKeys> derive_keys(const crypto::Provider& crypto, const model::Suite& suite,
                           const IkeKeyInput& input) {
  const Bytes nonces = concat({input.nonce_i, input.nonce_r});
  CYG_TRY(const Secret skeyseed, crypto.prf(suite.prf, nonces, {input.shared}));
  return expand(crypto, suite, skeyseed, input);
}

Result<SkKeys> derive_rekeyed(const crypto::Provider& crypto, const SkKeys& old,
                              const model::Suite& suite, const IkeKeyInput& input) {
  CYG_TRY(const Secret skeyseed,
          crypto.prf(old.suite.prf, old.d.reveal(), {input.shared, input.nonce_i, input.nonce_r}));
  return expand(crypto, suite, skeyseed, input);
}

Result<ChildKeys> derive_child(const crypto::Provider& crypto, const SkKeys& keys,
                               const model::Suite& suite, ByteView shared, ByteView nonce_i,
                               ByteView nonce_r) {
  CYG_TRY(const CipherSizes sizes, sizes_of(suite));
  Secret seed{shared.size() + nonce_i.size() + nonce_r.size()};
  {
    auto out = seed.fill().begin();
    for (const ByteView part : {shared, nonce_i, nonce_r})
      out = std::copy(part.begin(), part.end(), out);
  }
  CYG_TRY(const Secret material, crypto::prf_plus(crypto, keys.suite.prf, keys.d.reveal(),
                                                  seed.reveal(), 2 * (sizes.encr + sizes.integ)));
  //= RFC7296#2.17 "All keys for SAs carrying data from the initiator to the responder are
  //=               taken before SAs going from the responder to the initiator"
  Cutter cutter{material};
  ChildKeys out;
  out.encr_i = cutter.cut(sizes.encr);
  out.integ_i = cutter.cut(sizes.integ);
  out.encr_r = cutter.cut(sizes.encr);
  out.integ_r = cutter.cut(sizes.integ);
  return out;
}

}  // namespace cygnet::ike
