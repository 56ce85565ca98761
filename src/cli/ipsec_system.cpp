#include "cli/ipsec_system.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/session.hpp"
#include "io/unique_fd.hpp"
#include "io/unix_socket.hpp"

namespace cygnet::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// Between two tries whether the daemon answers by now.
constexpr std::chrono::milliseconds kLookAgain{20};

/// The one beside us, or else the one that PATH has.
std::string daemon_program() {
  const std::string beside = program_folder() + "/cygnetd";
  return ::access(beside.c_str(), X_OK) == 0 ? beside : "cygnetd";
}

std::vector<std::string> command_line(const Launch& how) {
  std::vector<std::string> out{daemon_program(), "--ipsec-conf", how.conf, "--vici", how.uri};
  out.insert(out.end(), how.options.begin(), how.options.end());
  return out;
}

/// Becomes that program; returns only when there is none.
void become(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
}

io::UniqueFd watch(pid_t process) {
  return io::UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, process, 0))};
}

/// Whether the process has ended, within `time`.
bool has_ended(const io::UniqueFd& process, Clock::duration time) {
  pollfd entry{.fd = process.get(), .events = POLLIN, .revents = 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(time).count();
  return ::poll(&entry, 1, static_cast<int>(ms)) > 0;
}

/// In the new process: nothing of ours but the log.
[[noreturn]] void run_detached(const Launch& how, int log) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool ready = ::setsid() >= 0 && ::chdir("/") == 0 && ::dup2(nothing, STDIN_FILENO) >= 0 &&
                     ::dup2(log, STDOUT_FILENO) >= 0 && ::dup2(log, STDERR_FILENO) >= 0;
  if (ready) become(command_line(how));
  constexpr int kNotFound = 127;
  ::_exit(kNotFound);
}

/// What was appended to a file since it had that size.
std::string written_since(const std::string& path, off_t size) {
  std::ifstream file{path};
  file.seekg(size);
  return {std::istreambuf_iterator<char>{file}, {}};
}

bool answers(const std::string& uri) {
  auto session = Session::open(uri);
  return session && session->call("version");
}

Result<void> wait_for_answer(const Launch& how, pid_t process, off_t log_size) {
  const io::UniqueFd watched = watch(process);
  if (!watched) return std::unexpected(errno_error("watch cygnetd"));
  const auto deadline = Clock::now() + kStartTimeout;
  while (Clock::now() < deadline) {
    if (has_ended(watched, kLookAgain)) {
      static_cast<void>(::waitpid(process, nullptr, 0));
      const std::string told = written_since(how.log, log_size);
      return fail("start cygnetd",
                  told.empty() ? "there is no cygnetd beside us or in PATH" : told);
    }
    if (answers(how.uri)) return {};
  }
  static_cast<void>(::kill(process, SIGKILL));
  return fail("start cygnetd", "it does not answer at " + how.uri + "; its log is " + how.log);
}

}  // namespace

Liveness liveness(const std::string& uri) {
  const auto path = io::unix_path(uri);
  if (!path) return Liveness::unknown;
  const auto socket = io::UnixStream::connect(*path);
  if (socket) return Liveness::running;
  if (socket.error().code == ENOENT) return Liveness::absent;
  return socket.error().code == ECONNREFUSED ? Liveness::dead : Liveness::unknown;
}

Result<void> launch(const Launch& how) {
  if (how.no_fork) {
    become(command_line(how));
    return std::unexpected(errno_error("run " + daemon_program()));
  }
  const io::UniqueFd log{
      ::open(how.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (!log) return std::unexpected(errno_error("open " + how.log));
  const off_t size = ::lseek(log.get(), 0, SEEK_END);
  const pid_t process = ::fork();
  if (process < 0) return std::unexpected(errno_error("start cygnetd"));
  if (process == 0) run_detached(how, log.get());
  return wait_for_answer(how, process, size);
}

Result<void> stop_daemon(const std::string& uri) {
  CYG_TRY(const std::string path, io::unix_path(uri));
  CYG_TRY(const io::UnixStream socket, io::UnixStream::connect(path));
  CYG_TRY(const pid_t pid, socket.peer_pid());
  const io::UniqueFd process = watch(pid);
  if (!process) return std::unexpected(errno_error("watch cygnetd"));
  // By descriptor: the number may be another process's by now.
  const auto send = [&process](int signal) {
    return ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0;
  };
  if (!send(SIGTERM)) return std::unexpected(errno_error("end cygnetd"));
  if (has_ended(process, kStopTimeout)) return {};
  if (!send(SIGKILL)) return std::unexpected(errno_error("kill cygnetd"));
  static_cast<void>(has_ended(process, kStopTimeout));
  return {};
}

std::string program_folder() {
  std::error_code none;
  return std::filesystem::read_symlink("/proc/self/exe", none).parent_path().string();
}

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? names.release : "";
}

std::string kernel_name() {
  utsname names{};
  return ::uname(&names) == 0 ? names.sysname : "";
}

}  // namespace cygnet::cli
