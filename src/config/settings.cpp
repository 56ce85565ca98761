#include "config/settings.hpp"

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

constexpr ValueType<double> kReal{"number", parse_real, nullptr};
constexpr ValueType<unsigned> kWhole{"whole number", parse_whole, nullptr};

}  // namespace

Settings load_settings(const Section& root, std::string_view daemon, Diagnostics& diags) {
  const Section* section = root.find_section(daemon);
  if (section == nullptr) return {};
  Fields fields{*section, diags, nullptr, std::string{daemon}};
  return {.retransmit_timeout = fields.maybe("retransmit_timeout", kReal),
          .retransmit_base = fields.maybe("retransmit_base", kReal),
          .retransmit_tries = fields.maybe("retransmit_tries", kWhole),
          .retransmit_limit = fields.maybe("retransmit_limit", kReal),
          .half_open_timeout = fields.maybe("half_open_timeout", kTime),
          .keep_alive = fields.maybe("keep_alive", kTime),
          .cookie_threshold = fields.maybe("cookie_threshold", kWhole),
          .cookie_threshold_ip = fields.maybe("cookie_threshold_ip", kWhole),
          .block_threshold = fields.maybe("block_threshold", kWhole),
          .init_limit_half_open = fields.maybe("init_limit_half_open", kWhole),
          .fragment_size = fields.maybe("fragment_size", kWhole)};
}

}  // namespace cygnet::config
