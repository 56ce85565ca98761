// cygnetd: the daemon.
#include <csignal>

#include "daemon/command_line.hpp"
#include "daemon/daemon.hpp"

using cygnet::model::LogGroup;

int main(int argc, char** argv) {
  cygnet::daemon::CommandLine line{CYGNET_VERSION};
  if (const auto done = line.parse(argc, argv)) return *done;

  std::signal(SIGPIPE, SIG_IGN);  // whoever reads stderr may go
  cygnet::daemon::Log log;
  auto daemon = cygnet::daemon::Daemon::start(line.options(), log);
  if (!daemon) {
    log.errors(LogGroup::dmn, daemon.error().text());
    return 1;
  }
  if (const auto done = (*daemon)->run(); !done) {
    log.errors(LogGroup::dmn, done.error().text());
    return 1;
  }
  return 0;
}
