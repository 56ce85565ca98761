// This host's addresses.
#include "io/addresses.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cygnet::io {
namespace {

TEST(OwnAddresses, HoldTheLoopback) {
  const auto own = own_addresses();
  ASSERT_TRUE(own.has_value());
  EXPECT_NE(std::ranges::find(*own, IpAddress::v4(0x7f000001)), own->end());
}

}  // namespace
}  // namespace cygnet::io
