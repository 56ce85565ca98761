// The kinds of values in ipsec.conf that swanctl.conf writes otherwise. Internal to config.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/values.hpp"

namespace cygnet::config {

/// swanctl.conf's word for one of ipsec.conf's.
using Translation = Word<std::string_view>;

inline constexpr Translation kAutoWords[] = {{"ignore", "ignore"},
                                             {"add", "none"},
                                             {"route", "trap"},
                                             {"start", "start"},
                                             {"keep", "keep"}};  // ours: keep_up = yes
inline constexpr Translation kCaAutoWords[] = {{"ignore", "ignore"}, {"add", "add"}};
inline constexpr Translation kTypeWords[] = {{"tunnel", "tunnel"},
                                             {"transport", "transport"},
                                             {"transport_proxy", "transport_proxy"},
                                             {"passthrough", "pass"},
                                             {"drop", "drop"}};
inline constexpr Translation kDpdActionWords[] = {
    {"none", "none"}, {"clear", "clear"}, {"hold", "trap"}, {"restart", "restart"}};
inline constexpr Translation kCloseActionWords[] = {
    {"none", "none"}, {"clear", "none"}, {"hold", "trap"}, {"restart", "start"}};
inline constexpr Translation kWhenToSendCert[] = {{"ifasked", "ifasked"},
                                                  {"always", "always"},
                                                  {"yes", "always"},
                                                  {"never", "never"},
                                                  {"no", "never"}};
inline constexpr Translation kUniqueIdsWords[] = {
    {"yes", "replace"}, {"no", "no"}, {"never", "never"}, {"replace", "replace"}, {"keep", "keep"}};
inline constexpr Translation kCrlPolicyWords[] = {
    {"no", "relaxed"}, {"yes", "strict"}, {"ifuri", "ifuri"}};
inline constexpr Translation kModeConfigWords[] = {{"pull", "yes"}, {"push", "no"}};

template <const auto& kTable>
inline constexpr ValueType<std::string_view> kTranslated{
    "word", parse_word<std::string_view, kTable>, nullptr};

/// "2" for what we speak; IKEv1 is an error that says what to do.
[[nodiscard]] Result<std::string_view> parse_key_exchange(std::string_view text);
inline constexpr ValueType<std::string_view> kKeyExchange{"ike | ikev2", parse_key_exchange,
                                                          nullptr};
/// swanctl.conf's `auth`, or "never".
[[nodiscard]] Result<std::string_view> parse_authby(std::string_view text);
inline constexpr ValueType<std::string_view> kAuthBy{"pubkey | psk | never", parse_authby, nullptr};
/// "90", "90s", and with m, h and d also decimals: "1.5h".
[[nodiscard]] Result<Duration> parse_ipsec_time(std::string_view text);
inline constexpr ValueType<Duration> kIpsecTime{"time (s, m, h, d)", parse_ipsec_time, time_text};
/// "100%", up to 1000%.
[[nodiscard]] Result<std::uint64_t> parse_percent(std::string_view text);
inline constexpr ValueType<std::uint64_t> kPercent{"percentage", parse_percent, nullptr};

}  // namespace cygnet::config
