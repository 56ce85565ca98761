// Requests to the kernel over a netlink socket (libmnl).              RFC 3549
#include "io/netlink.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <limits>
#include <utility>

namespace cygnet::io {
namespace {

/// One received datagram: a dump sends up to 32 KiB at once; what is larger is reported by the
/// kernel as truncated and refused.
constexpr std::size_t kReceiveSize = 64 * 1024;

/// Messages and attributes start at multiples of four.
constexpr std::size_t align(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

void set_timeout(int descriptor, int option) {
  const timeval limit{.tv_sec = Netlink::kAnswerSeconds, .tv_usec = 0};
  // Cannot fail for a valid socket and a valid value; without it we would merely wait longer.
  static_cast<void>(::setsockopt(descriptor, SOL_SOCKET, option, &limit, sizeof limit));
}

/// The kernel's own words in an NLMSG_ERROR, if it has some.
std::string kernel_words(const nlmsghdr* header) {
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header));
  // With NETLINK_CAP_ACK only the header of our request is repeated before the attributes.
  std::size_t offset = sizeof(nlmsgerr);
  if ((header->nlmsg_flags & NLM_F_CAPPED) == 0 && error->msg.nlmsg_len > sizeof(nlmsghdr)) {
    offset += error->msg.nlmsg_len - sizeof(nlmsghdr);
  }
  const ByteView text =
      NetlinkReply{header}.attribute(align(offset), static_cast<std::uint16_t>(NLMSGERR_ATTR_MSG));
  std::string out = to_string(text);
  while (!out.empty() && out.back() == '\0') out.pop_back();
  return out;
}

/// The negative errno of an NLMSG_ERROR; zero is an acknowledgement.
int verdict(const nlmsghdr* header) {
  if (mnl_nlmsg_get_payload_len(header) < sizeof(nlmsgerr)) return -EBADMSG;
  return static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header))->error;
}

/// At the end of a dump the kernel may say that it failed: its first octets are an errno.
int verdict_of_done(const nlmsghdr* header) {
  int out = 0;
  if (mnl_nlmsg_get_payload_len(header) >= sizeof out) {
    std::memcpy(&out, mnl_nlmsg_get_payload(header), sizeof out);
  }
  return out;
}

Error refused(std::string_view what, int code, std::string detail = {}) {
  return Error{.operation = std::string{what}, .code = code, .detail = std::move(detail)};
}

}  // namespace

NetlinkMessage::NetlinkMessage(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  raw(&header, sizeof header);
}

NetlinkMessage& NetlinkMessage::put(std::uint16_t attribute, ByteView data) {
  put_raw(attribute, data.data(), data.size());
  return *this;
}

NetlinkMessage& NetlinkMessage::put_text(std::uint16_t attribute, std::string_view text) {
  const std::string terminated{text};
  put_raw(attribute, terminated.c_str(), terminated.size() + 1);
  return *this;
}

NetlinkMessage& NetlinkMessage::nest(std::uint16_t attribute,
                                     const std::function<void(NetlinkMessage&)>& body) {
  const std::size_t start = bytes_.size();
  put_raw(static_cast<std::uint16_t>(attribute | NLA_F_NESTED), nullptr, 0);
  body(*this);
  const std::size_t length = bytes_.size() - start;
  if (length > std::numeric_limits<std::uint16_t>::max()) too_large_ = true;
  if (too_large_) return *this;
  const auto patched = static_cast<std::uint16_t>(length);
  std::memcpy(bytes_.data() + start, &patched, sizeof patched);
  return *this;
}

void NetlinkMessage::put_raw(std::uint16_t attribute, const void* data, std::size_t size) {
  if (size > std::numeric_limits<std::uint16_t>::max() - sizeof(nlattr)) {
    too_large_ = true;
    return;
  }
  const nlattr header{.nla_len = static_cast<std::uint16_t>(sizeof(nlattr) + size),
                      .nla_type = attribute};
  raw(&header, sizeof header);
  raw(data, size);
}

void NetlinkMessage::raw(const void* data, std::size_t size) {
  if (bytes_.size() + size > kSizeMax) too_large_ = true;
  if (too_large_) return;
  if (size > 0) append(bytes_, ByteView{static_cast<const std::uint8_t*>(data), size});
  bytes_.resize(align(bytes_.size()));
}

void NetlinkMessage::patch_length() {
  const auto length = static_cast<std::uint32_t>(bytes_.size());
  std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
}

ByteView NetlinkReply::payload() const {
  return {static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(header_)),
          mnl_nlmsg_get_payload_len(header_)};
}

ByteView NetlinkReply::attribute(std::size_t header_size, std::uint16_t type) const {
  const ByteView body = payload();
  const std::size_t start = align(header_size);
  return start < body.size() ? nested(body.subspan(start), type) : ByteView{};
}

ByteView NetlinkReply::nested(ByteView attributes, std::uint16_t type) {
  ByteView found;
  std::size_t at = 0;
  while (attributes.size() - at >= sizeof(nlattr)) {
    nlattr header{};
    std::memcpy(&header, attributes.data() + at, sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > attributes.size() - at) break;
    if ((header.nla_type & NLA_TYPE_MASK) == type) {
      found = attributes.subspan(at + sizeof header, header.nla_len - sizeof header);
    }
    at += std::min<std::size_t>(align(header.nla_len), attributes.size() - at);
  }
  return found;
}

void Netlink::Closer::operator()(mnl_socket* socket) const {
  // The result tells nothing one could act on: the descriptor is gone either way.
  static_cast<void>(mnl_socket_close(socket));
}

Netlink::Netlink(mnl_socket* socket) : socket_(socket), buffer_(kReceiveSize) {}
Netlink::Netlink(Netlink&&) noexcept = default;
Netlink& Netlink::operator=(Netlink&&) noexcept = default;
Netlink::~Netlink() = default;

Result<Netlink> Netlink::open(int bus) {
  mnl_socket* raw = mnl_socket_open2(bus, SOCK_CLOEXEC);
  if (raw == nullptr) return std::unexpected(errno_error("open netlink socket"));
  Netlink out{raw};
  if (mnl_socket_bind(raw, 0, MNL_SOCKET_AUTOPID) < 0) {
    return std::unexpected(errno_error("bind netlink socket"));
  }
  // Older kernels lack some of these; then errors have fewer words and dumps are not filtered by
  // the kernel, which is why every dump is filtered here as well.
  int on = 1;
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    static_cast<void>(mnl_socket_setsockopt(raw, option, &on, static_cast<socklen_t>(sizeof on)));
  }
  set_timeout(mnl_socket_get_fd(raw), SO_RCVTIMEO);
  set_timeout(mnl_socket_get_fd(raw), SO_SNDTIMEO);
  return out;
}

Result<void> Netlink::request(NetlinkMessage message, std::string_view what) {
  const auto answered = exchange(message, what, Until::ack, [](const NetlinkReply&) {});
  if (!answered) return std::unexpected(answered.error());
  return {};
}

Result<void> Netlink::query(NetlinkMessage message, std::string_view what,
                            const OnReply& on_reply) {
  const auto answered = exchange(message, what, Until::ack, on_reply);
  if (!answered) return std::unexpected(answered.error());
  return {};
}

Result<void> Netlink::dump(NetlinkMessage message, std::string_view what,
                           const std::function<void()>& restart, const OnReply& on_reply) {
  for (int tried = 0; tried < kDumpTries; ++tried) {
    restart();
    CYG_TRY(const bool consistent, exchange(message, what, Until::done, on_reply));
    if (consistent) return {};
  }
  return std::unexpected(
      refused(what, EINTR, fmt::format("changed during each of {} dumps", kDumpTries)));
}

// Returns whether the answer is consistent (no NLM_F_DUMP_INTR).
Result<bool> Netlink::exchange(NetlinkMessage& message, std::string_view what, Until until,
                               const OnReply& on_reply) {
  if (message.too_large()) {
    return std::unexpected(refused(what, EMSGSIZE, "the netlink request is too large"));
  }
  message.patch_length();
  auto* header = reinterpret_cast<nlmsghdr*>(message.bytes_.data());
  header->nlmsg_flags = static_cast<std::uint16_t>(header->nlmsg_flags |
                                                   (until == Until::ack ? NLM_F_ACK : NLM_F_DUMP));
  header->nlmsg_seq = ++sequence_;
  if (mnl_socket_sendto(socket_.get(), header, header->nlmsg_len) < 0) {
    return std::unexpected(errno_error(std::string{what}, "send to the kernel"));
  }
  const unsigned port = mnl_socket_get_portid(socket_.get());
  bool consistent = true;
  while (true) {
    const ssize_t size = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(errno_error(std::string{what}, "wait for the kernel"));
    int left = static_cast<int>(size);
    for (auto* reply = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(reply, left);
         reply = mnl_nlmsg_next(reply, &left)) {
      // Late answers to a request that was given up, and other senders, are not ours.
      if (reply->nlmsg_seq != sequence_ || reply->nlmsg_pid != port) continue;
      if ((reply->nlmsg_flags & NLM_F_DUMP_INTR) != 0) consistent = false;
      if (reply->nlmsg_type == NLMSG_ERROR) {
        const int code = verdict(reply);
        if (code != 0) return std::unexpected(refused(what, -code, kernel_words(reply)));
        return consistent;
      }
      if (reply->nlmsg_type == NLMSG_DONE) {
        const int code = verdict_of_done(reply);
        if (code < 0) return std::unexpected(refused(what, -code));
        return consistent;
      }
      if (reply->nlmsg_type >= NLMSG_MIN_TYPE) on_reply(NetlinkReply{reply});
    }
  }
}

// --- announcements -------------------------------------------------------------------------------

NetlinkMonitor::NetlinkMonitor(std::unique_ptr<mnl_socket, Netlink::Closer> socket)
    : socket_(std::move(socket)), buffer_(kReceiveSize) {}

Result<NetlinkMonitor> NetlinkMonitor::open(std::initializer_list<unsigned> groups) {
  std::unique_ptr<mnl_socket, Netlink::Closer> socket{
      mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  if (!socket) return std::unexpected(errno_error("open netlink socket"));
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return std::unexpected(errno_error("bind netlink socket"));
  }
  for (unsigned group : groups) {
    if (mnl_socket_setsockopt(socket.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) {
      return std::unexpected(errno_error("subscribe to the kernel's announcements"));
    }
  }
  return NetlinkMonitor{std::move(socket)};
}

int NetlinkMonitor::fd() const { return mnl_socket_get_fd(socket_.get()); }

bool NetlinkMonitor::drain(const Netlink::OnReply& on_reply) {
  bool complete = true;
  while (true) {
    const ssize_t size = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
      complete = false;
      continue;
    }
    if (size <= 0) return complete;  // EAGAIN: that was all
    int left = static_cast<int>(size);
    for (auto* reply = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(reply, left);
         reply = mnl_nlmsg_next(reply, &left)) {
      if (reply->nlmsg_type >= NLMSG_MIN_TYPE) on_reply(NetlinkReply{reply});
    }
  }
}

}  // namespace cygnet::io
