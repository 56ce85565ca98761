// One simulated history: nodes, network, faults, and what must hold all the while.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "sim/breakage/broken.hpp"

namespace cygnet::sim {

struct Options {
  std::uint64_t seed = 1;
  Duration time_min = std::chrono::minutes{10};
  Duration time_max = std::chrono::hours{6};
  Rule broken = Rule::none;
  /// Takes what happens, a line each; empty: nobody reads it.
  std::function<void(std::string_view)> transcript{};
};

struct Report {
  std::string fault;  ///< empty: everything held
  Duration virtual_time{0};
  std::size_t nodes = 0;
  std::size_t datagrams = 0;
  std::size_t packets_sent = 0;
  std::size_t packets_delivered = 0;
  std::size_t rekeys = 0;
  std::size_t fragments = 0;  ///< of IKE messages, sent
};

/// Lives through the history that the seed stands for. Everything is decided by the options.
[[nodiscard]] Report simulate(const Options& options);

/// Handshakes through a network that loses `loss` of 1000 datagrams each way, one world each: how
/// many of `tries` succeeded within `limit`, and the most transmissions of one exchange.
struct LossyHandshakes {
  std::size_t succeeded = 0;
  Duration slowest{0};
  std::size_t transmissions_max = 0;
};
[[nodiscard]] LossyHandshakes lossy_handshakes(std::uint64_t loss, std::size_t tries,
                                               Duration limit);

}  // namespace cygnet::sim
