// strongswan.conf: the settings of the daemon that mean something here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"
#include "config/diagnostics.hpp"
#include "config/log_settings.hpp"
#include "config/section.hpp"

namespace cygnet::config {

/// What is not set stays as it is. docs/compatibility.md lists them.
struct Settings {
  std::optional<double> retransmit_timeout;  ///< seconds; above zero, at most 60
  std::optional<double> retransmit_base;     ///< 1 to 10
  std::optional<unsigned> retransmit_tries;  ///< 1 to 50
  std::optional<double> retransmit_limit;    ///< seconds, at most 3600; no wait is longer
  std::optional<Duration> half_open_timeout;
  std::optional<Duration> keep_alive;  ///< zero: no NAT keepalives
  // Zero switches these off.
  std::optional<unsigned> cookie_threshold;
  std::optional<unsigned> cookie_threshold_ip;
  std::optional<unsigned> block_threshold;
  std::optional<unsigned> init_limit_half_open;
  std::optional<bool> dos_protection;  ///< no: neither cookies nor a block
  std::optional<unsigned> fragment_size;
  std::optional<bool> install_routes;
  std::optional<bool> install_virtual_ip;
  // In the order of dns1, dns2, nbns1, nbns2 and of the plugin attr.
  std::vector<IpAddress> dns;  ///< for every client with an address of ours
  std::vector<IpAddress> nbns;
  LogSettings log;
  // These count from the start on.
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> port_nat_t;
  std::optional<unsigned> routing_table;
  std::optional<unsigned> routing_table_prio;
  std::optional<unsigned> threads;
  std::optional<std::string> vici_socket;  ///< of the plugin vici
};

/// Reads section `charon` of a parsed strongswan.conf, and `charon-systemd`, whose values win: we
/// stand in for that program. Other keys, those of plugins above all, are nobody's business here
/// and pass in silence; a value of ours that cannot be read is an error at its place.
[[nodiscard]] Settings load_settings(const Section& root, Diagnostics& diags);

/// The keys that differ and that only a start can change.
[[nodiscard]] std::vector<std::string_view> keys_for_a_start(const Settings& before,
                                                             const Settings& after);

}  // namespace cygnet::config
