// One conn of ipsec.conf as a connection of swanctl.conf.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/ipsec_conversion.hpp"
#include "config/ipsec_values.hpp"
#include "config/text_file.hpp"

namespace cygnet::config {
namespace {

/// Options whose values are the same in both files.
struct Renamed {
  std::string_view keyword;
  std::string_view option;
};
constexpr Renamed kSame[] = {{"forceencaps", "encap"},
                             {"mobike", "mobike"},
                             {"dpdtimeout", "dpd_timeout"},
                             {"fragmentation", "fragmentation"},
                             {"ikedscp", "dscp"},
                             {"aggressive", "aggressive"},
                             {"mediation", "mediation"},
                             {"mediated_by", "mediated_by"},
                             {"me_peerid", "mediation_peer"}};

/// ipsec.conf's defaults where swanctl.conf has others.
constexpr std::string_view kKeyingTries = "3";
constexpr std::string_view kDpdDelay = "30s";

/// %any, %defaultroute, 0.0.0.0 and ::.
bool is_any(std::string_view address) {
  const auto parsed = parse_address(address);
  return parsed && std::holds_alternative<model::AnyAddress>(*parsed);
}

void add_host(const Side& side, bool remote, Section& to) {
  if (side.host == nullptr || side.addresses.empty()) return;
  if (!side.allow_any) {
    return make_list(to, remote ? "remote_addrs" : "local_addrs", side.addresses, *side.host);
  }
  if (!remote) return;  // our own address may be any, which is the default
  std::vector<std::string> addresses = side.addresses;
  addresses.insert(addresses.end(), {"0.0.0.0/0", "::/0"});
  make_list(to, "remote_addrs", addresses, *side.host);
}

void add_liveness(const Conn& conn, Section& connection) {
  const auto action = conn.fields.maybe("dpdaction", kTranslated<kDpdActionWords>);
  const Key* delay = conn.fields.find("dpddelay");
  const auto time = conn.fields.maybe("dpddelay", kIpsecTime);
  if (action.value_or("none") != "none") {
    return make_key(connection, "dpd_delay", time ? time_text(*time) : std::string{kDpdDelay},
                    delay);
  }
  if (delay != nullptr) {
    conn.cx.inform(delay->place, "'dpddelay' has no effect without dpdaction");
  }
}

void add_certificate_rules(const Conn& conn, Section& connection) {
  const auto when = [&conn](const Side& side) {
    return conn.fields.maybe(std::string{side.prefix} + "sendcert", kTranslated<kWhenToSendCert>);
  };
  // Who will not send one need not be asked.
  if (when(conn.remote).value_or("") == "never") {
    make_key(connection, "send_certreq", "no", conn.find(conn.remote, "sendcert"));
  }
  if (const auto ours = when(conn.local)) {
    make_key(connection, "send_cert", std::string{*ours}, conn.find(conn.local, "sendcert"));
  }
}

void add_ikev1_rest(const Conn& conn, Section& connection) {
  if (const auto pull = conn.fields.maybe("modeconfig", kTranslated<kModeConfigWords>)) {
    make_key(connection, "pull", std::string{*pull}, conn.fields.find("modeconfig"));
  }
  if (const Key* xauth = conn.fields.find("xauth")) {
    conn.cx.diags.warning(xauth->place, "'xauth' belongs to IKEv1 and has no effect");
  }
}

void add_options(const Conn& conn, Section& connection) {
  make_key(connection, "version", "2", conn.fields.find("keyexchange"));
  add_host(conn.local, false, connection);
  add_host(conn.remote, true, connection);
  if (const Key* port = conn.find(conn.local, "ikeport")) copy_key(connection, "local_port", *port);
  if (const Key* port = conn.find(conn.remote, "ikeport")) {
    copy_key(connection, "remote_port", *port);
  }
  if (const Key* ike = conn.fields.find("ike")) add_proposals(connection, "proposals", *ike);
  add_vips(conn, connection);
  add_pools(conn, connection);
  for (const Renamed& same : kSame) {
    if (const Key* key = conn.fields.find(same.keyword)) copy_key(connection, same.option, *key);
  }
  add_liveness(conn, connection);
  add_certificate_rules(conn, connection);
  const Key* tries = conn.fields.find("keyingtries");
  const bool for_ever = tries != nullptr && tries->value == "%forever";
  if (tries != nullptr && !for_ever) {
    copy_key(connection, "keyingtries", *tries);
  } else {
    make_key(connection, "keyingtries", for_ever ? "0" : std::string{kKeyingTries}, tries);
  }
  connection.keys.push_back(conn.cx.unique);
  add_ike_lifetime(conn, connection);
  add_ikev1_rest(conn, connection);
}

/// A shunt is a child, too, of a connection that nobody can be the peer of.
void add_nobody(Section& connection) {
  make_key(connection, "remote_addrs", "127.0.0.1", nullptr);
  for (const char* side : {"local", "remote"}) {
    Section round{.name = side, .place = connection.place, .keys = {}, .sections = {}};
    make_key(round, "auth", "psk", nullptr);
    connection.sections.push_back(std::move(round));
  }
}

/// An address or a host name, not a range.
bool is_single(const std::string& address) {
  const auto parsed = parse_address(address);
  if (!parsed) return false;
  const auto* range = std::get_if<IpRange>(&*parsed);
  return std::holds_alternative<model::HostName>(*parsed) ||
         (range != nullptr && range->first == range->last);
}

bool to_be_loaded(Conversion& cx, const Section& section, Fields& fields) {
  const Key* key = fields.find("auto");
  if (fields.maybe("auto", kTranslated<kAutoWords>).value_or("add") == "ignore") return false;
  if (key != nullptr) return true;
  if (!section.referenced) {
    cx.inform(section.place,
              fmt::format("conn '{}' has no auto, so it is not loaded; write auto=add, route, "
                          "start or keep",
                          section.name));
  }
  return false;
}

}  // namespace

std::optional<std::string> Side::lone() const {
  if (addresses.size() != 1 || !is_single(addresses.front())) return std::nullopt;
  return addresses.front();
}

bool Side::is_anybody() const {
  return std::ranges::all_of(addresses,
                             [](std::string_view text) { return text.starts_with("%any"); });
}

bool Side::callable() const { return std::ranges::any_of(addresses, is_single); }

bool Side::is_own(const std::vector<IpAddress>& own_addresses) const {
  return std::ranges::any_of(addresses, [&](const std::string& text) {
    const auto address = IpAddress::parse(text);
    return address && std::ranges::find(own_addresses, *address) != own_addresses.end();
  });
}

Side read_side(Fields& fields, std::string_view prefix) {
  Side out{.prefix = prefix, .host = fields.find(prefix), .addresses = {}};
  out.allow_any = fields.optional(std::string{prefix} + "allowany", kBoolean, false);
  if (out.host == nullptr) return out;
  const std::vector<std::string_view> items = split_list(out.host->value);
  if (std::ranges::all_of(items, is_any)) return out;
  for (std::string_view item : items) {
    const bool word = is_any(item) || item == "%any4" || item == "%any6";
    if (!word && item.starts_with('%')) {
      out.allow_any = true;
      item.remove_prefix(1);
    }
    out.addresses.emplace_back(is_any(item) ? "%any" : item);
  }
  return out;
}

std::optional<Section> convert_conn(Conversion& cx, const Section& section) {
  Fields fields{section, cx.diags, nullptr, {}};
  if (!to_be_loaded(cx, section, fields)) return std::nullopt;
  const auto type = fields.maybe("type", kTranslated<kTypeWords>).value_or("tunnel");
  const auto authby = fields.maybe("authby", kAuthBy);
  static_cast<void>(fields.maybe("keyexchange", kKeyExchange));  // only its errors count
  Side left = read_side(fields, "left");
  Side right = read_side(fields, "right");
  if (!left.is_own(cx.own_addresses) && right.is_own(cx.own_addresses)) std::swap(left, right);
  const Conn conn{.cx = cx,
                  .section = section,
                  .fields = fields,
                  .local = std::move(left),
                  .remote = std::move(right),
                  .shunt = type == "pass" || type == "drop"};
  if (authby.value_or("") == "never" && !conn.shunt) {
    cx.warn(
        fields.at("authby"),
        fmt::format("authby=never forbids every negotiation: conn '{}' is left out", section.name));
    return std::nullopt;
  }
  Section out{.name = section.name, .place = section.place, .keys = {}, .sections = {}};
  if (conn.shunt) {
    add_nobody(out);
  } else {
    add_options(conn, out);
    add_rounds(conn, out);
  }
  Section children{.name = "children", .place = section.place, .keys = {}, .sections = {}};
  children.sections.push_back(convert_child(conn));
  out.sections.push_back(std::move(children));
  return out;
}

// --- keys ----------------------------------------------------------------------------------------

void copy_key(Section& to, std::string_view name, const Key& source) {
  Key key = source;
  key.written = source.shown();
  key.name = name;
  to.keys.push_back(std::move(key));
}

void make_key(Section& to, std::string_view name, std::string value, const Key* source) {
  Key key{.name = std::string{name},
          .value = std::move(value),
          .items = {},
          .place = to.place,
          .value_place = to.place};
  if (source != nullptr) {
    key.place = source->place;
    key.value_place = source->value_place;
    key.written = source->shown();
  }
  to.keys.push_back(std::move(key));
}

void add_proposals(Section& to, std::string_view name, const Key& source) {
  std::string_view list = source.value;
  const bool strict = list.ends_with('!');
  if (strict) list.remove_suffix(1);
  std::vector<std::string> parts{std::string{trimmed(list)}};
  if (!strict) parts.emplace_back("default");
  make_list(to, name, parts, source);
}

void make_list(Section& to, std::string_view name, const std::vector<std::string>& items,
               const Key& source) {
  std::string joined = fmt::format("{}", fmt::join(items, ", "));
  // What stands in the source letter by letter can be pointed at, also when more was added.
  if (!items.empty() && joined != source.value && split_list(source.value).size() == items.size()) {
    const auto same = [](std::string_view a, const std::string& b) { return a == b; };
    if (std::ranges::equal(split_list(source.value), items, same)) joined = source.value;
  }
  const bool verbatim =
      source.verbatim && (joined.starts_with(source.value) || source.value.starts_with(joined));
  make_key(to, name, std::move(joined), &source);
  to.keys.back().verbatim = verbatim;
}

}  // namespace cygnet::config
