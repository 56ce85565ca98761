#include "config/settings.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

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

constexpr ValueType<double> kTimeout{"seconds", parse_real_within<10, 60'000>, nullptr};
constexpr ValueType<double> kBase{"number", parse_real_within<1'000, 10'000>, nullptr};
constexpr ValueType<double> kWait{"seconds", parse_real_within<0, 3'600'000>, nullptr};
constexpr ValueType<unsigned> kRepeats{"number", parse_whole_within<1, 50>, nullptr};
constexpr ValueType<unsigned> kWhole{"whole number", parse_whole, nullptr};
constexpr ValueType<unsigned> kFragment{"octets", parse_whole_within<576, 65'535>, nullptr};
constexpr ValueType<Duration> kSomeTime{"time (s, m, h, d)", parse_some_time, nullptr};

}  // namespace

Settings load_settings(const Section& root, std::string_view daemon, Diagnostics& diags) {
  const Section* section = root.find_section(daemon);
  if (section == nullptr) return {};
  Fields fields{*section, diags, nullptr, std::string{daemon}};
  return {.retransmit_timeout = fields.maybe("retransmit_timeout", kTimeout),
          .retransmit_base = fields.maybe("retransmit_base", kBase),
          .retransmit_tries = fields.maybe("retransmit_tries", kRepeats),
          .retransmit_limit = fields.maybe("retransmit_limit", kWait),
          .half_open_timeout = fields.maybe("half_open_timeout", kSomeTime),
          .keep_alive = fields.maybe("keep_alive", kTime),
          .cookie_threshold = fields.maybe("cookie_threshold", kWhole),
          .cookie_threshold_ip = fields.maybe("cookie_threshold_ip", kWhole),
          .block_threshold = fields.maybe("block_threshold", kWhole),
          .init_limit_half_open = fields.maybe("init_limit_half_open", kWhole),
          .fragment_size = fields.maybe("fragment_size", kFragment)};
}

}  // namespace cygnet::config
