// One place that keeps the log: stderr, the journal, syslog, a file.          docs/logging.md
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "control/log_line.hpp"
#include "model/log.hpp"

namespace cygnet::daemon {

/// Where lines go, and which.
struct LogTarget {
  enum class Kind : std::uint8_t {
    standard,     ///< stderr; when that leads to systemd's journal, the journal itself
    stderr_text,  ///< stderr
    journal,
    syslog,
    file
  } kind = Kind::standard;
  std::string name{};  ///< the file's path, or syslog's facility
  bool append = true;  ///< or empty the file first
  bool must = true;    ///< the daemon does not run without it
  model::LogLevels levels{};
};

/// One thread.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// Never waits: a line that nobody takes now is lost, and the loss is told when that is over.
  virtual void write(const control::LogLine& line) = 0;
  /// Files are opened anew: somebody may have moved the old one away.
  [[nodiscard]] virtual Result<void> reopen() { return {}; }
};

/// `identifier` is the program's name in journal and syslog. The place must exist: a journal that
/// does not run is an error, as is a file that cannot be opened.
[[nodiscard]] Result<std::unique_ptr<LogSink>> open_sink(const LogTarget& target,
                                                         const std::string& identifier);

}  // namespace cygnet::daemon
