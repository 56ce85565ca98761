// Algebra and text of traffic selectors.                         RFC 7296 §2.9, §3.13
#include "model/traffic_selector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "model/suggest.hpp"

namespace cygnet::model {
namespace {

/// A TS payload counts its selectors in one octet (RFC 7296 §3.13).
constexpr std::size_t kSelectorsMax = 255;

struct ProtocolName {
  std::string_view name;
  std::uint8_t number;
};
// The first name of a number is the one that is printed.
constexpr ProtocolName kProtocols[] = {
    {"icmp", 1},   {"igmp", 2},   {"ipencap", 4},   {"tcp", 6},   {"udp", 17},       {"dccp", 33},
    {"ipv6", 41},  {"gre", 47},   {"esp", 50},      {"ah", 51},   {"ipv6-icmp", 58}, {"icmpv6", 58},
    {"icmp6", 58}, {"eigrp", 88}, {"ospf", 89},     {"pim", 103}, {"vrrp", 112},     {"l2tp", 115},
    {"sctp", 132}, {"mh", 135},   {"udplite", 136},
};

struct ServiceName {
  std::string_view name;
  std::uint16_t port;
};
constexpr ServiceName kServices[] = {
    {"ftp", 21},      {"ssh", 22},     {"telnet", 23}, {"smtp", 25},   {"domain", 53},
    {"bootps", 67},   {"bootpc", 68},  {"tftp", 69},   {"http", 80},   {"ntp", 123},
    {"imap2", 143},   {"snmp", 161},   {"bgp", 179},   {"ldap", 389},  {"https", 443},
    {"isakmp", 500},  {"syslog", 514}, {"ldaps", 636}, {"imaps", 993}, {"l2f", 1701},
    {"radius", 1812}, {"nfs", 2049},
};

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kDccp = 33;
constexpr std::uint8_t kIcmpV6 = 58;
constexpr std::uint8_t kSctp = 132;
constexpr std::uint8_t kMobility = 135;
constexpr std::uint8_t kUdpLite = 136;

struct Ports {
  std::uint16_t start = 0;
  std::uint16_t end = 65535;
};

bool is_icmp(std::uint8_t protocol) { return protocol == kIcmp || protocol == kIcmpV6; }
bool has_ports(std::uint8_t protocol) {
  return protocol == kTcp || protocol == kUdp || protocol == kDccp || protocol == kSctp ||
         protocol == kUdpLite;
}

bool all_ports(const TrafficSelector& ts) { return ts.start_port == 0 && ts.end_port == 65535; }
bool opaque(const TrafficSelector& ts) { return ts.start_port == 65535 && ts.end_port == 0; }
/// A selector no packet can match; a peer may send one.
bool empty(const TrafficSelector& ts) {
  return ts.range.first.family() != ts.range.last.family() || ts.range.last < ts.range.first ||
         (ts.start_port > ts.end_port && !opaque(ts));
}

/// OPAQUE is one more "port" beside the 65 536 real ones; ANY includes it (RFC 7296 §3.13.1).
std::optional<Ports> common_ports(const TrafficSelector& a, const TrafficSelector& b) {
  if (all_ports(a)) return Ports{b.start_port, b.end_port};
  if (all_ports(b)) return Ports{a.start_port, a.end_port};
  if (opaque(a) != opaque(b)) return std::nullopt;
  if (opaque(a)) return Ports{65535, 0};
  const Ports both{std::max(a.start_port, b.start_port), std::min(a.end_port, b.end_port)};
  if (both.start > both.end) return std::nullopt;
  return both;
}

std::string protocol_text(std::uint8_t protocol) {
  const auto* at = std::ranges::find(kProtocols, protocol, &ProtocolName::number);
  return at == std::end(kProtocols) ? std::to_string(protocol) : std::string{at->name};
}

/// "8(0)": type and code of RFC 4301 §4.4.1.1.
std::string icmp_text(std::uint16_t port) { return fmt::format("{}({})", port >> 8, port & 0xff); }

std::string ports_text(const TrafficSelector& ts) {
  if (opaque(ts)) return "opaque";
  if (is_icmp(ts.protocol)) {
    const bool any_code = (ts.start_port & 0xff) == 0 && ts.end_port == (ts.start_port | 0xff);
    if (any_code) return std::to_string(ts.start_port >> 8);
    if (ts.start_port == ts.end_port) return icmp_text(ts.start_port);
    return fmt::format("{}-{}", icmp_text(ts.start_port), icmp_text(ts.end_port));
  }
  if (ts.start_port == ts.end_port) return std::to_string(ts.start_port);
  return fmt::format("{}-{}", ts.start_port, ts.end_port);
}

/// "[tcp/443]", "[udp]" or nothing.
std::string suffix_text(const TrafficSelector& ts) {
  if (ts.protocol == 0 && all_ports(ts)) return {};
  const std::string protocol = ts.protocol == 0 ? "any" : protocol_text(ts.protocol);
  if (all_ports(ts)) return fmt::format("[{}]", protocol);
  return fmt::format("[{}/{}]", protocol, ports_text(ts));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string lowered(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<unsigned> number(std::string_view text, unsigned max) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || at != end || value > max) return std::nullopt;
  return value;
}

Result<std::uint8_t> parse_protocol(std::string_view text) {
  const std::string word = lowered(text);
  if (word.empty() || word == "any" || word == "%any") return std::uint8_t{0};
  const auto* at = std::ranges::find(kProtocols, std::string_view{word}, &ProtocolName::name);
  if (at != std::end(kProtocols)) return at->number;
  if (const auto value = number(word, 255)) return static_cast<std::uint8_t>(*value);
  std::vector<std::string_view> names;
  for (const ProtocolName& row : kProtocols) names.push_back(row.name);
  return fail(fmt::format("unknown IP protocol '{}'", text),
              fmt::format("give its name or a number from 0 to 255{}", did_you_mean(word, names)));
}

/// "8" is a type with any code, "8(0)" one type and code, 256 and above both in one number.
Result<Ports> parse_icmp_port(std::string_view text) {
  const std::size_t paren = text.find('(');
  if (paren != std::string_view::npos && text.ends_with(')')) {
    const auto type = number(text.substr(0, paren), 255);
    const auto code = number(text.substr(paren + 1, text.size() - paren - 2), 255);
    if (type && code) {
      const auto both = static_cast<std::uint16_t>((*type << 8) | *code);
      return Ports{both, both};
    }
  } else if (const auto value = number(text, 65535)) {
    const auto port = static_cast<std::uint16_t>(*value);
    if (port > 255) return Ports{port, port};
    return Ports{static_cast<std::uint16_t>(port << 8),
                 static_cast<std::uint16_t>((port << 8) | 0xff)};
  }
  return fail(fmt::format("'{}' is no ICMP type", text),
              "write the type (8), type and code (8(0)), or both as one number (2048)");
}

Result<Ports> parse_port(std::string_view text, std::uint8_t protocol) {
  if (is_icmp(protocol)) return parse_icmp_port(text);
  if (const auto value = number(text, 65535)) {
    const auto port = static_cast<std::uint16_t>(*value);
    return Ports{port, port};
  }
  const std::string word = lowered(text);
  const auto* at = std::ranges::find(kServices, std::string_view{word}, &ServiceName::name);
  if (at != std::end(kServices)) return Ports{at->port, at->port};
  return fail(fmt::format("unknown port '{}'", text), "give a number from 0 to 65535");
}

Result<Ports> parse_ports(std::string_view text, std::uint8_t protocol) {
  const std::string word = lowered(text);
  if (word.empty() || word == "any" || word == "%any") return Ports{};
  if (protocol == 0) {
    return fail("ports need a protocol", fmt::format("write [tcp/{0}] or [udp/{0}]", text));
  }
  if (word == "opaque" || word == "%opaque") return Ports{65535, 0};
  const std::size_t dash = text.find('-');
  CYG_TRY(const Ports first, parse_port(trimmed(text.substr(0, dash)), protocol));
  if (dash == std::string_view::npos) return first;
  CYG_TRY(const Ports last, parse_port(trimmed(text.substr(dash + 1)), protocol));
  if (first.start > last.end) {
    return fail(fmt::format("port range '{}'", text), "the first is greater than the last");
  }
  return Ports{first.start, last.end};
}

/// "10.0.0.1-10.0.0.9", "10.0.0.1..10.0.0.9", a prefix or an address.
Result<IpRange> parse_range(std::string_view text) {
  std::size_t separator = text.find("..");
  std::size_t width = 2;
  if (separator == std::string_view::npos) {
    separator = text.find('-');
    width = 1;
  }
  if (separator == std::string_view::npos) {
    CYG_TRY(const Prefix prefix, Prefix::parse(text));
    return IpRange{prefix.first(), prefix.last()};
  }
  CYG_TRY(const IpAddress first, IpAddress::parse(trimmed(text.substr(0, separator))));
  CYG_TRY(const IpAddress last, IpAddress::parse(trimmed(text.substr(separator + width))));
  if (first.family() != last.family() || last < first) {
    return fail(fmt::format("address range '{}'", text), "it must ascend within one family");
  }
  return IpRange{first, last};
}

}  // namespace

TrafficSelector TrafficSelector::any(IpFamily family) {
  return {.range = {IpAddress::any(family), IpAddress::last(family)}};
}

TrafficSelector TrafficSelector::of(const Prefix& prefix) {
  return {.range = {prefix.first(), prefix.last()}};
}

std::string TrafficSelector::text() const { return range.text() + suffix_text(*this); }

bool TrafficSelector::contains(const TrafficSelector& other) const {
  const auto common = intersect(*this, other);
  if (!common) return false;
  return common->range == other.range && common->protocol == other.protocol &&
         common->start_port == other.start_port && common->end_port == other.end_port;
}

namespace {

TrafficSelector single(const PacketFlow& flow, const IpAddress& address, std::uint16_t port) {
  TrafficSelector out{.range = {address, address}, .protocol = flow.protocol};
  if (has_ports(flow.protocol)) {
    out.start_port = out.end_port = port;
  } else if (is_icmp(flow.protocol) || flow.protocol == kMobility) {
    // RFC 4301 §4.4.1.1: type above code. Such packets have no second port, so both sides
    // carry the same (§4.4.1.3).
    const unsigned code = flow.protocol == kMobility ? 0 : flow.destination_port & 0xffU;
    out.start_port = out.end_port =
        static_cast<std::uint16_t>(((flow.source_port & 0xffU) << 8) | code);
  }
  return out;
}

}  // namespace

TrafficSelector PacketFlow::source_selector() const { return single(*this, source, source_port); }

TrafficSelector PacketFlow::destination_selector() const {
  return single(*this, destination, destination_port);
}

std::optional<TrafficSelector> intersect(const TrafficSelector& a, const TrafficSelector& b) {
  if (empty(a) || empty(b) || a.family() != b.family()) return std::nullopt;
  if (a.protocol != 0 && b.protocol != 0 && a.protocol != b.protocol) return std::nullopt;
  const auto ports = common_ports(a, b);
  if (!ports) return std::nullopt;
  const IpRange range{std::max(a.range.first, b.range.first), std::min(a.range.last, b.range.last)};
  if (range.last < range.first) return std::nullopt;
  return TrafficSelector{.range = range,
                         .protocol = a.protocol != 0 ? a.protocol : b.protocol,
                         .start_port = ports->start,
                         .end_port = ports->end};
}

std::vector<TrafficSelector> intersect(const std::vector<TrafficSelector>& first,
                                       const std::vector<TrafficSelector>& second) {
  std::vector<TrafficSelector> out;
  for (const TrafficSelector& a : first) {
    for (const TrafficSelector& b : second) {
      const auto both = intersect(a, b);
      if (!both) continue;
      const auto covers = [&](const TrafficSelector& have) { return have.contains(*both); };
      if (std::ranges::any_of(out, covers)) continue;
      std::erase_if(out, [&](const TrafficSelector& have) { return both->contains(have); });
      if (out.size() == kSelectorsMax) return out;
      out.push_back(*both);
    }
  }
  return out;
}

std::string text_of(const std::vector<TrafficSelector>& selectors) {
  std::string out;
  for (const TrafficSelector& selector : selectors) {
    if (!out.empty()) out += ", ";
    out += selector.text();
  }
  return out;
}

std::vector<TrafficSelector> SelectorTemplate::resolve(const std::vector<IpAddress>& hosts) const {
  if (!dynamic) return {selector};
  std::vector<TrafficSelector> out;
  for (const IpAddress& host : hosts) {
    TrafficSelector one = selector;
    one.range = {host, host.is_any() ? IpAddress::last(host.family()) : host};
    if (std::ranges::find(out, one) == out.end()) out.push_back(one);
  }
  return out;
}

std::string SelectorTemplate::text() const {
  return dynamic ? "dynamic" + suffix_text(selector) : selector.text();
}

Result<SelectorTemplate> parse_selector(std::string_view text) {
  std::string_view rest = trimmed(text);
  if (rest.empty()) return fail("empty traffic selector", "write a prefix, a range or 'dynamic'");
  SelectorTemplate out;
  if (const std::size_t bracket = rest.find('['); bracket != std::string_view::npos) {
    if (!rest.ends_with(']')) {
      return fail(fmt::format("traffic selector '{}'", rest), "']' is missing at its end");
    }
    const std::string_view inner = rest.substr(bracket + 1, rest.size() - bracket - 2);
    const std::size_t slash = inner.find('/');
    CYG_TRY(out.selector.protocol, parse_protocol(trimmed(inner.substr(0, slash))));
    if (slash != std::string_view::npos) {
      CYG_TRY(const Ports ports,
              parse_ports(trimmed(inner.substr(slash + 1)), out.selector.protocol));
      out.selector.start_port = ports.start;
      out.selector.end_port = ports.end;
    }
    rest = trimmed(rest.substr(0, bracket));
  }
  const std::string word = lowered(rest);
  if (word.empty() || word == "dynamic" || word == "%dynamic") return out;
  out.dynamic = false;
  CYG_TRY(out.selector.range, parse_range(rest));
  return out;
}

}  // namespace cygnet::model
