// The default data plane: control side.                        docs/adr/0002-snapshots.md
#include "esp/pump/plane.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "esp/master.hpp"
#include "esp/pump/pump_worker.hpp"
#include "io/queue.hpp"
#include "io/tun.hpp"

namespace cygnet::esp::pump {
namespace {

/// Inner packets below IPv6's smallest MTU cannot be avoided by a path MTU smaller than this.
constexpr unsigned kPathMtuMin = 576;

// The only caller of a std::thread constructor, which throws.
Result<std::thread> start(PumpWorker& worker) {
  try {
    return std::thread{[&worker] { worker.run(); }};
  } catch (const std::system_error& error) {
    return std::unexpected(Error{"start data plane thread", error.code().value(), {}});
  }
}

}  // namespace

struct Plane::Impl {
  Impl(MasterOptions master_options, io::EventFd notify)
      : master(master_options), shared(master_options.workers, std::move(notify)) {}
  ~Impl();
  [[nodiscard]] Result<void> start_workers();
  void publish(const std::vector<Change>& changes);
  void learn_path_mtus();
  void rearm() const;

  Master master;
  Shared shared;
  std::string tun_name;
  unsigned tun_index = 0;
  unsigned outer_mtu = 0;
  std::uint32_t fwmark = 0;
  std::vector<std::unique_ptr<PumpWorker>> workers;
  std::vector<std::thread> threads;
};

Plane::Impl::~Impl() {
  shared.stop.store(true, std::memory_order_release);
  for (const auto& worker : workers) worker->wake();
  for (std::thread& thread : threads) thread.join();
}

// Workers take no signals: those are the control thread's.
Result<void> Plane::Impl::start_workers() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Result<void> result;
  for (const auto& worker : workers) {
    auto thread = start(*worker);
    if (!thread) {
      result = std::unexpected(std::move(thread).error());
      break;
    }
    threads.push_back(std::move(*thread));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result;
}

// When this returns, every worker uses the new tables.
void Plane::Impl::publish(const std::vector<Change>& changes) {
  if (changes.empty()) return;
  shared.tables.write([&](Tables& tables) {
    for (const Change& change : changes) tables.apply(change);
  });
  master.collect();
  std::vector<Bytes> released = master.release(shared.tables.current(), clock_now());
  for (Bytes& packet : released) {
    // A refusal is counted by the inbox; the sender of the packet repeats it.
    static_cast<void>(workers.front()->submit(std::move(packet)));
  }
  if (!released.empty()) workers.front()->wake();
}

void Plane::Impl::learn_path_mtus() {
  std::vector<model::ChildId> children = shared.too_big.take();
  std::ranges::sort(children);
  const auto repeated = std::ranges::unique(children);
  children.erase(repeated.begin(), repeated.end());
  for (const model::ChildId child : children) {
    const Path* path = master.path_of(child);
    if (path == nullptr) continue;
    const auto mtu = io::path_mtu(path->local, path->remote, fwmark);
    // Without a route there is nothing to learn; what is sent fails by itself and is counted.
    if (mtu) master.set_path_mtu(child, std::clamp(*mtu, kPathMtuMin, outer_mtu));
  }
}

void Plane::Impl::rearm() const {
  if (!shared.events.empty() || !shared.ike.empty()) shared.notify.signal();
}

Plane::Plane(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Plane::~Plane() = default;

Result<std::unique_ptr<Plane>> Plane::open(Options options) {
  const std::size_t count = options.workers.size();
  if (count == 0 || count > io::kTunQueuesMax) {
    return fail("open data plane", "it needs 1 to 64 workers");
  }
  if (options.provider == nullptr || options.rng == nullptr) {
    return fail("open data plane", "no cryptography given");
  }
  if (options.outer_mtu < kPathMtuMin || options.outer_mtu > 65535) {
    return fail("open data plane", "the outer MTU must be 576 to 65535");
  }
  for (const WorkerSockets& sockets : options.workers) {
    if (!sockets.v4 && !sockets.v6) return fail("open data plane", "a worker has no socket");
  }
  CYG_TRY(io::Tun tun, io::Tun::open({.name = options.tun_name,
                                      .mtu = options.tun_mtu,
                                      .queues = static_cast<unsigned>(count)}));
  CYG_TRY(io::EventFd notify, io::EventFd::open());
  auto impl = std::make_unique<Impl>(
      MasterOptions{.provider = options.provider, .workers = count, .outer_mtu = options.outer_mtu},
      std::move(notify));
  impl->tun_name = tun.name;
  impl->tun_index = tun.index;
  impl->outer_mtu = options.outer_mtu;
  impl->fwmark = options.fwmark;
  for (std::size_t i = 0; i < count; ++i) {
    CYG_TRY(io::EventFd wake, io::EventFd::open());
    impl->workers.push_back(std::make_unique<PumpWorker>(i, std::move(options.workers[i]),
                                                         std::move(tun.queues[i]), std::move(wake),
                                                         impl->shared, *options.rng));
  }
  std::vector<PumpWorker*> peers;
  for (const auto& worker : impl->workers) peers.push_back(worker.get());
  for (const auto& worker : impl->workers) worker->set_peers(peers);
  CYG_TRY_DO(impl->start_workers());
  return std::unique_ptr<Plane>{new Plane{std::move(impl)}};
}

model::PlaneTraits Plane::traits() const {
  return {.name = "esp", .udp_encap_only = true, .transport_mode = false, .esn = true};
}

Result<void> Plane::install(const model::ChildSpec& child) {
  CYG_TRY(const auto changes, impl_->master.install(child));
  impl_->publish(changes);
  return {};
}

Result<void> Plane::activate(model::ChildId child, const model::SaSpec& outbound) {
  CYG_TRY(const auto changes, impl_->master.activate(child, outbound));
  impl_->publish(changes);
  return {};
}

Result<void> Plane::relocate(model::ChildId child, const Endpoint& local, const Endpoint& remote) {
  CYG_TRY_DO(impl_->master.relocate(child, local, remote));
  impl_->shared.tables.wait_for_readers();  // the old path may still be read
  impl_->master.collect();
  return {};
}

Result<void> Plane::remove(model::ChildId child) {
  impl_->publish(impl_->master.remove(child));
  return {};
}

Result<model::SaStats> Plane::stats(model::ChildId child) const {
  return impl_->master.stats(child, clock_now());
}

std::vector<model::PlaneEvent> Plane::take_events() {
  impl_->shared.notify.clear();
  impl_->learn_path_mtus();
  auto out = impl_->shared.events.take();
  impl_->rearm();
  return out;
}

int Plane::event_fd() const { return impl_->shared.notify.fd(); }

std::vector<IkeDatagram> Plane::take_ike_datagrams() {
  impl_->shared.notify.clear();
  auto out = impl_->shared.ike.take();
  impl_->learn_path_mtus();
  impl_->rearm();
  return out;
}

const std::string& Plane::tun_name() const { return impl_->tun_name; }
unsigned Plane::tun_index() const { return impl_->tun_index; }

Totals Plane::totals() const {
  Totals out;
  out.drops = impl_->master.drops();
  for (const auto& worker : impl_->workers) worker->add_totals(out);
  out.ike_refused = impl_->shared.ike.dropped();
  out.events_lost = impl_->shared.events.dropped();
  return out;
}

}  // namespace cygnet::esp::pump
