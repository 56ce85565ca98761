// Everything that is configured: swanctl.conf, ipsec.conf, or both side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/ipsec_convert.hpp"

namespace cygnet::config {

/// The files of one configuration; paths are absolute.
struct Sources {
  std::string swanctl_conf;         ///< credentials lie beside it; empty: there is none
  std::optional<IpsecInput> ipsec;  ///< ipsec.conf
};

/// Reads them all. A connection, pool or authority that both files name is an error at both places:
/// neither could be meant. The notes are those about ipsec.conf. Use it only when `diags` holds no
/// error.
[[nodiscard]] LoadedIpsec load_all(const Sources& sources, Files& files, Diagnostics& diags);

}  // namespace cygnet::config
