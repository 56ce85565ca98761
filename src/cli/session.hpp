// A connection to the daemon, and what every subcommand shares.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "vici/client.hpp"

namespace cygnet::cli {

/// Exit codes of `cygnet`; docs/cli.md lists them.
enum class Exit : int {
  done = 0,
  failed = 1,     ///< the daemon tried and could not
  usage = 2,      ///< the command line is wrong
  no_daemon = 3,  ///< nobody listens at the control socket
  not_found = 4,  ///< no such connection or child
  timeout = 5,    ///< still trying
};

/// A daemon at the other end of a unix socket.
class Session {
 public:
  /// Connects to "unix:///path".
  [[nodiscard]] static Result<Session> open(const std::string& uri);

  /// One command; an error when the daemon cannot be reached any more.
  [[nodiscard]] Result<vici::Message> call(const std::string& command,
                                           const vici::Message& request = {});
  struct Listed {
    vici::Message answer;
    std::vector<vici::Message> events;
  };
  /// A command that sends events before its answer.
  [[nodiscard]] Result<Listed> gather(const std::string& command, const std::string& event,
                                      const vici::Message& request = {});
  /// The same when the answer says nothing more.
  [[nodiscard]] Result<std::vector<vici::Message>> list(const std::string& command,
                                                        const std::string& event,
                                                        const vici::Message& request = {});
  /// A command that says how it goes: each line is passed to `on_line`.
  [[nodiscard]] Result<vici::Message> follow(
      const std::string& command, const vici::Message& request,
      const std::function<void(const std::string&)>& on_line);

 private:
  explicit Session(std::unique_ptr<vici::Stream> stream);
  std::unique_ptr<vici::Stream> stream_;
  std::unique_ptr<vici::Client> client_;
};

}  // namespace cygnet::cli
