// One thread of the pump.                                      RFC 3948, RFC 4303
#include "esp/pump/pump_worker.hpp"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace cygnet::esp::pump {
namespace {

constexpr std::size_t kSlotSize = kHeadroom + io::kUdpDatagramMax + 1 + kTailroom;

void count(std::atomic<std::uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

Instant clock_now() {
  timespec now{};
  // Cannot fail: the clock is there since Linux 2.6.39.
  static_cast<void>(::clock_gettime(CLOCK_BOOTTIME, &now));
  return {std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

PumpWorker::PumpWorker(std::size_t index, WorkerSockets sockets, io::TunQueue tun,
                       io::EventFd wake_fd, Shared& shared, Rng& rng)
    : index_(index),
      sockets_(std::move(sockets)),
      tun_(std::move(tun)),
      wake_(std::move(wake_fd)),
      shared_(shared),
      worker_(index, rng),
      storage_(kBatch * kSlotSize) {
  packets_.reserve(kBatch);
  received_.resize(kBatch);
  outgoing_.reserve(kBatch);
  outgoing_children_.reserve(kBatch);
}

MutableBytes PumpWorker::slot(std::size_t i) {
  return MutableBytes{storage_}.subspan(i * kSlotSize, kSlotSize);
}

void PumpWorker::run() {
  std::array<pollfd, 4> waits{{{wake_.fd(), POLLIN, 0},
                               {tun_.fd(), POLLIN, 0},
                               {sockets_.v4 ? sockets_.v4->fd() : -1, POLLIN, 0},
                               {sockets_.v6 ? sockets_.v6->fd() : -1, POLLIN, 0}}};
  while (!shared_.stop.load(std::memory_order_acquire)) {
    const int ready = ::poll(waits.data(), waits.size(), -1);
    if (ready < 0) continue;  // EINTR; nothing else can happen to valid arguments
    if (waits[0].revents != 0) {
      wake_.clear();
      from_inbox();
    }
    if (waits[1].revents != 0) from_tun();
    if (counters_.tun_lost.load(std::memory_order_relaxed)) waits[1].fd = -1;
    if (waits[2].revents != 0) from_udp(*sockets_.v4);
    if (waits[3].revents != 0) from_udp(*sockets_.v6);
    flush_events();
  }
}

void PumpWorker::from_inbox() {
  const std::vector<Bytes> waiting = inbox_.take();
  for (std::size_t done = 0; done < waiting.size();) {
    packets_.clear();
    for (; done < waiting.size() && packets_.size() < kBatch; ++done) {
      const MutableBytes room = slot(packets_.size());
      std::ranges::copy(waiting[done], room.begin() + kHeadroom);
      packets_.push_back({.buffer = room, .offset = kHeadroom, .size = waiting[done].size()});
    }
    seal_and_send(packets_);
  }
}

void PumpWorker::from_tun() {
  packets_.clear();
  while (packets_.size() < kBatch) {
    const MutableBytes room = slot(packets_.size());
    const auto got = tun_.read(room.subspan(kHeadroom, room.size() - kHeadroom - kTailroom));
    if (!got) {
      counters_.tun_lost.store(true, std::memory_order_relaxed);
      break;
    }
    if (*got == 0) break;
    packets_.push_back({.buffer = room, .offset = kHeadroom, .size = *got});
  }
  seal_and_send(packets_);
}

void PumpWorker::seal_and_send(std::span<Packet> batch) {
  if (batch.empty()) return;
  {
    const LeftRight<Tables>::Reading tables{shared_.tables, index_};
    worker_.outbound(*tables, batch, clock_now());
  }
  send(sockets_.v4.get(), IpFamily::v4, batch);
  send(sockets_.v6.get(), IpFamily::v6, batch);
  for (const Packet& packet : batch) {
    if (packet.verdict == Verdict::deliver) write_tun(packet);  // ICMP: too big
  }
  hand_over(batch);
}

// Only a flow's first packets come to the wrong queue: the kernel steers it to the queue on
// which the answers arrive, and those arrive at the child's owner.
void PumpWorker::hand_over(std::span<const Packet> batch) {
  std::uint64_t woken = 0;  // a bit for each worker: at most 64 (kTunQueuesMax)
  for (const Packet& packet : batch) {
    if (packet.verdict != Verdict::elsewhere) continue;
    count(counters_.handed_over);
    // A refusal is counted by the inbox.
    if (peers_[packet.owner]->submit(to_bytes(packet.data()))) {
      woken |= std::uint64_t{1} << packet.owner;
    }
  }
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (((woken >> i) & 1) != 0) peers_[i]->wake();
  }
}

void PumpWorker::send(io::UdpSocket* socket, IpFamily family, std::span<const Packet> batch) {
  outgoing_.clear();
  outgoing_children_.clear();
  for (const Packet& packet : batch) {
    if (packet.verdict != Verdict::send || packet.remote.address.family() != family) continue;
    outgoing_.push_back({.local = packet.local,
                         .remote = packet.remote,
                         .bytes = packet.data(),
                         .tos = packet.tos,
                         .dont_fragment = packet.dont_fragment});
    outgoing_children_.push_back(packet.child);
  }
  if (socket == nullptr) {  // a child of a family that this host does not speak
    counters_.send_failures.fetch_add(outgoing_.size(), std::memory_order_relaxed);
    return;
  }
  std::size_t done = 0;
  while (done < outgoing_.size()) {
    const io::UdpSendResult result = socket->send(std::span{outgoing_}.subspan(done));
    done += result.sent;
    if (done == outgoing_.size()) return;
    skip_failed(std::span{outgoing_}.subspan(done), std::span{outgoing_children_}.subspan(done),
                result.error, done);
  }
}

// Decides about the first of `rest`, which the kernel refused.
void PumpWorker::skip_failed(std::span<io::UdpOutgoing> rest,
                             std::span<const model::ChildId> children, int error,
                             std::size_t& skip) {
  if (error == EMSGSIZE && rest[0].dont_fragment) {
    // The path is narrower than thought: this one goes in fragments, the control thread asks
    // the kernel for the path MTU, and the next packets are answered by ICMP.
    rest[0].dont_fragment = false;
    if (shared_.too_big.push(children[0])) shared_.notify.signal();
    return;
  }
  // A full send buffer stays full for the rest of this batch.
  const bool full = error == EAGAIN || error == ENOBUFS;
  const std::size_t lost = full ? rest.size() : 1;
  counters_.send_failures.fetch_add(lost, std::memory_order_relaxed);
  skip += lost;
}

void PumpWorker::from_udp(io::UdpSocket& socket) {
  for (std::size_t i = 0; i < kBatch; ++i) {
    received_[i].room = slot(i).subspan(kHeadroom, io::kUdpDatagramMax);
  }
  const auto got = socket.receive(received_);
  if (!got) return count(counters_.receive_failures);
  packets_.clear();
  for (std::size_t i = 0; i < *got; ++i) {
    const io::UdpReceived& datagram = received_[i];
    if (!classify(datagram)) continue;
    packets_.push_back({.buffer = slot(i),
                        .offset = kHeadroom,
                        .size = datagram.size,
                        .local = datagram.local,
                        .remote = datagram.remote,
                        .tos = datagram.tos});
  }
  if (packets_.empty()) return;
  {
    const LeftRight<Tables>::Reading tables{shared_.tables, index_};
    worker_.inbound(*tables, packets_, clock_now());
  }
  for (const Packet& packet : packets_) {
    if (packet.verdict == Verdict::deliver) write_tun(packet);
  }
}

// True for ESP. RFC 3948 §2: four zero octets mean IKE, a lone 0xFF keeps a NAT awake.
bool PumpWorker::classify(const io::UdpReceived& datagram) {
  const ByteView bytes = datagram.room.first(datagram.size);
  if (bytes.size() == 1 && bytes[0] == 0xff) {
    count(counters_.keepalives);
    return false;
  }
  if (datagram.truncated || bytes.size() < 4) {
    count(counters_.runts);
    return false;
  }
  if (std::ranges::any_of(bytes.first(4), [](std::uint8_t byte) { return byte != 0; })) {
    return true;
  }
  if (shared_.ike.push({datagram.local, datagram.remote, to_bytes(bytes.subspan(4))})) {
    count(counters_.ike_forwarded);
    shared_.notify.signal();
  }
  return false;
}

void PumpWorker::write_tun(const Packet& packet) {
  if (!tun_.write(packet.data())) count(counters_.tun_failures);
}

void PumpWorker::flush_events() {
  if (!worker_.has_events()) return;
  for (model::PlaneEvent& event : worker_.take_events()) {
    // A refusal is counted by the queue and shows as Totals::events_lost.
    static_cast<void>(shared_.events.push(std::move(event)));
  }
  shared_.notify.signal();
}

void PumpWorker::add_totals(Totals& out) const {
  constexpr auto relaxed = std::memory_order_relaxed;
  worker_.add_drops(out.drops);
  out.keepalives += counters_.keepalives.load(relaxed);
  out.ike_forwarded += counters_.ike_forwarded.load(relaxed);
  out.runts += counters_.runts.load(relaxed);
  out.handed_over += counters_.handed_over.load(relaxed);
  out.handover_refused += inbox_.dropped();
  out.send_failures += counters_.send_failures.load(relaxed);
  out.receive_failures += counters_.receive_failures.load(relaxed);
  out.tun_failures += counters_.tun_failures.load(relaxed);
  out.tun_lost = out.tun_lost || counters_.tun_lost.load(relaxed);
}

}  // namespace cygnet::esp::pump
