#include "daemon/vici_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace cygnet::daemon {
namespace {

bool would_block(const Error& error) { return error.code == EAGAIN || error.code == EWOULDBLOCK; }

}  // namespace

Result<std::unique_ptr<ViciServer>> ViciServer::open(const std::string& path, Loop& loop,
                                                     const vici::Catalogue& catalogue,
                                                     Handlers handlers) {
  CYG_TRY(io::UnixListener listener, io::UnixListener::open(path));
  std::unique_ptr<ViciServer> out{
      new ViciServer{std::move(listener), loop, catalogue, std::move(handlers)}};
  CYG_TRY_DO(loop.watch(out->listener_.fd(), [server = out.get()] { server->accept(); }));
  return out;
}

ViciServer::ViciServer(io::UnixListener listener, Loop& loop, const vici::Catalogue& catalogue,
                       Handlers handlers)
    : listener_(std::move(listener)),
      loop_(loop),
      catalogue_(catalogue),
      handlers_(std::move(handlers)) {}

ViciServer::~ViciServer() {
  loop_.forget(listener_.fd());
  for (const auto& [id, client] : clients_) loop_.forget(client->stream.fd());
}

ViciServer::Client* ViciServer::find(control::ClientId id) {
  const auto at = clients_.find(id);
  return at == clients_.end() ? nullptr : at->second.get();
}

void ViciServer::accept() {
  auto stream = listener_.accept();
  // EAGAIN or a client that has left already; anything else (no descriptors) shows in the client.
  if (!stream || clients_.size() >= kViciClientsMax) return;
  const control::ClientId id{next_id_++};
  const int fd = stream->fd();
  clients_.emplace(id, std::make_unique<Client>(std::move(*stream), catalogue_));
  if (!loop_.watch(fd, [this, id] { read(id); })) drop(id);
}

void ViciServer::read(control::ClientId id) {
  Client* client = find(id);
  if (client == nullptr) return;
  std::array<std::uint8_t, 16 * 1024> room;
  const auto got = client->stream.read(room);
  if (!got && would_block(got.error())) return;
  if (!got || *got == 0) return drop(id);
  client->session.receive(ByteView{room}.first(*got));
  run_requests(id);
}

void ViciServer::run_requests(control::ClientId id) {
  while (Client* client = find(id)) {
    const auto request = client->session.next_request();
    if (!request) break;
    client->running = true;
    handlers_.request(id, *request);
    if (Client* still = find(id)) still->running = false;
  }
  flush(id);
}

void ViciServer::flush(control::ClientId id) {
  Client* client = find(id);
  if (client == nullptr) return;
  while (!client->session.output().empty()) {
    const auto sent = client->stream.write(client->session.output());
    if (!sent && would_block(sent.error())) {
      return call_when_writable(id, &ViciServer::flush);
    }
    if (!sent) return drop(id);
    client->session.sent(*sent);
  }
  if (client->session.fault() != vici::SessionFault::none) return drop(id);
  if (client->goes_on) call_when_writable(id, &ViciServer::go_on);
}

void ViciServer::call_when_writable(control::ClientId id,
                                    void (ViciServer::*what)(control::ClientId)) {
  Client* client = find(id);
  if (client == nullptr || std::exchange(client->waits_to_write, true)) return;
  loop_.when_writable(client->stream.fd(), [this, id, what] {
    if (Client* again = find(id)) again->waits_to_write = false;
    (this->*what)(id);
  });
}

void ViciServer::resume(control::ClientId id) {
  Client* client = find(id);
  if (client == nullptr) return;
  client->goes_on = true;
  flush(id);
}

void ViciServer::go_on(control::ClientId id) {
  Client* client = find(id);
  if (client == nullptr) return;
  // Something else, as an event, may have come in between and still be under way.
  if (!client->session.output().empty()) return flush(id);
  if (std::exchange(client->goes_on, false)) handlers_.resume(id);
}

void ViciServer::drop(control::ClientId id) {
  Client* client = find(id);
  if (client == nullptr) return;
  loop_.forget(client->stream.fd());
  clients_.erase(id);
  handlers_.gone(id);
}

void ViciServer::respond(control::ClientId id, const vici::Message& message) {
  Client* client = find(id);
  if (client == nullptr) return;
  client->session.respond(message);
  // What the client sent ahead; a loop that is under way goes on by itself.
  if (!client->running) run_requests(id);
}

void ViciServer::stream(control::ClientId id, const std::string& event,
                        const vici::Message& message) {
  Client* client = find(id);
  if (client == nullptr) return;
  client->session.stream(event, message);
  flush(id);
}

void ViciServer::publish(const std::string& event, const vici::Message& message) {
  std::vector<control::ClientId> heard;
  for (const auto& [id, client] : clients_) {
    if (client->session.registered(event)) heard.push_back(id);
  }
  for (const control::ClientId id : heard) {
    Client* client = find(id);
    if (client == nullptr) continue;
    client->session.send_event(event, message);
    flush(id);
  }
}

bool ViciServer::anybody_hears(std::string_view event) const {
  return std::ranges::any_of(
      clients_, [event](const auto& entry) { return entry.second->session.registered(event); });
}

}  // namespace cygnet::daemon
