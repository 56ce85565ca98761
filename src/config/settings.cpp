#include "config/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>

#include "config/fields.hpp"

namespace cygnet::config {
namespace {

Result<double> parse_real(std::string_view text) {
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(out) || out < 0) {
    return fail("'" + std::string{text} + "' is not a number such as 1.8");
  }
  return out;
}

Result<unsigned> parse_whole(std::string_view text) {
  unsigned out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail("'" + std::string{text} + "' is not a whole number");
  }
  return out;
}

/// Between two bounds, in thousandths so that they can be template arguments.
template <std::int64_t least, std::int64_t most>
Result<double> parse_real_within(std::string_view text) {
  CYG_TRY(const double value, parse_real(text));
  if (value * 1000 >= static_cast<double>(least) && value * 1000 <= static_cast<double>(most)) {
    return value;
  }
  return fail(fmt::format("'{}' is not between {} and {}", text, static_cast<double>(least) / 1000,
                          static_cast<double>(most) / 1000));
}
template <unsigned least, unsigned most>
Result<unsigned> parse_whole_within(std::string_view text) {
  CYG_TRY(const unsigned value, parse_whole(text));
  if (value >= least && value <= most) return value;
  return fail(fmt::format("'{}' is not between {} and {}", text, least, most));
}
Result<Duration> parse_some_time(std::string_view text) {
  CYG_TRY(const Duration value, parse_time(text));
  if (value > Duration{0}) return value;
  return fail("'" + std::string{text} + "' is no time at all");
}

/// The next table is ours too; 253 to 255 are the kernel's own.
Result<unsigned> parse_table(std::string_view text) {
  CYG_TRY(const unsigned value, parse_whole(text));
  if (value >= 1 && (value < 252 || value > 255) && value < 0xffff'ffff) return value;
  return fail(fmt::format("'{}' and the next cannot be tables of ours", text));
}
Result<std::string> parse_socket(std::string_view text) {
  if (text.starts_with("unix:///")) return std::string{text};
  return fail("'" + std::string{text} + "' is no socket of ours: write unix:///path");
}

constexpr ValueType<double> kTimeout{"seconds", parse_real_within<10, 60'000>, nullptr};
constexpr ValueType<double> kBase{"number", parse_real_within<1'000, 10'000>, nullptr};
constexpr ValueType<double> kWait{"seconds", parse_real_within<0, 3'600'000>, nullptr};
constexpr ValueType<unsigned> kRepeats{"number", parse_whole_within<1, 50>, nullptr};
constexpr ValueType<unsigned> kWhole{"whole number", parse_whole, nullptr};
constexpr ValueType<unsigned> kFragment{"octets", parse_whole_within<576, 65'535>, nullptr};
constexpr ValueType<unsigned> kThreads{"number", parse_whole_within<1, 1024>, nullptr};
constexpr ValueType<unsigned> kTable{"number", parse_table, nullptr};
constexpr ValueType<std::string> kSocket{"unix://PATH", parse_socket, nullptr};
constexpr ValueType<unsigned> kPriority{"number", parse_whole_within<4, 32'000>, nullptr};
constexpr ValueType<Duration> kSomeTime{"time (s, m, h, d)", parse_some_time, nullptr};

/// Puts what `from` says in the place of what `to` says, section by section.
void overlay(Section& to, const Section& from) {
  for (const Key& key : from.keys) {
    const auto at = std::ranges::find(to.keys, key.name, &Key::name);
    if (at == to.keys.end()) {
      to.keys.push_back(key);
    } else {
      *at = key;
    }
  }
  for (const Section& inner : from.sections) {
    if (Section* known = to.find_section(inner.name)) {
      overlay(*known, inner);
    } else {
      to.sections.push_back(inner);
    }
  }
}

const Section* find(const Section& root, std::initializer_list<std::string_view> path) {
  const Section* out = &root;
  for (const std::string_view name : path) {
    if (out != nullptr) out = out->find_section(name);
  }
  return out;
}

void append(std::vector<IpAddress>& to, const std::vector<IpAddress>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// The resolvers and WINS servers that clients are told.
void read_servers(const Section& daemon, Fields& fields, Settings& out, Diagnostics& diags) {
  for (const std::string_view name : {"dns1", "dns2"}) {
    if (const auto one = fields.maybe(name, kIp)) out.dns.push_back(*one);
  }
  for (const std::string_view name : {"nbns1", "nbns2"}) {
    if (const auto one = fields.maybe(name, kIp)) out.nbns.push_back(*one);
  }
  const Section* attr = find(daemon, {"plugins", "attr"});
  if (attr == nullptr) return;
  Fields more{*attr, diags, nullptr, "attr"};
  append(out.dns, more.list("dns", kIp));
  append(out.nbns, more.list("nbns", kIp));
}

void check_ports(const Fields& fields, const Settings& settings, Diagnostics& diags) {
  constexpr std::uint16_t kIke = 500;
  constexpr std::uint16_t kNatt = 4500;
  if (settings.port.value_or(kIke) != settings.port_nat_t.value_or(kNatt)) return;
  diags.error(fields.at(settings.port_nat_t ? "port_nat_t" : "port"),
              "port and port_nat_t must differ");
}

}  // namespace

Settings load_settings(const Section& root, Diagnostics& diags) {
  Section daemon{.name = "charon"};
  for (const std::string_view name : {"charon", "charon-systemd"}) {
    if (const Section* section = root.find_section(name)) overlay(daemon, *section);
  }
  Fields fields{daemon, diags, nullptr, "charon"};
  Settings out{.retransmit_timeout = fields.maybe("retransmit_timeout", kTimeout),
               .retransmit_base = fields.maybe("retransmit_base", kBase),
               .retransmit_tries = fields.maybe("retransmit_tries", kRepeats),
               .retransmit_limit = fields.maybe("retransmit_limit", kWait),
               .half_open_timeout = fields.maybe("half_open_timeout", kSomeTime),
               .keep_alive = fields.maybe("keep_alive", kTime),
               .cookie_threshold = fields.maybe("cookie_threshold", kWhole),
               .cookie_threshold_ip = fields.maybe("cookie_threshold_ip", kWhole),
               .block_threshold = fields.maybe("block_threshold", kWhole),
               .init_limit_half_open = fields.maybe("init_limit_half_open", kWhole),
               .dos_protection = fields.maybe("dos_protection", kBoolean),
               .fragment_size = fields.maybe("fragment_size", kFragment),
               .install_routes = fields.maybe("install_routes", kBoolean),
               .install_virtual_ip = fields.maybe("install_virtual_ip", kBoolean),
               .port = fields.maybe("port", kPort),
               .port_nat_t = fields.maybe("port_nat_t", kPort),
               .routing_table = fields.maybe("routing_table", kTable),
               .routing_table_prio = fields.maybe("routing_table_prio", kPriority),
               .threads = fields.maybe("threads", kThreads)};
  check_ports(fields, out, diags);
  read_servers(daemon, fields, out, diags);
  out.log = load_log_settings(daemon, diags);
  if (const Section* vici = find(daemon, {"plugins", "vici"})) {
    Fields plugin{*vici, diags, nullptr, "vici"};
    out.vici_socket = plugin.maybe("socket", kSocket);
  }
  return out;
}

std::vector<std::string_view> keys_for_a_start(const Settings& before, const Settings& after) {
  std::vector<std::string_view> out;
  const auto compare = [&](std::string_view key, const auto& one, const auto& other) {
    if (one != other) out.push_back(key);
  };
  compare("port", before.port, after.port);
  compare("port_nat_t", before.port_nat_t, after.port_nat_t);
  compare("routing_table", before.routing_table, after.routing_table);
  compare("routing_table_prio", before.routing_table_prio, after.routing_table_prio);
  compare("threads", before.threads, after.threads);
  compare("plugins.vici.socket", before.vici_socket, after.vici_socket);
  return out;
}

}  // namespace cygnet::config
