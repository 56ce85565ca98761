#include "cli/session.hpp"

#include <array>

#include "io/unix_socket.hpp"

namespace cygnet::cli {
namespace {

class SocketStream final : public vici::Stream {
 public:
  explicit SocketStream(io::UnixStream socket) : socket_(std::move(socket)) {}
  Result<void> send(ByteView bytes) override {
    while (!bytes.empty()) {
      CYG_TRY(const std::size_t sent, socket_.write(bytes));
      bytes = bytes.subspan(sent);
    }
    return {};
  }
  Result<Bytes> receive() override {
    std::array<std::uint8_t, 64 * 1024> room;
    CYG_TRY(const std::size_t got, socket_.read(room));
    return to_bytes(ByteView{room}.first(got));
  }

 private:
  io::UnixStream socket_;
};

}  // namespace

Session::Session(std::unique_ptr<vici::Stream> stream)
    : stream_(std::move(stream)), client_(std::make_unique<vici::Client>(*stream_)) {}

Result<Session> Session::open(const std::string& uri) {
  CYG_TRY(const std::string path, io::unix_path(uri));
  CYG_TRY(io::UnixStream socket, io::UnixStream::connect(path));
  return Session{std::make_unique<SocketStream>(std::move(socket))};
}

Result<vici::Message> Session::call(const std::string& command, const vici::Message& request) {
  return client_->call(command, request);
}

Result<std::vector<vici::Message>> Session::list(const std::string& command,
                                                 const std::string& event,
                                                 const vici::Message& request) {
  std::vector<vici::Message> out;
  CYG_TRY_DO(client_->call(command, request, event,
                           [&out](const vici::Message& one) { out.push_back(one); }));
  return out;
}

Result<vici::Message> Session::follow(const std::string& command, const vici::Message& request,
                                      const std::function<void(const std::string&)>& on_line) {
  return client_->call(command, request, "control-log", [&on_line](const vici::Message& line) {
    on_line(std::string{line.text("msg")});
  });
}

}  // namespace cygnet::cli
