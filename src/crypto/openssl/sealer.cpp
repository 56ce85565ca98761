// Ciphers with integrity protection.   RFC 4106, RFC 5282, RFC 7634, RFC 3602, RFC 3686, RFC 4868
#include "crypto/openssl/primitives.hpp"

#include <algorithm>
#include <array>

#include "crypto/openssl/handles.hpp"

namespace cygnet::crypto {
namespace {

/// Fetched once per process; OpenSSL objects of this kind are immutable and thread-safe.
const EVP_CIPHER* cipher_of(EncrId encr, std::uint16_t bits) {
  switch (encr) {
    case EncrId::aes_gcm_8:
    case EncrId::aes_gcm_12:
    case EncrId::aes_gcm_16: {
      static EVP_CIPHER* const k128 = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
      static EVP_CIPHER* const k192 = EVP_CIPHER_fetch(nullptr, "AES-192-GCM", nullptr);
      static EVP_CIPHER* const k256 = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
      return bits == 128 ? k128 : bits == 192 ? k192 : k256;
    }
    case EncrId::aes_cbc: {
      static EVP_CIPHER* const k128 = EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr);
      static EVP_CIPHER* const k192 = EVP_CIPHER_fetch(nullptr, "AES-192-CBC", nullptr);
      static EVP_CIPHER* const k256 = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
      return bits == 128 ? k128 : bits == 192 ? k192 : k256;
    }
    case EncrId::aes_ctr: {
      static EVP_CIPHER* const k128 = EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr);
      static EVP_CIPHER* const k192 = EVP_CIPHER_fetch(nullptr, "AES-192-CTR", nullptr);
      static EVP_CIPHER* const k256 = EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr);
      return bits == 128 ? k128 : bits == 192 ? k192 : k256;
    }
    case EncrId::chacha20_poly1305: {
      static EVP_CIPHER* const chacha = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
      return chacha;
    }
    case EncrId::des3_cbc:
    case EncrId::null:
      break;
  }
  return nullptr;
}

int size_of(std::size_t size) { return static_cast<int>(size); }

/// AES-GCM and ChaCha20-Poly1305: nonce = salt | IV (RFC 4106 §4, RFC 7634 §2).
class AeadSealer final : public Sealer {
 public:
  static Result<std::unique_ptr<Sealer>> make(const EncrInfo& info, std::uint16_t bits,
                                              ByteView key) {
    auto out = std::unique_ptr<AeadSealer>(new AeadSealer(info));
    const std::size_t key_size = info.key_size(bits);
    std::ranges::copy(key.subspan(key_size), out->nonce_.begin());
    const EVP_CIPHER* cipher = cipher_of(info.id, bits);
    for (const bool encrypt : {true, false}) {
      CipherContext& context = encrypt ? out->seal_ : out->open_;
      context.reset(EVP_CIPHER_CTX_new());
      if (!context ||
          EVP_CipherInit_ex(context.get(), cipher, nullptr, nullptr, nullptr, encrypt) != 1 ||
          EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, kNonceSize, nullptr) != 1 ||
          EVP_CipherInit_ex(context.get(), nullptr, nullptr, key.data(), nullptr, encrypt) != 1) {
        return openssl_error("set up " + std::string{info.name});
      }
    }
    return out;
  }

  std::size_t iv_size() const override { return info_.iv_size; }
  std::size_t icv_size() const override { return info_.icv_size; }
  std::size_t block_size() const override { return 1; }
  bool random_iv() const override { return false; }

  Result<void> seal(ByteView associated, ByteView iv, MutableBytes text, MutableBytes icv,
                    ByteView) override {
    int size = 0;
    if (!start(seal_, associated, iv, true) ||
        EVP_EncryptUpdate(seal_.get(), text.data(), &size, text.data(), size_of(text.size())) !=
            1 ||
        EVP_EncryptFinal_ex(seal_.get(), text.data() + size, &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(seal_.get(), EVP_CTRL_AEAD_GET_TAG, size_of(icv.size()), icv.data()) !=
            1) {
      return openssl_error("seal");
    }
    return {};
  }

  bool open(ByteView associated, ByteView iv, MutableBytes text, ByteView icv, ByteView) override {
    if (icv.size() != info_.icv_size) return false;
    int size = 0;
    std::uint8_t end[16];
    const bool good = start(open_, associated, iv, false) &&
                      EVP_CIPHER_CTX_ctrl(open_.get(), EVP_CTRL_AEAD_SET_TAG, size_of(icv.size()),
                                          const_cast<std::uint8_t*>(icv.data())) == 1 &&
                      EVP_DecryptUpdate(open_.get(), text.data(), &size, text.data(),
                                        size_of(text.size())) == 1 &&
                      EVP_DecryptFinal_ex(open_.get(), end, &size) == 1;
    if (!good) ERR_clear_error();
    return good;
  }

 private:
  static constexpr int kNonceSize = 12;
  explicit AeadSealer(const EncrInfo& info) : info_(info) {}

  bool start(const CipherContext& context, ByteView associated, ByteView iv, bool encrypt) {
    if (iv.size() != info_.iv_size) return false;
    std::ranges::copy(iv, nonce_.begin() + static_cast<std::ptrdiff_t>(info_.salt_size));
    int size = 0;
    return EVP_CipherInit_ex(context.get(), nullptr, nullptr, nullptr, nonce_.data(), encrypt) ==
               1 &&
           EVP_CipherUpdate(context.get(), nullptr, &size, associated.data(),
                            size_of(associated.size())) == 1;
  }

  const EncrInfo& info_;
  std::array<std::uint8_t, 12> nonce_{};
  CipherContext seal_;
  CipherContext open_;
};

/// A block or stream cipher, then an HMAC over everything (encrypt-then-MAC).
class MacSealer final : public Sealer {
 public:
  static Result<std::unique_ptr<Sealer>> make(const EncrInfo& info, std::uint16_t bits,
                                              ByteView key, const IntegInfo& integ,
                                              ByteView integ_key) {
    auto out = std::unique_ptr<MacSealer>(new MacSealer(info, integ));
    const std::size_t key_size = info.key_size(bits);
    std::ranges::copy(key.subspan(key_size), out->counter_block_.begin());
    if (info.id != EncrId::null) {
      const EVP_CIPHER* cipher = cipher_of(info.id, bits);
      for (const bool encrypt : {true, false}) {
        CipherContext& context = encrypt ? out->encrypt_ : out->decrypt_;
        context.reset(EVP_CIPHER_CTX_new());
        if (!context || cipher == nullptr ||
            EVP_CipherInit_ex(context.get(), cipher, nullptr, key.data(), nullptr, encrypt) != 1 ||
            EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1) {
          return openssl_error("set up " + std::string{info.name});
        }
      }
    }
    CYG_TRY(out->mac_, hmac_context(integ.prf, integ_key));
    return out;
  }

  std::size_t iv_size() const override { return info_.iv_size; }
  std::size_t icv_size() const override { return integ_.icv_size; }
  std::size_t block_size() const override { return info_.id == EncrId::aes_cbc ? 16 : 1; }
  bool random_iv() const override { return info_.id == EncrId::aes_cbc; }

  Result<void> seal(ByteView associated, ByteView iv, MutableBytes text, MutableBytes icv,
                    ByteView extra) override {
    if (!crypt(encrypt_, iv, text, true)) return openssl_error("seal");
    std::array<std::uint8_t, 64> mac{};
    if (icv.size() != integ_.icv_size || !compute(mac, {associated, iv, text, extra})) {
      return openssl_error("seal: HMAC");
    }
    std::copy_n(mac.begin(), icv.size(), icv.begin());
    return {};
  }

  bool open(ByteView associated, ByteView iv, MutableBytes text, ByteView icv,
            ByteView extra) override {
    std::array<std::uint8_t, 64> mac{};
    if (icv.size() != integ_.icv_size || !compute(mac, {associated, iv, text, extra})) return false;
    if (!equal_constant_time(ByteView{mac}.first(icv.size()), icv)) return false;
    return crypt(decrypt_, iv, text, false);
  }

 private:
  MacSealer(const EncrInfo& info, const IntegInfo& integ) : info_(info), integ_(integ) {}

  bool crypt(const CipherContext& context, ByteView iv, MutableBytes text, bool encrypt) {
    if (iv.size() != info_.iv_size) return false;
    if (info_.id == EncrId::null || text.empty()) return true;
    const std::uint8_t* start = iv.data();
    if (info_.id == EncrId::aes_ctr) {
      // RFC 3686 §4: nonce, IV, then a block counter that starts at one.
      std::ranges::copy(iv, counter_block_.begin() + 4);
      std::fill_n(counter_block_.begin() + 12, 3, std::uint8_t{0});
      counter_block_[15] = 1;
      start = counter_block_.data();
    }
    int size = 0;
    return EVP_CipherInit_ex(context.get(), nullptr, nullptr, nullptr, start, encrypt) == 1 &&
           EVP_CipherUpdate(context.get(), text.data(), &size, text.data(), size_of(text.size())) ==
               1;
  }

  bool compute(std::array<std::uint8_t, 64>& out, std::initializer_list<ByteView> parts) {
    std::size_t size = 0;
    if (EVP_MAC_init(mac_.get(), nullptr, 0, nullptr) != 1) return false;
    for (const ByteView part : parts) {
      if (!part.empty() && EVP_MAC_update(mac_.get(), part.data(), part.size()) != 1) return false;
    }
    return EVP_MAC_final(mac_.get(), out.data(), &size, out.size()) == 1;
  }

  const EncrInfo& info_;
  const IntegInfo& integ_;
  std::array<std::uint8_t, 16> counter_block_{};
  CipherContext encrypt_;
  CipherContext decrypt_;
  MacContext mac_;
};

}  // namespace

Result<std::unique_ptr<Sealer>> make_sealer(EncrId encr, std::uint16_t key_bits, ByteView key,
                                            IntegId integ, ByteView integ_key) {
  const EncrInfo* info = find(encr);
  if (info == nullptr || encr == EncrId::des3_cbc || !info->allows(key_bits)) {
    return fail("cipher " + to_string(encr), "not available with this key length");
  }
  if (key.size() != info->key_size(key_bits) + info->salt_size) {
    return fail("cipher " + to_string(encr), "a key of the wrong size");
  }
  if (info->aead) return AeadSealer::make(*info, key_bits, key);
  const IntegInfo* mac = find(integ);
  if (mac == nullptr || integ_key.size() != mac->key_size) {
    return fail("integrity " + to_string(integ), "not available, or a key of the wrong size");
  }
  return MacSealer::make(*info, key_bits, key, *mac, integ_key);
}

}  // namespace cygnet::crypto
