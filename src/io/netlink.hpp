// Requests to the kernel over a netlink socket (libmnl).              RFC 3549
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/bytes.hpp"
#include "base/error.hpp"

struct mnl_socket;

namespace cygnet::io {

/// A request under construction: header, family header, attributes. Sizes are checked when it is
/// sent: more than kSizeMax octets, or an attribute above 64 KiB, is an error.
class NetlinkMessage {
 public:
  static constexpr std::size_t kSizeMax = 128 * 1024;

  /// NLM_F_REQUEST is always set; NLM_F_ACK and NLM_F_DUMP are set by how it is sent.
  NetlinkMessage(std::uint16_t type, std::uint16_t flags);

  /// The fixed structure after the header (rtmsg, ifaddrmsg, xfrm_usersa_info...). Call it once,
  /// before any attribute.
  template <class T>
  NetlinkMessage& header(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    raw(&value, sizeof value);
    return *this;
  }
  NetlinkMessage& put(std::uint16_t attribute, ByteView data);
  /// A plain number or structure in host byte order.
  template <class T>
  NetlinkMessage& put_value(std::uint16_t attribute, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    put_raw(attribute, &value, sizeof value);
    return *this;
  }
  NetlinkMessage& put_u8(std::uint16_t attribute, std::uint8_t v) {
    return put_value(attribute, v);
  }
  NetlinkMessage& put_u32(std::uint16_t attribute, std::uint32_t v) {
    return put_value(attribute, v);
  }
  /// With the terminating zero.
  NetlinkMessage& put_text(std::uint16_t attribute, std::string_view text);
  /// Attributes put by `body` become the content of `attribute`.
  NetlinkMessage& nest(std::uint16_t attribute, const std::function<void(NetlinkMessage&)>& body);

  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] bool too_large() const { return too_large_; }

 private:
  friend class Netlink;
  void raw(const void* data, std::size_t size);
  void put_raw(std::uint16_t attribute, const void* data, std::size_t size);
  void patch_length();
  Bytes bytes_;
  bool too_large_ = false;
};

/// A message from the kernel, borrowed for the call that hands it out.
class NetlinkReply {
 public:
  explicit NetlinkReply(const nlmsghdr* header) : header_(header) {}

  [[nodiscard]] std::uint16_t type() const { return header_->nlmsg_type; }
  /// The fixed structure after the header; zeros where the kernel sent less.
  template <class T>
  [[nodiscard]] T header() const {
    static_assert(std::is_trivially_copyable_v<T>);
    T out{};
    const ByteView body = payload();
    std::memcpy(&out, body.data(), std::min(sizeof out, body.size()));
    return out;
  }
  /// The octets of an attribute that follows a fixed structure of `header_size` octets; of the
  /// last one when it is repeated; empty when absent.
  [[nodiscard]] ByteView attribute(std::size_t header_size, std::uint16_t type) const;
  /// The octets of an attribute inside another one.
  [[nodiscard]] static ByteView nested(ByteView attributes, std::uint16_t type);
  /// A number or structure out of an attribute; `otherwise` when absent or too short.
  template <class T>
  [[nodiscard]] static T value(ByteView octets, T otherwise = {}) {
    if (octets.size() >= sizeof(T)) std::memcpy(&otherwise, octets.data(), sizeof(T));
    return otherwise;
  }
  /// Everything after the message header.
  [[nodiscard]] ByteView payload() const;

 private:
  const nlmsghdr* header_;
};

/// One netlink socket for one thread. Errors carry the kernel's errno and, where it gives one,
/// its own words (NETLINK_EXT_ACK).
class Netlink {
 public:
  using OnReply = std::function<void(const NetlinkReply&)>;
  /// How long the kernel may take to answer; it answers at once or something is broken.
  static constexpr int kAnswerSeconds = 5;
  /// A dump that the kernel reports as inconsistent (NLM_F_DUMP_INTR) is repeated so often.
  static constexpr int kDumpTries = 8;

  /// `bus` is NETLINK_ROUTE, NETLINK_XFRM...; the socket belongs to the calling thread's network
  /// namespace of this moment.
  [[nodiscard]] static Result<Netlink> open(int bus = NETLINK_ROUTE);
  Netlink(Netlink&&) noexcept;
  Netlink& operator=(Netlink&&) noexcept;
  ~Netlink();

  /// Sends with NLM_F_ACK and waits for the kernel's verdict; `what` names the operation in
  /// errors ("add route 10.0.0.0/8").
  [[nodiscard]] Result<void> request(NetlinkMessage message, std::string_view what);
  /// A request with one answer message (RTM_GETROUTE); `on_reply` sees it.
  [[nodiscard]] Result<void> query(NetlinkMessage message, std::string_view what,
                                   const OnReply& on_reply);
  /// A request with many answers. When the kernel reports that things changed meanwhile, the
  /// dump is repeated: `restart` is called before each try, so that a list can be cleared.
  [[nodiscard]] Result<void> dump(NetlinkMessage message, std::string_view what,
                                  const std::function<void()>& restart, const OnReply& on_reply);

  struct Closer {
    void operator()(mnl_socket* socket) const;
  };

 private:
  explicit Netlink(mnl_socket* socket);
  enum class Until : std::uint8_t { ack, done };
  [[nodiscard]] Result<bool> exchange(NetlinkMessage& message, std::string_view what, Until until,
                                      const OnReply& on_reply);

  std::unique_ptr<mnl_socket, Closer> socket_;
  std::uint32_t sequence_ = 0;
  Bytes buffer_;
};

/// Hears what the kernel announces to everybody (RTNLGRP_*). Never blocks.
class NetlinkMonitor {
 public:
  [[nodiscard]] static Result<NetlinkMonitor> open(std::initializer_list<unsigned> groups);
  NetlinkMonitor(NetlinkMonitor&&) noexcept = default;
  NetlinkMonitor& operator=(NetlinkMonitor&&) noexcept = default;

  /// Readable when there is something.
  [[nodiscard]] int fd() const;
  /// Hands out everything that has come. False when the kernel had to drop some: anything may
  /// have changed.
  [[nodiscard]] bool drain(const Netlink::OnReply& on_reply);

 private:
  explicit NetlinkMonitor(std::unique_ptr<mnl_socket, Netlink::Closer> socket);
  std::unique_ptr<mnl_socket, Netlink::Closer> socket_;
  Bytes buffer_;
};

}  // namespace cygnet::io
