// What flows through a conn: subnets, mode, actions.
#include <fmt/format.h>

#include <algorithm>

#include "config/ipsec_conversion.hpp"
#include "config/ipsec_values.hpp"
#include "config/text_file.hpp"

namespace cygnet::config {
namespace {

struct Renamed {
  std::string_view keyword;
  std::string_view option;
};
constexpr Renamed kSame[] = {{"sha256_96", "sha256_96"},
                             {"compress", "ipcomp"},
                             {"inactivity", "inactivity"},
                             {"installpolicy", "policies"},
                             {"reqid", "reqid"}};

/// "10.1.0.0/24" with leftprotoport "tcp/80" is "10.1.0.0/24[tcp/80]". swanctl.conf has dynamic,
/// any and opaque without the '%'.
std::string with_ports(std::string_view selector, const Key* ports) {
  std::string out{selector};
  if (ports != nullptr && out.find('[') == std::string::npos) out += "[" + ports->value + "]";
  for (const std::string_view word : {"%dynamic", "%any", "%opaque"}) {
    const std::size_t at = out.find(word);
    if (at != std::string::npos) out.erase(at, 1);
  }
  return out;
}

/// A conn that negotiates nothing has no address of its own to stand for `dynamic`.
std::string whole_side(const Conn& conn, const Side& side) {
  if (!conn.shunt) return "dynamic";
  if (auto address = side.lone()) return *std::move(address);
  conn.cx.warn(conn.section.place,
               fmt::format("neither {0}subnet nor an address in {0}: conn '{1}' holds for every "
                           "address on that side",
                           side.prefix, conn.section.name));
  return "dynamic";
}

void add_selectors(const Conn& conn, const Side& side, std::string_view option, Section& child) {
  const Key* subnets = conn.find(side, "subnet");
  const Key* ports = conn.find(side, "protoport");
  if (subnets == nullptr) {
    const std::string whole = whole_side(conn, side);
    if (ports == nullptr && whole == "dynamic") return;  // swanctl.conf's default
    return make_key(child, option, with_ports(whole, ports), ports != nullptr ? ports : side.host);
  }
  std::vector<std::string> selectors;
  for (const std::string_view one : split_list(subnets->value)) {
    selectors.push_back(with_ports(one, ports));
  }
  make_list(child, option, selectors, *subnets);
}

/// What happens at the start. Traps and calls need somebody who can be called.
void add_start(const Conn& conn, Section& child) {
  const Key* key = conn.fields.find("auto");
  const auto action = conn.fields.maybe("auto", kTranslated<kAutoWords>).value_or("none");
  if (action == "none" || action == "ignore") return;
  if (conn.shunt) return make_key(child, "start_action", "trap", key);
  if (action == "keep") return make_key(child, "keep_up", "yes", key);
  if (!conn.remote.callable()) {
    return conn.cx.warn(key->place,
                        fmt::format("auto={} needs an address or a host name in {} to call; conn "
                                    "'{}' only waits for the peer, as with auto=add",
                                    key->value, conn.remote.prefix, conn.section.name));
  }
  make_key(child, "start_action", std::string{action}, key);
}

void add_actions(const Conn& conn, Section& child) {
  if (const auto action = conn.fields.maybe("dpdaction", kTranslated<kDpdActionWords>)) {
    if (*action != "none") {
      make_key(child, "dpd_action", std::string{*action}, conn.fields.find("dpdaction"));
    }
  }
  if (const auto action = conn.fields.maybe("closeaction", kTranslated<kCloseActionWords>)) {
    if (*action != "none") {
      make_key(child, "close_action", std::string{*action}, conn.fields.find("closeaction"));
    }
  }
}

void add_marks(const Conn& conn, Section& child) {
  const Key* both = conn.fields.find("mark");
  for (const std::string_view option : {"mark_in", "mark_out"}) {
    const Key* own = conn.fields.find(option);
    if (own != nullptr || both != nullptr) copy_key(child, option, own != nullptr ? *own : *both);
  }
}

void add_packet_rules(const Conn& conn, Section& child) {
  for (const Renamed& same : kSame) {
    if (const Key* key = conn.fields.find(same.keyword)) copy_key(child, same.option, *key);
  }
  if (const Key* padding = conn.fields.find("tfc")) {
    if (padding->value == "%mtu") {
      make_key(child, "tfc_padding", "mtu", padding);
    } else {
      copy_key(child, "tfc_padding", *padding);
    }
  }
  const Key* window = conn.fields.find("replay_window");
  if (window != nullptr && window->value != "-1") copy_key(child, "replay_window", *window);
  add_marks(conn, child);
}

/// Scripts that opened the firewall when a tunnel came up.
void add_firewall(const Conn& conn, Section& child) {
  if (conn.flag(conn.local, "firewall").value_or(false)) {
    conn.cx.warn(conn.find(conn.local, "firewall")->place,
                 fmt::format("{}firewall=yes let a script allow the tunnel's packets in iptables; "
                             "no rule is made now, so the firewall must let them pass",
                             conn.local.prefix));
  }
  if (const Key* access = conn.find(conn.local, "hostaccess")) {
    copy_key(child, "hostaccess", *access);
  }
  if (const Key* script = conn.find(conn.local, "updown")) copy_key(child, "updown", *script);
}

}  // namespace

Section convert_child(const Conn& conn) {
  Section child{.name = conn.section.name, .place = conn.section.place, .keys = {}, .sections = {}};
  const auto mode = conn.fields.maybe("type", kTranslated<kTypeWords>).value_or("tunnel");
  if (mode != "tunnel") make_key(child, "mode", std::string{mode}, conn.fields.find("type"));
  add_selectors(conn, conn.local, "local_ts", child);
  add_selectors(conn, conn.remote, "remote_ts", child);
  if (conn.shunt) {
    add_start(conn, child);
    return child;
  }
  if (const Key* esp = conn.fields.find("esp")) add_proposals(child, "esp_proposals", *esp);
  if (const Key* ah = conn.fields.find("ah")) add_proposals(child, "ah_proposals", *ah);
  add_child_lifetime(conn, child);
  add_start(conn, child);
  add_actions(conn, child);
  add_packet_rules(conn, child);
  add_firewall(conn, child);
  return child;
}

}  // namespace cygnet::config
