// What of strongswan.conf and of the log can change while the daemon runs.
#include <fmt/format.h>

#include "daemon/daemon_impl.hpp"

namespace cygnet::daemon {

using model::LogGroup;

Result<void> Daemon::Impl::configure_log(const config::Settings& with) {
  CYG_TRY(const auto targets, log_targets(options.log, with.log, charon_debug));
  return log.configure(targets, with.log.syslog_identifier.value_or("cygnetd"));
}

ike::EngineConfig Daemon::Impl::engine_settings() const {
  ike::EngineConfig out = engine_config(options, settings);
  const model::PlaneTraits traits = plane->traits();
  out.force_udp_encap = traits.udp_encap_only;
  out.transport_mode = traits.transport_mode;
  out.esn = traits.esn;
  out.trace_messages = log.wants(LogGroup::enc, model::LogLevel::debug);
  // The sockets are open.
  out.ike_port = at_start.port.value_or(kIkePort);
  out.natt_port = at_start.port_nat_t.value_or(kNattPort);
  return out;
}

void Daemon::Impl::apply_settings() {
  controller.set_servers(settings.dns, settings.nbns);
  ike::Actions actions;
  engine->configure(engine_settings(), clock_now(), actions);
  carry_out(std::move(actions));
}

Result<void> Daemon::Impl::reload_settings() {
  CYG_TRY(SettingsFile fresh, read_settings(options, files));
  CYG_TRY_DO(configure_log(fresh.settings));
  for (std::string& warning : fresh.warnings) log.warning(LogGroup::cfg, std::move(warning));
  settings = std::move(fresh.settings);
  for (const std::string_view key : config::keys_for_a_start(at_start, settings)) {
    log.warning(LogGroup::cfg, fmt::format("strongswan.conf: {} counts from the next start of "
                                           "cygnetd on",
                                           key));
  }
  apply_settings();
  log.notice(LogGroup::cfg, "settings read again");
  return {};
}

}  // namespace cygnet::daemon
