// The daemon's insides: what is open, what waits, and who is called for what.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/load_all.hpp"
#include "control/controller.hpp"
#include "control/sleep_watch.hpp"
#include "daemon/daemon.hpp"
#include "daemon/log.hpp"
#include "daemon/loop.hpp"
#include "daemon/ports.hpp"
#include "daemon/settings.hpp"
#include "daemon/vici_server.hpp"
#include "disk/disk_files.hpp"
#include "esp/pump/plane.hpp"
#include "host/changes.hpp"
#include "host/host.hpp"
#include "ike/engine.hpp"
#include "io/addresses.hpp"

namespace cygnet::daemon {

/// What happens to the engine, in order of arrival; a datagram is handled at once instead.
using Input = std::variant<model::PlaneEvent, ike::Command, ike::Answer>;

struct Daemon::Impl final : control::View {
  Impl(Options given, SettingsFile read, Log& where, std::unique_ptr<Loop> made_loop, Ports opened);

  // --- start ---
  Result<void> open_plane();
  Result<void> open_vici();
  Result<config::LoadedIpsec> read(config::Diagnostics& diags);
  void heed(config::LoadedIpsec all, const config::Diagnostics& diags);
  Result<void> load();
  /// What strongswan.conf says now; on an error nothing changes.
  Result<void> reload_settings();
  Result<void> configure_log(const config::Settings& with);
  [[nodiscard]] ike::EngineConfig engine_settings() const;
  void apply_settings();
  /// Everything is open: from here on the loop calls.
  Result<void> go();

  // --- the loop's callbacks ---
  void notice_sleep();
  void on_datagram(const Arrival& arrival);
  void on_plane();
  void on_request(control::ClientId client, const vici::Request& request);
  void on_resume(control::ClientId client);
  void on_timer();
  void on_changes();
  void on_signal(int signal);

  // --- carrying out ---
  /// Feeds waiting inputs until there are none, then sets the timer.
  void drain();
  void carry_out(ike::Actions actions);
  void carry_out(control::Effects effects);
  void act(const ike::action::Send& send);
  void act(const ike::action::Keepalive& keepalive);
  void act(ike::action::Install& install);
  void act(const ike::action::Activate& activate);
  void act(const ike::action::Relocate& relocate);
  void act(const ike::action::Remove& remove);
  void act(const ike::Ask& ask);
  void act(const ike::ask::Release& release);
  void act(const ike::Event& event);
  void act(control::effect::Tell& tell);
  void act(const control::effect::Resolve& resolve);
  void act(const control::effect::Reload& reload);
  void act(const control::effect::Respond& respond);
  void act(const control::effect::ReloadSettings& reload);
  void act(const control::effect::Stream& stream);
  void act(const control::effect::Resume& resume);
  void act(const control::effect::Publish& publish);
  void act(const control::effect::ResetCounters& reset);
  void act(const control::effect::Log& effect);

  Result<void> install_on_host(const model::ChildSpec& child);
  void resolved(ike::RequestId request, const control::Target& target,
                const Result<std::vector<IpAddress>>& remotes);
  Result<control::Route> route_to(const control::Target& target,
                                  const std::vector<IpAddress>& remotes);
  /// Looks for the way to each peer anew.
  void follow_network();
  /// Tells the engine at which addresses peers may find us.
  void tell_addresses();
  void shut_down();
  void reload_all();
  void tell_reloaded(const Result<void>& done);
  void tell(const std::string& state);
  [[nodiscard]] host::HostNeeds host_needs(const model::ChildSpec& child,
                                           const std::vector<IpAddress>& own) const;

  // --- control::View ---
  [[nodiscard]] ike::Status status() const override { return engine->status(); }
  [[nodiscard]] std::optional<model::SaStats> stats(model::ChildId child) const override {
    const auto found = plane->stats(child);
    if (!found) return std::nullopt;
    return *found;
  }

  [[nodiscard]] const ike::CounterBook& counters() const override { return engine->counters(); }
  [[nodiscard]] control::ProcessStats process() const override;
  [[nodiscard]] std::string wall_clock_text(Instant at) const override;
  [[nodiscard]] bool anybody_hears(std::string_view event) const override {
    return vici && vici->anybody_hears(event);
  }
  [[nodiscard]] std::vector<ike::Path> paths(const std::vector<IpAddress>& remotes) override;

  Options options;
  config::Settings settings;
  config::Settings at_start;  ///< what the sockets and the data plane were opened with
  std::optional<model::LogLevels> charon_debug{};  ///< ipsec.conf's
  Log& log;
  std::unique_ptr<Loop> loop;
  Ports ports;
  disk::DiskFiles files;
  std::unique_ptr<model::DataPlane> plane;
  esp::pump::Plane* pump = nullptr;  ///< the same, when it is this one
  std::optional<host::Host> host;
  std::optional<ike::Engine> engine;
  control::Controller controller;
  std::unique_ptr<ViciServer> vici;
  std::deque<Input> inputs;
  bool draining = false;
  bool quiet = false;
  std::optional<Instant> give_up_at;
  std::optional<host::Changes> changes;
  std::optional<Instant> follow_at;  ///< when a change of the network is looked into
  control::SleepWatch sleep_watch;
};

}  // namespace cygnet::daemon
