// The vici socket: clients in, their requests to a handler, answers and events out.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "control/effects.hpp"
#include "daemon/loop.hpp"
#include "io/unix_socket.hpp"
#include "vici/server_session.hpp"

namespace cygnet::daemon {

/// Clients at the same time; more are closed at once.
inline constexpr std::size_t kViciClientsMax = 256;

/// Never blocks the loop: a client that does not read only hurts itself.
class ViciServer {
 public:
  struct Handlers {
    std::function<void(control::ClientId, const vici::Request&)> request;
    std::function<void(control::ClientId)> gone;
    std::function<void(control::ClientId)> resume;  ///< after resume(), when all is sent
  };

  /// Listens at `path`. `loop` and `catalogue` must outlive the server.
  [[nodiscard]] static Result<std::unique_ptr<ViciServer>> open(const std::string& path, Loop& loop,
                                                                const vici::Catalogue& catalogue,
                                                                Handlers handlers);
  ~ViciServer();

  /// Clients that are gone meanwhile are passed over.
  void respond(control::ClientId client, const vici::Message& message);
  void stream(control::ClientId client, const std::string& event, const vici::Message& message);
  /// The client's answer goes on: Handlers::resume is called when it has taken all that was sent,
  /// after others have had their turn.
  void resume(control::ClientId client);
  /// To all who have registered for it; those who do not read lose it.
  void publish(const std::string& event, const vici::Message& message);
  [[nodiscard]] bool anybody_hears(std::string_view event) const;

 private:
  struct Client {
    Client(io::UnixStream socket, const vici::Catalogue& catalogue)
        : stream(std::move(socket)), session(catalogue) {}
    io::UnixStream stream;
    vici::ServerSession session;
    bool waits_to_write = false;
    bool goes_on = false;  ///< resume() was asked for
    bool running = false;  ///< a request of it is being handed out
  };
  ViciServer(io::UnixListener listener, Loop& loop, const vici::Catalogue& catalogue,
             Handlers handlers);
  void accept();
  void read(control::ClientId id);
  void run_requests(control::ClientId id);
  void flush(control::ClientId id);
  void call_when_writable(control::ClientId id, void (ViciServer::*what)(control::ClientId));
  void go_on(control::ClientId id);
  void drop(control::ClientId id);
  [[nodiscard]] Client* find(control::ClientId id);

  io::UnixListener listener_;
  Loop& loop_;
  const vici::Catalogue& catalogue_;
  Handlers handlers_;
  std::map<control::ClientId, std::unique_ptr<Client>> clients_;
  std::uint64_t next_id_ = 1;
};

}  // namespace cygnet::daemon
