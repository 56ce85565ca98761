// The anti-replay window against a model that simply remembers everything.
#include "esp/replay.hpp"

#include <gtest/gtest.h>

#include <set>

#include "toys/rng.hpp"

namespace cygnet::esp {
namespace {

using Verdict = ReplayWindow::Verdict;

// What RFC 4303 §3.4.3 says, in the slowest way.
class NaiveWindow {
 public:
  explicit NaiveWindow(std::uint64_t size) : size_(size) {}
  bool accept(std::uint64_t sequence) {
    if (sequence == 0 || sequence + size_ <= top_ || seen_.contains(sequence)) return false;
    seen_.insert(sequence);
    top_ = std::max(top_, sequence);
    return true;
  }
  std::uint64_t top() const { return top_; }

 private:
  std::uint64_t size_;
  std::uint64_t top_ = 0;
  std::set<std::uint64_t> seen_;
};

// RFC 6479. Random walks with duplicates, small and large steps, for windows of every kind: word
// sizes, odd sizes, one packet, the largest.
TEST(ReplayWindow, RandomSequences_AgreeWithTheNaiveModel) {
  for (const std::uint32_t size : {1U, 2U, 31U, 32U, 63U, 64U, 65U, 100U, 128U, 1000U, 4096U}) {
    test::SeededRng rng{size};
    ReplayWindow window{size, false};
    NaiveWindow naive{size};
    for (int i = 0; i < 20000; ++i) {
      const std::uint64_t top = naive.top();
      const std::uint64_t ahead = rng.below(10) == 0 ? rng.below(3 * size + 200) : rng.below(4);
      const std::uint64_t behind = rng.below(size + 70);
      std::uint64_t sequence = rng.below(2) == 0 ? top + ahead : top - std::min(top, behind);
      sequence = std::min<std::uint64_t>(sequence, 0xffffffff);
      const bool fresh = window.fresh(sequence);
      const Verdict verdict = window.accept(sequence);
      const bool newest = sequence > top;
      ASSERT_EQ(verdict != Verdict::replayed, naive.accept(sequence))
          << "size " << size << " sequence " << sequence << " top " << top;
      ASSERT_EQ(fresh, verdict != Verdict::replayed);
      ASSERT_EQ(verdict == Verdict::newest, fresh && newest);
    }
  }
}

// RFC 4303 App. A: only 32 bits travel; the receiver finds the rest near its window, also where
// the low half wraps. Every packet inside or less than 2^31 ahead of the window is recovered.
TEST(ReplayWindow, EsnAcrossTheWrap_RecoversTheHighHalf) {
  for (const std::uint32_t size : {32U, 128U, 4096U}) {
    test::SeededRng rng{size};
    ReplayWindow window{size, true};
    NaiveWindow naive{size};
    // Walk to just before the first wrap in strides below 2^31.
    for (std::uint64_t at = 1; at < 0xffff0000; at += 0x3fffffff) {
      ASSERT_EQ(window.expand(static_cast<std::uint32_t>(at)), at);
      ASSERT_EQ(window.accept(at), Verdict::newest);
      ASSERT_TRUE(naive.accept(at));
    }
    ASSERT_EQ(window.accept(0xfffff000), Verdict::newest);
    ASSERT_TRUE(naive.accept(0xfffff000));
    for (int i = 0; i < 20000; ++i) {
      const std::uint64_t top = naive.top();
      const std::uint64_t sequence =
          rng.below(2) == 0 ? top + rng.below(100) : top - rng.below(size);
      ASSERT_EQ(window.expand(static_cast<std::uint32_t>(sequence)), sequence) << "top " << top;
      ASSERT_EQ(window.accept(sequence) != Verdict::replayed, naive.accept(sequence));
    }
    EXPECT_GT(window.top(), 0x100000000U);
  }
}

// RFC 4303 §A2.2 case B before the first wrap: there is no subspace before the first.
TEST(ReplayWindow, EsnBelowTheFirstSubspace_IsNothing) {
  ReplayWindow window{128, true};
  EXPECT_EQ(window.expand(5), 5u);
  EXPECT_EQ(window.expand(0xfffffff0), std::nullopt);
}

TEST(ReplayWindow, EsnAfterTheLastSubspace_IsNothing) {
  ReplayWindow window{128, true};
  ASSERT_EQ(window.accept(0xffffffff00001000), Verdict::newest);
  EXPECT_EQ(window.expand(0x00000fff), 0xffffffff00000fffU);
  EXPECT_EQ(window.expand(0x00000001), std::nullopt);
}

TEST(ReplayWindow, SizeZero_AcceptsEverythingAndStillKnowsTheNewest) {
  ReplayWindow window{0, false};
  EXPECT_EQ(window.accept(5), Verdict::newest);
  EXPECT_EQ(window.accept(5), Verdict::accepted);
  EXPECT_EQ(window.accept(1), Verdict::accepted);
  EXPECT_EQ(window.accept(0), Verdict::accepted);
  EXPECT_EQ(window.top(), 5u);
}

// With ESN there must be some inference even when the check is off: the nearest number.
TEST(ReplayWindow, SizeZeroWithEsn_TakesTheNearest) {
  ReplayWindow window{0, true};
  ASSERT_EQ(window.accept(0xfffffff0), Verdict::newest);
  EXPECT_EQ(window.expand(0xffffffff), 0xffffffffU);
  EXPECT_EQ(window.expand(3), 0x100000003U);
  ASSERT_EQ(window.accept(0x100000003), Verdict::newest);
  EXPECT_EQ(window.expand(0xfffffff1), 0xfffffff1U);
}

// RFC 4303 §3.3.3: the first packet has number 1.
TEST(ReplayWindow, NumberZero_IsNeverFresh) {
  ReplayWindow window{64, false};
  EXPECT_FALSE(window.fresh(0));
  EXPECT_EQ(window.accept(0), Verdict::replayed);
}

}  // namespace
}  // namespace cygnet::esp
