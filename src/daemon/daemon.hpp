// cygnetd: carries out what the engine and control decide. Decides nothing itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "daemon/log.hpp"
#include "daemon/log_targets.hpp"

namespace cygnet::daemon {

enum class PlaneChoice : std::uint8_t { automatic, esp, none };

/// What cygnetd's command line sets.
struct Options {
  std::string version;
  std::optional<std::string> config;  ///< swanctl.conf; not set: the default, if it is there
  std::string default_config = "/etc/swanctl/swanctl.conf";
  std::optional<std::string> ipsec_conf;     ///< read as well
  std::optional<std::string> ipsec_secrets;  ///< not set: the one beside ipsec_conf, if it is there
  std::optional<std::string> strongswan_conf;  ///< not set: the default, if it is there
  std::string default_strongswan_conf = "/etc/strongswan.conf";
  PlaneChoice plane = PlaneChoice::automatic;
  std::optional<std::string> vici;  ///< not set: strongswan.conf's, or else the default
  std::string default_vici = "unix:///run/cygnet/cygnet.vici";
  std::string tun = "cygnet0";
  std::uint32_t fwmark = 0x637967;  ///< on our own packets, which must stay out of the tunnel
  unsigned workers = 0;  ///< ESP threads; 0: strongswan.conf's, or one for each CPU, at most four
  /// What is set here holds for handshakes too, and wins over strongswan.conf; RFC 7296 §2.1 leaves
  /// these to us.
  std::optional<double> retransmit_timeout;  ///< seconds
  std::optional<double> retransmit_base;
  std::optional<unsigned> retransmit_tries;
  LogOptions log;
};

/// One running daemon.
class Daemon {
 public:
  /// Reads the configuration, opens sockets, data plane and control socket. Faults of the
  /// configuration are all in the error's text, each with its place, one a line. `log`, which must
  /// outlive the daemon, goes from now on where the configuration wants it.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> start(Options options, Log& log);
  ~Daemon();
  /// Until SIGTERM or SIGINT; SIGHUP reads the configuration again and opens the log's files anew.
  /// Everything that was changed on the host is undone afterwards.
  [[nodiscard]] Result<void> run();

 private:
  struct Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cygnet::daemon
