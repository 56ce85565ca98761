// `ipsec`: strongSwan's command of that name, over our control socket.
#pragma once

#include <string>
#include <vector>

namespace cygnet::cli {

/// What `ipsec` knows before it looks at its arguments.
struct IpsecSetting {
  std::string program;  ///< as it was called, for messages
  std::string uri;      ///< the daemon's control socket
  std::string version;  ///< ours
};

/// Runs `ipsec ARGUMENTS...`; the exit code of the process. docs/ipsec-command.md is its contract.
[[nodiscard]] int ipsec(IpsecSetting setting, std::vector<std::string> arguments);

}  // namespace cygnet::cli
