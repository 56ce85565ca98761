// ike/seal.cpp with IVs that can be broken; the linker takes this one.
#include "sim/breakage/broken.hpp"

#define seal_message honest_seal_message
#include "ike/seal.cpp"  // NOLINT(bugprone-suspicious-include)
#undef seal_message

namespace cygnet::ike {

Result<std::vector<Bytes>> seal_message(const crypto::Provider& crypto, Rng& rng, SkKeys& keys,
                                        const wire::Header& header,
                                        const std::vector<wire::Payload>& payloads,
                                        FragmentRule rule);

Result<std::vector<Bytes>> seal_message(const crypto::Provider& crypto, Rng& rng, SkKeys& keys,
                                        const wire::Header& header,
                                        const std::vector<wire::Payload>& payloads,
                                        FragmentRule rule) {
  const auto before = keys.sealed_count;
  auto out = honest_seal_message(crypto, rng, keys, header, payloads, rule);
  if (sim::broken() == sim::Rule::ike_ivs) keys.sealed_count = before;
  return out;
}

}  // namespace cygnet::ike
