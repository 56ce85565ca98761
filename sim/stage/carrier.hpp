// Joins an engine and a data plane as the daemon does.              docs/architecture.md
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <variant>

#include "ike/engine.hpp"
#include "model/data_plane.hpp"

namespace cygnet::sim {

/// Carries out what an engine wants, in order, and feeds back what comes of it. It decides nothing.
/// Unlike the daemon it can stop dead between two actions.
class Carrier {
 public:
  using Input = std::variant<model::PlaneEvent, ike::Command, ike::Answer>;
  /// What is not the plane's business, in the order of the actions.
  struct Outside {
    std::function<void(ike::action::Send)> send;
    std::function<void(const ike::action::Keepalive&)> keepalive;
    std::function<ike::Answer(const ike::Ask&)> answer;
    std::function<void(const ike::ask::Release&)> release;
    std::function<void(const ike::Event&)> event;
  };
  /// `engine` and `plane` must outlive it.
  Carrier(ike::Engine& engine, model::DataPlane& plane, Outside outside)
      : engine_(engine), plane_(plane), outside_(std::move(outside)) {}

  /// A datagram is handled at once; what it leads to waits for drain().
  void take(const ike::Datagram& datagram, Instant now);
  /// So is this command.
  void tell(ike::Command command, Instant now);
  void tick(Instant now);
  /// Waits for its turn in drain().
  void put(Input input) { inputs_.push_back(std::move(input)); }
  /// Feeds what waits, and what that leads to, until there is nothing more.
  void drain(Instant now);

  /// Nothing is carried out beyond so many more actions; then it is of no use any more. Empty: it
  /// goes on for ever.
  void halt_after(std::optional<std::size_t> actions) { left_ = actions; }
  [[nodiscard]] bool halted() const { return left_ == std::optional<std::size_t>{0}; }

 private:
  void carry_out(ike::Actions actions);
  void act(ike::action::Send& send) { outside_.send(std::move(send)); }
  void act(const ike::action::Keepalive& keepalive) { outside_.keepalive(keepalive); }
  void act(const ike::action::Install& install);
  void act(const ike::action::Activate& activate);
  void act(const ike::action::Relocate& relocate);
  void act(const ike::action::Remove& remove);
  void act(const ike::Ask& ask) { put(outside_.answer(ask)); }
  void act(const ike::ask::Release& release) { outside_.release(release); }
  void act(const ike::Event& event) { outside_.event(event); }

  ike::Engine& engine_;
  model::DataPlane& plane_;
  Outside outside_;
  std::deque<Input> inputs_;
  std::optional<std::size_t> left_;
  bool draining_ = false;
};

}  // namespace cygnet::sim
