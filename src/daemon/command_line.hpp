// The one table of the program `cygnetd`: what can be typed, and what --help and the manual say.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "daemon/daemon.hpp"

namespace cygnet::daemon {

/// Not copyable: the parser points into it.
class CommandLine {
 public:
  explicit CommandLine(std::string version);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// An exit code when there is nothing to run: --help, --manual, or a mistake that was told.
  [[nodiscard]] std::optional<int> parse(int argc, char** argv);
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const CLI::App& app() const { return app_; }
  /// The manual page cygnetd(8).
  [[nodiscard]] std::string manual() const;

 private:
  void add_files();
  void add_log();
  void add_packets();
  void add_retransmission();

  Options options_;
  bool print_manual_ = false;
  CLI::App app_;
};

}  // namespace cygnet::daemon
