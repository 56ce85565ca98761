#include "ike/half_open.hpp"

#include <algorithm>

#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

Prefix host_of(const IpAddress& address) { return {address, address.is_v4() ? 32U : 64U}; }
Prefix network_of(const IpAddress& address) { return {address, address.is_v4() ? 24U : 48U}; }

std::size_t count_of(const std::map<Prefix, std::size_t>& counts, const Prefix& prefix) {
  const auto at = counts.find(prefix);
  return at == counts.end() ? 0 : at->second;
}

}  // namespace

HalfOpenTable::Verdict HalfOpenTable::judge(const IpAddress& source, bool proven,
                                            const EngineConfig& config) const {
  if (size() >= config.half_open_max) return Verdict::refuse;
  const std::size_t of_host = count_of(hosts_, host_of(source));
  const std::size_t of_network = count_of(networks_, network_of(source));
  const std::size_t share =
      std::max<std::size_t>((config.half_open_max - size()) / kNetworkShare, 1);
  if (of_host >= config.block_threshold_per_ip || of_network >= share) return Verdict::refuse;
  const bool crowded = size() >= config.cookie_threshold ||
                       of_host >= config.cookie_threshold_per_ip ||
                       of_network >= config.cookie_threshold_per_network;
  return crowded && !proven ? Verdict::cookie : Verdict::admit;
}

Duration HalfOpenTable::patience(const EngineConfig& config) const {
  const std::size_t half = config.half_open_max / 2;
  const Duration least = std::min(kHalfOpenPatienceMin, config.half_open_timeout);
  if (size() <= half) return config.half_open_timeout;
  const auto left =
      static_cast<std::int64_t>(config.half_open_max - std::min(size(), config.half_open_max));
  return least + (config.half_open_timeout - least) * left /
                     static_cast<std::int64_t>(config.half_open_max - half);
}

void HalfOpenTable::add(const Endpoint& initiator, IkeSpi spi_i, SaId sa) {
  if (!entries_.emplace(std::pair{initiator, spi_i}, sa).second) return;
  ++hosts_[host_of(initiator.address)];
  ++networks_[network_of(initiator.address)];
}

void HalfOpenTable::remove(const Endpoint& initiator, IkeSpi spi_i) {
  if (entries_.erase({initiator, spi_i}) == 0) return;
  count_down(hosts_, host_of(initiator.address));
  count_down(networks_, network_of(initiator.address));
}

std::optional<SaId> HalfOpenTable::find(const Endpoint& initiator, IkeSpi spi_i) const {
  const auto at = entries_.find({initiator, spi_i});
  if (at == entries_.end()) return std::nullopt;
  return at->second;
}

void HalfOpenTable::count_down(Counts& counts, const Prefix& prefix) {
  const auto at = counts.find(prefix);
  if (--at->second == 0) counts.erase(at);
}

}  // namespace cygnet::ike
