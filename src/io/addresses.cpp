#include "io/addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>

namespace cygnet::io {

Result<std::vector<IpAddress>> own_addresses(Interfaces which) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return std::unexpected(errno_error("list our addresses"));
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, &::freeifaddrs};
  std::vector<IpAddress> out;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_UP) == 0) continue;
    if (which == Interfaces::no_loopback && (at->ifa_flags & IFF_LOOPBACK) != 0) continue;
    Result<IpAddress> address = fail("no address");
    if (at->ifa_addr->sa_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
      address = IpAddress::v4(ntohl(v4->sin_addr.s_addr));
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) continue;
      address = IpAddress::from_bytes(ByteView{v6->sin6_addr.s6_addr, 16});
    }
    if (address) out.push_back(*address);
  }
  return out;
}

}  // namespace cygnet::io
