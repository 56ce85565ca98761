// Whether links, addresses or routes of this host have changed, other than by us.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "io/netlink.hpp"

namespace cygnet::host {

/// Ears on the kernel's announcements. One thread.
class Changes {
 public:
  /// What happens on `device`, our TUN, is our own doing.
  [[nodiscard]] static Result<Changes> open(const std::string& device);

  /// Readable when something was announced.
  [[nodiscard]] int fd() const { return monitor_.fd(); }
  /// Takes what was announced: true when the way to some peer may be another one now.
  [[nodiscard]] bool take();

 private:
  Changes(io::NetlinkMonitor monitor, std::uint32_t device)
      : monitor_(std::move(monitor)), device_(device) {}
  [[nodiscard]] bool matters(const io::NetlinkReply& reply) const;

  io::NetlinkMonitor monitor_;
  std::uint32_t device_;
};

}  // namespace cygnet::host
