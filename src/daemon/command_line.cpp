#include "daemon/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <vector>

#include "usage/manual.hpp"

namespace cygnet::daemon {
namespace {

constexpr int kUsageExit = 2;

}  // namespace

CommandLine::CommandLine(std::string version)
    : app_(
          "cygnetd: IKEv2/IPsec VPN daemon. Runs in the foreground and logs to stderr, or to the "
          "journal when systemd has started it.",
          "cygnetd") {
  options_.version = std::move(version);
  app_.set_version_flag("--version", options_.version, "Print the version and exit");
  app_.set_help_flag("-h,--help", "Print this help and exit");
  app_.add_flag("--manual", print_manual_)->group("");  // for whoever builds a package
  add_files();
  add_log();
  add_packets();
  add_retransmission();
}

void CommandLine::add_files() {
  app_.add_option("--config", options_.config,
                  "swanctl.conf; credentials lie beside it. Unless given, " +
                      options_.default_config + ", when it exists")
      ->type_name("FILE");
  auto* ipsec = app_.add_option("--ipsec-conf", options_.ipsec_conf,
                                "strongSwan's ipsec.conf, read as well; ipsec.d lies beside it")
                    ->type_name("FILE");
  app_.add_option("--ipsec-secrets", options_.ipsec_secrets,
                  "Its secrets. Unless given, ipsec.secrets beside it, when it exists")
      ->type_name("FILE")
      ->needs(ipsec);
  app_.add_option("--strongswan-conf", options_.strongswan_conf,
                  "Settings of strongSwan's daemon that mean something here. Unless given, " +
                      options_.default_strongswan_conf + ", when it exists")
      ->type_name("FILE")
      ->envname("STRONGSWAN_CONF");
  app_.add_option("--vici", options_.vici,
                  "The control socket. Unless given, strongswan.conf's charon.plugins.vici.socket, "
                  "or " +
                      options_.default_vici)
      ->type_name("URI");
}

void CommandLine::add_log() {
  app_.add_option("--log", options_.log.places,
                  "Where to log; may be given more than once. Unless given, stderr, or the journal "
                  "when stderr leads there")
      ->type_name("stderr|journal|syslog|FILE");
  std::map<std::string, model::LogLevel> levels;
  std::vector<std::string_view> words;
  for (const model::LogLevel level : model::kLogLevels) {
    words.push_back(to_string(level));
    levels.emplace(to_string(level), level);
  }
  app_.add_option("--log-level", options_.log.level, "How much of it (info)")
      ->transform(CLI::CheckedTransformer(levels).description(""))
      ->type_name(fmt::format("{}", fmt::join(words, "|")));
}

void CommandLine::add_packets() {
  static const std::map<std::string, PlaneChoice> kPlanes{
      {"auto", PlaneChoice::automatic}, {"esp", PlaneChoice::esp}, {"none", PlaneChoice::none}};
  app_.add_option("--data-plane", options_.plane,
                  "Who carries packets: esp (in userspace, through a TUN device), none (nobody: to "
                  "try out IKE), auto (esp)")
      ->transform(CLI::CheckedTransformer(kPlanes).description(""))
      ->type_name("auto|esp|none")
      ->default_str("auto");
  app_.add_option("--tun", options_.tun, "Name of the TUN device")
      ->type_name("DEVICE")
      ->capture_default_str();
  app_.add_option("--fwmark", options_.fwmark,
                  "Mark of our own packets, which stay out of the tunnel")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("NUMBER")
      ->capture_default_str();
  app_.add_option("--workers", options_.workers,
                  "Threads for packets; 0: strongswan.conf's charon.threads, or one for each CPU, "
                  "at most four")
      ->check(CLI::Range(0, 64).description(""))
      ->type_name("NUMBER")
      ->capture_default_str();
}

void CommandLine::add_retransmission() {
  app_.add_option("--retransmit-timeout", options_.retransmit_timeout,
                  "Time until a request is sent again (4; handshakes 0.5)")
      ->check(CLI::Range(0.01, 60.0).description(""))
      ->type_name("SECONDS");
  app_.add_option("--retransmit-base", options_.retransmit_base,
                  "Each further wait is this much longer (1.8; handshakes 1.4)")
      ->check(CLI::Range(1.0, 10.0).description(""))
      ->type_name("NUMBER");
  app_.add_option("--retransmit-tries", options_.retransmit_tries,
                  "Repetitions before a peer counts as dead (5; handshakes 11)")
      ->check(CLI::Range(1, 50).description(""))
      ->type_name("NUMBER");
}

std::optional<int> CommandLine::parse(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help or the fault; its own codes are not ours.
    return app_.exit(error) == 0 ? 0 : kUsageExit;
  }
  if (!print_manual_) return std::nullopt;
  fmt::print("{}", manual());
  return 0;
}

std::string CommandLine::manual() const {
  return usage::manual_page(
      usage::command_of(app_),
      {.section = 8,
       .version = options_.version,
       .description =
           "cygnetd connects this machine to others by IKEv2 and IPsec, as a gateway or as a "
           "client. "
           "It reads swanctl.conf or ipsec.conf, or both, and listens for cygnet(1) and for "
           "programs "
           "that speak strongSwan's vici protocol.\n\n"
           "SIGTERM and SIGINT tell all peers goodbye and undo every change of the host. SIGHUP "
           "reads the configuration and strongswan.conf again and opens the log's files anew: what "
           "did not change stays up, and a faulty one changes nothing. Under systemd it says when "
           "it is ready, reloads and stops.",
       .exits = {{0, "ended as it was told"},
                 {1, "could not start, or could not go on; the reason is on stderr"},
                 {kUsageExit, "the command line is wrong"}},
       .files = {{options_.default_config, "the configuration; credentials lie beside it"},
                 {options_.default_strongswan_conf, "settings of strongSwan's daemon"},
                 {"/run/cygnet/cygnet.vici", "the control socket"}},
       .see_also = {"cygnet(1)", "ipsec.conf(5)"}});
}

}  // namespace cygnet::daemon
