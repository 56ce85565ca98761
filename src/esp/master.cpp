// The control side of the engine.                                  RFC 4301 §4.4
#include "esp/master.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace cygnet::esp {
namespace {

constexpr const char* kInstall = "install child";

bool is_protect(const model::ChildSpec& spec) {
  return spec.action == model::PolicyAction::protect;
}

std::optional<Duration> idle(const std::atomic<std::int64_t>& last, Instant now) {
  const std::int64_t ticks = last.load(std::memory_order_relaxed);
  if (ticks == Child::kNever) return std::nullopt;
  return std::max(now.since_start - Duration{ticks}, Duration{0});
}

}  // namespace

Result<void> Master::check(const model::ChildSpec& spec) const {
  if (children_.contains(spec.id)) return fail(kInstall, "this child is installed already");
  if (children_.size() >= kChildrenMax) {
    return fail(kInstall, fmt::format("{} children are the limit", kChildrenMax));
  }
  if (spec.local_ts.empty() || spec.remote_ts.empty()) return fail(kInstall, "no selectors");
  if (spec.local_ts.size() > kSelectorsMax || spec.remote_ts.size() > kSelectorsMax) {
    return fail(kInstall, fmt::format("more than {} selectors on one side", kSelectorsMax));
  }
  if (!is_protect(spec)) return {};
  if (!spec.udp_encap) {
    return fail(kInstall, "this data plane sends ESP in UDP only; force UDP encapsulation");
  }
  if (spec.replay_window > kReplayWindowMax) {
    return fail(kInstall,
                fmt::format("replay_window {} is above {}", spec.replay_window, kReplayWindowMax));
  }
  if (spec.local.address.family() != spec.remote.address.family()) {
    return fail(kInstall, "the tunnel's ends are of different address families");
  }
  if (!spec.inbound) return fail(kInstall, "a protecting child needs an inbound SA");
  if (const auto taken = slots_.find(model::spi_slot(spec.inbound->spi)); taken != slots_.end()) {
    return fail(kInstall, fmt::format("the slot of SPI {:08x} is in use by child {}",
                                      spec.inbound->spi.value(), taken->second.value()));
  }
  return {};
}

Result<std::vector<Change>> Master::install(const model::ChildSpec& spec) {
  CYG_TRY_DO(check(spec));
  Owned owned{.child = std::make_unique<Child>(spec)};
  Child& child = *owned.child;
  if (Tables::policy_entries(child) > kPolicyEntriesMax) {
    return fail(kInstall,
                fmt::format("its selectors make more than {} policy entries", kPolicyEntriesMax));
  }
  if (Tables::policy_entries(child) == 0) {
    return fail(kInstall, "no local selector fits a remote one in family and protocol");
  }
  std::vector<Change> changes;
  if (is_protect(spec)) {
    CYG_TRY(auto inbound, SaKeys::make(*options_.provider, *spec.inbound, options_.workers));
    child.inbound = std::make_unique<InboundSa>(std::move(inbound), spec.replay_window);
    if (spec.outbound) {
      CYG_TRY(auto outbound, SaKeys::make(*options_.provider, *spec.outbound, options_.workers));
      child.outbound = std::make_unique<OutboundSa>(std::move(outbound), options_.first_sequence);
    }
    child.owner = owner_of(spec.inbound->spi, options_.workers);
    slots_[model::spi_slot(spec.inbound->spi)] = spec.id;
    changes.push_back({Change::Kind::add_inbound, &child, 0});
  } else if (spec.action == model::PolicyAction::trap) {
    traps_[spec.id] = &child;
  }
  owned.path = std::make_unique<const Path>(Path{spec.local, spec.remote});
  child.path.store(owned.path.get(), std::memory_order_release);
  child.path_mtu.store(options_.outer_mtu, std::memory_order_relaxed);
  // A rekey without an outbound SA changes nothing for what is sent (RFC 7296 §2.8).
  if (child.outbound || !is_protect(spec)) changes.push_back(add_policy(owned));
  children_.emplace(spec.id, std::move(owned));
  return changes;
}

Change Master::add_policy(Owned& owned) {
  owned.has_policy = true;
  return {Change::Kind::add_policy, owned.child.get(), ++serial_};
}

Result<std::vector<Change>> Master::activate(model::ChildId id, const model::SaSpec& sa) {
  const auto found = children_.find(id);
  if (found == children_.end()) return fail("activate child", "unknown child");
  Child& child = *found->second.child;
  if (child.action != model::PolicyAction::protect || child.outbound) {
    return fail("activate child", "it has an outbound SA already, or is none that could");
  }
  CYG_TRY(auto keys, SaKeys::make(*options_.provider, sa, options_.workers));
  child.outbound = std::make_unique<OutboundSa>(std::move(keys), options_.first_sequence);
  return std::vector<Change>{add_policy(found->second)};
}

Result<void> Master::relocate(model::ChildId id, const Endpoint& local, const Endpoint& remote) {
  const auto found = children_.find(id);
  if (found == children_.end()) return fail("relocate child", "unknown child");
  if (local.address.family() != remote.address.family()) {
    return fail("relocate child", "the tunnel's ends are of different address families");
  }
  Owned& owned = found->second;
  auto path = std::make_unique<const Path>(Path{local, remote});
  owned.child->path.store(path.get(), std::memory_order_release);
  owned.child->path_mtu.store(options_.outer_mtu, std::memory_order_relaxed);
  owned.child->mapping_at.store(Child::kNever, std::memory_order_relaxed);
  garbage_.paths.push_back(std::exchange(owned.path, std::move(path)));
  return {};
}

std::vector<Change> Master::remove(model::ChildId id) {
  const auto found = children_.find(id);
  if (found == children_.end()) return {};
  Owned& owned = found->second;
  std::vector<Change> changes;
  if (owned.has_policy) changes.push_back({Change::Kind::remove_policy, owned.child.get(), 0});
  if (owned.child->inbound) {
    changes.push_back({Change::Kind::remove_inbound, owned.child.get(), 0});
    slots_.erase(model::spi_slot(owned.child->inbound->keys.spi));
  }
  traps_.erase(id);
  garbage_.children.push_back(std::move(owned.child));
  garbage_.paths.push_back(std::move(owned.path));
  children_.erase(found);
  return changes;
}

std::vector<Bytes> Master::release(const Tables& tables, Instant now) {
  std::vector<Bytes> out;
  std::uint64_t stale = 0;
  for (const auto& [id, trap] : traps_) {
    const TinyGuard guard{trap->held_lock};
    bool served = false;
    std::erase_if(trap->held, [&](Held& held) {
      if (now - held.since > kHeldTimeMax) {
        ++stale;
        return true;
      }
      const std::optional<Inner> inner = parse_inner(held.packet);
      const Child* child = inner ? tables.find_policy(*inner).child : nullptr;
      if (child == nullptr || child->action != model::PolicyAction::protect) return false;
      out.push_back(std::move(held.packet));
      served = true;
      return true;
    });
    // Should that child go away again, the next packet may ask at once.
    if (served) trap->acquire_at.store(Child::kNever, std::memory_order_relaxed);
  }
  drops_.by_reason[static_cast<std::size_t>(Drop::trap_stale)] += stale;
  return out;
}

Result<model::SaStats> Master::stats(model::ChildId id, Instant now) const {
  const auto found = children_.find(id);
  if (found == children_.end()) return fail("child statistics", "unknown child");
  const Child& child = *found->second.child;
  constexpr auto relaxed = std::memory_order_relaxed;
  return model::SaStats{.bytes_in = child.bytes_in.load(relaxed),
                        .packets_in = child.packets_in.load(relaxed),
                        .bytes_out = child.bytes_out.load(relaxed),
                        .packets_out = child.packets_out.load(relaxed),
                        .replayed = child.replayed.load(relaxed),
                        .bad_icv = child.bad_icv.load(relaxed),
                        .policy_drops = child.policy_drops.load(relaxed),
                        .idle_in = idle(child.last_in, now),
                        .idle_out = idle(child.last_out, now)};
}

void Master::set_path_mtu(model::ChildId id, std::uint32_t mtu) {
  const auto found = children_.find(id);
  if (found != children_.end()) {
    found->second.child->path_mtu.store(mtu, std::memory_order_relaxed);
  }
}

const Path* Master::path_of(model::ChildId id) const {
  const auto found = children_.find(id);
  return found == children_.end() ? nullptr : found->second.path.get();
}

}  // namespace cygnet::esp
