#include "control/pools.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace cygnet::control {

std::uint64_t Pool::size() const {
  const std::uint64_t span = config_.range.last.distance_from(config_.range.first);
  return span == std::numeric_limits<std::uint64_t>::max() ? span : span + 1;
}

std::size_t Pool::online() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(leases_, [](const auto& entry) { return entry.second.sa != 0; }));
}

IpAddress Pool::give(const IpAddress& address, const model::Identity& identity, std::uint32_t sa) {
  leases_[address] =
      Lease{.address = address, .identity = identity, .sa = sa, .last_used = ++clock_};
  return address;
}

std::optional<IpAddress> Pool::fresh_address(const IsFree& is_free) {
  // Leases only ever cover addresses below next_offset_ or that somebody wished for; what is held
  // through another pool is looked at again.
  bool contiguous = true;
  for (std::uint64_t offset = next_offset_; offset < size() && leases_.size() < kOfflineLeasesMax;
       ++offset) {
    const auto candidate = config_.range.first.plus(offset);
    const bool leased = !candidate || leases_.contains(*candidate);
    if (!leased && !is_free(*candidate)) {
      contiguous = false;
      continue;
    }
    if (contiguous) next_offset_ = offset + 1;
    if (!leased) return *candidate;
  }
  return std::nullopt;
}

std::optional<IpAddress> Pool::take(const model::Identity& identity, std::uint32_t sa,
                                    const IpAddress& wish, const IsFree& is_free) {
  if (config_.range.contains(wish) && is_free(wish)) {
    const auto held = leases_.find(wish);
    // A client that comes back before its old IKE_SA has ended keeps its address.
    const bool its_own = held != leases_.end() && held->second.identity == identity;
    const bool free = held == leases_.end() ? leases_.size() < kOfflineLeasesMax : its_own;
    if (free) return give(wish, identity, sa);
  }
  for (const auto& [address, lease] : leases_) {
    const bool its_own = lease.sa == 0 && lease.identity == identity;
    if (its_own && is_free(address)) return give(address, identity, sa);
  }
  if (const auto fresh = fresh_address(is_free)) return give(*fresh, identity, sa);
  const Lease* oldest = nullptr;
  for (const auto& [address, lease] : leases_) {
    const bool older = oldest == nullptr || lease.last_used < oldest->last_used;
    if (lease.sa == 0 && older && is_free(address)) oldest = &lease;
  }
  if (oldest != nullptr) return give(IpAddress{oldest->address}, identity, sa);
  // Nothing is free: what its own old IKE_SA still holds is better than nothing.
  for (const auto& [address, lease] : leases_) {
    if (lease.identity == identity && is_free(address)) return give(address, identity, sa);
  }
  return std::nullopt;
}

void Pool::release(std::uint32_t sa) {
  for (auto& [address, lease] : leases_) {
    if (lease.sa == sa) lease.sa = 0;
  }
}

void Pool::transfer(std::uint32_t old, std::uint32_t fresh) {
  for (auto& [address, lease] : leases_) {
    if (lease.sa == old) lease.sa = fresh;
  }
}

void Pool::adopt(const Pool& old) {
  for (const auto& [address, lease] : old.leases_) {
    if (config_.range.contains(address)) leases_.emplace(address, lease);
  }
  clock_ = old.clock_;
}

void Pools::configure(const FilePools& pools) {
  for (const PoolChange& change : changes_to(pools.all)) {
    if (!change.after) pools_.erase(change.before->name);
  }
  of_file_.clear();
  for (const model::Pool& pool : pools.all) put(pool, true);
  of_ipsec_conf_ = pools.of_ipsec_conf;
}

std::vector<PoolChange> Pools::changes_to(const std::vector<model::Pool>& pools) const {
  std::vector<PoolChange> out;
  for (const model::Pool& pool : pools) {
    const auto old = pools_.find(pool.name);
    if (old == pools_.end()) {
      out.push_back({.before = std::nullopt, .after = pool});
    } else if (old->second.config() != pool) {
      out.push_back({.before = old->second.config(), .after = pool});
    }
  }
  for (const std::string& name : of_file_) {
    const bool stays = std::ranges::find(pools, name, &model::Pool::name) != pools.end();
    const auto old = pools_.find(name);
    if (!stays && old != pools_.end()) {
      out.push_back({.before = old->second.config(), .after = std::nullopt});
    }
  }
  return out;
}

void Pools::put(model::Pool pool) { put(std::move(pool), false); }

void Pools::put(model::Pool pool, bool from_file) {
  const std::string name = pool.name;
  Pool fresh{std::move(pool)};
  const auto old = pools_.find(name);
  if (old != pools_.end()) fresh.adopt(old->second);
  pools_.insert_or_assign(name, std::move(fresh));
  if (from_file) {
    of_file_.insert(name);
  } else {
    of_file_.erase(name);
    of_ipsec_conf_.erase(name);
  }
}

Result<void> Pools::drop(std::string_view name) {
  const auto at = pools_.find(name);
  if (at == pools_.end()) return fail(fmt::format("no pool '{}'", name));
  if (!is_managed(at->first)) {
    return fail(fmt::format("pool '{}' is ipsec.conf's", name), "take it out there and reload");
  }
  if (const std::size_t online = at->second.online(); online != 0) {
    return fail(fmt::format("pool '{}': {} of its addresses are in use", name, online),
                "end those connections first");
  }
  if (const auto file = of_file_.find(name); file != of_file_.end()) of_file_.erase(file);
  pools_.erase(at);
  return {};
}

bool Pools::is_free(const IpAddress& address, const ike::ask::Lease& ask) const {
  const auto at = held_.find(address);
  if (at == held_.end() || at->second.sa == ask.sa.value()) return true;
  return ask.unique != model::Uniqueness::never && at->second.identity == ask.remote;
}

bool Pools::is_greedy(IpFamily family, const ike::ask::Lease& ask) const {
  const auto counts = [&](const auto& entry) {
    const auto& [address, holder] = entry;
    return address.family() == family && holder.sa != ask.sa.value() &&
           holder.identity == ask.remote;
  };
  return std::ranges::count_if(held_, counts) >= kLeasesOfIdentityMax;
}

std::variant<ike::answer::Leased, ike::answer::Refused> Pools::lease(
    const ike::ask::Lease& ask, const std::vector<std::string>& pools) {
  const auto add = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  ike::answer::Leased out;
  std::string full;
  bool greedy = false;
  for (const IpAddress& wish : ask.requested) {
    const auto same_family = [&wish](const IpAddress& one) {
      return one.family() == wish.family();
    };
    if (std::ranges::any_of(out.addresses, same_family)) continue;
    if (is_greedy(wish.family(), ask)) {
      greedy = true;
      continue;
    }
    for (const std::string& name : pools) {
      const auto at = pools_.find(name);
      if (at == pools_.end()) continue;
      Pool& pool = at->second;
      if (pool.config().range.first.family() != wish.family()) continue;
      const auto address = pool.take(ask.remote, ask.sa.value(), wish,
                                     [&](const IpAddress& one) { return is_free(one, ask); });
      if (!address) {
        full =
            fmt::format("pool '{}': {} of {} addresses online", name, pool.online(), pool.size());
        continue;
      }
      out.addresses.push_back(*address);
      held_.insert_or_assign(*address, Holder{ask.remote, ask.sa.value()});
      add(out.dns, pool.config().dns);
      add(out.nbns, pool.config().nbns);
      add(out.subnets, pool.config().subnets);
      add(out.dns_domains, pool.config().dns_domains);
      break;
    }
  }
  if (!out.addresses.empty()) {
    add(out.dns, dns_);
    add(out.nbns, nbns_);
    return out;
  }
  if (greedy) {
    return ike::answer::Refused{
        .reason = ike::Reason::limit,
        .ours = fmt::format("{} addresses of one identity at once", kLeasesOfIdentityMax),
        .theirs = "asks for one more",
        .advice = "give each device an identity of its own, or find out who connects so often"};
  }
  if (!full.empty()) {
    return ike::answer::Refused{.reason = ike::Reason::pool_exhausted,
                                .ours = full,
                                .theirs = "asks for an address",
                                .advice = "enlarge the pool's addrs, or give each client its own"};
  }
  const bool v6 = !ask.requested.empty() && !ask.requested.front().is_v4();
  const std::string_view family = v6 ? "IPv6" : "IPv4";
  return ike::answer::Refused{
      .reason = ike::Reason::no_pool,
      .ours = fmt::format("no pool of {} addresses", family),
      .theirs = fmt::format("asks for an {} address", family),
      .advice = fmt::format("add a pool of {} addresses to the connection's pools", family)};
}

void Pools::release(ike::SaId sa) {
  std::erase_if(held_, [sa](const auto& entry) { return entry.second.sa == sa.value(); });
  for (auto& [name, pool] : pools_) pool.release(sa.value());
}

void Pools::transfer(ike::SaId old, ike::SaId fresh) {
  for (auto& [address, holder] : held_) {
    if (holder.sa == old.value()) holder.sa = fresh.value();
  }
  for (auto& [name, pool] : pools_) pool.transfer(old.value(), fresh.value());
}

}  // namespace cygnet::control
