#include "daemon/daemon.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>

#include "config/load_all.hpp"
#include "daemon/daemon_impl.hpp"
#include "daemon/needs.hpp"
#include "daemon/null_plane.hpp"
#include "daemon/service.hpp"
#include "daemon/settings.hpp"
#include "daemon/sources.hpp"

namespace cygnet::daemon {

using model::LogGroup;

namespace {

/// After SIGTERM: peers have this long to answer our Deletes.
constexpr Duration kShutdownMax = std::chrono::milliseconds{1500};
/// Links, addresses and routes change together: this long is waited for the rest.
constexpr Duration kChangesPause = std::chrono::milliseconds{200};

control::BuildInfo build_info(const std::string& version) {
  utsname name{};
  if (::uname(&name) != 0) return {.version = version};
  return {.version = version,
          .sysname = name.sysname,
          .release = name.release,
          .machine = name.machine};
}

control::HeapStats heap_stats() {
  const auto info = ::mallinfo2();
  return {.sbrk = info.arena, .mmap = info.hblkhd, .used = info.uordblks, .free = info.fordblks};
}

}  // namespace

// --- start ---------------------------------------------------------------------------------------

Daemon::Impl::Impl(Options given, SettingsFile read, Log& where, std::unique_ptr<Loop> made_loop,
                   Ports opened)
    : options(std::move(given)),
      settings(std::move(read.settings)),
      at_start(settings),
      log(where),
      loop(std::move(made_loop)),
      ports(std::move(opened)),
      controller(crypto::openssl(), crypto::system_rng(), build_info(options.version),
                 clock_now()) {}

Result<void> Daemon::Impl::open_plane() {
  if (options.plane == PlaneChoice::none) {
    plane = std::make_unique<NullPlane>();
  } else {
    CYG_TRY(auto opened, esp::pump::Plane::open({.tun_name = options.tun,
                                                 .workers = ports.take_workers(),
                                                 .fwmark = options.fwmark,
                                                 .provider = &crypto::openssl(),
                                                 .rng = &crypto::system_rng()}));
    pump = opened.get();
    plane = std::move(opened);
    CYG_TRY(host::Host made,
            host::Host::open(
                {.device = pump->tun_name(),
                 .fwmark = options.fwmark,
                 .table = settings.routing_table.value_or(host::kRouteTable),
                 .rule_priority = settings.routing_table_prio.value_or(host::kRulePriority)}));
    host.emplace(std::move(made));
    CYG_TRY_DO(host->cleanup_leftovers());
    CYG_TRY(host::Changes ears, host::Changes::open(pump->tun_name()));
    changes.emplace(std::move(ears));
    for (const std::string& note : host->notes()) log.warning(LogGroup::knl, "host: " + note);
  }
  engine.emplace(engine_settings(), crypto::openssl(), crypto::system_rng());
  controller.set_servers(settings.dns, settings.nbns);
  return {};
}

Result<void> Daemon::Impl::open_vici() {
  CYG_TRY(
      const std::string path,
      io::unix_path(options.vici.value_or(settings.vici_socket.value_or(options.default_vici))));
  CYG_TRY(vici,
          ViciServer::open(
              path, *loop, control::Controller::catalogue(),
              {.request = [this](auto client, const auto& request) { on_request(client, request); },
               .gone = [this](auto client) { controller.disconnected(client); },
               .resume = [this](auto client) { on_resume(client); }}));
  return {};
}

Result<config::LoadedIpsec> Daemon::Impl::read(config::Diagnostics& diags) {
  CYG_TRY(const auto own, io::own_addresses());
  const config::Sources sources = sources_of(options, own);
  if (sources.swanctl_conf.empty() && !sources.ipsec) {
    log.info(LogGroup::cfg, fmt::format("no {}: clients of the control socket bring the "
                                        "configuration",
                                        options.default_config));
  }
  return config::load_all(sources, files, diags);
}

/// What the files say besides the configuration, which is in force.
void Daemon::Impl::heed(config::LoadedIpsec all, const config::Diagnostics& diags) {
  for (const config::Diagnostic& one : diags.sorted()) log.warning(LogGroup::cfg, one.line());
  for (const config::ConversionNote& note : all.notes) {
    const bool warns = note.severity == config::NoteSeverity::warning;
    warns ? log.warning(LogGroup::cfg, note.line()) : log.info(LogGroup::cfg, note.line());
  }
  if (all.charon_debug == charon_debug) return;
  auto before = std::exchange(charon_debug, std::move(all.charon_debug));
  if (const auto done = configure_log(settings); !done) {
    charon_debug = std::move(before);
    log.warning(LogGroup::cfg, done.error().text() + "; the log stays as it was");
    return;
  }
  apply_settings();
}

/// Reads the configuration; on an error the one before stays in force.
Result<void> Daemon::Impl::load() {
  config::Diagnostics diags;
  CYG_TRY(config::LoadedIpsec all, read(diags));
  control::Effects effects;
  if (!controller.configure(std::move(all.loaded), diags, clock_now(), effects)) {
    return fail("load the configuration", "\n" + diags.text());
  }
  carry_out(std::move(effects));
  heed(std::move(all), diags);
  return {};
}

Result<void> Daemon::Impl::go() {
  for (const int descriptor : ports.descriptors()) {
    CYG_TRY_DO(loop->watch(descriptor, [this, descriptor] {
      ports.read(descriptor, [this](const Arrival& arrival) { on_datagram(arrival); });
      drain();
    }));
  }
  if (pump != nullptr) CYG_TRY_DO(loop->watch(pump->event_fd(), [this] { on_plane(); }));
  if (changes) CYG_TRY_DO(loop->watch(changes->fd(), [this] { on_changes(); }));
  loop->on_timer([this] { on_timer(); });
  CYG_TRY_DO(
      loop->on_signals({SIGTERM, SIGINT, SIGHUP}, [this](int signal) { on_signal(signal); }));
  tell_addresses();
  drain();
  tell("READY=1");
  return {};
}

// --- the loop's callbacks ------------------------------------------------------------------------

/// Before anything that is due is done: a machine that wakes up has lost no peer yet.
void Daemon::Impl::notice_sleep() {
  if (!sleep_watch.slept(clock_now())) return;
  sleep_watch.expect(std::nullopt);
  log.info(LogGroup::dmn, "awake again");
  ike::Actions actions;
  engine->handle(ike::Command{ike::command::Awake{}}, clock_now(), actions);
  carry_out(std::move(actions));
  if (host) follow_network();
}

void Daemon::Impl::on_datagram(const Arrival& arrival) {
  notice_sleep();
  ike::Actions actions;
  engine->handle(ike::Datagram{arrival.local, arrival.remote, arrival.bytes}, clock_now(), actions);
  carry_out(std::move(actions));
  drain();
}

void Daemon::Impl::on_plane() {
  for (model::PlaneEvent& event : plane->take_events()) inputs.emplace_back(std::move(event));
  for (const esp::pump::IkeDatagram& stray : pump->take_ike_datagrams()) {
    on_datagram({stray.local, stray.remote, stray.bytes});
  }
  drain();
}

void Daemon::Impl::on_request(control::ClientId client, const vici::Request& request) {
  control::Effects effects;
  controller.handle(client, request, *this, clock_now(), effects);
  carry_out(std::move(effects));
  drain();
}

void Daemon::Impl::on_resume(control::ClientId client) {
  control::Effects effects;
  controller.resume(client, *this, clock_now(), effects);
  carry_out(std::move(effects));
  drain();
}

void Daemon::Impl::on_timer() {
  notice_sleep();
  const Instant now = clock_now();
  if (give_up_at && now >= *give_up_at) {
    log.warning(LogGroup::ike, "some peers did not answer the farewell");
    return loop->stop();
  }
  if (follow_at && now >= *follow_at) follow_network();
  ike::Actions actions;
  engine->tick(now, actions);
  carry_out(std::move(actions));
  control::Effects effects;
  controller.tick(now, effects);
  carry_out(std::move(effects));
  drain();
}

void Daemon::Impl::on_changes() {
  if (changes->take() && !follow_at) follow_at = clock_now() + kChangesPause;
  drain();
}

void Daemon::Impl::follow_network() {
  follow_at.reset();
  if (const auto repaired = host->repair(); !repaired) {
    log.warning(LogGroup::knl, "host: " + repaired.error().text());
  }
  tell_addresses();
  const auto own = io::own_addresses();
  for (const ike::IkeStatus& sa : engine->status().sas) {
    if (!sa.first_initiator || sa.state == ike::IkeStatus::State::deleting) continue;
    const auto source = host->source_for(sa.remote.address);
    // An address that is still ours is kept as long as the peer answers there.
    const bool stays = own && std::ranges::find(*own, sa.local.address) != own->end();
    ike::command::Readdress readdress{.sa = sa.id, .local = std::nullopt};
    if (source) readdress.local = stays ? sa.local.address : *source;
    inputs.emplace_back(ike::Command{std::move(readdress)});
  }
  control::Effects effects;
  controller.network_changed(clock_now(), effects);
  carry_out(std::move(effects));
}

void Daemon::Impl::tell_addresses() {
  auto own = io::own_addresses();
  if (!own) return log.warning(LogGroup::knl, own.error().text());
  const ike::Status now = engine->status();
  const std::vector<IpRange> pools = controller.pool_ranges();
  std::erase_if(*own, [&](const IpAddress& address) {
    const auto has = [&](const IpRange& range) { return range.contains(address); };
    const auto leads_inside = [&](const ike::IkeStatus& sa) {
      return std::ranges::find(sa.local_vips, address) != sa.local_vips.end();
    };
    return std::ranges::any_of(pools, has) || std::ranges::any_of(now.sas, leads_inside);
  });
  inputs.emplace_back(ike::Command{ike::command::SetAddresses{.addresses = *std::move(own)}});
}

control::ProcessStats Daemon::Impl::process() const {
  const unsigned workers = pump == nullptr ? 0 : worker_count(options, at_start);
  return {.threads = 1 + workers,
          .idle = workers,  // this one answers
          .heap = heap_stats(),
          .parts = {"openssl", plane->traits().name}};
}

std::string Daemon::Impl::wall_clock_text(Instant at) const {
  const auto ago = std::chrono::duration_cast<std::chrono::seconds>(clock_now() - at);
  const std::time_t time = (wall_now() - ago).time_since_epoch().count();
  std::tm local{};
  if (::localtime_r(&time, &local) == nullptr) return {};
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%b %d %H:%M:%S %Y", &local);
  return {text.data(), size};
}

std::vector<ike::Path> Daemon::Impl::paths(const std::vector<IpAddress>& remotes) {
  std::vector<ike::Path> out;
  for (const IpAddress& remote : remotes) {
    if (!host) break;  // without a data plane there is no source address either
    if (const auto source = host->source_for(remote)) out.push_back({*source, remote});
  }
  return out;
}

void Daemon::Impl::on_signal(int signal) {
  if (signal != SIGHUP) return shut_down();
  tell("RELOADING=1");
  reload_all();
  tell("READY=1");
}

void Daemon::Impl::reload_all() {
  log.reopen();
  auto done = reload_settings();
  if (done) done = load();
  tell_reloaded(done);
  drain();
}

void Daemon::Impl::tell_reloaded(const Result<void>& done) {
  if (done) return log.notice(LogGroup::cfg, "configuration read again");
  log.errors(LogGroup::cfg, done.error().text());
  log.error(LogGroup::cfg, "what was read before stays in force");
}

void Daemon::Impl::tell(const std::string& state) {
  if (const auto told = tell_service_manager(state); !told) {
    log.warning(LogGroup::dmn, told.error().text());
  }
}

void Daemon::Impl::shut_down() {
  if (give_up_at) return loop->stop();  // the second signal
  log.notice(LogGroup::dmn, "shutting down");
  tell("STOPPING=1");
  give_up_at = clock_now() + kShutdownMax;
  inputs.emplace_back(ike::Command{ike::command::Shutdown{}});
  drain();
}

void Daemon::Impl::drain() {
  if (std::exchange(draining, true)) return;
  while (!inputs.empty()) {
    Input input = std::move(inputs.front());
    inputs.pop_front();
    ike::Actions actions;
    std::visit(
        [&](auto& one) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(one)>, model::PlaneEvent>) {
            engine->handle(one, clock_now(), actions);
          } else {
            engine->handle(std::move(one), clock_now(), actions);
          }
        },
        input);
    carry_out(std::move(actions));
  }
  draining = false;
  if (quiet) return loop->stop();
  std::optional<Instant> next = give_up_at;
  const auto earlier = [&next](std::optional<Instant> other) {
    if (other && (!next || *other < *next)) next = other;
  };
  if (const auto deadline = engine->deadline()) earlier(deadline->at);
  earlier(controller.deadline());
  earlier(follow_at);
  sleep_watch.expect(next);
  if (const auto set = loop->set_timer(next); !set) {
    log.error(LogGroup::dmn, set.error().text());
  }
}

// --- the outside ---------------------------------------------------------------------------------

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Daemon::~Daemon() {
  impl_->vici.reset();  // it refers to the loop
  if (!impl_->host) return;
  if (const auto done = impl_->host->remove_all(); !done) {
    impl_->log.error(LogGroup::knl, "host: " + done.error().text());
  }
}

Result<std::unique_ptr<Daemon>> Daemon::start(Options options, Log& log) {
  disk::DiskFiles files;
  CYG_TRY(SettingsFile read, read_settings(options, files));
  const config::Settings& settings = read.settings;
  CYG_TRY(const auto targets, log_targets(options.log, settings.log, std::nullopt));
  CYG_TRY_DO(log.configure(targets, settings.log.syslog_identifier.value_or("cygnetd")));
  for (const std::string& warning : read.warnings) log.warning(LogGroup::cfg, warning);
  const unsigned workers = options.plane == PlaneChoice::none ? 0 : worker_count(options, settings);
  CYG_TRY(auto loop, Loop::make());
  CYG_TRY(Ports ports, Ports::open({.fwmark = options.fwmark,
                                    .workers = workers,
                                    .ike = settings.port.value_or(kIkePort),
                                    .natt = settings.port_nat_t.value_or(kNattPort)}));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(read), log, std::move(loop),
                                     std::move(ports));
  CYG_TRY_DO(impl->open_plane());
  std::unique_ptr<Daemon> out{new Daemon{std::move(impl)}};
  CYG_TRY_DO(out->impl_->open_vici());
  CYG_TRY_DO(out->impl_->load());
  CYG_TRY_DO(out->impl_->go());
  return out;
}

Result<void> Daemon::run() {
  impl_->log.notice(LogGroup::dmn, "cygnetd ready");
  return impl_->loop->run();
}

}  // namespace cygnet::daemon
