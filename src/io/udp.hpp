// UDP sockets for IKE and ESP-in-UDP: batched, with local address and TOS.   RFC 3948, RFC 3542
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/ip.hpp"
#include "io/unique_fd.hpp"

namespace cygnet::io {

/// Datagrams one system call moves at most.
inline constexpr std::size_t kUdpBatchMax = 64;
/// Octets the largest UDP datagram can have, so that nothing is ever truncated.
inline constexpr std::size_t kUdpDatagramMax = 65535;

/// How to open a UDP socket. It is always non-blocking, close-on-exec, and reports the local
/// address and TOS of what it receives.
struct UdpOptions {
  IpFamily family = IpFamily::v4;  ///< v6 sockets are IPv6 only
  std::uint16_t port = 0;          ///< 0: any free one
  std::uint32_t fwmark = 0;        ///< SO_MARK; 0 sets none (setting one needs CAP_NET_ADMIN)
  bool reuse_port = false;         ///< join a SO_REUSEPORT group (all its members must set it)
  bool checksum = true;            ///< false: IPv4 datagrams leave with checksum 0 (RFC 3948 §2.1)
  int buffer_size = 4 * 1024 * 1024;  ///< octets asked for each direction; the kernel may cap it
};

/// A place for one received datagram. The caller gives `room`, the rest is filled in.
struct UdpReceived {
  MutableBytes room;
  std::size_t size = 0;    ///< octets of `room` that hold the datagram
  bool truncated = false;  ///< `room` was too small: do not use it
  Endpoint local;          ///< destination address and our port
  Endpoint remote;
  std::uint8_t tos = 0;  ///< IPv4 TOS or IPv6 traffic class
};

/// One datagram to send.
struct UdpOutgoing {
  Endpoint local;  ///< source address; any-address (0.0.0.0, ::) lets the kernel choose
  Endpoint remote;
  ByteView bytes;
  std::uint8_t tos = 0;
  bool dont_fragment = false;  ///< IPv4: set DF and obey the known path MTU
};

/// What became of a batch.
struct UdpSendResult {
  std::size_t sent = 0;  ///< datagrams handed to the kernel
  int error = 0;         ///< errno of the first one that was not, else 0
};

/// One UDP socket. Not thread-safe: one thread sends and receives.
class UdpSocket {
 public:
  [[nodiscard]] static Result<UdpSocket> open(const UdpOptions& options);
  /// Takes a socket that open() made, perhaps in another process. Fails when it is not UDP.
  [[nodiscard]] static Result<UdpSocket> adopt(UniqueFd fd);
  UdpSocket(UdpSocket&&) noexcept;
  UdpSocket& operator=(UdpSocket&&) noexcept;
  ~UdpSocket();

  /// For poll or epoll; still owned here.
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] IpFamily family() const { return family_; }
  /// The bound port.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Gives the descriptor up, to hand it over.
  [[nodiscard]] UniqueFd release() { return std::move(fd_); }

  /// Receives what is there, at most kUdpBatchMax, into the first slots; 0 when nothing waits.
  [[nodiscard]] Result<std::size_t> receive(std::span<UdpReceived> slots);
  /// Receives one datagram; nothing waits: size 0 and `remote.port` 0.
  [[nodiscard]] Result<UdpReceived> receive_one(MutableBytes room);
  /// Sends in order and stops at the first that fails (EAGAIN: the send buffer is full; EMSGSIZE:
  /// over the path MTU with dont_fragment). The caller decides whether to skip it and go on.
  [[nodiscard]] UdpSendResult send(std::span<const UdpOutgoing> batch);
  /// Sends one; errors as errno.
  [[nodiscard]] Result<void> send_one(const UdpOutgoing& datagram);

 private:
  struct Scratch;
  UdpSocket(UniqueFd fd, IpFamily family, std::uint16_t port);
  void set_dont_fragment(bool value);

  UniqueFd fd_;
  IpFamily family_ = IpFamily::v4;
  std::uint16_t port_ = 0;
  bool dont_fragment_ = false;        // the socket option's present value
  std::unique_ptr<Scratch> scratch_;  // message headers and control data, made once
};

/// The sockets that share port 4500 of one family: IKE goes to `control`, ESP to `workers`.
struct NattSockets {
  UdpSocket control;
  std::vector<UdpSocket> workers;
};

/// Workers one port can have; above it open_natt() refuses.
inline constexpr unsigned kUdpWorkersMax = 64;

/// Opens one SO_REUSEPORT group: the first socket gets datagrams that start with the non-ESP
/// marker or are shorter than 4 octets (keepalives), the others share the rest by SPI. `workers`
/// is 1 to kUdpWorkersMax. With port 0 all share one free port. `options.reuse_port` is implied;
/// `options.checksum` counts for the workers only.
[[nodiscard]] Result<NattSockets> open_natt(UdpOptions options, unsigned workers);

/// The kernel's present path MTU towards `remote` (octets of IP packet), from its route cache.
[[nodiscard]] Result<unsigned> path_mtu(const Endpoint& local, const Endpoint& remote,
                                        std::uint32_t fwmark);

}  // namespace cygnet::io
