// A data plane of one virtual node: seals and opens toy ESP packets and watches itself.
#pragma once

#include <deque>
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
  bool esp = false;
};

/// model::DataPlane without packets of a kernel. Calls out for what it sends, delivers and for
/// every (key, sequence number) it uses.
class Plane final : public model::DataPlane {
 public:
  struct Hooks {
    std::function<void(Packet)> send;
    std::function<void(const Inner&)> deliver;
    std::function<void(std::uint64_t key, std::uint64_t sequence)> sealed;
    std::function<void(const std::string&)> fault;
  };
  explicit Plane(Hooks hooks) : hooks_(std::move(hooks)) {}

  [[nodiscard]] model::PlaneTraits traits() const override { return {.name = "sim"}; }
  [[nodiscard]] Result<void> install(const model::ChildSpec& child) override;
  [[nodiscard]] Result<void> activate(model::ChildId child, const model::SaSpec& outbound) override;
  [[nodiscard]] Result<void> relocate(model::ChildId child, const Endpoint& local,
                                      const Endpoint& remote) override;
  [[nodiscard]] Result<void> remove(model::ChildId child) override;
  [[nodiscard]] Result<model::SaStats> stats(model::ChildId child) const override;
  [[nodiscard]] std::vector<model::PlaneEvent> take_events() override;

  /// Seals by the newest child that fits and may send; holds it for a trap; else drops it. False
  /// when nothing fitted.
  bool send(const Inner& inner);
  void receive(const Packet& packet);
  /// The time from now on, for idle times.
  void set_time(Instant now) { now_ = now; }

  /// Counts installs, activations and removals.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

  /// Ids and SPIs of protecting children, for comparison with what others believe.
  struct View {
    model::ChildId id;
    EspSpi spi_in;
    std::optional<EspSpi> spi_out;
    std::uint64_t key_in = 0;
    std::uint64_t key_out = 0;
  };
  [[nodiscard]] std::vector<View> children() const;
  /// The address a child gives our own packets, if any child does.
  [[nodiscard]] std::optional<IpAddress> own_address() const;

 private:
  struct Child {
    model::ChildSpec spec;
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
  void seal(Child& child, const Inner& inner);
  /// Counts against the limits, as esp does: the packet that reaches the hard one is the last.
  void count(Child& child, std::uint64_t packets);
  void serve_traps();

  Hooks hooks_;
  std::map<model::ChildId, Child> children_;
  std::map<EspSpi, model::ChildId> by_spi_;
  std::vector<model::PlaneEvent> events_;
  std::uint64_t clock_ = 0;
  std::uint64_t changes_ = 0;
  Instant now_;
};

}  // namespace cygnet::sim
