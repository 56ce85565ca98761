// The subcommands of `cygnet`, each a function over a session.
#pragma once

#include <string>

#include "cli/session.hpp"

namespace cygnet::cli {

/// Seconds that `up` and `down` wait unless told otherwise.
inline constexpr unsigned kTimeoutDefault = 60;

/// Brings up a connection or child, showing what happens (`quiet`: only errors).
[[nodiscard]] Exit up(Session& session, const std::string& name, unsigned timeout, bool quiet);
[[nodiscard]] Exit down(Session& session, const std::string& name, unsigned timeout);
/// `kind` is "ike" or "child".
[[nodiscard]] Exit rekey(Session& session, const std::string& kind, const std::string& name);
[[nodiscard]] Exit status(Session& session, bool json);
/// The last refusals and failed attempts, oldest first.
[[nodiscard]] Exit why(Session& session);
[[nodiscard]] Exit reload(Session& session);
[[nodiscard]] Exit version(Session& session, const std::string& ours);

}  // namespace cygnet::cli
