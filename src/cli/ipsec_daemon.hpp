// The verbs of `ipsec` that ask a running daemon.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "cli/session.hpp"

namespace cygnet::cli {

/// One verb. Like strongSwan's tool it answers 0 even when the daemon refuses what was asked for:
/// scripts read what it prints. What differs is in docs/ipsec-command.md.
struct IpsecVerb {
  std::string_view name;
  int (*run)(Session& session, std::span<const std::string> arguments);
  std::size_t least = 0;   ///< arguments
  std::size_t most = 0;    ///< arguments; counts only with a usage
  std::string_view usage;  ///< of the arguments; empty: more are ignored
};

/// nullptr when `ipsec` has no such verb, or it is none that asks the daemon.
[[nodiscard]] const IpsecVerb* find_ipsec_verb(std::string_view name);

/// `status` and `statusall`, of the connection named first, if any.
[[nodiscard]] int ipsec_show(Session& session, std::span<const std::string> arguments, bool all);
/// Has the daemon read its files again.
[[nodiscard]] int ipsec_reload(Session& session, std::span<const std::string> arguments);

}  // namespace cygnet::cli
