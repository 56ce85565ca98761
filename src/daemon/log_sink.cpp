#include "daemon/log_sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <paths.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "io/unique_fd.hpp"

namespace cygnet::daemon {
namespace {

constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

std::string time_text(const timeval& now, const char* format) {
  std::tm local{};
  std::array<char, 32> text{};
  if (::localtime_r(&now.tv_sec, &local) == nullptr) return {};
  return {text.data(), std::strftime(text.data(), text.size(), format, &local)};
}

timeval now() {
  timeval out{};
  ::gettimeofday(&out, nullptr);
  return out;
}

/// English, whatever the locale: nobody has set one.
std::string syslog_time() { return time_text(now(), "%b %e %H:%M:%S"); }

/// "2026-11-26 20:00:00.123 notice: home[1]: ..."
std::string timed(const control::LogLine& line) {
  const timeval at = now();
  return fmt::format("{}.{:03} {}: {}\n", time_text(at, "%Y-%m-%d %H:%M:%S"), at.tv_usec / 1000,
                     to_string(line.level), line.text());
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(fd, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

/// systemd tells where stderr leads to, as device and inode; it may have been redirected since.
bool stderr_is_journal() {
  const char* told = std::getenv("JOURNAL_STREAM");
  struct stat info{};
  if (told == nullptr || ::fstat(STDERR_FILENO, &info) != 0) return false;
  return told == fmt::format("{}:{}", info.st_dev, info.st_ino);
}

bool journal_runs() { return ::access(kJournalSocket, W_OK) == 0; }

/// What is lost while nobody takes it, and how that is told afterwards.
class Losses {
 public:
  /// The line to tell first, if any was lost.
  [[nodiscard]] std::optional<control::LogLine> line() const {
    if (count_ == 0) return std::nullopt;
    return control::LogLine{.level = model::LogLevel::warning,
                            .group = model::LogGroup::dmn,
                            .sentence = fmt::format("{} lines of this log are lost", count_),
                            .event = "lost"};
  }
  void note(bool written) { count_ = written ? 0 : count_ + 1; }

 private:
  std::size_t count_ = 0;
};

class StderrSink final : public LogSink {
 public:
  explicit StderrSink(bool to_journal) : to_journal_(to_journal) {}
  void write(const control::LogLine& line) override {
    const auto lost = losses_.line();
    losses_.note(write_some((lost ? shown(*lost) : "") + shown(line)));
  }

 private:
  /// In pieces that a pipe takes at once when it says that it has room.
  bool write_some(std::string text) {
    if (broken_off_) text.insert(0, 1, '\n');
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::string_view piece = rest.substr(0, PIPE_BUF);
      if (!has_room() || !write_all(STDERR_FILENO, piece)) {
        broken_off_ = broken_off_ || rest.size() != text.size();
        return false;
      }
      rest.remove_prefix(piece.size());
    }
    broken_off_ = false;
    return true;
  }
  /// stderr is not ours alone: nobody else expects it not to wait, so it is asked before.
  static bool has_room() {
    pollfd one{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    return ::poll(&one, 1, 0) == 1 && (one.revents & POLLOUT) != 0;
  }
  /// The journal takes the priority from the prefix and adds the time itself.
  [[nodiscard]] std::string shown(const control::LogLine& line) const {
    if (!to_journal_) return timed(line);
    return fmt::format("<{}>{}\n", control::syslog_priority(line.level), line.text());
  }

  bool to_journal_;
  bool broken_off_ = false;  ///< the last line that was begun has no end
  Losses losses_;
};

/// A place that takes datagrams. Nothing here waits: the C library's syslog() and libsystemd's
/// sd_journal_sendv() do, and a collector that hangs would take every tunnel with it.
class DatagramSink : public LogSink {
 public:
  explicit DatagramSink(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    address_.sun_family = AF_UNIX;
    path.copy(address_.sun_path, sizeof address_.sun_path - 1);
  }
  void write(const control::LogLine& line) final {
    const auto lost = losses_.line();
    losses_.note((!lost || send(datagram(*lost))) && send(datagram(line)));
  }

 protected:
  [[nodiscard]] virtual std::string datagram(const control::LogLine& line) const = 0;

 private:
  /// Without a connection: the collector may start anew.
  bool send(const std::string& text) {
    return ::sendto(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL,
                    reinterpret_cast<const sockaddr*>(&address_), sizeof address_) >= 0;
  }

  io::UniqueFd socket_;
  sockaddr_un address_{};
  Losses losses_;
};

/// systemd's native protocol: a field a line. No value holds a line feed.
class JournalSink final : public DatagramSink {
 public:
  explicit JournalSink(std::string identifier)
      : DatagramSink(kJournalSocket), identifier_(std::move(identifier)) {}

 private:
  std::string datagram(const control::LogLine& line) const override {
    std::string out;
    for (const std::string& field : control::journal_fields(line, identifier_)) {
      out += field;
      out += '\n';
    }
    return out;
  }

  std::string identifier_;
};

struct Facility {
  std::string_view name;
  int number;
};
constexpr Facility kFacilities[] = {
    {"daemon", LOG_DAEMON}, {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV},
    {"user", LOG_USER},     {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}};

/// As syslog(3) writes to its socket: "<29>Nov 26 20:00:00 cygnetd[7]: ...".
class SyslogSink final : public DatagramSink {
 public:
  SyslogSink(int facility, std::string identifier)
      : DatagramSink(_PATH_LOG), facility_(facility), identifier_(std::move(identifier)) {}

 private:
  std::string datagram(const control::LogLine& line) const override {
    return fmt::format("<{}>{} {}[{}]: {}", facility_ | control::syslog_priority(line.level),
                       syslog_time(), identifier_, ::getpid(), line.text());
  }

  int facility_;
  std::string identifier_;
};

class FileSink final : public LogSink {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LogSink>> open(const LogTarget& target) {
    auto out = std::make_unique<FileSink>(target.name);
    CYG_TRY_DO(out->open(target.append ? 0 : O_TRUNC));
    return out;
  }
  explicit FileSink(std::string path) : path_(std::move(path)) {}

  void write(const control::LogLine& line) override {
    const auto lost = losses_.line();
    losses_.note(write_all(fd_.get(), (lost ? timed(*lost) : "") + timed(line)));
  }
  Result<void> reopen() override { return open(0); }

 private:
  Result<void> open(int flags) {
    // Names of peers are nobody else's business.
    constexpr mode_t kMode = 0640;
    // O_NONBLOCK: a pipe that nobody reads must not hold the daemon up.
    io::UniqueFd fd{
        ::open(path_.c_str(),
               O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags, kMode)};
    if (!fd) return std::unexpected(errno_error("open the log " + path_));
    fd_ = std::move(fd);
    return {};
  }

  std::string path_;
  io::UniqueFd fd_;
  Losses losses_;
};

Result<std::unique_ptr<LogSink>> open_syslog(const LogTarget& target,
                                             const std::string& identifier) {
  const auto* const at = std::ranges::find(kFacilities, target.name, &Facility::name);
  if (at == std::end(kFacilities)) {
    return fail("log to syslog", "'" + target.name + "' is no facility");
  }
  return std::make_unique<SyslogSink>(at->number, identifier);
}

}  // namespace

Result<std::unique_ptr<LogSink>> open_sink(const LogTarget& target, const std::string& identifier) {
  switch (target.kind) {
    case LogTarget::Kind::standard:
      if (stderr_is_journal() && journal_runs()) return std::make_unique<JournalSink>(identifier);
      return std::make_unique<StderrSink>(stderr_is_journal());
    case LogTarget::Kind::stderr_text:
      return std::make_unique<StderrSink>(stderr_is_journal());
    case LogTarget::Kind::journal:
      if (!journal_runs()) {
        return fail("log to the journal", fmt::format("there is no {}", kJournalSocket));
      }
      return std::make_unique<JournalSink>(identifier);
    case LogTarget::Kind::syslog:
      return open_syslog(target, identifier);
    case LogTarget::Kind::file:
      return FileSink::open(target);
  }
  return fail("open the log", "no such kind");
}

}  // namespace cygnet::daemon
