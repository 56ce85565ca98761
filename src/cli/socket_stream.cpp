#include "cli/socket_stream.hpp"

#include <poll.h>

#include <array>
#include <cerrno>
#include <chrono>

namespace cygnet::cli {

Result<void> SocketStream::send(ByteView bytes) {
  while (!bytes.empty()) {
    CYG_TRY(const std::size_t sent, socket_.write(bytes));
    bytes = bytes.subspan(sent);
  }
  return {};
}

Result<Bytes> SocketStream::receive() {
  std::array<std::uint8_t, 64 * 1024> room;
  CYG_TRY(const std::size_t got, socket_.read(room));
  return to_bytes(ByteView{room}.first(got));
}

Result<bool> SocketStream::wait(Duration patience) {
  pollfd watched{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(patience);
  const int ready = ::poll(&watched, 1, static_cast<int>(milliseconds.count()));
  if (ready < 0 && errno != EINTR) return std::unexpected(errno_error("wait for the daemon"));
  return ready > 0;
}

}  // namespace cygnet::cli
