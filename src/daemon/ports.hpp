// The UDP sockets of IKE: ports 500 and 4500, both families.            RFC 7296 §2.23, RFC 3948
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "esp/pump/plane.hpp"
#include "io/udp.hpp"

namespace cygnet::daemon {

inline constexpr std::uint16_t kIkePort = 500;
inline constexpr std::uint16_t kNattPort = 4500;

/// An IKE datagram, the non-ESP marker removed; borrowed for the call.
struct Arrival {
  Endpoint local;
  Endpoint remote;
  ByteView bytes;
};

struct PortOptions {
  std::uint32_t fwmark = 0;
  unsigned workers = 0;  ///< sockets of each family for ESP-in-UDP
  std::uint16_t ike = kIkePort;
  std::uint16_t natt = kNattPort;
};

/// All sockets of one daemon. One thread, except the workers' sockets, which are handed over.
class Ports {
 public:
  /// Opens the ports. A family the kernel does not have is left out; a port that is taken is an
  /// error.
  [[nodiscard]] static Result<Ports> open(const PortOptions& options);

  /// The port of ours that a connection means: the well-known ones stand for those that were opened
  /// in their place. An error for one that is not open.
  [[nodiscard]] Result<std::uint16_t> local_port(std::uint16_t wanted) const;

  /// For the loop: each of these is readable when read() has something.
  [[nodiscard]] std::vector<int> descriptors() const;
  /// Reads one batch of what waits at `descriptor` and calls back for each IKE datagram, those
  /// that open an IKE_SA last: whoever has one is served first, whatever the flood.
  /// Errors of a peer's making (ICMP) are passed over.
  void read(int descriptor, const std::function<void(const Arrival&)>& arrived);
  /// From the local port for NAT traversal, or to a peer's 4500, the non-ESP marker is put in front
  /// (RFC 3948 §2.2).
  [[nodiscard]] Result<void> send(const Endpoint& local, const Endpoint& remote, ByteView bytes);
  /// One octet 0xFF (RFC 3948 §2.3).
  [[nodiscard]] Result<void> send_keepalive(const Endpoint& local, const Endpoint& remote);
  /// The ESP sockets, by worker; once.
  [[nodiscard]] std::vector<esp::pump::WorkerSockets> take_workers() { return std::move(workers_); }

 private:
  struct Socket {
    io::UdpSocket socket;
    bool natt = false;
  };
  [[nodiscard]] Socket* find(IpFamily family, bool natt);

  std::vector<Socket> sockets_;
  std::uint16_t ike_ = kIkePort;
  std::uint16_t natt_ = kNattPort;
  std::vector<esp::pump::WorkerSockets> workers_;
  Bytes room_ = Bytes(io::kUdpDatagramMax);
};

}  // namespace cygnet::daemon
