// Linux around the tunnel: addresses, routes and rules that are ours, and questions about paths.
#include "host/host.hpp"

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "host/rtnetlink.hpp"
#include "host/sysctl.hpp"

namespace cygnet::host {
namespace {

using io::Netlink;
using io::NetlinkMessage;
using io::NetlinkReply;

constexpr IpFamily kFamilies[] = {IpFamily::v4, IpFamily::v6};

struct Link {
  bool up = false;
  std::uint32_t mtu = 0;
};

ifinfomsg link_header(std::uint32_t index) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = static_cast<int>(index);
  return header;
}

Result<Link> link_of(Netlink& netlink, std::uint32_t index) {
  NetlinkMessage request(RTM_GETLINK, 0);
  request.header(link_header(index));
  Link out;
  CYG_TRY_DO(netlink.query(std::move(request), "look at an interface", [&](const auto& reply) {
    out.up = (reply.template header<ifinfomsg>().ifi_flags & IFF_UP) != 0;
    out.mtu = NetlinkReply::value<std::uint32_t>(reply.attribute(sizeof(ifinfomsg), IFLA_MTU));
  }));
  return out;
}

Result<void> bring_up(Netlink& netlink, std::uint32_t index, const std::string& name) {
  ifinfomsg header = link_header(index);
  header.ifi_flags = IFF_UP;
  header.ifi_change = IFF_UP;
  NetlinkMessage request(RTM_NEWLINK, 0);
  request.header(header);
  return netlink.request(std::move(request), "bring up " + name);
}

Result<std::uint32_t> index_of(const std::string& name) {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) return std::unexpected(errno_error("find interface " + name));
  return index;
}

/// What "already gone" looks like: routes, rules and addresses each have their own words, and a
/// device that is gone took all with it.
bool is_gone(int code) {
  return code == ESRCH || code == ENOENT || code == EADDRNOTAVAIL || code == ENODEV ||
         code == ENXIO;
}

Result<void> check(const Options& options) {
  const std::string what = "open host";
  if (options.fwmark == 0) return fail(what, "the fwmark of our own sockets must not be 0");
  if (options.device.empty() || options.device.size() >= IF_NAMESIZE ||
      options.device.find('/') != std::string::npos || options.device.starts_with('.')) {
    return fail(what, fmt::format("'{}' is no interface name", options.device));
  }
  // 253 to 255 are the kernel's default, main and local.
  if (options.table == 0 || (options.table >= 252 && options.table <= 255) ||
      options.table == UINT32_MAX) {
    return fail(what, fmt::format("routing tables {} and the next cannot be ours", options.table));
  }
  if (options.rule_priority < 4 || options.rule_priority > 32000) {
    return fail(what, "the rule's priority must be between 4 and 32000");
  }
  return {};
}

TableOptions table_options(const Options& options) {
  return TableOptions{.fwmark = options.fwmark,
                      .table = options.table,
                      .rule_priority = options.rule_priority,
                      .vips_on_loopback = options.vips_on_loopback};
}

template <class T>
void normalize(std::vector<T>& list) {
  std::ranges::sort(list);
  const auto repeated = std::ranges::unique(list);
  list.erase(repeated.begin(), repeated.end());
}

/// Keeps the first error of several steps that are all tried.
void keep_first(Result<void>& first, Result<void> next) {
  if (first && !next) first = std::move(next);
}

Result<std::vector<SeenRoute>> routes_in(Netlink& netlink, std::uint32_t table) {
  std::vector<SeenRoute> out;
  for (const IpFamily family : kFamilies) {
    rtmsg header{};
    header.rtm_family = address_family(family);
    NetlinkMessage request(RTM_GETROUTE, 0);
    request.header(header).put_u32(RTA_TABLE, table);
    std::vector<SeenRoute> found;
    const auto listed = netlink.dump(
        std::move(request), fmt::format("list routes of table {}", table), [&] { found.clear(); },
        [&](const NetlinkReply& reply) {
          const auto seen = read_route(reply);
          if (seen && seen->route.table == table &&
              seen->route.prefix.address().family() == family) {
            found.push_back(*seen);
          }
        });
    // A table that was never used does not exist; a kernel may also lack a family.
    if (!listed && listed.error().code != ENOENT && listed.error().code != EAFNOSUPPORT &&
        listed.error().code != EOPNOTSUPP) {
      return std::unexpected(listed.error());
    }
    out.insert(out.end(), found.begin(), found.end());
  }
  return out;
}

Result<std::vector<HostRule>> rules_around(Netlink& netlink, std::uint32_t priority) {
  std::vector<HostRule> out;
  fib_rule_hdr header{};
  header.family = AF_UNSPEC;
  NetlinkMessage request(RTM_GETRULE, 0);
  request.header(header);
  CYG_TRY_DO(netlink.dump(
      std::move(request), "list rules", [&] { out.clear(); },
      [&](const NetlinkReply& reply) {
        const auto rule = read_rule(reply);
        if (rule && rule->priority + 3 >= priority && rule->priority <= priority + 1) {
          out.push_back(*rule);
        }
      }));
  return out;
}

Result<std::vector<HostAddress>> addresses_on(Netlink& netlink, const Interfaces& interfaces) {
  std::vector<HostAddress> out;
  ifaddrmsg header{};
  header.ifa_family = AF_UNSPEC;
  NetlinkMessage request(RTM_GETADDR, 0);
  request.header(header);
  CYG_TRY_DO(netlink.dump(
      std::move(request), "list addresses", [&] { out.clear(); },
      [&](const NetlinkReply& reply) {
        if (const auto address = read_address(reply, interfaces)) out.push_back(*address);
      }));
  return out;
}

}  // namespace

Host::Host(Options options, Netlink netlink, std::uint32_t device, std::uint32_t loopback)
    : options_(std::move(options)),
      netlink_(std::move(netlink)),
      device_(device),
      loopback_(loopback),
      table_(table_options(options_)) {}

Result<Host> Host::open(Options options) {
  CYG_TRY_DO(check(options));
  CYG_TRY(Netlink netlink, Netlink::open(NETLINK_ROUTE));
  CYG_TRY(const std::uint32_t device, index_of(options.device));
  CYG_TRY(const std::uint32_t loopback, index_of("lo"));
  Host out{std::move(options), std::move(netlink), device, loopback};
  const std::string& name = out.options_.device;
  // Before the device comes up: then no router solicitation has left yet.
  out.notes_ = prepare_device(name);
  CYG_TRY(const Link link, link_of(out.netlink_, device));
  if (!link.up) CYG_TRY_DO(bring_up(out.netlink_, device, name));

  CYG_TRY(const auto strict, strict_interfaces(name));
  for (const std::string& interface : strict) {
    out.notes_.push_back(fmt::format(
        "rp_filter is strict on {}: with a full tunnel (0.0.0.0/0) the kernel will discard the "
        "gateway's ESP packets there; set net.ipv4.conf.{}.rp_filter=2",
        interface, interface));
  }
  for (const std::uint32_t table : {out.options_.table, out.options_.table + 1}) {
    CYG_TRY(const auto routes, routes_in(out.netlink_, table));
    const auto foreign = std::ranges::count_if(
        routes, [](const SeenRoute& seen) { return seen.protocol != kProtocol; });
    if (foreign > 0) {
      out.notes_.push_back(fmt::format(
          "routing table {} holds {} routes that are not ours; is another IPsec daemon running?",
          table, foreign));
    }
  }
  return out;
}

Result<HostState> Host::actual() {
  HostState out;
  CYG_TRY(out.addresses, addresses_on(netlink_, {.device = device_, .loopback = loopback_}));
  for (const std::uint32_t table : {options_.table, options_.table + 1}) {
    CYG_TRY(const auto routes, routes_in(netlink_, table));
    for (const SeenRoute& seen : routes) {
      if (seen.protocol == kProtocol) out.routes.push_back(seen.route);
    }
  }
  CYG_TRY(out.rules, rules_around(netlink_, options_.rule_priority));
  normalize(out.addresses);
  normalize(out.routes);
  normalize(out.rules);
  return out;
}

Result<void> Host::cleanup_leftovers() { return repair(); }

Result<void> Host::install(Owner owner, HostNeeds needs) {
  const HostNeeds* const known = table_.needs_of(owner);
  const std::optional<HostNeeds> before = known == nullptr ? std::nullopt : std::optional{*known};
  CYG_TRY_DO(table_.want(owner, std::move(needs)));
  const auto moved = advance(table_.wanted());
  if (moved) return {};
  if (before) {
    CYG_TRY_DO(table_.want(owner, *before));
  } else {
    table_.drop(owner);
  }
  return moved;
}

Result<void> Host::remove(Owner owner) {
  table_.drop(owner);
  return settle(table_.wanted());
}

Result<void> Host::repair() {
  CYG_TRY(applied_, actual());
  return settle(table_.wanted());
}

Result<void> Host::remove_all() {
  table_.clear();
  return settle(HostState{});
}

// All or nothing: what was done before a step that fails is taken back, last first.
Result<void> Host::advance(const HostState& wanted) {
  std::vector<Operation> done;
  for (const Operation& step : plan(applied_, wanted)) {
    if (auto result = carry_out(step); !result) {
      Error error = std::move(result).error();
      std::ranges::reverse(done);
      for (const Operation& taken : done) {
        if (const auto back = carry_out(taken.reverse()); !back) {
          error.detail += fmt::format("; and then: {}", back.error().text());
        }
      }
      return std::unexpected(std::move(error));
    }
    done.push_back(step);
  }
  return {};
}

// As far as possible: every step is tried. What failed stays in applied_, or out of it, so that
// the next call tries again.
Result<void> Host::settle(const HostState& wanted) {
  Result<void> first;
  for (const Operation& step : plan(applied_, wanted)) keep_first(first, carry_out(step));
  return first;
}

Result<void> Host::carry_out(const Operation& step) {
  const Interfaces interfaces{.device = device_, .loopback = loopback_};
  auto done = netlink_.request(message_for(step, interfaces), step.text());
  const bool removing = step.kind == Operation::Kind::remove;
  if (!done && !(removing && is_gone(done.error().code))) {
    if (done.error().code == EEXIST) {
      done.error().detail += " (it is there already and was not made by this daemon)";
    }
    return done;
  }
  apply(applied_, step);
  return {};
}

Result<IpAddress> Host::source_for(const IpAddress& remote) {
  CYG_TRY(const Path path, path_to(remote));
  return path.source;
}

Result<Path> Host::path_to(const IpAddress& remote) {
  const std::string what = "look up the route to " + remote.text();
  rtmsg header{};
  header.rtm_family = address_family(remote.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(remote.bits());
  NetlinkMessage request(RTM_GETROUTE, 0);
  request.header(header).put(RTA_DST, remote.bytes()).put_u32(RTA_MARK, options_.fwmark);

  Path out;
  bool found = false;
  CYG_TRY_DO(netlink_.query(std::move(request), what, [&](const NetlinkReply& reply) {
    const auto answer = reply.header<rtmsg>();
    const auto attribute = [&](std::uint16_t type) { return reply.attribute(sizeof(rtmsg), type); };
    const auto source = IpAddress::from_bytes(attribute(RTA_PREFSRC));
    // IPv6 answers even when all that was found is an unreachable route.
    if (reply.type() != RTM_NEWROUTE || !source) return;
    if (answer.rtm_type != RTN_UNICAST && answer.rtm_type != RTN_LOCAL) return;
    out.source = *source;
    out.interface_index = NetlinkReply::value<std::uint32_t>(attribute(RTA_OIF));
    out.mtu =
        NetlinkReply::value<std::uint32_t>(NetlinkReply::nested(attribute(RTA_METRICS), RTAX_MTU));
    found = out.interface_index != 0;
  }));
  if (!found) return std::unexpected(Error{what, ENETUNREACH, {}});

  char name[IF_NAMESIZE] = {};
  if (::if_indextoname(out.interface_index, name) == nullptr) {
    return std::unexpected(errno_error(what, "its interface is gone"));
  }
  out.interface = name;
  CYG_TRY(const Link link, link_of(netlink_, out.interface_index));
  if (out.mtu == 0) out.mtu = link.mtu;
  return out;
}

}  // namespace cygnet::host
