// The subcommands of `cygnet`, each a function over a session.
#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"
#include "cli/check.hpp"
#include "cli/session.hpp"

namespace cygnet::cli {

/// Seconds that `up` and `down` wait unless told otherwise.
inline constexpr unsigned kTimeoutDefault = 60;

/// Seconds after which `status --watch` looks again.
inline constexpr unsigned kWatchDefault = 2;
inline constexpr unsigned kWatchMax = 86'400;

/// Says on stderr what went wrong.
[[nodiscard]] Exit complain(const std::string& text, Exit code);
[[nodiscard]] Exit complain(const Error& error);

/// Brings up a connection or child, showing what happens (`quiet`: only errors).
[[nodiscard]] Exit up(Session& session, const std::string& name, unsigned timeout, bool quiet);
[[nodiscard]] Exit down(Session& session, const std::string& name, unsigned timeout);
/// `kind` is "ike" or "child".
[[nodiscard]] Exit rekey(Session& session, const std::string& kind, const std::string& name);
/// As text or as JSON.
[[nodiscard]] Exit status(Session& session, bool json);
/// The same whenever something changes and every `pause` at least, until Ctrl-C (Exit::done) or
/// until the daemon at `uri` goes away (Exit::no_daemon). A terminal is cleared each time; JSON
/// comes in one line each.
[[nodiscard]] Exit watch(Session& session, const std::string& uri, bool json, Duration pause);
/// The last refusals and failed attempts, oldest first; those that `peer` is a part of (connection,
/// identity or address), or all.
[[nodiscard]] Exit why(Session& session, const std::string& peer, bool json);
/// What reading the configuration again would change; with `apply` it is read, and this is what
/// that has changed.
[[nodiscard]] Exit plan(Session& session, bool apply, bool json);
/// What NAME can be, one in a line: connections, and each child with its connection.
[[nodiscard]] Exit names(Session& session);
[[nodiscard]] Exit version(Session& session, const std::string& ours);

// Without a daemon:

/// Prints what is wrong with a configuration, and what may be regretted. Exit::failed when it could
/// not be used.
[[nodiscard]] Exit check(const std::string& file, std::optional<Format> format);
/// The hazards that check() knows, by name.
[[nodiscard]] Exit lints();
/// Prints an ipsec.conf as swanctl.conf, and on stderr what means something else then.
[[nodiscard]] Exit convert(const std::string& file, const std::string& secrets, bool with_secrets);

}  // namespace cygnet::cli
