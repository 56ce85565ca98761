// Where protected packets flow. The core decides, a plane obeys and reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "base/secret.hpp"
#include "base/strong.hpp"
#include "model/connection.hpp"

namespace cygnet::model {

/// One Child SA pair, trap or shunt; never reused while the process lives.
using ChildId = Strong<std::uint32_t, struct ChildIdKind>;

/// Inbound SPIs are chosen by the core so that a plane can find the SA by index: the low
/// kSpiSlotBits are a slot that is unique among live inbound SAs, the rest is random and not zero.
inline constexpr unsigned kSpiSlotBits = 20;
[[nodiscard]] constexpr std::uint32_t spi_slot(EspSpi spi) {
  return spi.value() & ((1U << kSpiSlotBits) - 1);
}

/// One direction of an ESP SA.                                     RFC 4303
struct SaSpec {
  EspSpi spi;
  EncrId encr = EncrId::null;
  std::uint16_t key_bits = 0;
  IntegId integ = IntegId::none;
  Secret encr_key;   ///< key followed by the salt, if the cipher has one
  Secret integ_key;  ///< empty for AEAD
  bool esn = false;
  [[nodiscard]] SaSpec clone() const;
};

enum class PolicyAction : std::uint8_t {
  protect,  ///< seal and open with the SAs
  trap,     ///< report the first packet as an acquire, hold it, drop if nothing comes
  pass,     ///< send in the clear
  drop,     ///< discard and count
};

/// Everything a plane needs for one child. Selectors are as negotiated: what arrives decrypted
/// must match them (RFC 4301 §5.2).
struct ChildSpec {
  ChildId id;
  std::string name;  ///< "connection/child" for logs
  PolicyAction action = PolicyAction::protect;
  std::vector<TrafficSelector> local_ts;
  std::vector<TrafficSelector> remote_ts;
  Endpoint local;  ///< outer; ports count with udp_encap only
  Endpoint remote;
  bool udp_encap = true;
  std::vector<IpAddress> local_vips;  ///< source addresses for our own packets
  std::optional<SaSpec> inbound;
  std::optional<SaSpec> outbound;
  std::optional<ChildId> replaces;  ///< a rekey: same selectors, the old child still receives
  Lifetime lifetime;                ///< bytes and packets only; time is the core's
  std::uint32_t replay_window = 128;
  bool copy_df = true;
  bool copy_ecn = true;
  CopyDscp copy_dscp = CopyDscp::out;
};

struct SaStats {
  std::uint64_t bytes_in = 0, packets_in = 0;
  std::uint64_t bytes_out = 0, packets_out = 0;
  std::uint64_t replayed = 0, bad_icv = 0, policy_drops = 0;
  /// Since the last packet in that direction; empty when there was none.
  std::optional<Duration> idle_in, idle_out;
};

struct PlaneTraits {
  std::string name;             ///< "esp", "xfrm", "none"
  bool udp_encap_only = false;  ///< the core then makes NAT detection force encapsulation
  bool transport_mode = false;
  bool esn = true;
};

namespace plane {
/// A trap matched a packet (RFC 7296 §2.9).
struct Acquire {
  ChildId trap;
  PacketFlow packet;
};
/// The byte or packet limit of a child: soft asks for a rekey, hard has stopped the SA.
struct Expire {
  ChildId child;
  bool hard = false;
};
/// An authenticated packet came from another address or port than the child's remote.
struct MappingChange {
  ChildId child;
  Endpoint remote;
};
struct InstallFailed {
  ChildId child;
  Error error;
};
/// The first authenticated packet arrived on this child (a rekey's responder may now send on it).
struct FirstInbound {
  ChildId child;
};
}  // namespace plane

using PlaneEvent = std::variant<plane::Acquire, plane::Expire, plane::MappingChange,
                                plane::InstallFailed, plane::FirstInbound>;

/// Implementations: esp::pump::Plane, xfrm::Plane. All pass tests/conformance/data_plane_suite.hpp.
class DataPlane {
 public:
  virtual ~DataPlane() = default;
  [[nodiscard]] virtual PlaneTraits traits() const = 0;

  /// Policies and inbound SA; also the outbound SA unless `child.outbound` is empty (a rekey's
  /// answer waits until the peer uses the new SA or has deleted the old child). With
  /// `child.replaces` the selectors' outbound traffic moves to this child as soon as it has an
  /// outbound SA. Fails when the child cannot be expressed; nothing is then half-installed.
  [[nodiscard]] virtual Result<void> install(const ChildSpec& child) = 0;
  /// Gives an installed child its outbound SA; from now on its selectors' traffic uses it.
  [[nodiscard]] virtual Result<void> activate(ChildId child, const SaSpec& outbound) = 0;
  [[nodiscard]] virtual Result<void> relocate(ChildId child, const Endpoint& local,
                                              const Endpoint& remote) = 0;
  /// Removing an unknown child succeeds: after a crash the plane may know less.
  [[nodiscard]] virtual Result<void> remove(ChildId child) = 0;
  [[nodiscard]] virtual Result<SaStats> stats(ChildId child) const = 0;
  [[nodiscard]] virtual std::vector<PlaneEvent> take_events() = 0;
};

}  // namespace cygnet::model
