#include "daemon/settings.hpp"

#include <algorithm>
#include <limits>
#include <thread>

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

/// Without a word about it.
constexpr unsigned kWorkersMax = 4;

}  // namespace

Result<SettingsFile> read_settings(const Options& options, config::Files& files) {
  const std::string path = options.strongswan_conf.value_or(options.default_strongswan_conf);
  if (path == "/dev/null") return SettingsFile{};  // how people say "none"
  if (!options.strongswan_conf && files.glob(path).empty()) return SettingsFile{};
  config::Diagnostics diags;
  const config::Section root = config::parse_swanctl(path, files, diags);
  SettingsFile out{.settings = config::load_settings(root, diags), .warnings = {}};
  if (diags.has_errors()) return fail("load " + path, "\n" + diags.text());
  for (const config::Diagnostic& one : diags.sorted()) out.warnings.push_back(one.line());
  return out;
}

ike::EngineConfig engine_config(const Options& options, const config::Settings& settings) {
  ike::EngineConfig out;
  const auto timeout =
      options.retransmit_timeout ? options.retransmit_timeout : settings.retransmit_timeout;
  for (ike::RetransmitRule* rule : {&out.retransmit, &out.handshake}) {
    if (timeout) rule->timeout = from_seconds(*timeout);
    set(rule->base, options.retransmit_base ? options.retransmit_base : settings.retransmit_base);
    set(rule->tries,
        options.retransmit_tries ? options.retransmit_tries : settings.retransmit_tries);
    if (settings.retransmit_limit) rule->wait_max = from_seconds(*settings.retransmit_limit);
  }
  set(out.half_open_timeout, settings.half_open_timeout);
  set(out.keepalive, settings.keep_alive);
  set_threshold(out.cookie_threshold, settings.cookie_threshold);
  set_threshold(out.cookie_threshold_per_ip, settings.cookie_threshold_ip);
  set_threshold(out.block_threshold_per_ip, settings.block_threshold);
  if (!settings.dos_protection.value_or(true)) {
    for (std::size_t* threshold :
         {&out.cookie_threshold, &out.cookie_threshold_per_ip, &out.cookie_threshold_per_network,
          &out.block_threshold_per_ip}) {
      set_threshold(*threshold, 0U);
    }
  }
  if (settings.init_limit_half_open.value_or(0) != 0) {
    out.half_open_max = *settings.init_limit_half_open;
  }
  set(out.fragment_size, settings.fragment_size);
  set(out.ike_port, settings.port);
  set(out.natt_port, settings.port_nat_t);
  return out;
}

unsigned worker_count(const Options& options, const config::Settings& settings) {
  if (options.workers != 0) return options.workers;
  const unsigned processors = std::max(std::thread::hardware_concurrency(), 1U);
  return std::min(processors, settings.threads.value_or(kWorkersMax));
}

}  // namespace cygnet::daemon
