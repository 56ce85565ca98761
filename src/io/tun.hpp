// A TUN device: whole IP packets between the kernel and us.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "io/unique_fd.hpp"

namespace cygnet::io {

/// Smallest and largest MTU a TUN device may be given (RFC 8200 §5: IPv6 needs 1280).
inline constexpr unsigned kTunMtuMin = 1280;
inline constexpr unsigned kTunMtuMax = 65000;
/// Queues one device can have.
inline constexpr unsigned kTunQueuesMax = 64;

/// One queue of a TUN device; packets come and go without any header in front. Non-blocking.
class TunQueue {
 public:
  explicit TunQueue(UniqueFd fd) : fd_(std::move(fd)) {}
  /// For poll; still owned here.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The next packet's octets in `room`; 0 when none waits. A packet longer than `room` is cut.
  [[nodiscard]] Result<std::size_t> read(MutableBytes room);
  /// Hands one IP packet to the kernel. EAGAIN means the kernel's queue is full.
  [[nodiscard]] Result<void> write(ByteView packet);

 private:
  UniqueFd fd_;
};

/// What to create.
struct TunOptions {
  std::string name = "cygnet0";  ///< at most 15 octets; "%d" in it is replaced by a number
  unsigned mtu = 1400;           ///< kTunMtuMin to kTunMtuMax
  unsigned queues = 1;           ///< 1 to kTunQueuesMax
};

/// A TUN device that is up; addresses and routes are somebody else's. It disappears with its
/// last queue.
struct Tun {
  std::string name;    ///< as the kernel gave it
  unsigned index = 0;  ///< interface index
  std::vector<TunQueue> queues;

  /// Creates the device, sets its MTU and brings it up. Needs CAP_NET_ADMIN and /dev/net/tun.
  [[nodiscard]] static Result<Tun> open(const TunOptions& options);
};

}  // namespace cygnet::io
