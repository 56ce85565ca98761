// Asio is used here only; what it throws ends here.
#include "daemon/loop.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <asio.hpp>
#include <cerrno>
#include <ctime>
#include <map>

namespace cygnet::daemon {

Instant clock_now() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return {std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

struct Loop::Impl {
  /// A descriptor that Asio waits on but does not own.
  struct Watched {
    Watched(asio::io_context& context, int fd) : descriptor(context, fd) {}
    ~Watched() { descriptor.release(); }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    asio::posix::stream_descriptor descriptor;
    Callback readable;
  };

  Impl() : signals(context), resolver(context), timer(context) {}

  void wait_readable(int fd, const std::shared_ptr<Watched>& watched) {
    watched->descriptor.async_wait(
        asio::posix::stream_descriptor::wait_read,
        [this, fd, weak = std::weak_ptr{watched}](const asio::error_code& error) {
          const auto alive = weak.lock();
          if (error || !alive) return;  // forgotten meanwhile
          alive->readable();
          if (const auto at = all.find(fd); at != all.end() && at->second == alive) {
            wait_readable(fd, alive);
          }
        });
  }
  void wait_signal(const std::function<void(int)>& raised) {
    signals.async_wait([this, raised](const asio::error_code& error, int signal) {
      if (error) return;
      raised(signal);
      wait_signal(raised);
    });
  }
  void wait_timer(const Callback& due) {
    timer.async_wait(asio::posix::stream_descriptor::wait_read,
                     [this, &due](const asio::error_code& error) {
                       if (error) return;
                       std::uint64_t expirations = 0;
                       // EAGAIN: the timer was set anew since; there is nothing to do then.
                       if (::read(timer.native_handle(), &expirations, sizeof expirations) > 0) {
                         due();
                       }
                       wait_timer(due);
                     });
  }

  asio::io_context context{1};
  asio::signal_set signals;
  asio::ip::udp::resolver resolver;
  asio::posix::stream_descriptor timer;
  // shared_ptr (docs/adr/0003): Asio's handlers may run after forget() and must find out.
  std::map<int, std::shared_ptr<Watched>> all;
};

Loop::Loop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Loop::~Loop() = default;

Result<std::unique_ptr<Loop>> Loop::make() {
  try {
    auto impl = std::make_unique<Impl>();
    const int timer = ::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer < 0) return std::unexpected(errno_error("make a timer"));
    impl->timer.assign(timer);
    std::unique_ptr<Loop> out{new Loop{std::move(impl)}};
    out->impl_->wait_timer(out->due_);
    return out;
  } catch (const std::exception& error) {
    return fail("make the event loop", error.what());
  }
}

Result<void> Loop::watch(int fd, Callback readable) {
  try {
    auto watched = std::make_shared<Impl::Watched>(impl_->context, fd);
    watched->readable = std::move(readable);
    impl_->all[fd] = watched;
    impl_->wait_readable(fd, watched);
    return {};
  } catch (const std::exception& error) {
    return fail("watch a descriptor", error.what());
  }
}

void Loop::when_writable(int fd, Callback writable) {
  const auto at = impl_->all.find(fd);
  if (at == impl_->all.end()) return;
  at->second->descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                                    [weak = std::weak_ptr{at->second},
                                     call = std::move(writable)](const asio::error_code& error) {
                                      if (!error && !weak.expired()) call();
                                    });
}

void Loop::forget(int fd) { impl_->all.erase(fd); }

Result<void> Loop::set_timer(std::optional<Instant> at) {
  itimerspec spec{};
  if (at) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at->since_start);
    spec.it_value.tv_sec = static_cast<time_t>(seconds.count());
    spec.it_value.tv_nsec = static_cast<long>((at->since_start - seconds).count());
    // All zero would switch the timer off.
    if (spec.it_value.tv_sec <= 0 && spec.it_value.tv_nsec <= 0) spec.it_value.tv_nsec = 1;
  }
  if (::timerfd_settime(impl_->timer.native_handle(), TFD_TIMER_ABSTIME, &spec, nullptr) != 0) {
    return std::unexpected(errno_error("set the timer"));
  }
  return {};
}

Result<void> Loop::on_signals(std::initializer_list<int> signals, std::function<void(int)> raised) {
  try {
    for (const int signal : signals) impl_->signals.add(signal);
    impl_->wait_signal(raised);
    return {};
  } catch (const std::exception& error) {
    return fail("catch signals", error.what());
  }
}

void Loop::resolve(const std::string& host, Resolved done) {
  impl_->resolver.async_resolve(
      host, "", [host, done = std::move(done)](const asio::error_code& error, const auto& found) {
        if (error) return done(fail("look up '" + host + "'", error.message()));
        std::vector<IpAddress> out;
        for (const auto& entry : found) {
          const auto address = IpAddress::parse(entry.endpoint().address().to_string());
          if (address) out.push_back(*address);
        }
        if (out.empty()) return done(fail("look up '" + host + "'", "it has no address"));
        done(std::move(out));
      });
}

Result<void> Loop::run() {
  try {
    impl_->context.run();
    return {};
  } catch (const std::exception& error) {
    return fail("event loop", error.what());
  }
}

void Loop::stop() { impl_->context.stop(); }

}  // namespace cygnet::daemon
