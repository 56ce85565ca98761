// A unix socket as the vici client's stream.
#pragma once

#include "base/time.hpp"
#include "io/unix_socket.hpp"
#include "vici/client.hpp"

namespace cygnet::cli {

/// Blocks in both directions; owns its socket.
class SocketStream final : public vici::Stream {
 public:
  explicit SocketStream(io::UnixStream socket) : socket_(std::move(socket)) {}
  [[nodiscard]] Result<void> send(ByteView bytes) override;
  [[nodiscard]] Result<Bytes> receive() override;
  /// Whether receive() would return at once, now or before `patience` is over.
  [[nodiscard]] Result<bool> wait(Duration patience);

 private:
  io::UnixStream socket_;
};

}  // namespace cygnet::cli
