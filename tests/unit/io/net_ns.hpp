// Network namespaces inside one test process.                   network_namespaces(7)
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "io/unique_fd.hpp"

namespace cygnet::test {

/// A namespace of its own, held by a thread that does nothing else. It vanishes with all its
/// devices when this object, and every socket made in it, is gone.
class NetNs {
 public:
  NetNs() {
    std::unique_lock lock{mutex_};
    holder_ = std::thread{[this] { hold(); }};
    changed_.wait(lock, [&] { return ready_; });
  }
  ~NetNs() {
    {
      const std::lock_guard lock{mutex_};
      done_ = true;
    }
    changed_.notify_all();
    holder_.join();
  }
  NetNs(const NetNs&) = delete;
  NetNs& operator=(const NetNs&) = delete;

  /// False without the privilege to make namespaces.
  [[nodiscard]] bool ok() const { return static_cast<bool>(fd_); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// What `ip link ... netns` takes.
  [[nodiscard]] std::string id() const { return std::to_string(tid_); }
  /// Runs a shell command inside; true when it exits with 0.
  [[nodiscard]] bool run(const std::string& command) const;

 private:
  void hold() {
    std::unique_lock lock{mutex_};
    tid_ = ::gettid();
    if (::unshare(CLONE_NEWNET) == 0) {
      fd_ = io::UniqueFd{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
    }
    ready_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return done_; });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
  bool done_ = false;
  pid_t tid_ = 0;
  io::UniqueFd fd_;
  std::thread holder_;
};

/// The calling thread is inside the namespace while this lives.
class Inside {
 public:
  explicit Inside(const NetNs& ns)
      : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    ok_ = before_ && ::setns(ns.fd(), CLONE_NEWNET) == 0;
  }
  ~Inside() {
    if (ok_ && ::setns(before_.get(), CLONE_NEWNET) != 0) std::abort();
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  io::UniqueFd before_;
  bool ok_ = false;
};

inline bool NetNs::run(const std::string& command) const {
  const Inside inside{*this};
  return inside.ok() && std::system(command.c_str()) == 0;
}

}  // namespace cygnet::test
