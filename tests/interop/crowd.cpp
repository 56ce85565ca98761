// A crowd at a gateway: real clients that connect, and, if wanted, a flood of IKE_SA_INIT from
// addresses that do not exist.    crowd REMOTE FIRST_LOCAL CLIENTS SECRET RATE SECONDS INTERFACE
//
// Of the clients at most 100 are on their way at once. RATE is in datagrams a second; 0: no flood.
// Ends when all clients are connected and the flood is over, or after SECONDS + 60. Prints one line
// of JSON: what was sent, who connected and when, and the answers that the flood's addresses got,
// by kind, against the rule for their sizes.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <thread>

#include "ike/engine.hpp"
#include "io/udp.hpp"
#include "program.hpp"
#include "wire/message.hpp"

namespace {

using namespace cygnet;  // a program of its own: nothing includes it
using program::die;
using program::need;
using Clock = std::chrono::steady_clock;

constexpr int kBatch = 64;
constexpr std::size_t kMarkerSize = 4;
/// Clients that are on their way at once.
constexpr std::size_t kCallingMax = 100;
/// In an IKE header (RFC 7296 §3.1).
constexpr std::size_t kNextPayloadAt = 16;
/// Octets by which a full IKE_SA_INIT answer may exceed its request.
constexpr std::size_t kFullExtraMax = 256;

Instant now() { return {Clock::now().time_since_epoch()}; }

// --- clients -------------------------------------------------------------------------------------

struct Client {
  IpAddress address;
  std::unique_ptr<ike::Engine> engine;
  bool up = false;
};

class Crowd {
 public:
  Crowd(IpAddress remote, const IpAddress& first, std::size_t count, std::string secret)
      : remote_(remote), secret_(std::move(secret)) {
    for (const std::uint16_t port : {std::uint16_t{500}, std::uint16_t{4500}}) {
      sockets_.push_back(need(io::UdpSocket::open({.port = port})));
    }
    for (std::size_t i = 0; i < count; ++i) {
      clients_.push_back(
          {.address = need(first.plus(i)),
           .engine = std::make_unique<ike::Engine>(ike::EngineConfig{.force_udp_encap = true},
                                                   crypto_, crypto::system_rng())});
    }
  }

  /// The next ones, when some have arrived.
  void call() {
    for (; called_ < clients_.size() && called_ < up() + kCallingMax; ++called_) {
      ike::Actions out;
      Client& client = clients_[called_];
      client.engine->handle(ike::command::PutConnection{connection(called_)}, now(), out);
      client.engine->handle(ike::command::Initiate{.request = ike::RequestId{1},
                                                   .connection = "home",
                                                   .child = "net",
                                                   .local = {client.address, 500},
                                                   .remote = {remote_, 500}},
                            now(), out);
      carry_out(client, std::move(out));
    }
  }

  void serve(std::chrono::milliseconds time) {
    pollfd fds[2] = {{sockets_[0].fd(), POLLIN, 0}, {sockets_[1].fd(), POLLIN, 0}};
    ::poll(fds, 2, static_cast<int>(time.count()));
    for (std::size_t i = 0; i < 2; ++i) {
      while (receive(sockets_[i], i == 1)) {
      }
    }
    for (Client& client : clients_) {
      ike::Actions out;
      client.engine->tick(now(), out);
      carry_out(client, std::move(out));
    }
  }
  [[nodiscard]] std::size_t up() const {
    return static_cast<std::size_t>(std::ranges::count(clients_, true, &Client::up));
  }

 private:
  model::Connection connection(std::size_t number) const {
    const auto name = [](const std::string& text) {
      return model::Identity{.type = IdType::fqdn, .data = to_bytes(text)};
    };
    model::Connection out{.name = "home"};
    out.proposals = *model::parse_proposals("aes256gcm16-prfsha384-x25519", ProtocolId::ike);
    out.local = {.method = model::AuthClass::psk, .id = name(fmt::format("c{}.example", number))};
    out.remote = {.method = model::AuthClass::psk, .id = name("gw.example")};
    out.vips = {IpAddress::any(IpFamily::v4)};
    model::ChildTemplate child{.name = "net"};
    child.esp_proposals = *model::parse_proposals("aes256gcm16-x25519", ProtocolId::esp);
    child.remote_ts = {*model::parse_selector("10.1.0.0/24")};
    out.children.push_back(std::move(child));
    return out;
  }

  bool receive(io::UdpSocket& socket, bool natt) {
    static Bytes room(65536);
    const auto got = socket.receive_one(room);
    if (!got) return true;  // an ICMP error, taken by reading it
    if (got->remote.port == 0) return false;
    ByteView bytes = ByteView{room}.first(got->size);
    if (natt) {
      if (bytes.size() <= kMarkerSize || bytes[0] != 0 || bytes[1] != 0) return true;
      bytes = bytes.subspan(kMarkerSize);
    }
    const auto at = std::ranges::find(clients_, got->local.address, &Client::address);
    if (at == clients_.end()) return true;
    ike::Actions out;
    at->engine->handle(ike::Datagram{got->local, got->remote, bytes}, now(), out);
    carry_out(*at, std::move(out));
    return true;
  }

  void carry_out(Client& client, ike::Actions actions) {
    for (ike::Action& action : actions) {
      if (const auto* send = std::get_if<ike::action::Send>(&action)) {
        const bool natt = send->local.port == 4500;
        Bytes bytes = natt ? Bytes(kMarkerSize) : Bytes{};
        append(bytes, send->bytes);
        static_cast<void>(sockets_[natt ? 1 : 0].send_one({send->local, send->remote, bytes}));
      } else if (const auto* ask = std::get_if<ike::Ask>(&action)) {
        ike::Actions more;
        client.engine->handle(answer(*ask), now(), more);
        carry_out(client, std::move(more));
      } else if (const auto* event = std::get_if<ike::Event>(&action)) {
        client.up = client.up || std::holds_alternative<ike::event::ChildUp>(*event);
      }
    }
  }

  ike::Answer answer(const ike::Ask& ask) {
    const auto* mac = std::get_if<ike::ask::SharedKeyMac>(&ask.what);
    if (mac == nullptr) return {.id = ask.id, .result = ike::answer::Refused{}};
    const Secret pad =
        need(crypto_.prf(mac->prf, as_bytes(secret_), {as_bytes("Key Pad for IKEv2")}));
    return {.id = ask.id,
            .result = ike::answer::Mac{need(crypto_.prf(mac->prf, pad.reveal(), {mac->octets}))}};
  }

  const crypto::Provider& crypto_ = crypto::openssl();
  IpAddress remote_;
  std::string secret_;
  std::vector<io::UdpSocket> sockets_;
  std::vector<Client> clients_;
  std::size_t called_ = 0;
};

// --- the flood -----------------------------------------------------------------------------------

/// One IKE_SA_INIT that any gateway would answer; SPI, nonce and source differ each time.
class Flood {
 public:
  explicit Flood(std::uint32_t remote) : remote_(remote), dice_(1) {
    wire::SaPayload offer;
    offer.proposals.push_back(
        {.number = 1,
         .proposal =
             model::parse_proposals("aes256gcm16-prfsha384-x25519", ProtocolId::ike)->front()});
    const wire::Header header{
        .spi_i = IkeSpi{1}, .exchange = ExchangeType::ike_sa_init, .initiator = true};
    message_ = wire::write_message(
        header, {std::move(offer), wire::NoncePayload{.data = Bytes(32, 7)},
                 wire::KePayload{.group = KeId::curve25519, .data = Bytes(32, 9)}});
    socket_ = ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (socket_ < 0) die("no raw socket");
  }
  [[nodiscard]] std::size_t message_size() const { return message_.size(); }

  /// Sends `rate` a second until `end`; the number sent.
  std::uint64_t run(std::uint64_t rate, Clock::time_point end) {
    const auto start = Clock::now();
    std::uint64_t sent = 0;
    std::vector<Bytes> packets(kBatch);
    while (Clock::now() < end) {
      const std::chrono::duration<double> passed = Clock::now() - start;
      const auto due = static_cast<std::uint64_t>(passed.count() * static_cast<double>(rate));
      if (due < sent + kBatch) {
        std::this_thread::yield();
        continue;
      }
      mmsghdr headers[kBatch]{};
      iovec parts[kBatch]{};
      sockaddr_in to{
          .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(remote_)}, .sin_zero = {}};
      for (int i = 0; i < kBatch; ++i) {
        Bytes& packet = packets[static_cast<std::size_t>(i)];
        packet = make();
        parts[i] = {packet.data(), packet.size()};
        headers[i].msg_hdr.msg_name = &to;
        headers[i].msg_hdr.msg_namelen = sizeof to;
        headers[i].msg_hdr.msg_iov = &parts[i];
        headers[i].msg_hdr.msg_iovlen = 1;
      }
      const int done = ::sendmmsg(socket_, headers, kBatch, 0);
      if (done > 0) sent += static_cast<std::uint64_t>(done);
    }
    return sent;
  }

 private:
  Bytes make() {
    const std::size_t udp_size = sizeof(udphdr) + message_.size();
    Bytes out(sizeof(iphdr) + udp_size);
    iphdr ip{};
    ip.version = 4;
    ip.ihl = 5;
    ip.ttl = 64;
    ip.protocol = IPPROTO_UDP;
    ip.tot_len = htons(static_cast<std::uint16_t>(out.size()));
    ip.saddr = htonl(0x0a400000 + static_cast<std::uint32_t>(dice_() & 0x3fffff));  // 10.64.0.0/10
    ip.daddr = htonl(remote_);
    udphdr udp{};
    udp.source = htons(500);
    udp.dest = htons(500);
    udp.len = htons(static_cast<std::uint16_t>(udp_size));
    std::memcpy(out.data(), &ip, sizeof ip);
    std::memcpy(out.data() + sizeof ip, &udp, sizeof udp);
    std::uint8_t* message = out.data() + sizeof ip + sizeof udp;
    std::memcpy(message, message_.data(), message_.size());
    const std::uint64_t spi = dice_();
    std::memcpy(message, &spi, sizeof spi);
    return out;
  }

  std::uint32_t remote_;
  std::mt19937_64 dice_;
  Bytes message_;
  int socket_ = -1;
};

/// Answers to the flood's addresses, as they pass the interface. Nobody has proven those: a
/// stateless answer may not exceed the request, a full IKE_SA_INIT answer by 256 octets at most.
struct Answers {
  std::atomic<bool> watching{false};
  std::uint64_t stateless = 0;    ///< their first payload is a Notify
  std::uint64_t full = 0;         ///< ... an SA
  std::uint64_t other = 0;        ///< neither: nobody may get such a thing
  std::size_t stateless_max = 0;  ///< octets of UDP payload
  std::size_t full_max = 0;       ///< ... of the largest full answer
  std::uint64_t too_large = 0;    ///< against the rule
  std::uint64_t missed = 0;       ///< packets that passed while we were busy

  void watch(const char* interface, std::size_t request, const std::atomic<bool>& stop) {
    const int socket = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_IP);
    at.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
    if (socket < 0 || ::bind(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
      die("cannot watch the interface");
    }
    const int room = 64 * 1024 * 1024;
    if (::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0) {
      die("cannot watch the interface with a large buffer");
    }
    watching = true;
    std::uint8_t packet[2048];
    while (true) {
      pollfd fd{socket, POLLIN, 0};
      if (::poll(&fd, 1, 50) <= 0) {
        if (stop) break;  // what had come by then has been read
        continue;
      }
      sockaddr_ll from{};
      socklen_t from_size = sizeof from;
      const ssize_t size = ::recvfrom(socket, packet, sizeof packet, 0,
                                      reinterpret_cast<sockaddr*>(&from), &from_size);
      if (size <= 0 || from.sll_pkttype == PACKET_OUTGOING) continue;
      take(ByteView{packet}.first(static_cast<std::size_t>(size)), request);
    }
    tpacket_stats passed{};
    socklen_t passed_size = sizeof passed;
    if (::getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &passed, &passed_size) != 0) {
      die("no statistics of the interface");
    }
    missed = passed.tp_drops;
    ::close(socket);
  }

 private:
  /// One IP packet.
  void take(ByteView packet, std::size_t request) {
    constexpr std::size_t kHeaders = sizeof(iphdr) + sizeof(udphdr);
    // The flood's addresses are 10.64.0.0/10.
    if (packet.size() < kHeaders || packet[9] != IPPROTO_UDP) return;
    if (packet[16] != 10 || (packet[17] & 0xc0) != 0x40) return;
    const ByteView answer = packet.subspan(kHeaders);
    const bool ike = wire::parse_header(answer).has_value();
    const PayloadType first = ike ? PayloadType{answer[kNextPayloadAt]} : PayloadType::none;
    if (first == PayloadType::notify) {
      ++stateless;
      stateless_max = std::max(stateless_max, answer.size());
      if (answer.size() > request) ++too_large;
    } else if (first == PayloadType::sa) {
      ++full;
      full_max = std::max(full_max, answer.size());
      if (answer.size() > request + kFullExtraMax) ++too_large;
    } else {
      ++other;
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  program::name = "crowd";
  if (argc != 8) die("usage: crowd REMOTE FIRST_LOCAL CLIENTS SECRET RATE SECONDS INTERFACE");
  const IpAddress remote = need(IpAddress::parse(argv[1]));
  const auto rate = static_cast<std::uint64_t>(std::atoll(argv[5]));
  const std::chrono::seconds time{std::atoi(argv[6])};
  Crowd crowd{remote, need(IpAddress::parse(argv[2])), static_cast<std::size_t>(std::atoi(argv[3])),
              argv[4]};
  Flood flood{ntohl(::inet_addr(argv[1]))};
  Answers answers;
  std::atomic<bool> stop{false};
  std::uint64_t sent = 0;
  const auto start = Clock::now();
  std::thread watcher{[&] { answers.watch(argv[7], flood.message_size(), stop); }};
  while (!answers.watching) std::this_thread::yield();
  std::thread flooder{[&] {
    if (rate != 0) sent = flood.run(rate, start + time);
  }};
  // The clients come when the flood is there.
  std::this_thread::sleep_until(start + std::chrono::seconds{rate != 0 ? 1 : 0});
  const auto called = Clock::now();
  double all_up = -1;
  const auto end = called + time + std::chrono::seconds{60};
  while (Clock::now() < end) {
    crowd.call();
    crowd.serve(std::chrono::milliseconds{20});
    if (crowd.up() == static_cast<std::size_t>(std::atoi(argv[3]))) {
      all_up = std::chrono::duration<double>(Clock::now() - called).count();
      break;
    }
  }
  flooder.join();
  stop = true;
  watcher.join();
  fmt::print(
      "{{\"up\": {}, \"seconds\": {:.1f}, \"sent\": {}, \"request\": {}, \"stateless\": {}, "
      "\"stateless_max\": {}, \"full\": {}, \"full_max\": {}, \"other\": {}, \"too_large\": {}, "
      "\"missed\": {}}}\n",
      crowd.up(), all_up, sent, flood.message_size(), answers.stateless, answers.stateless_max,
      answers.full, answers.full_max, answers.other, answers.too_large, answers.missed);
  return 0;
}
