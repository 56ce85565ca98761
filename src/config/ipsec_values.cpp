#include "config/ipsec_values.hpp"

#include <fmt/format.h>

#include <charconv>

namespace cygnet::config {
namespace {

constexpr std::uint64_t kPercentMax = 1000;
/// Digits behind the point that count.
constexpr std::size_t kDecimalsMax = 6;

constexpr Translation kAuthByWords[] = {{"pubkey", "pubkey"},   {"rsasig", "pubkey"},
                                        {"ecdsasig", "pubkey"}, {"psk", "psk"},
                                        {"secret", "psk"},      {"never", "never"}};
constexpr Translation kKeyExchangeWords[] = {{"ike", "2"}, {"ikev2", "2"}};

}  // namespace

Result<std::string_view> parse_key_exchange(std::string_view text) {
  if (text == "ikev1") {
    return fail("IKEv1 is not supported",
                "write ikev2 here and at the peer, which must speak IKEv2 as well");
  }
  return parse_word<std::string_view, kKeyExchangeWords>(text);
}

Result<std::string_view> parse_authby(std::string_view text) {
  if (text.starts_with("xauth")) {
    return fail(fmt::format("'{}' belongs to IKEv1, which is not supported", text),
                "write pubkey or psk");
  }
  return parse_word<std::string_view, kAuthByWords>(text);
}

Result<Duration> parse_ipsec_time(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return parse_time(text);
  static constexpr std::pair<char, std::uint64_t> kUnits[] = {{'m', 60}, {'h', 3600}, {'d', 86400}};
  for (const auto& [letter, factor] : kUnits) {
    if (!text.ends_with(letter)) continue;
    const std::string_view whole = text.substr(0, point);
    const std::string_view decimals = text.substr(point + 1, text.size() - point - 2);
    CYG_TRY(const Duration base, parse_time(std::string{whole} + letter));
    std::uint64_t part = 0;
    const char* end = decimals.data() + decimals.size();
    const auto [at, code] = std::from_chars(decimals.data(), end, part);
    if (code != std::errc{} || at != end || decimals.size() > kDecimalsMax) break;
    std::uint64_t divisor = 1;
    for (std::size_t i = 0; i < decimals.size(); ++i) divisor *= 10;
    return base + Duration{std::chrono::seconds{part * factor / divisor}};
  }
  return fail(fmt::format("'{}' is no time", text),
              "write a number and s, m, h or d; decimals need m, h or d");
}

Result<std::uint64_t> parse_percent(std::string_view text) {
  const bool sign = text.ends_with('%');
  const std::string_view digits = sign ? text.substr(0, text.size() - 1) : text;
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, code] = std::from_chars(digits.data(), end, value);
  if (code != std::errc{} || at != end || value > kPercentMax) {
    return fail(fmt::format("'{}' is no percentage from 0% to {}%", text, kPercentMax));
  }
  return value;
}

}  // namespace cygnet::config
