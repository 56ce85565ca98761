// One thread of the pump: TUN queue and UDP sockets on one side and the other of a Worker.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/time.hpp"
#include "esp/pump/left_right.hpp"
#include "esp/pump/plane.hpp"
#include "esp/tables.hpp"
#include "esp/worker.hpp"
#include "io/queue.hpp"
#include "io/tun.hpp"
#include "io/udp.hpp"

namespace cygnet::esp::pump {

/// Packets one pass over a descriptor takes at most.
inline constexpr std::size_t kBatch = 32;

/// What all workers share with the control thread.
struct Shared {
  Shared(std::size_t workers, io::EventFd notify_fd)
      : tables(workers),
        events(kEventQueueMax),
        ike(kIkeQueueMax),
        too_big(kIkeQueueMax),
        notify(std::move(notify_fd)) {}

  LeftRight<Tables> tables;
  io::BoundedQueue<model::PlaneEvent> events;
  io::BoundedQueue<IkeDatagram> ike;
  io::BoundedQueue<model::ChildId> too_big;  ///< children whose packet was over the path MTU
  io::EventFd notify;                        ///< any of the queues has something
  std::atomic<bool> stop{false};
};

/// CLOCK_BOOTTIME, so that idle times count while the machine sleeps.
[[nodiscard]] Instant clock_now();

/// The loop of one thread. Only run() runs there; wake(), inbox and add_totals() are for others.
class PumpWorker {
 public:
  PumpWorker(std::size_t index, WorkerSockets sockets, io::TunQueue tun, io::EventFd wake_fd,
             Shared& shared, Rng& rng);

  /// Returns after `shared.stop` is set and wake() was called.
  void run();
  void wake() const { wake_.signal(); }
  /// Gives an inner packet to be sealed and sent; false, and counted, when too many wait. Takes
  /// effect with wake().
  [[nodiscard]] bool submit(Bytes packet) { return inbox_.push(std::move(packet)); }
  /// Who else there is, by index; before the threads start.
  void set_peers(std::vector<PumpWorker*> peers) { peers_ = std::move(peers); }
  void add_totals(Totals& out) const;

 private:
  struct Counters {
    std::atomic<std::uint64_t> keepalives{0}, ike_forwarded{0}, runts{0}, handed_over{0},
        send_failures{0}, receive_failures{0}, tun_failures{0};
    std::atomic<bool> tun_lost{false};
  };
  void from_tun();
  void from_inbox();
  void from_udp(io::UdpSocket& socket);
  [[nodiscard]] bool classify(const io::UdpReceived& slot);
  void seal_and_send(std::span<Packet> batch);
  void send(io::UdpSocket* socket, IpFamily family, std::span<const Packet> batch);
  void skip_failed(std::span<io::UdpOutgoing> rest, std::span<const model::ChildId> children,
                   int error, std::size_t& skip);
  void hand_over(std::span<const Packet> batch);
  void write_tun(const Packet& packet);
  void flush_events();
  [[nodiscard]] MutableBytes slot(std::size_t i);

  std::size_t index_;
  WorkerSockets sockets_;
  io::TunQueue tun_;
  io::EventFd wake_;
  Shared& shared_;
  Worker worker_;
  io::BoundedQueue<Bytes> inbox_{kInboxMax};
  Counters counters_;
  Bytes storage_;                // kBatch slots
  std::vector<Packet> packets_;  // views of the slots
  std::vector<io::UdpReceived> received_;
  std::vector<io::UdpOutgoing> outgoing_;
  std::vector<model::ChildId> outgoing_children_;
  std::vector<PumpWorker*> peers_;
};

}  // namespace cygnet::esp::pump
