// Stateless cookies against spoofed initiators.                   RFC 7296 §2.6
#pragma once

#include "base/ip.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "crypto/provider.hpp"

namespace cygnet::ike {

/// Makes and checks cookies: <version of the secret | prf(secret, Ni | IPi | port | SPIi)>. The
/// secret changes every two minutes; the one before it is still accepted.
class CookieJar {
 public:
  [[nodiscard]] Bytes make(const crypto::Provider& crypto, Rng& rng, Instant now, ByteView nonce,
                           const Endpoint& remote, IkeSpi spi_i);
  [[nodiscard]] bool check(const crypto::Provider& crypto, Rng& rng, Instant now, ByteView cookie,
                           ByteView nonce, const Endpoint& remote, IkeSpi spi_i);

 private:
  void rotate(Rng& rng, Instant now);

  struct Key {
    std::uint32_t version = 0;
    Secret secret;
  };
  Key current_;
  Key previous_;
  Instant rotate_at_;
};

}  // namespace cygnet::ike
