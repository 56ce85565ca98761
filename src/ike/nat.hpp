// NAT detection hashes.                                           RFC 7296 §2.23
#pragma once

#include "base/ip.hpp"
#include "base/rng.hpp"
#include "base/strong.hpp"
#include "crypto/provider.hpp"
#include "wire/message.hpp"

namespace cygnet::ike {

/// SHA1(SPIi | SPIr | IP | Port).
[[nodiscard]] Bytes nat_hash(const crypto::Provider& crypto, IkeSpi spi_i, IkeSpi spi_r,
                             const Endpoint& endpoint);

/// The two notifies for a message sent from `local` to `remote`. `force` makes the source hash
/// match nothing, so that both ends believe in a NAT and encapsulate ESP in UDP.
[[nodiscard]] std::vector<wire::Payload> nat_notifies(const crypto::Provider& crypto, Rng& rng,
                                                      const wire::Header& header,
                                                      const Endpoint& local, const Endpoint& remote,
                                                      bool force);

struct NatVerdict {
  bool supported = false;  ///< the peer sent the notifies
  bool local = false;      ///< we are behind a NAT (or the peer pretends so)
  bool remote = false;     ///< the peer is (or pretends to be)
};
/// Judges a received message's notifies by the addresses it came with.
[[nodiscard]] NatVerdict judge_nat(const crypto::Provider& crypto, const wire::Header& header,
                                   const std::vector<wire::Payload>& payloads,
                                   const Endpoint& local, const Endpoint& remote);

}  // namespace cygnet::ike
