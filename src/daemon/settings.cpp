#include "daemon/settings.hpp"

#include <spdlog/spdlog.h>

#include <limits>

#include "config/settings.hpp"
#include "config/swanctl_parser.hpp"

namespace cygnet::daemon {
namespace {

Duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>{seconds});
}

/// A threshold that zero switches off.
void set_threshold(std::size_t& to, const std::optional<unsigned>& value) {
  if (value) to = *value == 0 ? std::numeric_limits<std::size_t>::max() : *value;
}

template <class T, class U>
void set(T& to, const std::optional<U>& value) {
  if (value) to = static_cast<T>(*value);
}

Result<config::Settings> read_settings(const Options& options, config::Files& files) {
  const std::string path = options.strongswan_conf.value_or(options.default_strongswan_conf);
  if (path == "/dev/null") return config::Settings{};  // how people say "none"
  if (!options.strongswan_conf && files.glob(path).empty()) return config::Settings{};
  config::Diagnostics diags;
  const config::Section root = config::parse_swanctl(path, files, diags);
  config::Settings out = config::load_settings(root, "charon", diags);
  if (diags.has_errors()) return fail("load " + path, "\n" + diags.text());
  for (const config::Diagnostic& one : diags.sorted()) spdlog::warn("{}", one.line());
  return out;
}

}  // namespace

Result<ike::EngineConfig> engine_config(const Options& options, config::Files& files) {
  CYG_TRY(config::Settings settings, read_settings(options, files));
  if (options.retransmit_timeout) settings.retransmit_timeout = options.retransmit_timeout;
  if (options.retransmit_base) settings.retransmit_base = options.retransmit_base;
  if (options.retransmit_tries) settings.retransmit_tries = options.retransmit_tries;
  ike::EngineConfig out{.trace_messages = options.trace_messages};
  for (ike::RetransmitRule* rule : {&out.retransmit, &out.handshake}) {
    if (settings.retransmit_timeout) rule->timeout = from_seconds(*settings.retransmit_timeout);
    set(rule->base, settings.retransmit_base);
    set(rule->tries, settings.retransmit_tries);
    if (settings.retransmit_limit) rule->wait_max = from_seconds(*settings.retransmit_limit);
  }
  set(out.half_open_timeout, settings.half_open_timeout);
  set(out.keepalive, settings.keep_alive);
  set_threshold(out.cookie_threshold, settings.cookie_threshold);
  set_threshold(out.cookie_threshold_per_ip, settings.cookie_threshold_ip);
  set_threshold(out.block_threshold_per_ip, settings.block_threshold);
  if (settings.init_limit_half_open.value_or(0) != 0) {
    out.half_open_max = *settings.init_limit_half_open;
  }
  set(out.fragment_size, settings.fragment_size);
  return out;
}

}  // namespace cygnet::daemon
