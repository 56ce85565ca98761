// The one table of the command `cygnet`: what can be typed, what --help, completions and the manual
// say of it, and what it does.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "usage/manual.hpp"

namespace cygnet::cli {

/// What was typed.
struct Arguments {
  std::string uri = "unix:///run/cygnet/cygnet.vici";
  std::string name;
  std::string kind;
  unsigned timeout = kTimeoutDefault;
  bool quiet = false;
  bool json = false;
  std::optional<unsigned> watch;  ///< seconds
  std::string file;
  std::optional<Format> format;
  std::string secrets;
  bool with_secrets = false;
  bool lints = false;
};

/// Parser and dispatcher in one. Not copyable: the parser points into it.
class CommandLine {
 public:
  explicit CommandLine(std::string version);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// Parses and does it; the exit code of the process.
  [[nodiscard]] int run(int argc, char** argv);
  [[nodiscard]] const CLI::App& app() const { return app_; }
  [[nodiscard]] const std::string& version() const { return version_; }

 private:
  using Alone = std::function<Exit(const Arguments&)>;
  using WithDaemon = std::function<Exit(Session&, const Arguments&)>;

  /// A command that needs no daemon, or one.
  CLI::App* add(const std::string& name, const std::string& text, Alone run);
  CLI::App* add(const std::string& name, const std::string& text, WithDaemon run);
  void add_name(CLI::App* to);
  void add_timeout(CLI::App* to);
  void add_tunnel_commands();
  void add_report_commands();
  void add_configuration_commands();
  void add_other_commands();
  [[nodiscard]] int dispatch(const CLI::App& chosen);

  std::string version_;
  CLI::App app_;
  Arguments arguments_;
  std::map<const CLI::App*, Alone> alone_;
  std::map<const CLI::App*, WithDaemon> with_daemon_;
  CLI::App* ipsec_ = nullptr;
};

/// All of enum Exit, in order; docs/cli.md has the same.
[[nodiscard]] const std::vector<usage::ExitCode>& exit_codes();

/// The manual page cygnet(1).
[[nodiscard]] std::string manual(const CommandLine& line);
/// The script for "bash", "zsh" or "fish".
[[nodiscard]] std::string completion(const CommandLine& line, const std::string& shell);

}  // namespace cygnet::cli
