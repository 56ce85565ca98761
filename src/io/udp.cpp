// UDP sockets: opening, and batches through recvmmsg and sendmmsg.    RFC 3542, ip(7), udp(7)
#include "io/udp.hpp"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace cygnet::io {
namespace {

constexpr std::size_t kControlSize = 128;  // pktinfo of v6 and a traffic class, with room

Result<void> set_int(int fd, int level, int option, int value, const char* what) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return std::unexpected(errno_error(what));
}

Result<int> get_int(int fd, int level, int option, const char* what) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, level, option, &value, &size) == 0) return value;
  return std::unexpected(errno_error(what));
}

socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) {
  out = {};
  if (endpoint.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, endpoint.address.bytes().data(), 4);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint.port);
  std::memcpy(&v6.sin6_addr, endpoint.address.bytes().data(), 16);
  std::memcpy(&out, &v6, sizeof v6);
  return sizeof v6;
}

IpAddress address_of(const void* raw, std::size_t size) {
  // 4 or 16 octets by construction, so this cannot fail.
  return *IpAddress::from_bytes(ByteView{static_cast<const std::uint8_t*>(raw), size});
}

Endpoint from_sockaddr(const sockaddr_storage& in) {
  if (in.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &in, sizeof v4);
    return {address_of(&v4.sin_addr, 4), ntohs(v4.sin_port)};
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &in, sizeof v6);
  return {address_of(&v6.sin6_addr, 16), ntohs(v6.sin6_port)};
}

Result<void> set_options(int fd, const UdpOptions& options) {
  const bool v4 = options.family == IpFamily::v4;
  if (v4) {
    CYG_TRY_DO(set_int(fd, IPPROTO_IP, IP_PKTINFO, 1, "set IP_PKTINFO"));
    CYG_TRY_DO(set_int(fd, IPPROTO_IP, IP_RECVTOS, 1, "set IP_RECVTOS"));
    // Without DF the kernel fragments; send() switches per batch.
    CYG_TRY_DO(set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, "set IP_MTU_DISCOVER"));
    if (!options.checksum) {
      CYG_TRY_DO(set_int(fd, SOL_SOCKET, SO_NO_CHECK, 1, "set SO_NO_CHECK"));
    }
  } else {
    CYG_TRY_DO(set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, "set IPV6_V6ONLY"));
    CYG_TRY_DO(set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "set IPV6_RECVPKTINFO"));
    CYG_TRY_DO(set_int(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1, "set IPV6_RECVTCLASS"));
    CYG_TRY_DO(
        set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_WANT, "set IPV6_MTU_DISCOVER"));
  }
  // No SO_REUSEADDR: with UDP it would let two daemons share a port without noticing.
  if (options.reuse_port) {
    CYG_TRY_DO(set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1, "set SO_REUSEPORT"));
  }
  if (options.fwmark != 0) {
    CYG_TRY_DO(set_int(fd, SOL_SOCKET, SO_MARK, static_cast<int>(options.fwmark), "set SO_MARK"));
  }
  // Privileged sockets may exceed the system's limit; others get what it allows.
  for (const auto& [force, plain] :
       {std::pair{SO_RCVBUFFORCE, SO_RCVBUF}, std::pair{SO_SNDBUFFORCE, SO_SNDBUF}}) {
    if (!set_int(fd, SOL_SOCKET, force, options.buffer_size, "set buffer size")) {
      CYG_TRY_DO(set_int(fd, SOL_SOCKET, plain, options.buffer_size, "set buffer size"));
    }
  }
  return {};
}

// What one control message says, if it concerns us.
void read_control(const cmsghdr& header, const unsigned char* data, UdpReceived& out) {
  if (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_PKTINFO) {
    in_pktinfo info{};
    std::memcpy(&info, data, sizeof info);
    out.local.address = address_of(&info.ipi_addr, 4);
  } else if (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_TOS) {
    out.tos = *data;
  } else if (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_PKTINFO) {
    in6_pktinfo info{};
    std::memcpy(&info, data, sizeof info);
    out.local.address = address_of(&info.ipi6_addr, 16);
  } else if (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_TCLASS) {
    int value = 0;
    std::memcpy(&value, data, sizeof value);
    out.tos = static_cast<std::uint8_t>(value);
  }
}

cmsghdr* put_control(msghdr& message, cmsghdr* at, int level, int type, const void* data,
                     std::size_t size) {
  at->cmsg_level = level;
  at->cmsg_type = type;
  at->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(at), data, size);
  return CMSG_NXTHDR(&message, at);
}

// Source address and TOS as control data; shortens msg_controllen to what was written.
void write_control(msghdr& message, const UdpOutgoing& datagram) {
  cmsghdr* at = CMSG_FIRSTHDR(&message);
  std::size_t used = 0;
  const bool pinned = !datagram.local.address.is_any();
  const int tos = datagram.tos;
  if (datagram.remote.address.is_v4()) {
    if (pinned && datagram.local.address.is_v4()) {
      in_pktinfo info{};
      std::memcpy(&info.ipi_spec_dst, datagram.local.address.bytes().data(), 4);
      at = put_control(message, at, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
      used += CMSG_SPACE(sizeof info);
    }
    static_cast<void>(put_control(message, at, IPPROTO_IP, IP_TOS, &tos, sizeof tos));
  } else {
    if (pinned && !datagram.local.address.is_v4()) {
      in6_pktinfo info{};
      std::memcpy(&info.ipi6_addr, datagram.local.address.bytes().data(), 16);
      at = put_control(message, at, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
      used += CMSG_SPACE(sizeof info);
    }
    static_cast<void>(put_control(message, at, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos));
  }
  message.msg_controllen = used + CMSG_SPACE(sizeof tos);
}

// The selector sees the datagram from the UDP payload on. Loads past its end return 0, so
// anything shorter than an SPI goes to socket 0, like the non-ESP marker (RFC 3948 §2.2).
Result<void> attach_selector(int fd, unsigned workers) {
  std::array<sock_filter, 6> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
      BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
      BPF_STMT(BPF_RET | BPF_A, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attached, sizeof attached) == 0) {
    return {};
  }
  return std::unexpected(errno_error("attach the selector to the port's sockets"));
}

}  // namespace

// Everything a batch needs beside the datagrams themselves.
struct UdpSocket::Scratch {
  std::array<mmsghdr, kUdpBatchMax> messages{};
  std::array<iovec, kUdpBatchMax> parts{};
  std::array<sockaddr_storage, kUdpBatchMax> names{};
  struct alignas(cmsghdr) Control {
    std::array<unsigned char, kControlSize> raw;
  };
  std::array<Control, kUdpBatchMax> control{};

  // Message `i` with its part, name and control space.
  msghdr& prepare(std::size_t i, void* data, std::size_t size) {
    parts[i] = {data, size};
    msghdr& header = messages[i].msg_hdr;
    header = {};
    header.msg_iov = &parts[i];
    header.msg_iovlen = 1;
    header.msg_name = &names[i];
    header.msg_namelen = sizeof names[i];
    header.msg_control = control[i].raw.data();
    header.msg_controllen = kControlSize;
    messages[i].msg_len = 0;
    return header;
  }
};

UdpSocket::UdpSocket(UniqueFd fd, IpFamily family, std::uint16_t port)
    : fd_(std::move(fd)), family_(family), port_(port), scratch_(std::make_unique<Scratch>()) {}
UdpSocket::UdpSocket(UdpSocket&&) noexcept = default;
UdpSocket& UdpSocket::operator=(UdpSocket&&) noexcept = default;
UdpSocket::~UdpSocket() = default;

Result<UdpSocket> UdpSocket::open(const UdpOptions& options) {
  const int domain = options.family == IpFamily::v4 ? AF_INET : AF_INET6;
  UniqueFd fd{::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP)};
  if (!fd) return std::unexpected(errno_error("open UDP socket"));
  CYG_TRY_DO(set_options(fd.get(), options));
  sockaddr_storage name;
  const Endpoint any{IpAddress::any(options.family), options.port};
  const socklen_t size = to_sockaddr(any, name);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) {
    return std::unexpected(errno_error("bind UDP port " + std::to_string(options.port),
                                       "does another IKE daemon run?"));
  }
  return adopt(std::move(fd));
}

Result<UdpSocket> UdpSocket::adopt(UniqueFd fd) {
  CYG_TRY(const int type, get_int(fd.get(), SOL_SOCKET, SO_TYPE, "adopt UDP socket"));
  if (type != SOCK_DGRAM) return fail("adopt UDP socket", "it is not a datagram socket");
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    return std::unexpected(errno_error("name of UDP socket"));
  }
  if (name.ss_family != AF_INET && name.ss_family != AF_INET6) {
    return fail("adopt UDP socket", "it is neither IPv4 nor IPv6");
  }
  const Endpoint local = from_sockaddr(name);
  UdpSocket out{std::move(fd), local.address.family(), local.port};
  if (local.address.is_v4()) {
    CYG_TRY(const int mode, get_int(out.fd(), IPPROTO_IP, IP_MTU_DISCOVER, "read IP_MTU_DISCOVER"));
    out.dont_fragment_ = mode != IP_PMTUDISC_DONT;
  }
  return out;
}

Result<std::size_t> UdpSocket::receive(std::span<UdpReceived> slots) {
  const std::size_t count = std::min(slots.size(), kUdpBatchMax);
  for (std::size_t i = 0; i < count; ++i) {
    static_cast<void>(scratch_->prepare(i, slots[i].room.data(), slots[i].room.size()));
  }
  const int got = ::recvmmsg(fd_.get(), scratch_->messages.data(), static_cast<unsigned>(count),
                             MSG_DONTWAIT, nullptr);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
    return std::unexpected(errno_error("receive from UDP socket"));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
    UdpReceived& slot = slots[i];
    msghdr& header = scratch_->messages[i].msg_hdr;
    slot.size = scratch_->messages[i].msg_len;
    slot.truncated = (header.msg_flags & MSG_TRUNC) != 0;
    slot.remote = from_sockaddr(scratch_->names[i]);
    slot.local = {IpAddress::any(family_), port_};
    slot.tos = 0;
    for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
      read_control(*at, CMSG_DATA(at), slot);
    }
  }
  return static_cast<std::size_t>(got);
}

Result<UdpReceived> UdpSocket::receive_one(MutableBytes room) {
  UdpReceived slot{.room = room};
  CYG_TRY(const std::size_t count, receive({&slot, 1}));
  if (count == 0) slot.size = 0;
  return slot;
}

void UdpSocket::set_dont_fragment(bool value) {
  if (value == dont_fragment_ || family_ != IpFamily::v4) return;
  const auto done = set_int(fd_.get(), IPPROTO_IP, IP_MTU_DISCOVER,
                            value ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT, "set IP_MTU_DISCOVER");
  // Cannot fail on a UDP socket; if it did, DF stays as it was, which the next batch tries again.
  if (done) dont_fragment_ = value;
}

UdpSendResult UdpSocket::send(std::span<const UdpOutgoing> batch) {
  UdpSendResult result;
  while (result.sent < batch.size()) {
    // DF is a property of the socket: a run of equal wishes goes in one call.
    const auto rest = batch.subspan(result.sent);
    set_dont_fragment(rest.front().dont_fragment);
    std::size_t count = 0;
    while (count < std::min(rest.size(), kUdpBatchMax) &&
           (family_ != IpFamily::v4 || rest[count].dont_fragment == rest[0].dont_fragment)) {
      const UdpOutgoing& datagram = rest[count];
      // sendmmsg does not write to the data; iovec just has no const.
      msghdr& header = scratch_->prepare(count, const_cast<std::uint8_t*>(datagram.bytes.data()),
                                         datagram.bytes.size());
      header.msg_namelen = to_sockaddr(datagram.remote, scratch_->names[count]);
      scratch_->control[count] = {};
      write_control(header, datagram);
      ++count;
    }
    const int sent = ::sendmmsg(fd_.get(), scratch_->messages.data(), static_cast<unsigned>(count),
                                MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) {
      result.error = errno;
      return result;
    }
    // Short of `count` means the next one failed; the next call says why.
    result.sent += static_cast<std::size_t>(sent);
  }
  return result;
}

Result<void> UdpSocket::send_one(const UdpOutgoing& datagram) {
  const UdpSendResult result = send({&datagram, 1});
  if (result.error == 0) return {};
  return std::unexpected(Error{"send to " + datagram.remote.text(), result.error, {}});
}

Result<NattSockets> open_natt(UdpOptions options, unsigned workers) {
  if (workers == 0 || workers > kUdpWorkersMax) {
    return fail("open ESP-in-UDP sockets", "1 to 64 workers are possible");
  }
  if (options.port != 0) {
    // Another daemon's group must not be joined: without SO_REUSEPORT a taken port is an error.
    options.reuse_port = false;
    CYG_TRY(const UdpSocket probe, UdpSocket::open(options));
  }
  options.reuse_port = true;
  UdpOptions control_options = options;
  control_options.checksum = true;
  // The selector counts sockets in the order in which they were bound: control is 0.
  CYG_TRY(UdpSocket control, UdpSocket::open(control_options));
  options.port = control.port();
  NattSockets out{std::move(control), {}};
  // Attached before the workers exist, so that no early datagram is hashed to one.
  CYG_TRY_DO(attach_selector(out.control.fd(), workers));
  for (unsigned i = 0; i < workers; ++i) {
    CYG_TRY(UdpSocket worker, UdpSocket::open(options));
    out.workers.push_back(std::move(worker));
  }
  return out;
}

Result<unsigned> path_mtu(const Endpoint& local, const Endpoint& remote, std::uint32_t fwmark) {
  const bool v4 = remote.address.is_v4();
  const UniqueFd fd{::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!fd) return std::unexpected(errno_error("socket for path MTU"));
  if (fwmark != 0) {
    CYG_TRY_DO(set_int(fd.get(), SOL_SOCKET, SO_MARK, static_cast<int>(fwmark), "set SO_MARK"));
  }
  sockaddr_storage name;
  if (!local.address.is_any()) {
    const socklen_t size = to_sockaddr({local.address, 0}, name);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) {
      return std::unexpected(errno_error("bind for path MTU"));
    }
  }
  const socklen_t size = to_sockaddr(remote, name);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) {
    return std::unexpected(errno_error("route to " + remote.text()));
  }
  CYG_TRY(const int mtu, v4 ? get_int(fd.get(), IPPROTO_IP, IP_MTU, "read IP_MTU")
                            : get_int(fd.get(), IPPROTO_IPV6, IPV6_MTU, "read IPV6_MTU"));
  return static_cast<unsigned>(mtu);
}

}  // namespace cygnet::io
