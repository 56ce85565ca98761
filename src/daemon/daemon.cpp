#include "daemon/daemon.hpp"

#include <spdlog/spdlog.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <deque>
#include <fstream>
#include <thread>

#include "config/load.hpp"
#include "config/swanctl_parser.hpp"
#include "control/controller.hpp"
#include "control/sleep_watch.hpp"
#include "daemon/disk_files.hpp"
#include "daemon/loop.hpp"
#include "daemon/needs.hpp"
#include "daemon/null_plane.hpp"
#include "daemon/ports.hpp"
#include "daemon/vici_server.hpp"
#include "esp/pump/plane.hpp"
#include "host/changes.hpp"
#include "host/host.hpp"
#include "ike/engine.hpp"

namespace cygnet::daemon {
namespace {

/// After SIGTERM: peers have this long to answer our Deletes.
constexpr Duration kShutdownMax = std::chrono::milliseconds{1500};
constexpr unsigned kWorkersMax = 4;
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

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Octets of memory that this process has in use.
std::uint64_t resident_octets() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  file >> pages >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

unsigned worker_count(unsigned wanted) {
  if (wanted != 0) return wanted;
  return std::clamp(std::thread::hardware_concurrency(), 1U, kWorkersMax);
}

ike::RetransmitRule retransmit_rule(ike::RetransmitRule rule, const Options& options) {
  if (options.retransmit_timeout) {
    const std::chrono::duration<double> timeout{*options.retransmit_timeout};
    rule.timeout = std::chrono::duration_cast<Duration>(timeout);
  }
  rule.base = options.retransmit_base.value_or(rule.base);
  rule.tries = options.retransmit_tries.value_or(rule.tries);
  return rule;
}

/// What happens to the engine, in order of arrival; a datagram is handled at once instead.
using Input = std::variant<model::PlaneEvent, ike::Command, ike::Answer>;

}  // namespace

struct Daemon::Impl final : control::View {
  Impl(Options given, std::unique_ptr<Loop> made_loop, Ports opened)
      : options(std::move(given)),
        loop(std::move(made_loop)),
        ports(std::move(opened)),
        controller(crypto::openssl(), crypto::system_rng(), build_info(options.version),
                   clock_now()) {}

  // --- start ---
  Result<void> open_plane();
  Result<void> open_vici();
  Result<void> load();
  /// Everything is open: from here on the loop calls.
  Result<void> go();

  // --- the loop's callbacks ---
  void notice_sleep();
  void on_datagram(const Arrival& arrival);
  void on_plane();
  void on_request(control::ClientId client, const vici::Request& request);
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
  void act(const control::effect::Publish& publish);
  void act(const control::effect::ResetCounters& reset);
  void act(const control::effect::Log& log);

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
  [[nodiscard]] std::vector<ike::Path> paths(const std::vector<IpAddress>& remotes) override;

  Options options;
  std::unique_ptr<Loop> loop;
  Ports ports;
  DiskFiles files;
  std::unique_ptr<model::DataPlane> plane;
  esp::pump::Plane* pump = nullptr;  ///< the same, when it is this one
  std::optional<host::Host> host;
  std::optional<ike::Engine> engine;
  control::Controller controller;
  std::unique_ptr<ViciServer> vici;
  std::vector<IpRange> pool_ranges;
  std::deque<Input> inputs;
  bool draining = false;
  bool quiet = false;
  std::optional<Instant> give_up_at;
  std::optional<host::Changes> changes;
  std::optional<Instant> follow_at;  ///< when a change of the network is looked into
  control::SleepWatch sleep_watch;
};

// --- start ---------------------------------------------------------------------------------------

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
            host::Host::open({.device = pump->tun_name(), .fwmark = options.fwmark}));
    host.emplace(std::move(made));
    CYG_TRY_DO(host->cleanup_leftovers());
    CYG_TRY(host::Changes ears, host::Changes::open(pump->tun_name()));
    changes.emplace(std::move(ears));
    for (const std::string& note : host->notes()) spdlog::warn("host: {}", note);
  }
  const model::PlaneTraits traits = plane->traits();
  engine.emplace(
      ike::EngineConfig{.retransmit = retransmit_rule(ike::EngineConfig{}.retransmit, options),
                        .handshake = retransmit_rule(ike::EngineConfig{}.handshake, options),
                        .force_udp_encap = traits.udp_encap_only,
                        .transport_mode = traits.transport_mode,
                        .esn = traits.esn,
                        .trace_messages = options.trace_messages},
      crypto::openssl(), crypto::system_rng());
  return {};
}

Result<void> Daemon::Impl::open_vici() {
  CYG_TRY(const std::string path, io::unix_path(options.vici));
  CYG_TRY(vici,
          ViciServer::open(
              path, *loop, control::Controller::catalogue(),
              {.request = [this](auto client, const auto& request) { on_request(client, request); },
               .gone = [this](auto client) { controller.disconnected(client); }}));
  return {};
}

/// Reads the configuration; on an error the one before stays in force.
Result<void> Daemon::Impl::load() {
  config::Diagnostics diags;
  config::Section root = config::parse_swanctl(options.config, files, diags);
  config::Loaded loaded = config::load_swanctl(root, files, folder_of(options.config), diags);
  config::wipe_secrets(root);
  std::vector<IpRange> ranges;
  for (const model::Pool& pool : loaded.pools) ranges.push_back(pool.range);
  control::Effects effects;
  if (!controller.configure(std::move(loaded), diags, clock_now(), effects)) {
    return fail("load " + options.config, "\n" + diags.text());
  }
  for (const config::Diagnostic& diagnostic : diags.sorted()) spdlog::warn("{}", diagnostic.line());
  pool_ranges = std::move(ranges);
  carry_out(std::move(effects));
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
  return {};
}

// --- the loop's callbacks ------------------------------------------------------------------------

/// Before anything that is due is done: a machine that wakes up has lost no peer yet.
void Daemon::Impl::notice_sleep() {
  if (!sleep_watch.slept(clock_now())) return;
  sleep_watch.expect(std::nullopt);
  spdlog::info("awake again");
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

void Daemon::Impl::on_timer() {
  notice_sleep();
  const Instant now = clock_now();
  if (give_up_at && now >= *give_up_at) {
    spdlog::warn("some peers did not answer the farewell");
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
    spdlog::warn("host: {}", repaired.error().text());
  }
  tell_addresses();
  const auto own = own_addresses();
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
  auto own = own_addresses();
  if (!own) return spdlog::warn("{}", own.error().text());
  const ike::Status now = engine->status();
  std::erase_if(*own, [&](const IpAddress& address) {
    const auto has = [&](const IpRange& range) { return range.contains(address); };
    const auto leads_inside = [&](const ike::IkeStatus& sa) {
      return std::ranges::find(sa.local_vips, address) != sa.local_vips.end();
    };
    return std::ranges::any_of(pool_ranges, has) || std::ranges::any_of(now.sas, leads_inside);
  });
  inputs.emplace_back(ike::Command{ike::command::SetAddresses{.addresses = *std::move(own)}});
}

control::ProcessStats Daemon::Impl::process() const {
  const unsigned workers = pump == nullptr ? 0 : worker_count(options.workers);
  return {.threads = 1 + workers,
          .idle = workers,  // this one answers
          .memory = resident_octets(),
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
  if (const auto done = load(); done) {
    spdlog::info("configuration read again");
  } else {
    spdlog::error("{}; the configuration before stays in force", done.error().text());
  }
  drain();
}

void Daemon::Impl::shut_down() {
  if (give_up_at) return loop->stop();  // the second signal
  spdlog::info("shutting down");
  give_up_at = clock_now() + kShutdownMax;
  inputs.emplace_back(ike::Command{ike::command::Shutdown{}});
  drain();
}

// --- carrying out --------------------------------------------------------------------------------

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
  if (const auto set = loop->set_timer(next); !set) spdlog::error("{}", set.error().text());
}

void Daemon::Impl::carry_out(ike::Actions actions) {
  for (ike::Action& action : actions) {
    std::visit([this](auto& one) { act(one); }, action);
  }
}

void Daemon::Impl::carry_out(control::Effects effects) {
  for (control::Effect& effect : effects) {
    std::visit([this](auto& one) { act(one); }, effect);
  }
}

void Daemon::Impl::act(const ike::action::Send& send) {
  // A datagram that cannot leave is one that was lost: retransmission is the engine's.
  if (const auto sent = ports.send(send.local, send.remote, send.bytes); !sent) {
    spdlog::debug("to {}: {}", send.remote.text(), sent.error().text());
  }
}

void Daemon::Impl::act(const ike::action::Keepalive& keepalive) {
  if (const auto sent = ports.send_keepalive(keepalive.local, keepalive.remote); !sent) {
    spdlog::debug("keepalive to {}: {}", keepalive.remote.text(), sent.error().text());
  }
}

Result<void> Daemon::Impl::install_on_host(const model::ChildSpec& child) {
  if (!host) return {};
  CYG_TRY(const auto own, own_addresses());
  return host->install(child.id.value(), needs_of(child, pool_ranges, own));
}

void Daemon::Impl::act(ike::action::Install& install) {
  const model::ChildSpec& child = install.child;
  Result<void> done = plane->install(child);
  if (done) {
    done = install_on_host(child);
    if (!done) {
      if (const auto undone = plane->remove(child.id); !undone) {
        spdlog::error("{}: {}", child.name, undone.error().text());
      }
    }
  }
  if (done) return;
  inputs.emplace_back(
      model::PlaneEvent{model::plane::InstallFailed{child.id, std::move(done).error()}});
}

void Daemon::Impl::act(const ike::action::Activate& activate) {
  if (auto done = plane->activate(activate.child, activate.outbound); !done) {
    inputs.emplace_back(
        model::PlaneEvent{model::plane::InstallFailed{activate.child, std::move(done).error()}});
  }
}

void Daemon::Impl::act(const ike::action::Relocate& relocate) {
  if (auto done = plane->relocate(relocate.child, relocate.local, relocate.remote); !done) {
    spdlog::error("child {}: {}", relocate.child.value(), done.error().text());
  }
}

void Daemon::Impl::act(const ike::action::Remove& remove) {
  if (host) {
    if (const auto done = host->remove(remove.child.value()); !done) {
      spdlog::error("host: {}", done.error().text());
    }
  }
  if (const auto done = plane->remove(remove.child); !done) {
    spdlog::error("child {}: {}", remove.child.value(), done.error().text());
  }
}

void Daemon::Impl::act(const ike::Ask& ask) {
  inputs.emplace_back(controller.answer(ask, *this, wall_now()));
}

void Daemon::Impl::act(const ike::ask::Release& release) { controller.release(release); }

void Daemon::Impl::act(const ike::Event& event) {
  if (std::holds_alternative<ike::event::Quiet>(event)) quiet = true;
  control::Effects effects;
  controller.handle(event, *this, clock_now(), effects);
  carry_out(std::move(effects));
}

void Daemon::Impl::act(control::effect::Tell& tell) {
  inputs.emplace_back(std::move(tell.command));
}

void Daemon::Impl::act(const control::effect::Log& log) {
  static constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::warn, spdlog::level::info,
                                                          spdlog::level::debug};
  spdlog::log(kLevels[std::clamp(log.line.level, 0, 2)], "{}", log.line.text);
  if (vici && vici->anybody_hears("log")) vici->publish("log", control::log_message(log.line));
}

void Daemon::Impl::act(const control::effect::Publish& publish) {
  if (vici) vici->publish(publish.event, publish.message);
}

void Daemon::Impl::act(const control::effect::ResetCounters& reset) {
  if (reset.each) {
    engine->reset_connection_counters();
  } else {
    engine->reset_counters(reset.connection);
  }
}

void Daemon::Impl::act(const control::effect::ReloadSettings& reload) {
  control::Effects effects;
  control::Controller::reloaded(reload.client, "", effects);
  carry_out(std::move(effects));
}

void Daemon::Impl::act(const control::effect::Respond& respond) {
  vici->respond(respond.client, respond.message);
}

void Daemon::Impl::act(const control::effect::Stream& stream) {
  vici->stream(stream.client, stream.event, stream.message);
}

void Daemon::Impl::act(const control::effect::Reload& reload) {
  const auto done = load();
  control::Effects effects;
  control::Controller::reloaded(reload.client, done ? "" : done.error().text(), effects);
  carry_out(std::move(effects));
}

// --- where to call -------------------------------------------------------------------------------

void Daemon::Impl::act(const control::effect::Resolve& resolve) {
  if (const auto* host_name = std::get_if<model::HostName>(&resolve.target.remote)) {
    loop->resolve(host_name->name, [this, resolve](const auto& remotes) {
      resolved(resolve.request, resolve.target, remotes);
      drain();
    });
    return;
  }
  const auto* range = std::get_if<IpRange>(&resolve.target.remote);
  resolved(resolve.request, resolve.target,
           range == nullptr ? Result<std::vector<IpAddress>>{fail("call", "no address")}
                            : std::vector{range->first});
}

void Daemon::Impl::resolved(ike::RequestId request, const control::Target& target,
                            const Result<std::vector<IpAddress>>& remotes) {
  control::Effects effects;
  const auto route = remotes ? route_to(target, *remotes)
                             : Result<control::Route>{std::unexpected(remotes.error())};
  controller.resolved(request, route, effects, clock_now());
  carry_out(std::move(effects));
}

/// The first remote address that there is a source address for.
Result<control::Route> Daemon::Impl::route_to(const control::Target& target,
                                              const std::vector<IpAddress>& remotes) {
  if (target.local_port != kIkePort && target.local_port != kNattPort) {
    return fail("local_port", "it must be 500 or 4500");
  }
  Result<control::Route> out = fail("call", "no address");
  for (const IpAddress& remote : remotes) {
    const auto preferred = std::ranges::find_if(target.local, [&](const auto& local) {
      const auto* range = std::get_if<IpRange>(&local);
      return range != nullptr && range->first.family() == remote.family();
    });
    Result<IpAddress> source = fail("call", "set local_addrs: without a data plane none is chosen");
    if (preferred != target.local.end()) {
      source = std::get<IpRange>(*preferred).first;
    } else if (host) {
      source = host->source_for(remote);
    }
    if (source) {
      return control::Route{.local = {*source, target.local_port},
                            .remote = {remote, target.remote_port}};
    }
    out = std::unexpected(source.error());
  }
  return out;
}

// --- the outside ---------------------------------------------------------------------------------

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Daemon::~Daemon() {
  impl_->vici.reset();  // it refers to the loop
  if (!impl_->host) return;
  if (const auto done = impl_->host->remove_all(); !done) {
    spdlog::error("host: {}", done.error().text());
  }
}

Result<std::unique_ptr<Daemon>> Daemon::start(Options options) {
  const unsigned workers = options.plane == PlaneChoice::none ? 0 : worker_count(options.workers);
  CYG_TRY(auto loop, Loop::make());
  CYG_TRY(Ports ports, Ports::open(options.fwmark, workers));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(loop), std::move(ports));
  CYG_TRY_DO(impl->open_plane());
  std::unique_ptr<Daemon> out{new Daemon{std::move(impl)}};
  CYG_TRY_DO(out->impl_->open_vici());
  CYG_TRY_DO(out->impl_->load());
  CYG_TRY_DO(out->impl_->go());
  return out;
}

Result<void> Daemon::run() {
  spdlog::info("cygnetd ready");
  return impl_->loop->run();
}

}  // namespace cygnet::daemon
