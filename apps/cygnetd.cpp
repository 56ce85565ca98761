// cygnetd: the daemon's command line.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>
#include <string>

#include "daemon/daemon.hpp"

namespace {

struct CommandLine {
  cygnet::daemon::Options options;
  spdlog::level::level_enum level = spdlog::level::info;
};

const std::map<std::string, cygnet::daemon::PlaneChoice> kPlanes{
    {"auto", cygnet::daemon::PlaneChoice::automatic},
    {"esp", cygnet::daemon::PlaneChoice::esp},
    {"none", cygnet::daemon::PlaneChoice::none}};
const std::map<std::string, spdlog::level::level_enum> kLevels{{"error", spdlog::level::err},
                                                               {"warning", spdlog::level::warn},
                                                               {"info", spdlog::level::info},
                                                               {"debug", spdlog::level::debug},
                                                               {"trace", spdlog::level::trace}};

/// The lines go to stderr; under systemd the journal adds the time itself.
void set_up_log(spdlog::level::level_enum level) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("cygnetd"));
  spdlog::set_level(level);
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  spdlog::set_pattern(journal ? "%l: %v" : "%Y-%m-%d %H:%M:%S.%e %l: %v");
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  line.options.version = CYGNET_VERSION;
  CLI::App app{"cygnetd: IKEv2/IPsec VPN daemon. Runs in the foreground and logs to stderr."};
  app.set_version_flag("--version", CYGNET_VERSION);
  app.add_option("--config", line.options.config,
                 "swanctl.conf; credentials lie beside it. Default: " +
                     line.options.default_config + ", when it exists");
  auto* ipsec = app.add_option("--ipsec-conf", line.options.ipsec_conf,
                               "strongSwan's ipsec.conf, read as well; ipsec.d lies beside it");
  app.add_option("--ipsec-secrets", line.options.ipsec_secrets,
                 "Its secrets. Default: ipsec.secrets beside it, when it exists")
      ->needs(ipsec);
  app.add_option("--strongswan-conf", line.options.strongswan_conf,
                 "Settings of strongSwan's daemon that mean something here. Default: " +
                     line.options.default_strongswan_conf + ", when it exists")
      ->envname("STRONGSWAN_CONF");
  app.add_option("--data-plane", line.options.plane,
                 "Who carries packets: esp (in userspace, through a TUN device), none (nobody: to "
                 "try out IKE), auto (esp)")
      ->transform(CLI::CheckedTransformer(kPlanes))
      ->option_text("auto|esp|none (auto)")
      ->default_str("auto");
  app.add_option("--vici", line.options.vici, "The control socket")->capture_default_str();
  app.add_option("--log", line.level, "What to write to stderr")
      ->transform(CLI::CheckedTransformer(kLevels))
      ->option_text("error|warning|info|debug|trace (info)")
      ->default_str("info");
  app.add_option("--tun", line.options.tun, "Name of the TUN device")->capture_default_str();
  app.add_option("--fwmark", line.options.fwmark,
                 "Mark of our own packets, which stay out of the tunnel")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--workers", line.options.workers,
                 "Threads for packets; 0: one for each CPU, at most four")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app.add_option("--retransmit-timeout", line.options.retransmit_timeout,
                 "Seconds until a request is sent again (4; handshakes 0.5)")
      ->check(CLI::Range(0.01, 60.0));
  app.add_option("--retransmit-base", line.options.retransmit_base,
                 "Each further wait is this much longer (1.8; handshakes 1.4)")
      ->check(CLI::Range(1.0, 10.0));
  app.add_option("--retransmit-tries", line.options.retransmit_tries,
                 "Repetitions before a peer counts as dead (5; handshakes 11)")
      ->check(CLI::Range(1, 50));
  CLI11_PARSE(app, argc, argv);

  set_up_log(line.level);
  line.options.trace_messages = line.level <= spdlog::level::debug;
  auto daemon = cygnet::daemon::Daemon::start(line.options);
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
