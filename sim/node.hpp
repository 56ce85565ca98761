// One virtual machine: the real engine and the real control, joined as the daemon joins them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "control/controller.hpp"
#include "control/sleep_watch.hpp"
#include "ike/engine.hpp"
#include "sim/plane.hpp"
#include "toys/rng.hpp"

namespace cygnet::sim {

/// What the enemy takes for the shared key.
inline constexpr std::string_view kGuessedKey = "a guess";

/// What a node is; a restart makes the same again.
struct NodeSpec {
  std::string name;  ///< and identity, as an FQDN
  IpAddress address;
  std::optional<std::size_t> nat;  ///< the NAT it is behind
  std::function<config::Loaded()> configuration;
  bool gateway = false;
  bool enemy = false;  ///< has a wrong key: must never get in
  /// Of a site: its host in each of its networks, one for each child. It is called at its address,
  /// so it does not move. Others have the virtual IP of their one child.
  std::vector<IpAddress> inner{};
  [[nodiscard]] std::size_t children() const { return inner.empty() ? 1 : inner.size(); }
};

class Node final : public control::View {
 public:
  struct Hooks {
    Plane::Hooks plane;
    std::function<void(const ike::Event&)> event;
    std::function<void(const std::string&)> log;
  };
  Node(NodeSpec spec, Hooks hooks, std::uint64_t seed, bool trace);

  /// Boots: a fresh engine, controller and plane.
  void start(Instant now);
  /// Loses everything.
  void crash();
  [[nodiscard]] bool runs() const { return engine_.has_value(); }

  void receive(const Packet& packet, Instant now);
  void tick(Instant now);
  /// False when neither a child nor a trap takes it.
  bool send(const Inner& inner, Instant now);
  void command(ike::Command command, Instant now);
  void network_changed(Instant now);
  /// The machine is in another network now.
  void move(const IpAddress& address, std::optional<std::size_t> nat, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;

  [[nodiscard]] ike::Status status() const override { return engine_->status(); }
  [[nodiscard]] std::optional<model::SaStats> stats(model::ChildId child) const override {
    const auto known = plane_->stats(child);
    return known ? std::optional{*known} : std::nullopt;
  }
  [[nodiscard]] std::vector<ike::Path> paths(const std::vector<IpAddress>& remotes) override {
    std::vector<ike::Path> out;
    for (const IpAddress& remote : remotes) out.push_back({spec_.address, remote});
    return out;
  }
  [[nodiscard]] const NodeSpec& spec() const { return spec_; }
  [[nodiscard]] const Plane& plane() const { return *plane_; }

 private:
  void notice_sleep(Instant now);
  void drain(Instant now);
  void carry_out(ike::Actions actions, Instant now);
  void carry_out(control::Effects effects, Instant now);
  [[nodiscard]] ike::Answer answer(const ike::Ask& ask);

  NodeSpec spec_;
  Hooks hooks_;
  test::SeededRng rng_;
  std::optional<ike::Engine> engine_;
  std::optional<control::Controller> controller_;
  std::unique_ptr<Plane> plane_;
  control::SleepWatch sleep_watch_;
  std::deque<std::variant<model::PlaneEvent, ike::Command, ike::Answer>> inputs_;
  bool draining_ = false;
  bool trace_;  ///< log every IKE message
};

}  // namespace cygnet::sim
