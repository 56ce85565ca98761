#include "ike/cookie.hpp"

#include "base/writer.hpp"

namespace cygnet::ike {
namespace {

constexpr Duration kSecretLife = std::chrono::minutes{2};

Bytes cookie_of(const crypto::Provider& crypto, std::uint32_t version, const Secret& secret,
                ByteView nonce, const Endpoint& remote, IkeSpi spi_i) {
  Writer input;
  input.put(nonce);
  input.put(remote.address.bytes());
  input.be(remote.port);
  input.be(spi_i);
  Writer out;
  out.be(version);
  if (const auto mac = crypto.prf(PrfId::hmac_sha2_256, secret.reveal(), {input.view()})) {
    out.put(mac->reveal());
  }
  return out.take();
}

}  // namespace

void CookieJar::rotate(Rng& rng, Instant now) {
  if (!current_.secret.empty() && now < rotate_at_) return;
  previous_ = std::move(current_);
  current_ = Key{.version = rng.u32(), .secret = Secret{32}};
  rng.fill(current_.secret.fill());
  rotate_at_ = now + kSecretLife;
}

Bytes CookieJar::make(const crypto::Provider& crypto, Rng& rng, Instant now, ByteView nonce,
                      const Endpoint& remote, IkeSpi spi_i) {
  rotate(rng, now);
  return cookie_of(crypto, current_.version, current_.secret, nonce, remote, spi_i);
}

bool CookieJar::check(const crypto::Provider& crypto, Rng& rng, Instant now, ByteView cookie,
                      ByteView nonce, const Endpoint& remote, IkeSpi spi_i) {
  rotate(rng, now);
  for (const Key* key : {&current_, &previous_}) {
    if (key->secret.empty()) continue;
    const Bytes expected = cookie_of(crypto, key->version, key->secret, nonce, remote, spi_i);
    if (crypto::equal_constant_time(cookie, expected)) return true;
  }
  return false;
}

}  // namespace cygnet::ike
