// A crypto provider for simulations: a thousand times faster than the real one, and deterministic.
// It protects nothing: whoever sees two public values knows the shared secret.
#pragma once

#include "crypto/provider.hpp"

namespace cygnet::test {

/// Knows AES-GCM-16 with 128 or 256 bits, PRF_HMAC_SHA2_256 and the groups ECP-256 and Curve25519,
/// by name only.
[[nodiscard]] const crypto::Provider& toy_crypto();
/// Starts the ephemeral keys of this thread anew.
void seed_toy_crypto(std::uint64_t seed);

}  // namespace cygnet::test
