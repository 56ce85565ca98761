// Virtual addresses: leftsourceip asks for them, rightsourceip gives them away.
#include <fmt/format.h>

#include <algorithm>

#include "config/ipsec_conversion.hpp"
#include "config/ipsec_values.hpp"
#include "config/text_file.hpp"

namespace cygnet::config {
namespace {

bool is_config(std::string_view item) {
  return item == "%config" || item == "%cfg" || item == "%modeconfig" || item == "%modecfg";
}

/// %config asks for the family that the tunnel's ends have.
bool is_v6(const Conn& conn) {
  const auto v6 = [](const Side& side) {
    return std::ranges::any_of(side.addresses, [](const std::string& text) {
      return text == "%any6" || text.find(':') != std::string::npos;
    });
  };
  return v6(conn.remote) || v6(conn.local);
}

/// A part of the source's value, with its own place where that is known.
Key part_of(const Key& source, std::string_view part) {
  Key out = source;
  out.value = part;
  if (source.verbatim) {
    const auto offset = part.data() - source.value.data();
    out.value_place.column += static_cast<unsigned>(offset);
  }
  return out;
}

std::string refusal(std::string_view item) {
  if (item == "%dhcp" || item == "%radius") {
    return fmt::format("addresses from '{}' are not supported; write them, as 10.9.1.0/24", item);
  }
  if (is_config(item) || item == "%config4" || item == "%config6") {
    return fmt::format(
        "'{}' leaves the choice of its address to the peer, which is not "
        "supported; write addresses, as 10.9.1.0/24",
        item);
  }
  return fmt::format(
      "'{}' is a pool in a database, which is not supported; write its addresses, "
      "as 10.9.1.0/24",
      item);
}

/// The conn's name; strongSwan takes no '.' in the names of sections, so addresses are none.
std::string fresh_name(const Conn& conn) {
  std::string out = conn.section.name;
  for (unsigned number = 2; !conn.cx.pool_names.insert(out).second; ++number) {
    out = fmt::format("{}-{}", conn.section.name, number);
  }
  return out;
}

/// The name of the pool with these addresses, which is made unless there is one; nothing when it
/// cannot be.
std::optional<std::string> plan(const Conn& conn, const Key& item, const Key* dns) {
  Conversion& cx = conn.cx;
  std::string servers;
  if (dns != nullptr) servers = fmt::format("{}", fmt::join(split_list(dns->value), ", "));
  if (const auto known = cx.pools.find(item.value); known != cx.pools.end()) {
    if (known->second.dns == servers) return known->second.name;
    cx.diags.error(dns != nullptr ? dns->value_place : item.value_place,
                   fmt::format("the pool '{}' has other DNS servers at {}; a pool has one list",
                               item.value, known->second.place.text()));
    return std::nullopt;
  }
  if (cx.pools.size() >= kIpsecPoolsMax) {
    cx.diags.error(item.value_place, fmt::format("more than {} pools", kIpsecPoolsMax));
    return std::nullopt;
  }
  const auto range = parse_pool_range(item.value);
  if (!range) {
    cx.diags.error(item.value_place, fmt::format("{}: {}", item.shown(), range.error().text()));
    return std::nullopt;
  }
  PlannedPool fresh{.name = fresh_name(conn), .dns = servers, .place = item.value_place};
  Section section{.name = fresh.name, .place = item.value_place, .keys = {}, .sections = {}};
  copy_key(section, "addrs", item);
  if (dns != nullptr) copy_key(section, "dns", *dns);
  cx.pool_sections.sections.push_back(std::move(section));
  return cx.pools.emplace(item.value, std::move(fresh)).first->second.name;
}

}  // namespace

void add_vips(const Conn& conn, Section& connection) {
  if (const Key* dns = conn.find(conn.local, "dns")) {
    conn.cx.inform(dns->place, fmt::format("'{}' of our own end has no effect: DNS servers are "
                                           "asked for together with a virtual address",
                                           dns->shown()));
  }
  const Key* source = conn.find(conn.local, "sourceip");
  if (source == nullptr) return;
  std::vector<std::string> wishes;
  for (const std::string_view item : split_list(source->value)) {
    if (is_config(item)) {
      wishes.emplace_back(is_v6(conn) ? "::" : "0.0.0.0");
    } else if (item == "%config4" || item == "%config6") {
      wishes.emplace_back(item == "%config4" ? "0.0.0.0" : "::");
    } else {
      wishes.emplace_back(item);
    }
  }
  make_list(connection, "vips", wishes, *source);
}

void add_pools(const Conn& conn, Section& connection) {
  const Key* source = conn.find(conn.remote, "sourceip");
  const Key* dns = conn.find(conn.remote, "dns");
  if (source == nullptr) {
    if (dns != nullptr) {
      conn.cx.warn(dns->place, fmt::format("'{}' has no effect without {}sourceip", dns->shown(),
                                           conn.remote.prefix));
    }
    return;
  }
  const std::vector<std::string_view> items = split_list(source->value);
  if (items.size() > kListItemsMax) {
    return conn.cx.diags.error(source->value_place,
                               fmt::format("more than {} items", kListItemsMax));
  }
  std::vector<std::string> names;
  for (const std::string_view item : items) {
    const Key part = part_of(*source, item);
    if (item.starts_with('%')) {
      conn.cx.diags.error(part.value_place, fmt::format("{}: {}", source->shown(), refusal(item)));
    } else if (auto name = plan(conn, part, dns)) {
      if (std::ranges::find(names, *name) == names.end()) names.push_back(*std::move(name));
    }
  }
  if (!names.empty()) make_list(connection, "pools", names, *source);
}

}  // namespace cygnet::config
