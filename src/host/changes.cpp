#include "host/changes.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include "host/state.hpp"

namespace cygnet::host {

Result<Changes> Changes::open(const std::string& device) {
  const unsigned index = ::if_nametoindex(device.c_str());
  if (index == 0) return std::unexpected(errno_error("find " + device));
  CYG_TRY(io::NetlinkMonitor monitor,
          io::NetlinkMonitor::open({RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                    RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE}));
  return Changes{std::move(monitor), index};
}

bool Changes::take() {
  bool changed = false;
  const bool complete =
      monitor_.drain([&](const io::NetlinkReply& reply) { changed = changed || matters(reply); });
  return changed || !complete;
}

bool Changes::matters(const io::NetlinkReply& reply) const {
  switch (reply.type()) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return reply.header<ifinfomsg>().ifi_index != static_cast<int>(device_);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return reply.header<ifaddrmsg>().ifa_index != device_;
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const auto header = reply.header<rtmsg>();
      const auto out =
          io::NetlinkReply::value<std::uint32_t>(reply.attribute(sizeof(rtmsg), RTA_OIF));
      return header.rtm_protocol != kProtocol && out != device_ &&
             (header.rtm_flags & RTM_F_CLONED) == 0;
    }
    default:
      return false;
  }
}

}  // namespace cygnet::host
