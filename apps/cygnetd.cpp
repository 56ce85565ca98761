// cygnetd: the daemon.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "daemon/command_line.hpp"
#include "daemon/daemon.hpp"

namespace {

/// The lines go to stderr; under systemd the journal adds the time itself.
void set_up_log(spdlog::level::level_enum level) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("cygnetd"));
  spdlog::set_level(level);
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  spdlog::set_pattern(journal ? "%l: %v" : "%Y-%m-%d %H:%M:%S.%e %l: %v");
}

}  // namespace

int main(int argc, char** argv) {
  cygnet::daemon::CommandLine line{CYGNET_VERSION};
  if (const auto done = line.parse(argc, argv)) return *done;
  set_up_log(line.level());
  auto daemon = cygnet::daemon::Daemon::start(line.options());
  if (!daemon) {
    spdlog::error("{}", daemon.error().text());
    return 1;
  }
  if (const auto done = (*daemon)->run(); !done) {
    spdlog::error("{}", done.error().text());
    return 1;
  }
  return 0;
}
