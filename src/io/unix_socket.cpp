#include "io/unix_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace cygnet::io {
namespace {

constexpr int kBacklog = 32;
constexpr mode_t kSocketMode = 0600;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof out.sun_path) {
    return fail("socket path '" + path + "'", "it must have 1 to 107 octets");
  }
  std::memcpy(out.sun_path, path.data(), path.size());
  return out;
}

Result<UniqueFd> make_socket(int flags) {
  UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)};
  if (!fd) return std::unexpected(errno_error("open a unix socket"));
  return fd;
}

const sockaddr* raw(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

/// Removes the file of a socket that nobody listens at.
Result<void> remove_stale(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return std::unexpected(errno_error("look at " + path));
  }
  if (!S_ISSOCK(info.st_mode)) return fail("listen at " + path, "the file is no socket");
  const auto other = UnixStream::connect(path);
  if (other) return fail("listen at " + path, "another daemon is listening there");
  if (other.error().code != ECONNREFUSED) return std::unexpected(other.error());
  if (::unlink(path.c_str()) != 0) return std::unexpected(errno_error("remove " + path));
  return {};
}

}  // namespace

Result<std::string> unix_path(std::string_view uri) {
  constexpr std::string_view kScheme = "unix://";
  if (uri.starts_with(kScheme)) uri.remove_prefix(kScheme.size());
  if (!uri.starts_with('/')) {
    return fail("socket '" + std::string{uri} + "'", "write unix:///path/of/the/socket");
  }
  return std::string{uri};
}

Result<UnixStream> UnixStream::connect(const std::string& path) {
  CYG_TRY(const sockaddr_un address, address_of(path));
  CYG_TRY(UniqueFd fd, make_socket(0));
  if (::connect(fd.get(), raw(address), sizeof address) != 0) {
    return std::unexpected(errno_error("connect to " + path));
  }
  return UnixStream{std::move(fd)};
}

Result<pid_t> UnixStream::peer_pid() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return std::unexpected(errno_error("ask who listens at a socket"));
  }
  // 0: it lives in another PID namespace.
  if (peer.pid <= 0) return fail("ask who listens at a socket", "it is a process we cannot see");
  return peer.pid;
}

Result<std::size_t> UnixStream::read(MutableBytes room) {
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), room.data(), room.size(), 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return std::unexpected(errno_error("read from the control socket"));
  }
}

Result<std::size_t> UnixStream::write(ByteView bytes) {
  for (;;) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno != EINTR) return std::unexpected(errno_error("write to the control socket"));
  }
}

Result<UnixListener> UnixListener::open(const std::string& path) {
  CYG_TRY(const sockaddr_un address, address_of(path));
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), failed);
  if (failed) return fail("make the folder of " + path, failed.message());
  CYG_TRY_DO(remove_stale(path));
  CYG_TRY(UniqueFd fd, make_socket(SOCK_NONBLOCK));
  // Nobody can connect before listen(), so the mode is right in time.
  if (::bind(fd.get(), raw(address), sizeof address) != 0) {
    return std::unexpected(errno_error("bind " + path));
  }
  UnixListener out{std::move(fd), path};
  if (::chmod(path.c_str(), kSocketMode) != 0) return std::unexpected(errno_error("chmod " + path));
  if (::listen(out.fd_.get(), kBacklog) != 0) {
    return std::unexpected(errno_error("listen at " + path));
  }
  return out;
}

UnixListener::~UnixListener() {
  if (fd_) ::unlink(path_.c_str());
}

Result<UnixStream> UnixListener::accept() {
  UniqueFd fd{::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  if (!fd) return std::unexpected(errno_error("accept a client"));
  return UnixStream{std::move(fd)};
}

}  // namespace cygnet::io
