// What a seed stands for: who is there, how they are configured, how bad the network is.
#pragma once

#include <vector>

#include "sim/network.hpp"
#include "sim/node.hpp"
#include "sim/world.hpp"

namespace cygnet::sim {

struct Scenario {
  std::vector<NodeSpec> nodes;  ///< the gateway first
  std::vector<Nat> nats;
  Weather weather;
  Duration time{0};      ///< with faults
  bool calm = false;     ///< nothing gets lost: only operators and perhaps the attacker are busy
  bool attacked = true;  ///< somebody sees everything and sends what they like
  bool lossless = true;  ///< no end lets a tunnel go: then in a calm world no packet may be lost
  bool traps = false;    ///< traffic asks for the tunnels
  Duration quiet{0};     ///< no traffic before: both ends may have called at once
  bool silent = false;   ///< clients' applications send nothing: only the gateway's network does
  bool dead_address = false;  ///< the gateway's second address is dead until the faults end
  Duration fault_interval{0};
  Duration traffic_interval{0};
};

/// Roadwarriors with pool addresses and a media server with a fixed one around a gateway, some
/// behind NATs, and perhaps an enemy that has a wrong key; or sites with one or two networks each
/// around a head office, where both ends call, and perhaps traffic has to ask for the tunnels.
/// There may be somebody who answers in the gateway's place.
[[nodiscard]] Scenario make_scenario(const Options& options, test::SeededRng& rng);

/// A gateway and one client that calls it once.
[[nodiscard]] Scenario make_handshake();

/// The gateway's host that the child with this index leads to: 10.0.INDEX.1.
[[nodiscard]] inline IpAddress gateway_inner(std::size_t child = 0) {
  return IpAddress::v4(0x0a000001 + 256 * static_cast<std::uint32_t>(child));
}

}  // namespace cygnet::sim
