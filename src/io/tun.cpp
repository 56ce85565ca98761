// A TUN device.                                    Linux Documentation/networking/tuntap
#include "io/tun.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cygnet::io {
namespace {

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());  // TunOptions were checked
  return request;
}

// One queue of the device; the first creates it and learns its name.
Result<UniqueFd> open_queue(std::string& name, bool first) {
  UniqueFd fd{::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  if (!fd) {
    return std::unexpected(errno_error("open /dev/net/tun",
                                       "load the tun module, or let the "
                                       "container have the device"));
  }
  ifreq request = request_for(name);
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE);
  if (first) request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_TUN_EXCL);
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) {
    return std::unexpected(
        errno_error("create TUN device " + name, "is it in use, or is CAP_NET_ADMIN missing?"));
  }
  name = request.ifr_name;
  return fd;
}

Result<void> configure(const std::string& name, unsigned mtu) {
  const UniqueFd control{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!control) return std::unexpected(errno_error("socket for device control"));
  ifreq request = request_for(name);
  request.ifr_mtu = static_cast<int>(mtu);
  if (::ioctl(control.get(), SIOCSIFMTU, &request) != 0) {
    return std::unexpected(errno_error("set MTU of " + name));
  }
  request = request_for(name);
  if (::ioctl(control.get(), SIOCGIFFLAGS, &request) != 0) {
    return std::unexpected(errno_error("read flags of " + name));
  }
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (::ioctl(control.get(), SIOCSIFFLAGS, &request) != 0) {
    return std::unexpected(errno_error("bring up " + name));
  }
  return {};
}

}  // namespace

Result<Tun> Tun::open(const TunOptions& options) {
  if (options.name.empty() || options.name.size() >= IFNAMSIZ) {
    return fail("create TUN device", "its name must have 1 to 15 octets");
  }
  if (options.mtu < kTunMtuMin || options.mtu > kTunMtuMax) {
    return fail("create TUN device", "its MTU must be 1280 to 65000");
  }
  if (options.queues == 0 || options.queues > kTunQueuesMax) {
    return fail("create TUN device", "it must have 1 to 64 queues");
  }
  Tun out;
  out.name = options.name;
  for (unsigned i = 0; i < options.queues; ++i) {
    CYG_TRY(UniqueFd fd, open_queue(out.name, i == 0));
    out.queues.emplace_back(std::move(fd));
  }
  CYG_TRY_DO(configure(out.name, options.mtu));
  out.index = ::if_nametoindex(out.name.c_str());
  if (out.index == 0) return std::unexpected(errno_error("index of " + out.name));
  return out;
}

Result<std::size_t> TunQueue::read(MutableBytes room) {
  const ssize_t got = ::read(fd_.get(), room.data(), room.size());
  if (got >= 0) return static_cast<std::size_t>(got);
  if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
  return std::unexpected(errno_error("read from TUN device"));
}

Result<void> TunQueue::write(ByteView packet) {
  if (::write(fd_.get(), packet.data(), packet.size()) >= 0) return {};
  return std::unexpected(errno_error("write to TUN device"));
}

}  // namespace cygnet::io
