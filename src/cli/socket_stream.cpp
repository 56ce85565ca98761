#include "cli/socket_stream.hpp"

#include <array>

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

}  // namespace cygnet::cli
