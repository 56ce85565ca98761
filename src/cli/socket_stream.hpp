// A unix socket as the vici client's stream.
#pragma once

#include "io/unix_socket.hpp"
#include "vici/client.hpp"

namespace cygnet::cli {

/// Blocks in both directions; owns its socket.
class SocketStream final : public vici::Stream {
 public:
  explicit SocketStream(io::UnixStream socket) : socket_(std::move(socket)) {}
  [[nodiscard]] Result<void> send(ByteView bytes) override;
  [[nodiscard]] Result<Bytes> receive() override;

 private:
  io::UnixStream socket_;
};

}  // namespace cygnet::cli
