// One child at run time.                                        RFC 4301 §4.4.2, RFC 4303 §2
#include "esp/child.hpp"

#include <algorithm>

namespace cygnet::esp {
namespace {

constexpr std::size_t kEspHeader = 8;   // SPI and sequence number
constexpr std::size_t kEspTrailer = 2;  // pad length and next header
constexpr std::size_t kUdpHeader = 8;

std::size_t round_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

std::size_t fixed_size(const SaShape& shape, IpFamily outer, bool udp) {
  return (outer == IpFamily::v4 ? 20U : 40U) + (udp ? kUdpHeader : 0) + kEspHeader + shape.iv +
         shape.icv;
}

}  // namespace

std::size_t SaShape::esp_size(std::size_t inner) const {
  return kEspHeader + iv + round_up(inner + kEspTrailer, align) + icv;
}

std::size_t SaShape::outer_size(std::size_t inner, IpFamily outer, bool udp) const {
  return fixed_size(*this, outer, udp) + round_up(inner + kEspTrailer, align);
}

std::size_t SaShape::inner_max(std::size_t mtu, IpFamily outer, bool udp) const {
  const std::size_t fixed = fixed_size(*this, outer, udp);
  if (mtu < fixed + align) return 0;
  return (mtu - fixed) / align * align - kEspTrailer;
}

Result<SaKeys> SaKeys::make(const crypto::Provider& provider, const model::SaSpec& spec,
                            std::size_t workers) {
  const EncrInfo* cipher = find(spec.encr);
  if (cipher == nullptr) return fail("install SA", "unknown cipher");
  if (!cipher->aead && spec.integ == IntegId::none) {
    return fail("install SA", "encryption without integrity protection is refused (RFC 8221 §5)");
  }
  if (spec.spi.value() < 256) return fail("install SA", "SPIs below 256 are reserved");
  SaKeys out{.spi = spec.spi, .esn = spec.esn};
  for (std::size_t i = 0; i < workers; ++i) {
    CYG_TRY(auto sealer, provider.sealer(spec.encr, spec.key_bits, spec.encr_key.reveal(),
                                         spec.integ, spec.integ_key.reveal()));
    out.sealers.push_back(std::move(sealer));
  }
  const crypto::Sealer& first = *out.sealers.front();
  out.shape = {.iv = first.iv_size(),
               .icv = first.icv_size(),
               .align = std::max<std::size_t>(4, first.block_size()),
               .block = first.block_size(),
               .random_iv = first.random_iv(),
               .aead = cipher->aead};
  return out;
}

Child::Child(const model::ChildSpec& spec)
    : id(spec.id),
      name(spec.name),
      action(spec.action),
      local_ts(spec.local_ts),
      remote_ts(spec.remote_ts),
      lifetime(spec.lifetime),
      udp_encap(spec.udp_encap),
      copy_df(spec.copy_df),
      copy_ecn(spec.copy_ecn),
      copy_dscp(spec.copy_dscp) {}

}  // namespace cygnet::esp
