// Unix stream sockets: the control socket of the daemon and its clients.   unix(7)
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "io/unique_fd.hpp"

namespace cygnet::io {

/// The path in "unix:///run/x" or "/run/x"; other schemes are an error.
[[nodiscard]] Result<std::string> unix_path(std::string_view uri);

/// A connected socket.
class UnixStream {
 public:
  explicit UnixStream(UniqueFd fd) : fd_(std::move(fd)) {}
  /// Connects and blocks in later calls. ENOENT and ECONNREFUSED mean that nobody listens.
  [[nodiscard]] static Result<UnixStream> connect(const std::string& path);

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The process at the other end: of a client's socket, the one that listens.
  [[nodiscard]] Result<pid_t> peer_pid() const;
  /// Octets read; 0 when the other side has closed. Non-blocking sockets: EAGAIN as an error.
  [[nodiscard]] Result<std::size_t> read(MutableBytes room);
  /// Octets written, perhaps fewer than given.
  [[nodiscard]] Result<std::size_t> write(ByteView bytes);

 private:
  UniqueFd fd_;
};

/// A listening socket; its file goes with it.
class UnixListener {
 public:
  /// Makes missing folders (mode 0755) and the socket (mode 0600). A file that a dead process left
  /// behind is replaced; a listener that is alive is an error.
  [[nodiscard]] static Result<UnixListener> open(const std::string& path);
  UnixListener(UnixListener&& other) noexcept = default;
  UnixListener& operator=(UnixListener&& other) = delete;
  ~UnixListener();

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The next client, non-blocking. EAGAIN as an error when nobody waits.
  [[nodiscard]] Result<UnixStream> accept();

 private:
  UnixListener(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::string path_;
};

}  // namespace cygnet::io
