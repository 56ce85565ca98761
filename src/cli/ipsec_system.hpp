// The machine around `ipsec`: the daemon's process.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace cygnet::cli {

/// How the daemon at a control socket is.
enum class Liveness : std::uint8_t {
  running,
  dead,     ///< its socket is left, nobody listens
  absent,   ///< there is no socket
  unknown,  ///< we may not ask
};
[[nodiscard]] Liveness liveness(const std::string& uri);

/// How to start cygnetd.
struct Launch {
  std::string uri;  ///< its control socket
  std::string conf = "/etc/ipsec.conf";
  std::string log = "/var/log/cygnetd.log";  ///< what it writes is appended; not with no_fork
  bool no_fork = false;                      ///< become the daemon instead
  std::vector<std::string> options;          ///< of cygnetd, as they are
};
/// Starts it in a session of its own and waits until it answers. An error tells what it wrote when
/// it ended before, and when it takes longer than kStartTimeout; it is ended then.
[[nodiscard]] Result<void> launch(const Launch& how);
inline constexpr std::chrono::seconds kStartTimeout{30};

/// Ends the daemon that listens at `uri` by SIGTERM, after kStopTimeout by SIGKILL, and waits for
/// it; an error when there is none.
[[nodiscard]] Result<void> stop_daemon(const std::string& uri);
inline constexpr std::chrono::seconds kStopTimeout{11};

/// The folder of the running program.
[[nodiscard]] std::string program_folder();
/// "6.1.0-18-amd64" and "Linux".
[[nodiscard]] std::string kernel_release();
[[nodiscard]] std::string kernel_name();

}  // namespace cygnet::cli
