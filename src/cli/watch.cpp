// `cygnet status`, once or as long as one looks.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "cli/socket_stream.hpp"
#include "cli/status.hpp"
#include "cli/tree.hpp"
#include "cli/why.hpp"
#include "io/unix_socket.hpp"

namespace cygnet::cli {
namespace {

/// What changes the picture at once; counters and pools wait for the pause to be over.
constexpr std::array<const char*, 5> kEvents{"ike-updown", "child-updown", "ike-rekey",
                                             "child-rekey", "ike-update"};
/// Events come in swarms: this much silence is waited for, and no longer than kSwarmMax.
constexpr Duration kSilence = std::chrono::milliseconds{50};
constexpr Duration kSwarmMax = std::chrono::milliseconds{500};

/// A connection of its own that hears when something has happened, so that events never get between
/// a command and its answer. What exactly is of no interest.
class Ear {
 public:
  static Result<Ear> open(const std::string& uri) {
    CYG_TRY(const std::string path, io::unix_path(uri));
    CYG_TRY(io::UnixStream socket, io::UnixStream::connect(path));
    Ear out{std::make_unique<SocketStream>(std::move(socket))};
    vici::Client client{*out.stream_};
    for (const char* event : kEvents) CYG_TRY_DO(client.subscribe(event));
    return out;
  }

  /// Whether something has happened before `patience` is over; an error when the daemon is gone.
  Result<bool> wait(Duration patience) {
    CYG_TRY(const bool heard, stream_->wait(patience));
    if (!heard) return false;
    const auto end = std::chrono::steady_clock::now() + kSwarmMax;
    bool more = true;
    while (more && std::chrono::steady_clock::now() < end) {
      CYG_TRY(const Bytes bytes, stream_->receive());
      if (bytes.empty()) return fail("watch the daemon", "it closed the connection");
      CYG_TRY(more, stream_->wait(kSilence));
    }
    return true;
  }

 private:
  explicit Ear(std::unique_ptr<SocketStream> stream) : stream_(std::move(stream)) {}
  std::unique_ptr<SocketStream> stream_;
};

Result<StatusInput> read_status(Session& session) {
  StatusInput out;
  CYG_TRY(out.sas, session.list("list-sas", "list-sa"));
  CYG_TRY(out.policies, session.list("list-policies", "list-policy"));
  vici::Message all;
  all.add_flag("all", true);
  CYG_TRY(out.pools, session.call("get-pools", all));
  CYG_TRY(const auto failures, session.list("cygnet-failures", "cygnet-failure"));
  out.failures = records_about(failures, "").size();
  return out;
}

/// Ctrl-C is how one stops looking: nothing has gone wrong.
void end_by_interrupt(int /*signal*/) { ::_exit(static_cast<int>(Exit::done)); }

}  // namespace

Exit status(Session& session, bool json) {
  const auto input = read_status(session);
  if (!input) return complain(input.error());
  fmt::print("{}", json ? status_json(*input) : printable(status_text(*input)));
  return Exit::done;
}

Exit watch(Session& session, const std::string& uri, bool json, Duration pause) {
  auto ear = Ear::open(uri);
  if (!ear) return complain(ear.error().text(), Exit::no_daemon);
  std::signal(SIGINT, end_by_interrupt);
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  for (bool first = true;; first = false) {
    const auto input = read_status(session);
    if (!input) return complain(input.error().text(), Exit::no_daemon);
    if (json) {
      fmt::print("{}", status_json(*input, Json::one_line));
    } else {
      // To the corner, then clear: the other way round it flickers.
      const char* before = terminal ? "\x1b[H\x1b[J" : first ? "" : "\n";
      fmt::print("{}{}", before, printable(status_text(*input)));
    }
    if (std::fflush(stdout) != 0) return complain("write: nobody reads", Exit::failed);
    const auto heard = ear->wait(pause);
    if (!heard) return complain(heard.error().text(), Exit::no_daemon);
  }
}

}  // namespace cygnet::cli
