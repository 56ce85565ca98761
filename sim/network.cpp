#include "sim/network.hpp"

#include <algorithm>

namespace cygnet::sim {

Endpoint Nat::out(const Endpoint& inner, Instant now) {
  if (const auto known = by_inner.find(inner); known != by_inner.end()) {
    Mapping& mapping = by_port.at(known->second);
    if (now - mapping.used <= timeout) {
      mapping.used = now;
      return {address, known->second};
    }
    by_port.erase(known->second);
    by_inner.erase(known);
  }
  const std::uint16_t port = next_port++;
  by_port[port] = {inner, now};
  by_inner[inner] = port;
  return {address, port};
}

std::optional<Endpoint> Nat::in(std::uint16_t port, Instant now) const {
  const auto at = by_port.find(port);
  if (at == by_port.end() || now - at->second.used > timeout) return std::nullopt;
  return at->second.inner;
}

void Nat::forget() {
  by_port.clear();
  by_inner.clear();
}

std::vector<Arrival> Network::carry(Packet packet, std::optional<std::size_t> nat, Instant now) {
  if (cut.contains(packet.source.address)) return {};
  if (hole && packet.bytes.size() > hole->size_max) return {};
  if (nat && packet.kind == Packet::Kind::raw_esp) return {};  // a NAT has nothing to map it by
  if (nat) packet.source = nats[*nat].out(packet.source, now);
  if (chance(weather.loss)) return {};
  if (chance(weather.damage) && !packet.bytes.empty()) {
    packet.bytes[rng_.below(packet.bytes.size())] ^= static_cast<std::uint8_t>(1 + rng_.below(255));
  }
  std::vector<Arrival> out;
  const int copies = chance(weather.duplicates) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    const auto jitter = static_cast<std::uint64_t>(weather.jitter.count());
    out.push_back(
        {weather.delay + Duration{static_cast<Duration::rep>(rng_.below(jitter))}, packet});
  }
  return out;
}

std::optional<Endpoint> Network::deliver(const Packet& packet, Instant now) const {
  std::optional<Endpoint> out = packet.destination;
  const auto nat = std::ranges::find(nats, packet.destination.address, &Nat::address);
  if (nat != nats.end()) {
    if (packet.kind == Packet::Kind::raw_esp) return std::nullopt;
    out = nat->in(packet.destination.port, now);
  }
  if (out && cut.contains(out->address)) return std::nullopt;
  return out;
}

}  // namespace cygnet::sim
