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
  Duration time{0};   ///< with faults
  bool calm = false;  ///< no fault at all: then no packet may be lost either
  Duration fault_interval{0};
  Duration traffic_interval{0};
};

/// Roadwarriors with pool addresses and a media server with a fixed one around a gateway, some
/// behind NATs; and an enemy that has a wrong key.
[[nodiscard]] Scenario make_scenario(const Options& options, test::SeededRng& rng);

/// A gateway and one client that calls it once.
[[nodiscard]] Scenario make_handshake();

/// The addresses of the two ends of a node's child as applications see them.
inline const IpAddress kGatewayInner = IpAddress::v4(0x0a000001);  // 10.0.0.1

}  // namespace cygnet::sim
