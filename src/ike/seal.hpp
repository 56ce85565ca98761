// The Encrypted payload and its fragments.                RFC 7296 §3.14, RFC 5282, RFC 7383
#pragma once

#include <vector>

#include "base/rng.hpp"
#include "ike/keys.hpp"
#include "wire/message.hpp"

namespace cygnet::ike {

/// How a message is cut up: not at all when `bytes_max` is zero.
struct FragmentRule {
  std::size_t bytes_max = 0;  ///< of the IKE datagram, without IP, UDP and marker
};

/// Seals `payloads` under a header with our keys; several datagrams when they must be fragments
/// (RFC 7383 §2.5). `sender_is_initiator` picks SK_ei or SK_er. Fails only if the library does or
/// the message cannot fit kFragmentsMax fragments.
[[nodiscard]] Result<std::vector<Bytes>> seal_message(const crypto::Provider& crypto, Rng& rng,
                                                      SkKeys& keys, const wire::Header& header,
                                                      const std::vector<wire::Payload>& payloads,
                                                      FragmentRule rule);

/// Opens what stands behind SK or SKF of a message sent under `header`. Nothing when its
/// integrity check or padding is wrong: such a datagram never happened.
[[nodiscard]] std::optional<Bytes> open_sealed(const crypto::Provider& crypto, const SkKeys& keys,
                                               const wire::Header& header,
                                               const wire::Sealed& sealed);

}  // namespace cygnet::ike
