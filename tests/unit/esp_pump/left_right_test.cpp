// Readers never see a half-applied change, and a write waits for them.
#include "esp/pump/left_right.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace cygnet::esp::pump {
namespace {

// Both numbers always change together.
struct Twins {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  const std::atomic<bool>* alive = nullptr;
};

TEST(LeftRight, ConcurrentReaders_SeeWholeStatesThatNeverGoBack) {
  constexpr std::size_t kReaders = 2;
  LeftRight<Twins> value{kReaders};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint64_t> reads{0};
  std::vector<std::thread> readers;
  for (std::size_t i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, i] {
      std::uint64_t last = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        std::this_thread::yield();  // as a worker that waits for packets leaves the processor
        const LeftRight<Twins>::Reading reading{value, i};
        const Twins& twins = *reading;
        if (twins.first != twins.second || twins.first < last) torn.fetch_add(1);
        if (twins.alive != nullptr && !twins.alive->load()) torn.fetch_add(1);
        last = twins.first;
        reads.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  while (reads.load() == 0) std::this_thread::yield();
  auto alive = std::make_unique<std::atomic<bool>>(true);
  for (std::uint64_t i = 1; i <= 2000; ++i) {
    auto next = std::make_unique<std::atomic<bool>>(true);
    value.write([&](Twins& twins) { twins = {i, i, next.get()}; });
    alive->store(false);  // what was replaced may be destroyed now
    alive = std::move(next);
  }
  while (reads.load() < 1000) std::this_thread::yield();
  stop.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn.load(), 0u);
  EXPECT_EQ(value.current().first, 2000u);
}

}  // namespace
}  // namespace cygnet::esp::pump
