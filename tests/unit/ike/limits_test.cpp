// What single parts of an IKE_SA hold at most.                    RFC 7296 §2.3, RFC 7383 §2.6
#include "ike/limits.hpp"

#include <gtest/gtest.h>

#include "ike/child_table.hpp"
#include "ike/window.hpp"

namespace cygnet::ike {
namespace {

wire::Sealed fragment(std::size_t number, std::size_t total) {
  return {.fragment = static_cast<std::uint16_t>(number),
          .total = static_cast<std::uint16_t>(total)};
}

TEST(Reassembly, FragmentsOfOneMessage_AreLimited) {
  Reassembly reassembly;
  for (std::size_t i = 1; i < kFragmentsMax; ++i) {
    EXPECT_FALSE(reassembly.add(fragment(i, kFragmentsMax), {1}));
  }
  const auto whole = reassembly.add(fragment(kFragmentsMax, kFragmentsMax), {1});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->text.size(), kFragmentsMax);
  EXPECT_TRUE(reassembly.pointless(fragment(1, kFragmentsMax + 1)));
  EXPECT_FALSE(reassembly.add(fragment(1, kFragmentsMax + 1), {1}));
}

TEST(Reassembly, OctetsOfOneMessage_AreLimited) {
  for (const std::size_t beyond : {0U, 1U}) {
    Reassembly reassembly;
    EXPECT_FALSE(reassembly.add(fragment(1, 2), Bytes(kReassemblyBytesMax - 1)));
    EXPECT_EQ(reassembly.add(fragment(2, 2), Bytes(1 + beyond)).has_value(), beyond == 0);
  }
}

TEST(ChildTable, ChildrenOfOneIkeSa_AreLimited) {
  ChildTable table;
  for (std::uint32_t i = 1; i <= kChildrenMax; ++i) {
    EXPECT_FALSE(table.full());
    table.add(Child{.id = model::ChildId{i}});
  }
  EXPECT_TRUE(table.full());
}

}  // namespace
}  // namespace cygnet::ike
