// Bounded hand-over between threads.
#include "io/queue.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "io/tun.hpp"

namespace cygnet::io {
namespace {

bool is_readable(int fd) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, 0) == 1;
}

TEST(BoundedQueue, AtItsLimit_RefusesAndCounts) {
  BoundedQueue<int> queue{2};
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.dropped(), 1u);
  EXPECT_EQ(queue.take(), (std::vector{1, 2}));
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.push(4));
}

TEST(BoundedQueue, TwoThreads_LoseNothing) {
  constexpr int kCount = 20000;
  BoundedQueue<int> queue{kCount};
  std::thread producer{[&] {
    for (int i = 0; i < kCount; ++i) EXPECT_TRUE(queue.push(i));
  }};
  std::vector<int> got;
  while (got.size() < kCount) {
    for (const int value : queue.take()) got.push_back(value);
  }
  producer.join();
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], i);
}

TEST(EventFd, SignalAndClear) {
  const auto event = EventFd::open();
  ASSERT_TRUE(event.has_value());
  EXPECT_FALSE(is_readable(event->fd()));
  event->signal();
  event->signal();
  EXPECT_TRUE(is_readable(event->fd()));
  event->clear();
  EXPECT_FALSE(is_readable(event->fd()));
  event->clear();
}

TEST(UniqueFd, MoveAndRelease_CloseExactlyOnce) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  UniqueFd reader{ends[0]};
  {
    UniqueFd writer{ends[1]};
    UniqueFd moved = std::move(writer);
    EXPECT_FALSE(writer);
    EXPECT_FALSE(is_readable(ends[0]));
  }
  pollfd wait{ends[0], POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 1);
  EXPECT_TRUE((wait.revents & POLLHUP) != 0);
  const int raw = reader.release();
  EXPECT_FALSE(reader);
  EXPECT_EQ(::close(raw), 0);
}

TEST(Tun, BadOptions_AreRefused) {
  EXPECT_FALSE(Tun::open({.name = ""}).has_value());
  EXPECT_FALSE(Tun::open({.name = "sixteen-octets-x"}).has_value());
  EXPECT_FALSE(Tun::open({.mtu = 1279}).has_value());
  EXPECT_FALSE(Tun::open({.mtu = 65001}).has_value());
  EXPECT_FALSE(Tun::open({.queues = 0}).has_value());
  EXPECT_FALSE(Tun::open({.queues = 65}).has_value());
}

}  // namespace
}  // namespace cygnet::io
