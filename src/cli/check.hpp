// `cygnet check` and `cygnet convert`: configurations without a daemon.
#pragma once

#include <string>
#include <vector>

#include "base/ip.hpp"
#include "cli/session.hpp"
#include "config/files.hpp"
#include "config/lint.hpp"

namespace cygnet::cli {

/// What a file is written in.
enum class Format : std::uint8_t {
  swanctl,  ///< swanctl.conf
  ipsec,    ///< ipsec.conf, with ipsec.secrets beside it
};
/// By its name, or by what stands first in it. A file that cannot be read is an
/// error.
[[nodiscard]] Result<Format> format_of(const std::string& path, config::Files& files);

/// What `check` has to say of one file.
struct CheckReport {
  std::string text;  ///< all lines
  bool usable = false;
};
/// Parses, loads and looks over, as the daemon would; nothing is changed. `path` is absolute.
[[nodiscard]] CheckReport check_file(const std::string& path, Format format,
                                     const config::Host& host, config::Files& files);

/// An ipsec.conf as swanctl.conf.
struct ConvertReport {
  std::string text;   ///< swanctl.conf; empty when there are errors
  std::string notes;  ///< faults, and what means something else now
};
/// `secrets_path` may be empty. Without `with_secrets` they are left out.
[[nodiscard]] ConvertReport convert_file(const std::string& path, const std::string& secrets_path,
                                         bool with_secrets,
                                         const std::vector<IpAddress>& own_addresses,
                                         config::Files& files);

}  // namespace cygnet::cli
