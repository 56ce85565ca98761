#include "toys/toy_crypto.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "toys/rng.hpp"

namespace cygnet::test {
namespace {

constexpr std::size_t kValueSize = 32;
constexpr std::size_t kIvSize = 8;
constexpr std::size_t kIcvSize = 16;

thread_local SeededRng ephemeral{0};

/// Stirs octets into 256 bits. Good enough that nothing collides by chance.
class Mixer {
 public:
  void add(ByteView bytes) {
    length_ += bytes.size();
    while (!bytes.empty()) {
      std::uint64_t word = 0;
      const std::size_t size = std::min<std::size_t>(8, bytes.size());
      std::memcpy(&word, bytes.data(), size);
      stir(word ^ (std::uint64_t{size} << 61));
      bytes = bytes.subspan(size);
    }
    stir(0x9ddfea08eb382d69 ^ length_);
  }
  [[nodiscard]] std::array<std::uint8_t, kValueSize> value() {
    std::array<std::uint8_t, kValueSize> out{};
    for (int round = 0; round < 4; ++round) stir(static_cast<std::uint64_t>(round));
    std::memcpy(out.data(), state_.data(), out.size());
    return out;
  }

 private:
  void stir(std::uint64_t word) {
    state_[0] = (state_[0] ^ word) * 0x9e3779b97f4a7c15;
    state_[1] = (state_[1] + (state_[0] ^ (state_[0] >> 29))) * 0xbf58476d1ce4e5b9;
    state_[2] = (state_[2] ^ state_[1] ^ (state_[1] >> 32)) * 0x94d049bb133111eb;
    state_[3] = (state_[3] + state_[2] + (state_[2] >> 31)) * 0xd6e8feb86659fd93;
    state_[0] ^= state_[3] >> 28;
  }
  std::array<std::uint64_t, 4> state_{0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                      0xa54ff53a5f1d36f1};
  std::uint64_t length_ = 0;
};

class ToySealer final : public crypto::Sealer {
 public:
  explicit ToySealer(ByteView key) : key_(to_bytes(key)) {}
  std::size_t iv_size() const override { return kIvSize; }
  std::size_t icv_size() const override { return kIcvSize; }
  std::size_t block_size() const override { return 1; }
  bool random_iv() const override { return false; }

  Result<void> seal(ByteView associated, ByteView iv, MutableBytes text, MutableBytes icv,
                    ByteView extra) override {
    flip(iv, text);
    const auto tag = tag_of(associated, iv, text, extra);
    std::copy_n(tag.begin(), icv.size(), icv.begin());
    return {};
  }
  bool open(ByteView associated, ByteView iv, MutableBytes text, ByteView icv,
            ByteView extra) override {
    const auto tag = tag_of(associated, iv, text, extra);
    if (icv.size() > tag.size() || !std::equal(icv.begin(), icv.end(), tag.begin())) return false;
    flip(iv, text);
    return true;
  }

 private:
  std::array<std::uint8_t, kValueSize> tag_of(ByteView associated, ByteView iv, ByteView text,
                                              ByteView extra) const {
    Mixer mixer;
    for (const ByteView part : {ByteView{key_}, associated, iv, text, extra}) mixer.add(part);
    return mixer.value();
  }
  void flip(ByteView iv, MutableBytes text) const {
    Mixer mixer;
    mixer.add(key_);
    mixer.add(iv);
    const auto stream = mixer.value();
    for (std::size_t i = 0; i < text.size(); ++i) text[i] ^= stream[i % stream.size()];
  }
  Bytes key_;
};

Bytes value_for(ByteView secret) {
  Bytes out = to_bytes(secret);
  for (std::uint8_t& byte : out) byte ^= 0x5c;
  return out;
}

Result<Secret> shared_of(ByteView ours, ByteView theirs) {
  if (theirs.size() != kValueSize) return fail("key exchange", "a public value of a wrong length");
  Secret out{kValueSize};
  const MutableBytes room = out.fill();
  for (std::size_t i = 0; i < kValueSize; ++i) {
    room[i] = static_cast<std::uint8_t>(ours[i] + theirs[i]);
  }
  return out;
}

class ToyExchange final : public crypto::KeyExchange {
 public:
  ToyExchange() : public_(value_for(ephemeral.bytes(kValueSize))) {}
  ByteView public_value() const override { return public_; }
  Result<Secret> finish(ByteView peer) override { return shared_of(public_, peer); }

 private:
  Bytes public_;
};

bool known(KeId group) { return group == KeId::ecp_256 || group == KeId::curve25519; }

Result<std::unique_ptr<crypto::KeyExchange>> begin(KeId group, Rng*) {
  if (!known(group)) return fail("key exchange", "a group the toy does not know");
  return std::make_unique<ToyExchange>();
}

Result<crypto::KeResponse> respond(KeId group, ByteView peer, Rng*) {
  CYG_TRY(const auto exchange, begin(group, nullptr));
  CYG_TRY(Secret shared, exchange->finish(peer));
  return crypto::KeResponse{.public_value = to_bytes(exchange->public_value()),
                            .shared = std::move(shared)};
}

Result<Secret> prf(PrfId, ByteView key, std::initializer_list<ByteView> data) {
  Mixer mixer;
  mixer.add(key);
  Bytes all;
  for (const ByteView part : data) append(all, part);
  mixer.add(all);
  const auto value = mixer.value();
  Secret out{value.size()};
  std::copy_n(value.begin(), value.size(), out.fill().begin());
  return out;
}

Result<std::unique_ptr<crypto::Sealer>> sealer(EncrId, std::uint16_t, ByteView key, IntegId,
                                               ByteView) {
  return std::make_unique<ToySealer>(key);
}

std::expected<void, crypto::SignatureFault> verify(ByteView, AuthMethod, ByteView, ByteView,
                                                   std::span<const HashId>) {
  return std::unexpected(crypto::SignatureFault::wrong);
}

Bytes hash(HashId, ByteView data) {
  Mixer mixer;
  mixer.add(data);
  const auto value = mixer.value();
  return {value.begin(), value.begin() + 20};
}

}  // namespace

const crypto::Provider& toy_crypto() {
  static constexpr EncrId kEncrs[] = {EncrId::aes_gcm_16};
  static constexpr PrfId kPrfs[] = {PrfId::hmac_sha2_256};
  static constexpr KeId kKes[] = {KeId::ecp_256, KeId::curve25519};
  static const crypto::Provider provider{.name = "toy",
                                         .encrs = kEncrs,
                                         .prfs = kPrfs,
                                         .integs = {},
                                         .kes = kKes,
                                         .sealer = sealer,
                                         .prf = prf,
                                         .begin = begin,
                                         .respond = respond,
                                         .verify = verify,
                                         .hash = hash};
  return provider;
}

void seed_toy_crypto(std::uint64_t seed) { ephemeral = SeededRng{seed}; }

}  // namespace cygnet::test
