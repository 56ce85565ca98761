// What is seen of a datagram before any IKE_SA is looked for.      RFC 7296 §2.6, §3.1
#include "ike/engine.hpp"

#include <gtest/gtest.h>

#include "wire/message.hpp"

namespace cygnet::ike {
namespace {

Bytes datagram(ExchangeType exchange, bool response) {
  return wire::write_message({.spi_i = IkeSpi{1}, .exchange = exchange, .response = response}, {});
}

TEST(OpensIkeSa, OnlyARequestOfIkeSaInit) {
  EXPECT_TRUE(opens_ike_sa(datagram(ExchangeType::ike_sa_init, false)));
  EXPECT_FALSE(opens_ike_sa(datagram(ExchangeType::ike_sa_init, true)));
  for (const ExchangeType other :
       {ExchangeType::ike_auth, ExchangeType::create_child_sa, ExchangeType::informational}) {
    EXPECT_FALSE(opens_ike_sa(datagram(other, false)));
    EXPECT_FALSE(opens_ike_sa(datagram(other, true)));
  }
}

TEST(OpensIkeSa, NotWhatIsNoMessage) {
  Bytes cut = datagram(ExchangeType::ike_sa_init, false);
  cut.pop_back();
  EXPECT_FALSE(opens_ike_sa(cut));
  EXPECT_FALSE(opens_ike_sa({}));
}

}  // namespace
}  // namespace cygnet::ike
