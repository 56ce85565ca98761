// Cookies are good for whom and what they were made for, and not for long. RFC 7296 §2.6
#include "ike/cookie.hpp"

#include <gtest/gtest.h>

#include "toys/rng.hpp"

namespace cygnet::test {
namespace {

using std::chrono::seconds;

struct Jar {
  SeededRng rng{1};
  ike::CookieJar jar;
  Instant start{std::chrono::hours{1}};
  Bytes nonce = Bytes(32, 7);
  Endpoint remote{.address = IpAddress::v4(0xc0000201), .port = 500};
  IkeSpi spi{42};

  Bytes make() { return jar.make(crypto::openssl(), rng, start, nonce, remote, spi); }
  bool check(const Bytes& cookie, Duration later = Duration{0}) {
    return jar.check(crypto::openssl(), rng, start + later, cookie, nonce, remote, spi);
  }
};

TEST(Cookie, IsGoodForTheSameRequest) {
  Jar jar;
  EXPECT_TRUE(jar.check(jar.make()));
}

TEST(Cookie, OneBitWrong_IsRefused) {
  Jar jar;
  const Bytes good = jar.make();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(jar.check(bad)) << bit;
  }
  EXPECT_FALSE(jar.check({}));
  EXPECT_FALSE(jar.check(Bytes{good.begin(), good.end() - 1}));
}

TEST(Cookie, BindsNonceAddressPortAndSpi) {
  const auto refused = [](auto&& change) {
    Jar jar;
    const Bytes cookie = jar.make();
    change(jar);
    return !jar.check(cookie);
  };
  EXPECT_TRUE(refused([](Jar& jar) { jar.nonce[0] ^= 1; }));
  EXPECT_TRUE(refused([](Jar& jar) { jar.remote.address = IpAddress::v4(0xc0000202); }));
  EXPECT_TRUE(refused([](Jar& jar) { jar.remote.port = 501; }));
  EXPECT_TRUE(refused([](Jar& jar) { jar.spi = IkeSpi{43}; }));
}

// One change of the secret is survived, the second is not.
TEST(Cookie, OutlivesOneSecret) {
  Jar jar;
  const Bytes cookie = jar.make();
  EXPECT_TRUE(jar.check(cookie, seconds{119}));
  EXPECT_TRUE(jar.check(cookie, seconds{121}));
  EXPECT_FALSE(jar.check(cookie, seconds{242}));
}

}  // namespace
}  // namespace cygnet::test
