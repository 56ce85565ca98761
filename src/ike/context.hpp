// What one call into the engine works with.
#pragma once

#include <string>
#include <vector>

#include "ike/connections.hpp"
#include "ike/counters.hpp"
#include "ike/engine.hpp"
#include "ike/spi.hpp"

namespace cygnet::ike {

struct IkeSa;

/// What all IKE_SAs of one engine share. Plain data but for the two borrowed services.
struct Shared {
  EngineConfig config;
  Connections connections;
  std::vector<Bytes> authorities;
  std::vector<IpAddress> addresses;  ///< of this host, for peers with MOBIKE
  CounterBook counters;
  SpiPool spis;
  std::uint32_t last_sa = 0;
  std::uint32_t last_child = 0;
  std::uint32_t last_ask = 0;
};

/// The services and the moment of one call into the engine.
struct Context {
  Shared& shared;
  const EngineConfig& config;
  const crypto::Provider& crypto;
  Rng& rng;
  Instant now;
  Actions& out;
  std::vector<IkeSa>& born;      ///< IKE_SAs made by a rekey; the engine adopts them after the call
  std::vector<SaId>& attention;  ///< IKE_SAs that changed; the engine looks at them after the call

  /// The upper half names the IKE_SA that asks.
  [[nodiscard]] AskId next_ask(SaId sa) {
    return AskId{(std::uint64_t{sa.value()} << 32) | ++shared.last_ask};
  }
  [[nodiscard]] SaId next_sa() { return SaId{++shared.last_sa}; }
  [[nodiscard]] model::ChildId next_child() { return model::ChildId{++shared.last_child}; }
  void emit(Event event) { out.emplace_back(std::move(event)); }
  void done(RequestId request, bool success, std::string error = {});
};

}  // namespace cygnet::ike
