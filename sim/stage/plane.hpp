// A data plane of one virtual node: seals and opens toy ESP packets and watches itself.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "esp/replay.hpp"
#include "model/data_plane.hpp"

namespace cygnet::sim {

/// A packet as applications see it. The number is unique in a world.
struct Inner {
  std::uint64_t number = 0;
  IpAddress source;
  IpAddress destination;
};

/// A datagram between nodes.
struct Packet {
  Endpoint source;
  Endpoint destination;
  Bytes bytes;
  enum class Kind : std::uint8_t {
    ike,
    esp,      ///< in UDP
    raw_esp,  ///< straight in IP: has no ports that a NAT could tell apart
    keepalive
  } kind = Kind::ike;
};

/// What became of an application's packet.
enum class Fate : std::uint8_t {
  sealed,
  held,     ///< by a trap
  dropped,  ///< a child takes it and may not send
  clear     ///< no policy knows it: the host would send it as it is
};

/// model::DataPlane without packets of a kernel. Calls out for what it sends, delivers and for
/// every (key, sequence number) it uses; a command that does not fit is a fault.
class Plane final : public model::DataPlane {
 public:
  struct Hooks {
    std::function<void(Packet)> send;
    std::function<void(const Inner&)> deliver;
    std::function<void(std::uint64_t key, std::uint64_t sequence)> sealed;
    std::function<void(const std::string&)> fault;
  };
  /// `traits` say what it pretends to be able to do.
  explicit Plane(Hooks hooks, model::PlaneTraits traits = {.name = "sim", .udp_encap_only = true})
      : hooks_(std::move(hooks)), traits_(std::move(traits)) {}

  [[nodiscard]] model::PlaneTraits traits() const override { return traits_; }
  [[nodiscard]] Result<void> install(const model::ChildSpec& child) override;
  [[nodiscard]] Result<void> activate(model::ChildId child, const model::SaSpec& outbound) override;
  [[nodiscard]] Result<void> relocate(model::ChildId child, const Endpoint& local,
                                      const Endpoint& remote) override;
  [[nodiscard]] Result<void> remove(model::ChildId child) override;
  [[nodiscard]] Result<model::SaStats> stats(model::ChildId child) const override;
  [[nodiscard]] std::vector<model::PlaneEvent> take_events() override;

  /// Seals by the newest child that fits and may send; a trap holds what no child takes.
  Fate send(const Inner& inner);
  void receive(const Packet& packet);
  /// The time from now on, for idle times.
  void set_time(Instant now) { now_ = now; }
  /// Refuses the next `count` installs of children that protect.
  void refuse_installs(unsigned count) { refusals_ = count; }

  /// Counts installs, activations and removals.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

  /// One protecting child, for comparison with what others believe.
  struct View {
    model::ChildId id;
    EspSpi spi_in;
    std::optional<EspSpi> spi_out;
    std::uint64_t key_in = 0;
    std::uint64_t key_out = 0;
  };
  /// By id.
  [[nodiscard]] std::vector<View> children() const;
  [[nodiscard]] std::optional<View> find(EspSpi spi_in) const;
  [[nodiscard]] std::optional<View> find(model::ChildId id) const;
  [[nodiscard]] std::vector<model::ChildId> traps() const;
  /// Whether it refused to install this child: the engine believes in it until it is told.
  [[nodiscard]] bool refused(model::ChildId id) const { return refused_.contains(id); }
  /// Whether a packet from here to there would be sealed now.
  [[nodiscard]] bool carries(const IpAddress& source, const IpAddress& destination) const;
  /// Whether a trap waits for such a packet.
  [[nodiscard]] bool guards(const IpAddress& source, const IpAddress& destination) const;
  /// The address a child gives our own packets, if any child does.
  [[nodiscard]] std::optional<IpAddress> own_address() const;

 private:
  struct Child {
    model::ChildSpec spec;
    View view;
    std::optional<esp::ReplayWindow> replay;
    std::uint64_t sequence = 0;
    std::uint64_t age = 0;
    bool received = false;
    model::SaStats stats;
    std::optional<Instant> last_in;
    std::optional<Instant> last_out;
    bool soft = false;        ///< a rekey has been asked for
    bool stopped = false;     ///< its hard limit is reached
    std::vector<Inner> held;  ///< by a trap
  };
  /// The child that sends this, and the trap that would hold it.
  struct Match {
    const Child* child = nullptr;
    const Child* trap = nullptr;
  };
  [[nodiscard]] Match match(const IpAddress& source, const IpAddress& destination) const;
  void set_outbound(Child& child, const model::SaSpec& outbound);
  void seal(Child& child, const Inner& inner);
  /// Counts against the limits, as esp does: the packet that reaches the hard one is the last.
  void count(Child& child, std::uint64_t packets);
  void serve_traps();

  Hooks hooks_;
  model::PlaneTraits traits_;
  std::map<model::ChildId, Child> children_;
  std::map<EspSpi, model::ChildId> by_spi_;
  std::set<model::ChildId> refused_;
  std::vector<model::PlaneEvent> events_;
  std::uint64_t clock_ = 0;
  std::uint64_t changes_ = 0;
  unsigned refusals_ = 0;
  Instant now_;
};

}  // namespace cygnet::sim
