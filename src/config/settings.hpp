// strongswan.conf: the settings of the daemon that mean something here.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "config/diagnostics.hpp"
#include "config/section.hpp"

namespace cygnet::config {

/// Below `charon`; what is not set stays as it is. docs/compatibility.md lists them.
struct Settings {
  std::optional<double> retransmit_timeout;  ///< seconds
  std::optional<double> retransmit_base;
  std::optional<unsigned> retransmit_tries;
  std::optional<double> retransmit_limit;  ///< seconds; no wait is longer
  std::optional<Duration> half_open_timeout;
  std::optional<Duration> keep_alive;  ///< zero: no NAT keepalives
  std::optional<unsigned> cookie_threshold;
  std::optional<unsigned> cookie_threshold_ip;
  std::optional<unsigned> block_threshold;
  std::optional<unsigned> init_limit_half_open;  ///< zero: no limit of the administrator's
  std::optional<unsigned> fragment_size;
};

/// Reads section `daemon` ("charon", "charon-systemd") of a parsed strongswan.conf. Other keys,
/// those of plugins above all, are nobody's business here and pass in silence; a value of ours that
/// cannot be read is an error at its place.
[[nodiscard]] Settings load_settings(const Section& root, std::string_view daemon,
                                     Diagnostics& diags);

}  // namespace cygnet::config
