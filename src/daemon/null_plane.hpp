// A data plane that carries nothing: --data-plane none.
#pragma once

#include <set>

#include "model/data_plane.hpp"

namespace cygnet::daemon {

/// Accepts every child and moves no packet: for trying out IKE without changing the host.
class NullPlane final : public model::DataPlane {
 public:
  [[nodiscard]] model::PlaneTraits traits() const override { return {.name = "none"}; }
  [[nodiscard]] Result<void> install(const model::ChildSpec& child) override {
    children_.insert(child.id);
    return {};
  }
  [[nodiscard]] Result<void> activate(model::ChildId, const model::SaSpec&) override { return {}; }
  [[nodiscard]] Result<void> relocate(model::ChildId, const Endpoint&, const Endpoint&) override {
    return {};
  }
  [[nodiscard]] Result<void> remove(model::ChildId child) override {
    children_.erase(child);
    return {};
  }
  [[nodiscard]] Result<model::SaStats> stats(model::ChildId child) const override {
    if (!children_.contains(child)) return fail("statistics", "no such child");
    return model::SaStats{};
  }
  [[nodiscard]] std::vector<model::PlaneEvent> take_events() override { return {}; }

 private:
  std::set<model::ChildId> children_;
};

}  // namespace cygnet::daemon
