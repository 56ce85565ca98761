// Handshakes through networks that lose datagrams, one after the other.
#include <algorithm>
#include <map>

#include "sim/scenario.hpp"
#include "sim/world.hpp"
#include "toys/toy_crypto.hpp"
#include "wire/message.hpp"

namespace cygnet::sim {
namespace {

/// Two nodes and what is under way between them.
class Duo {
 public:
  Duo(std::uint64_t seed, std::uint64_t loss) : network_(seed) {
    network_.weather = {.loss = loss, .delay = std::chrono::milliseconds{30}};
    Scenario scenario = make_handshake();
    for (std::size_t i = 0; i < 2; ++i) {
      const auto nothing = [](const auto&...) {};
      nodes_[i] = std::make_unique<Node>(
          std::move(scenario.nodes[i]),
          Node::Hooks{.plane = {.send = [this](Packet packet) { sent(std::move(packet)); },
                                .deliver = nothing,
                                .sealed = nothing,
                                .fault = nothing},
                      .event = nothing,
                      .log = nothing,
                      .look_up = nothing},
          seed * 2 + i, false);
    }
  }

  /// How long it took, if both ends had their child within `limit`.
  std::optional<Duration> run(Duration limit) {
    const Instant start = now_;
    for (const auto& node : nodes_) node->start(now_);
    while (now_ - start <= limit) {
      if (up()) return now_ - start;
      std::optional<Instant> next;
      if (!under_way_.empty()) next = under_way_.begin()->first;
      for (const auto& node : nodes_) {
        const auto due = node->deadline();
        if (due && (!next || *due < *next)) next = due;
      }
      if (!next) break;
      now_ = std::max(now_, *next);
      step();
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t transmissions_max() const {
    std::size_t out = 0;
    for (const auto& [key, count] : transmissions_) out = std::max(out, count);
    return out;
  }

 private:
  void sent(Packet packet) {
    if (packet.kind == Packet::Kind::ike) {
      const auto header = wire::parse_header(packet.bytes);
      if (header && !header->response) {
        ++transmissions_[{packet.source.address, header->id.value()}];
      }
    }
    for (Arrival& arrival : network_.carry(std::move(packet), std::nullopt, now_)) {
      under_way_.emplace(now_ + arrival.after, std::move(arrival.packet));
    }
  }
  void step() {
    if (!under_way_.empty() && under_way_.begin()->first <= now_) {
      const Packet packet = std::move(under_way_.extract(under_way_.begin()).mapped());
      for (const auto& node : nodes_) {
        if (node->has(packet.destination.address)) node->receive(packet, now_);
      }
      return;
    }
    for (const auto& node : nodes_) node->tick(now_);
  }
  [[nodiscard]] bool up() const {
    return std::ranges::all_of(nodes_,
                               [](const auto& node) { return !node->plane().children().empty(); });
  }

  Network network_;
  std::unique_ptr<Node> nodes_[2];
  std::multimap<Instant, Packet> under_way_;
  std::map<std::pair<IpAddress, std::uint32_t>, std::size_t> transmissions_;
  Instant now_{std::chrono::hours{1}};
};

}  // namespace

LossyHandshakes lossy_handshakes(std::uint64_t loss, std::size_t tries, Duration limit) {
  LossyHandshakes out;
  for (std::size_t i = 0; i < tries; ++i) {
    test::seed_toy_crypto(i);
    Duo duo{i + 1, loss};
    const auto took = duo.run(limit);
    if (took) {
      ++out.succeeded;
      out.slowest = std::max(out.slowest, *took);
    }
    out.transmissions_max = std::max(out.transmissions_max, duo.transmissions_max());
  }
  return out;
}

}  // namespace cygnet::sim
