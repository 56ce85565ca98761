// The daemon's log: each line goes to every place that wants it.             docs/logging.md
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "control/log_line.hpp"
#include "daemon/log_sink.hpp"
#include "model/log.hpp"

namespace cygnet::daemon {

/// One thread. Starts with stderr (or the journal behind it) alone.
class Log {
 public:
  Log();

  /// From now on lines go to these places; those that are there already stay open. When one that
  /// must be there cannot be opened nothing changes; of others the rest is told.
  [[nodiscard]] Result<void> configure(const std::vector<LogTarget>& targets,
                                       const std::string& identifier);
  /// Opens files anew; what goes wrong is told in the other places.
  void reopen();
  /// Whether any place takes such lines.
  [[nodiscard]] bool wants(model::LogGroup group, model::LogLevel level) const;

  void write(const control::LogLine& line);
  // Lines about the program itself and the host.
  void error(model::LogGroup group, std::string sentence);
  void warning(model::LogGroup group, std::string sentence);
  void notice(model::LogGroup group, std::string sentence);
  void info(model::LogGroup group, std::string sentence);
  void trace(model::LogGroup group, std::string sentence);
  /// A line for each line of `text`: what is wrong with a configuration is told fault by fault.
  void errors(model::LogGroup group, std::string_view text);

 private:
  struct Place {
    LogTarget target;
    std::unique_ptr<LogSink> sink;
  };
  void say(model::LogLevel level, model::LogGroup group, std::string sentence);

  std::vector<Place> places_;
  std::string identifier_ = "cygnetd";
};

}  // namespace cygnet::daemon
