// The Internet between virtual nodes: delay, loss, duplicates, damage, NATs that forget.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "sim/stage/plane.hpp"
#include "toys/rng.hpp"

namespace cygnet::sim {

/// How bad a path is; probabilities in 1/1000.
struct Weather {
  std::uint64_t loss = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t damage = 0;
  Duration delay = std::chrono::milliseconds{20};
  Duration jitter{0};  ///< datagrams overtake one another
};

/// One home router: every inner endpoint gets a port of its public address.
struct Nat {
  struct Mapping {
    Endpoint inner;
    Instant used;
  };
  IpAddress address;
  Duration timeout = std::chrono::minutes{2};
  std::map<std::uint16_t, Mapping> by_port;
  std::map<Endpoint, std::uint16_t> by_inner;
  std::uint16_t next_port = 20000;

  /// The public endpoint for a packet that leaves.
  Endpoint out(const Endpoint& inner, Instant now);
  /// Whom a packet that comes in is for, if its mapping is alive.
  [[nodiscard]] std::optional<Endpoint> in(std::uint16_t port, Instant now) const;
  /// As after a restart: no mapping is left.
  void forget();
};

/// A datagram that will arrive.
struct Arrival {
  Duration after{0};
  Packet packet;
};

class Network {
 public:
  explicit Network(std::uint64_t seed) : rng_(seed) {}

  Weather weather;
  std::vector<Nat> nats;

  // Faults have numbers, so that each ends by itself and no other.
  std::map<IpAddress, std::uint64_t> cut;  ///< own addresses of nodes whose line is down
  struct Hole {
    std::size_t size_max = 0;  ///< larger datagrams vanish
    std::uint64_t fault = 0;
  };
  std::optional<Hole> hole;
  /// What is sent to one of these reaches this node instead.
  struct Detour {
    std::vector<IpAddress> addresses;
    std::size_t node = 0;
    std::uint64_t fault = 0;
  };
  std::optional<Detour> detour;

  /// What becomes of a datagram sent by a node at `from` (its own address), behind `nat` or not:
  /// none, one or two copies, as they are on the wire.
  [[nodiscard]] std::vector<Arrival> carry(Packet packet, std::optional<std::size_t> nat,
                                           Instant now);
  /// The node's own endpoint that a datagram is for.
  [[nodiscard]] std::optional<Endpoint> deliver(const Packet& packet, Instant now) const;

 private:
  bool chance(std::uint64_t per_thousand) { return rng_.below(1000) < per_thousand; }
  test::SeededRng rng_;
};

}  // namespace cygnet::sim
