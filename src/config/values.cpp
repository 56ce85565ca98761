#include "config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "pki/identity.hpp"

namespace cygnet::config {
namespace {

/// Longest time span; nothing needs more, and it keeps sums far from overflow.
constexpr std::uint64_t kTimeSecondsMax = 10ULL * 365 * 86400;
constexpr std::uint64_t kSizeMax = 1ULL << 62;
constexpr std::size_t kHostNameMax = 253;  // RFC 1035 §2.3.4
constexpr std::size_t kUriMax = 2048;
/// What the data planes' replay bitmaps can hold.
constexpr std::uint64_t kReplayWindowMax = 4096;

constexpr Word<model::ChildAction> kActionWords[] = {
    {"none", model::ChildAction::none},    {"trap", model::ChildAction::trap},
    {"start", model::ChildAction::start},  {"clear", model::ChildAction::none},
    {"route", model::ChildAction::trap},   {"hold", model::ChildAction::trap},
    {"restart", model::ChildAction::start}};

std::optional<std::uint64_t> whole_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, value, base);
  if (code != std::errc{} || at != end) return std::nullopt;
  return value;
}

struct Unit {
  char letter;
  std::uint64_t factor;
};

Result<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units, std::uint64_t max,
                             std::string_view what) {
  std::string_view digits = text;
  std::uint64_t factor = 1;
  const auto at = text.empty() ? units.end() : std::ranges::find(units, text.back(), &Unit::letter);
  if (at != units.end()) {
    factor = at->factor;
    digits.remove_suffix(1);
    while (digits.ends_with(' ')) digits.remove_suffix(1);
  }
  const auto value = whole_number(digits);
  if (!value) return fail(fmt::format("'{}' is no {}", text, what));
  if (*value > max / factor) return fail(fmt::format("'{}' is too large", text));
  return *value * factor;
}

Result<std::uint64_t> bounded(std::string_view text, std::uint64_t min, std::uint64_t max) {
  const auto value = whole_number(text);
  if (!value || *value < min || *value > max) {
    return fail(fmt::format("'{}' is no number from {} to {}", text, min, max));
  }
  return *value;
}

bool host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Result<IpRange> parse_span(std::string_view text, std::size_t dash) {
  CYG_TRY(const IpAddress first, IpAddress::parse(trimmed(text.substr(0, dash))));
  CYG_TRY(const IpAddress last, IpAddress::parse(trimmed(text.substr(dash + 1))));
  if (first.family() != last.family() || last < first) {
    return fail(fmt::format("range '{}' must ascend within one family", text));
  }
  return IpRange{first, last};
}

}  // namespace

Result<model::ChildAction> parse_action(std::string_view text) {
  return parse_word<model::ChildAction, kActionWords>(text);
}
std::string action_text(const model::ChildAction& action) {
  return word_text<model::ChildAction, kActionWords>(action);
}

Result<model::ChildMode> parse_mode(std::string_view text) {
  if (text == "transport_proxy" || text == "iptfs" || text == "beet") {
    return fail(fmt::format("mode '{}' is not supported yet", text));
  }
  return parse_word<model::ChildMode, kModeWords>(text);
}

Result<Duration> parse_time(std::string_view text) {
  static constexpr Unit kUnits[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  CYG_TRY(const std::uint64_t seconds,
          scaled(text, kUnits, kTimeSecondsMax, "time; write a number and s, m, h or d"));
  return Duration{std::chrono::seconds{seconds}};
}

std::string time_text(const Duration& time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  if (seconds == 0) return "0s";
  if (seconds % 86400 == 0) return fmt::format("{}d", seconds / 86400);
  if (seconds % 3600 == 0) return fmt::format("{}h", seconds / 3600);
  if (seconds % 60 == 0) return fmt::format("{}m", seconds / 60);
  return fmt::format("{}s", seconds);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  static constexpr Unit kUnits[] = {{'k', 1ULL << 10}, {'m', 1ULL << 20}, {'g', 1ULL << 30},
                                    {'K', 1ULL << 10}, {'M', 1ULL << 20}, {'G', 1ULL << 30}};
  return scaled(text, kUnits, kSizeMax, "size; write a number and perhaps k, m or g");
}

Result<std::uint64_t> parse_count(std::string_view text) { return bounded(text, 0, kSizeMax); }

Result<std::uint16_t> parse_port(std::string_view text) {
  CYG_TRY(const std::uint64_t port, bounded(text, 1, 65535));
  return static_cast<std::uint16_t>(port);
}

Result<std::uint16_t> parse_local_port(std::string_view text) {
  CYG_TRY(const std::uint16_t port, parse_port(text));
  if (port == 500 || port == 4500) return port;
  return fail(fmt::format("'{}' is none of the daemon's ports", text), "write 500 or 4500");
}

Result<unsigned> parse_tries(std::string_view text) {
  if (text == "%forever") return 0U;
  CYG_TRY(const std::uint64_t tries, bounded(text, 0, 1'000'000));
  return static_cast<unsigned>(tries);
}

Result<std::uint32_t> parse_window(std::string_view text) {
  CYG_TRY(const std::uint64_t window, bounded(text, 0, kReplayWindowMax));
  return static_cast<std::uint32_t>(window);
}

Result<int> parse_version(std::string_view text) {
  if (text == "0") return 0;
  if (text == "2") return 2;
  if (text == "1") return fail("IKEv1 is not supported", "write 2, or 0 for the same");
  return fail(fmt::format("unknown version '{}'", text), "write 2");
}

Result<std::string> parse_text(std::string_view text) { return std::string{text}; }
std::string same_text(const std::string& value) { return value; }

Result<std::string> parse_uri(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (text.size() > kUriMax || colon == std::string_view::npos || colon == 0) {
    return fail(fmt::format("'{}' is no URI", text), "write http://host/path");
  }
  return std::string{text};
}

Result<std::string> parse_domain(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= kHostNameMax &&
                    std::ranges::all_of(text, host_character) && text.front() != '.' &&
                    text.find("..") == std::string_view::npos;
  if (!fits) return fail(fmt::format("'{}' is no domain name", text));
  return std::string{text};
}

Result<model::AddressPattern> parse_address(std::string_view text) {
  if (text == "%any" || text == "%defaultroute") return model::AnyAddress{};
  if (text == "%any4") return IpRange{IpAddress::any(IpFamily::v4), IpAddress::last(IpFamily::v4)};
  if (text == "%any6") return IpRange{IpAddress::any(IpFamily::v6), IpAddress::last(IpFamily::v6)};
  if (const auto address = IpAddress::parse(text)) {
    if (address->is_any()) return model::AnyAddress{};
    return IpRange{*address, *address};
  }
  if (text.find('/') != std::string_view::npos) {
    CYG_TRY(const Prefix prefix, Prefix::parse(text));
    return IpRange{prefix.first(), prefix.last()};
  }
  const std::size_t dash = text.find('-');
  if (dash != std::string_view::npos && IpAddress::parse(trimmed(text.substr(0, dash)))) {
    return parse_span(text, dash);
  }
  const bool digits_only = text.find_first_not_of("0123456789.") == std::string_view::npos;
  if (digits_only || !parse_domain(text)) {
    return fail(fmt::format("'{}' is neither an address, a range nor a host name", text));
  }
  return model::HostName{std::string{text}};
}

std::string address_text(const model::AddressPattern& address) {
  if (const auto* range = std::get_if<IpRange>(&address)) return range->text();
  if (const auto* host = std::get_if<model::HostName>(&address)) return host->name;
  return "%any";
}

Result<model::Identity> parse_id(std::string_view text) { return pki::parse_identity(text); }
Result<model::IdentityPattern> parse_id_pattern(std::string_view text) {
  return pki::parse_identity_pattern(text);
}

Result<std::vector<model::Proposal>> parse_ike_proposals(std::string_view text) {
  return model::parse_proposals(text, ProtocolId::ike);
}
Result<std::vector<model::Proposal>> parse_esp_proposals(std::string_view text) {
  return model::parse_proposals(text, ProtocolId::esp);
}

Result<Prefix> parse_prefix(std::string_view text) { return Prefix::parse(text); }

Result<IpAddress> parse_ip(std::string_view text) {
  if (text.starts_with("%config") || text == "%any") {
    return fail(fmt::format("'{}' is no address", text), "write 0.0.0.0 or :: to ask for any");
  }
  return IpAddress::parse(text);
}

Result<IpRange> parse_pool_range(std::string_view text) {
  if (text == "%dhcp" || text == "dhcp" || text == "%radius" || text == "radius") {
    return fail(fmt::format("addresses from '{}' are not supported yet", text));
  }
  if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) {
    return parse_span(text, dash);
  }
  CYG_TRY(const Prefix prefix, Prefix::parse(text));
  CYG_TRY(const IpAddress start, IpAddress::parse(text.substr(0, text.find('/'))));
  const unsigned host_bits = start.bits() - prefix.length();
  if (host_bits < 2) return IpRange{start, prefix.last()};
  // The ends are the network's own and the broadcast address (or the router anycast address,
  // RFC 4291 §2.6.1): clients cannot use them.
  CYG_TRY(const IpAddress second, prefix.first().plus(1));
  const std::vector<std::uint8_t> raw = to_bytes(prefix.last().bytes());
  Bytes before_last = raw;
  before_last.back() = static_cast<std::uint8_t>(before_last.back() - 1);  // last has its bits set
  CYG_TRY(const IpAddress last, IpAddress::from_bytes(before_last));
  const IpAddress first = std::max(start, second);
  if (last < first) return fail(fmt::format("'{}' starts at the end of its block", text));
  return IpRange{first, last};
}

}  // namespace cygnet::config
