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
  std::optional<unsigned> fragment_size;
};

/// Reads section `daemon` ("charon", "charon-systemd") of a parsed strongswan.conf. Other keys,
/// those of plugins above all, are nobody's business here and pass in silence; a value of ours that
/// cannot be read is an error at its place.
[[nodiscard]] Settings load_settings(const Section& root, std::string_view daemon,
                                     Diagnostics& diags);

}  // namespace cygnet::config
