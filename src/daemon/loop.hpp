// The control thread's loop: descriptors, one timer, signals, name look-ups. Asio inside.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "base/time.hpp"

namespace cygnet::daemon {

/// CLOCK_BOOTTIME: goes on while the machine sleeps, so that lifetimes and timeouts hold.
[[nodiscard]] Instant clock_now();
[[nodiscard]] WallTime wall_now();

/// Calls back from run() only, one callback at a time. Descriptors are borrowed.
class Loop {
 public:
  using Callback = std::function<void()>;

  [[nodiscard]] static Result<std::unique_ptr<Loop>> make();
  ~Loop();

  /// Calls back whenever `fd` is readable (or in error), until forget().
  [[nodiscard]] Result<void> watch(int fd, Callback readable);
  /// Calls back once when `fd` is writable.
  void when_writable(int fd, Callback writable);
  /// Before the descriptor is closed.
  void forget(int fd);

  /// Sets the one timer; nothing: switches it off.
  [[nodiscard]] Result<void> set_timer(std::optional<Instant> at);
  void on_timer(Callback due) { due_ = std::move(due); }
  [[nodiscard]] Result<void> on_signals(std::initializer_list<int> signals,
                                        std::function<void(int)> raised);

  using Resolved = std::function<void(Result<std::vector<IpAddress>>)>;
  /// Looks a host name up without blocking the loop; addresses in the resolver's order.
  void resolve(const std::string& host, Resolved done);

  /// Until stop().
  [[nodiscard]] Result<void> run();
  void stop();

 private:
  struct Impl;
  explicit Loop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  Callback due_;
};

}  // namespace cygnet::daemon
