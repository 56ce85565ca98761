#include "daemon/ports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "ike/engine.hpp"

namespace cygnet::daemon {
namespace {

constexpr std::array<std::uint8_t, 4> kNonEspMarker{};
/// Datagrams of one call of read(), so that nobody at a port can starve the rest.
constexpr int kReadsMax = 64;

bool has_marker(ByteView bytes) {
  return bytes.size() >= kNonEspMarker.size() && equal(bytes.first(4), kNonEspMarker);
}

}  // namespace

Result<Ports> Ports::open(const PortOptions& wanted) {
  const unsigned workers = wanted.workers;
  Ports out;
  out.ike_ = wanted.ike;
  out.natt_ = wanted.natt;
  out.workers_.resize(workers);
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    io::UdpOptions options{.family = family, .port = wanted.ike, .fwmark = wanted.fwmark};
    auto ike = io::UdpSocket::open(options);
    if (!ike && family == IpFamily::v6 && ike.error().code == EAFNOSUPPORT) continue;
    if (!ike) return std::unexpected(std::move(ike).error());
    out.sockets_.push_back({std::move(*ike), false});
    options.port = wanted.natt;
    if (workers == 0) {
      CYG_TRY(io::UdpSocket natt, io::UdpSocket::open(options));
      out.sockets_.push_back({std::move(natt), true});
      continue;
    }
    options.checksum = false;
    CYG_TRY(io::NattSockets natt, io::open_natt(options, workers));
    out.sockets_.push_back({std::move(natt.control), true});
    for (unsigned i = 0; i < workers; ++i) {
      auto& place = family == IpFamily::v4 ? out.workers_[i].v4 : out.workers_[i].v6;
      place = std::make_unique<io::UdpSocket>(std::move(natt.workers[i]));
    }
  }
  return out;
}

Result<std::uint16_t> Ports::local_port(std::uint16_t wanted) const {
  if (wanted == kIkePort || wanted == ike_) return ike_;
  if (wanted == kNattPort || wanted == natt_) return natt_;
  return fail("local_port", fmt::format("cygnetd is at ports {} and {} only", ike_, natt_));
}

std::vector<int> Ports::descriptors() const {
  std::vector<int> out;
  for (const Socket& socket : sockets_) out.push_back(socket.socket.fd());
  return out;
}

Ports::Socket* Ports::find(IpFamily family, bool natt) {
  const auto at = std::ranges::find_if(sockets_, [&](const Socket& socket) {
    return socket.socket.family() == family && socket.natt == natt;
  });
  return at == sockets_.end() ? nullptr : &*at;
}

void Ports::read(int descriptor, const std::function<void(const Arrival&)>& arrived) {
  const auto at = std::ranges::find_if(
      sockets_, [descriptor](const Socket& socket) { return socket.socket.fd() == descriptor; });
  if (at == sockets_.end()) return;
  std::vector<std::pair<Arrival, Bytes>> newcomers;
  for (int i = 0; i < kReadsMax; ++i) {
    const auto got = at->socket.receive_one(room_);
    if (!got) continue;  // an ICMP error that somebody's answer caused; it is taken by reading it
    if (got->remote.port == 0) break;
    if (got->truncated) continue;
    ByteView bytes = ByteView{room_}.first(got->size);
    // Port 500 sees the marker only when our peer is at its 4500 and we are not at ours.
    if (has_marker(bytes) && (at->natt || got->remote.port == kNattPort)) {
      bytes = bytes.subspan(kNonEspMarker.size());
    } else if (at->natt) {
      continue;  // a keepalive, or ESP that no worker wants
    }
    if (ike::opens_ike_sa(bytes)) {
      newcomers.emplace_back(Arrival{got->local, got->remote, {}}, to_bytes(bytes));
    } else {
      arrived({got->local, got->remote, bytes});
    }
  }
  for (const auto& [arrival, bytes] : newcomers) arrived({arrival.local, arrival.remote, bytes});
}

Result<void> Ports::send(const Endpoint& local, const Endpoint& remote, ByteView bytes) {
  Socket* socket = find(remote.address.family(), local.port == natt_);
  if (socket == nullptr) return fail("send to " + remote.text(), "no socket of this family");
  if (local.port != natt_ && remote.port != kNattPort) {
    return socket->socket.send_one({.local = local, .remote = remote, .bytes = bytes});
  }
  const Bytes marked = concat({kNonEspMarker, bytes});
  return socket->socket.send_one({.local = local, .remote = remote, .bytes = marked});
}

Result<void> Ports::send_keepalive(const Endpoint& local, const Endpoint& remote) {
  static constexpr std::array<std::uint8_t, 1> kKeepalive{0xff};
  Socket* socket = find(remote.address.family(), true);
  if (socket == nullptr) return fail("send to " + remote.text(), "no socket of this family");
  return socket->socket.send_one({.local = local, .remote = remote, .bytes = kKeepalive});
}

}  // namespace cygnet::daemon
