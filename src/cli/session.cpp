#include "cli/session.hpp"

#include "cli/socket_stream.hpp"
#include "io/unix_socket.hpp"

namespace cygnet::cli {

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

Result<Session::Listed> Session::gather(const std::string& command, const std::string& event,
                                        const vici::Message& request) {
  Listed out;
  CYG_TRY(out.answer, client_->call(command, request, event, [&out](const vici::Message& one) {
    out.events.push_back(one);
  }));
  return out;
}

Result<std::vector<vici::Message>> Session::list(const std::string& command,
                                                 const std::string& event,
                                                 const vici::Message& request) {
  CYG_TRY(Listed all, gather(command, event, request));
  return std::move(all.events);
}

Result<vici::Message> Session::follow(const std::string& command, const vici::Message& request,
                                      const std::function<void(const std::string&)>& on_line) {
  return client_->call(command, request, "control-log", [&on_line](const vici::Message& line) {
    on_line(std::string{line.text("msg")});
  });
}

}  // namespace cygnet::cli
