// Every IKE_SA of one gateway, as a deterministic value.           RFC 7296, RFC 7383
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "crypto/provider.hpp"
#include "ike/actions.hpp"
#include "ike/counters.hpp"
#include "ike/status.hpp"

namespace cygnet::ike {

/// Where peers are found (RFC 7296 §2.23).
inline constexpr std::uint16_t kPeerIkePort = 500;
inline constexpr std::uint16_t kPeerNattPort = 4500;

/// When a request is sent again (RFC 7296 §2.1).
struct RetransmitRule {
  Duration timeout = std::chrono::seconds{4};  ///< the first wait
  double base = 1.8;                           ///< each wait is this much longer
  unsigned tries = 5;                          ///< after the first transmission
  Duration wait_max{0};                        ///< no wait is longer; 0: no limit
};

/// Limits and intervals; the defaults are what people know from strongSwan, but for handshakes.
struct EngineConfig {
  /// Requests of an established IKE_SA: patient, a silent peer is given up after 165 s.
  RetransmitRule retransmit{};
  /// IKE_SA_INIT and IKE_AUTH: 12 transmissions in 50 s bring them through a network that loses
  /// every third datagram.
  RetransmitRule handshake{.timeout = std::chrono::milliseconds{500}, .base = 1.4, .tries = 11};
  /// wait_max of a connection with a child that is to be kept up.
  Duration keep_up_wait_max = std::chrono::seconds{8};
  Duration half_open_timeout = std::chrono::seconds{60};
  std::size_t half_open_max = 1000;         ///< beyond: new initiators are dropped
  std::size_t cookie_threshold = 30;        ///< half-open SAs in all before cookies are asked for
  std::size_t cookie_threshold_per_ip = 3;  ///< ... of one IPv4 address or IPv6 /64
  std::size_t cookie_threshold_per_network = 12;  ///< ... of one IPv4 /24 or IPv6 /48
  std::size_t block_threshold_per_ip = 5;         ///< beyond, one address is not answered
  std::size_t fragment_size = 1280;  ///< octets of IP packet for IKE fragments, IPv4 and IPv6
  Duration keepalive = std::chrono::seconds{20};  ///< NAT keepalives (RFC 3948 §4); 0 = none
  std::uint16_t ike_port = 500;    ///< ours; peers are expected at the well-known ones
  std::uint16_t natt_port = 4500;  ///< ours
  bool force_udp_encap = false;    ///< the plane cannot do raw ESP
  bool transport_mode = false;     ///< the plane can do transport mode
  bool esn = true;                 ///< the plane can do ESN
  bool trace_messages = false;     ///< an event::Note (level 2) for each message
};

struct Deadline {
  Instant at;
  WakeReason reason = WakeReason::retransmit;
};

/// Whether this is a request for a new IKE_SA, from somebody who has none yet.
[[nodiscard]] bool opens_ike_sa(ByteView datagram);

/// `Engine` opens no socket, starts no thread and reads no clock. Something
/// happens: tell it with `handle`. Time passes: call `tick` at `deadline()`.
/// Both append to `out`, in order, what the caller must now do; carry all of it
/// out before the next call. Equal inputs, equal seed: equal outputs.
///
///   * Inputs may come from anyone; none of them can make `Engine` throw or abort.
///   * `now` never decreases between calls.
///   * Borrowed bytes (`Datagram::bytes`) are not kept after the call returns.
///   * Not thread-safe: one engine, one thread. Use several engines to scale.
///
/// Not here: sockets (io), SA databases (model::DataPlane), files (config).
class Engine {
 public:
  /// `crypto` and `rng` must outlive the engine.
  Engine(EngineConfig config, const crypto::Provider& crypto, Rng& rng);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  void handle(const Datagram& datagram, Instant now, Actions& out);
  void handle(const model::PlaneEvent& event, Instant now, Actions& out);
  void handle(Command command, Instant now, Actions& out);
  void handle(Answer answer, Instant now, Actions& out);

  /// Limits and intervals that count from now on; a request under way keeps its time. Ports and
  /// what the plane can do must stay the same.
  void configure(EngineConfig config, Instant now, Actions& out);

  /// Spurious or late calls are harmless.
  void tick(Instant now, Actions& out);
  /// Changes after any call above; empty when nothing is pending.
  [[nodiscard]] std::optional<Deadline> deadline() const;

  [[nodiscard]] Status status() const;
  [[nodiscard]] const CounterBook& counters() const;
  /// Of one connection; empty: those in all.
  void reset_counters(std::string_view connection);
  /// Those of all connections.
  void reset_connection_counters();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cygnet::ike
