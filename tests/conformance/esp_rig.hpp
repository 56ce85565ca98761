// The esp engine in the data plane suite: one thread, virtual time.
#pragma once

#include <vector>

#include "conformance/data_plane_suite.hpp"
#include "crypto/provider.hpp"
#include "esp/engine.hpp"
#include "toys/rng.hpp"

namespace cygnet::test {

/// One engine with its two sides.
class EspRig {
 public:
  explicit EspRig(esp::MasterOptions options = {.provider = &crypto::openssl()})
      : engine_(options, rng_) {}

  model::DataPlane& plane() { return engine_; }
  esp::Engine& engine() { return engine_; }
  void advance(Duration more) { now_ = now_ + more; }

  void from_host(ByteView inner) {
    esp::OwnedPacket owned{inner};
    engine_.outbound({&owned.packet, 1}, now_);
    collect(owned.packet);
  }
  void from_network(const Outer& outer) {
    esp::OwnedPacket owned{outer.esp};
    owned.packet.local = outer.destination;
    owned.packet.remote = outer.source;
    owned.packet.tos = outer.tos;
    engine_.inbound({&owned.packet, 1}, now_);
    collect(owned.packet);
  }
  std::vector<Outer> to_network() {
    settle();
    return std::exchange(network_, {});
  }
  std::vector<Bytes> to_host() { return std::exchange(host_, {}); }
  void settle() {
    for (const esp::OwnedPacket& owned : engine_.take_released()) collect(owned.packet);
  }
  /// What happened to the last packet.
  [[nodiscard]] const esp::Packet& last() const { return last_; }

 private:
  void collect(const esp::Packet& packet) {
    last_ = packet;
    if (packet.verdict == esp::Verdict::send) {
      network_.push_back({packet.local, packet.remote, packet.tos, to_bytes(packet.data())});
    } else if (packet.verdict == esp::Verdict::deliver) {
      host_.push_back(to_bytes(packet.data()));
    }
    last_.buffer = {};
  }
  SeededRng rng_{42};
  esp::Engine engine_;
  Instant now_{std::chrono::hours{1}};
  std::vector<Outer> network_;
  std::vector<Bytes> host_;
  esp::Packet last_;
};

}  // namespace cygnet::test
