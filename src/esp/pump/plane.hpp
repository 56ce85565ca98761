// The esp engine joined to TUN and UDP by threads: the default data plane.      RFC 4303, RFC 3948
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/ip.hpp"
#include "base/rng.hpp"
#include "crypto/provider.hpp"
#include "esp/drop.hpp"
#include "io/udp.hpp"
#include "model/data_plane.hpp"

namespace cygnet::esp::pump {

/// IKE datagrams that may wait between a worker and the control thread.
inline constexpr std::size_t kIkeQueueMax = 256;

/// Events that may wait for take_events(). A child has a handful in flight at most, so this is
/// reached only when the control thread has stopped listening.
inline constexpr std::size_t kEventQueueMax = 1'000'000;
/// Inner packets that may wait for the worker that seals for their child.
inline constexpr std::size_t kInboxMax = 4096;

/// The sockets of one worker, bound to the ESP-in-UDP port; at least one of them.
struct WorkerSockets {
  std::unique_ptr<io::UdpSocket> v4;
  std::unique_ptr<io::UdpSocket> v6;
};

/// How to open a plane.
struct Options {
  std::string tun_name = "cygnet0";  ///< at most 15 octets
  unsigned tun_mtu = 1400;           ///< octets of inner packet
  unsigned outer_mtu = 1500;         ///< octets of outer packet until a smaller path MTU is learnt
  std::vector<WorkerSockets> workers;          ///< one thread each; see io::open_natt()
  std::uint32_t fwmark = 0;                    ///< of the sockets; for path MTU look-ups
  const crypto::Provider* provider = nullptr;  ///< must outlive the plane
  Rng* rng = nullptr;  ///< thread-safe (crypto::system_rng()); must outlive the plane
};

/// A datagram with the non-ESP marker that reached a worker; the marker is removed.
struct IkeDatagram {
  Endpoint local;
  Endpoint remote;
  Bytes bytes;
};

/// What all workers together did since the start.
struct Totals {
  esp::DropCounts drops;
  std::uint64_t keepalives = 0;        ///< lone 0xFF octets received (RFC 3948 §2.3)
  std::uint64_t ike_forwarded = 0;     ///< IKE datagrams that crossed to the control thread
  std::uint64_t ike_refused = 0;       ///< ... that found the queue full
  std::uint64_t runts = 0;             ///< too short for ESP
  std::uint64_t handed_over = 0;       ///< inner packets that another worker had to seal
  std::uint64_t handover_refused = 0;  ///< ... and that found its inbox full
  std::uint64_t send_failures = 0;     ///< the kernel refused a datagram
  std::uint64_t receive_failures = 0;  ///< a socket reported an error instead of a datagram
  std::uint64_t events_lost = 0;       ///< events that nobody took in time; see kEventQueueMax
  bool tun_lost = false;               ///< somebody deleted the TUN device; nothing flows any more
  std::uint64_t tun_failures = 0;      ///< the kernel refused an inner packet
};

/// model::DataPlane with worker threads. All methods belong to one control thread, which polls
/// event_fd(). ESP leaves in UDP from the workers' port; raw ESP is refused at install().
class Plane final : public model::DataPlane {
 public:
  /// Creates the TUN device, brings it up and starts the workers.
  [[nodiscard]] static Result<std::unique_ptr<Plane>> open(Options options);
  /// Stops and joins the workers; the TUN device disappears, keys are wiped.
  ~Plane() override;
  Plane(const Plane&) = delete;
  Plane& operator=(const Plane&) = delete;

  [[nodiscard]] model::PlaneTraits traits() const override;
  [[nodiscard]] Result<void> install(const model::ChildSpec& child) override;
  [[nodiscard]] Result<void> activate(model::ChildId child, const model::SaSpec& outbound) override;
  [[nodiscard]] Result<void> relocate(model::ChildId child, const Endpoint& local,
                                      const Endpoint& remote) override;
  [[nodiscard]] Result<void> remove(model::ChildId child) override;
  [[nodiscard]] Result<model::SaStats> stats(model::ChildId child) const override;
  [[nodiscard]] std::vector<model::PlaneEvent> take_events() override;

  /// Readable when take_events() or take_ike_datagrams() has something; both calls re-arm it.
  [[nodiscard]] int event_fd() const;
  /// IKE datagrams that the port's selector gave to a worker; normally none.
  [[nodiscard]] std::vector<IkeDatagram> take_ike_datagrams();
  /// The TUN device: for routes and addresses.
  [[nodiscard]] const std::string& tun_name() const;
  [[nodiscard]] unsigned tun_index() const;
  [[nodiscard]] Totals totals() const;

 private:
  struct Impl;
  explicit Plane(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cygnet::esp::pump
