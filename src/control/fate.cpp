#include "control/fate.hpp"

namespace cygnet::control {
namespace {

/// Whether a connection still leads to whom it led to, as whom it did, and how.
bool same_line(const ConnectionChange& change) {
  const model::Connection& a = *change.before;
  const model::Connection& b = *change.after;
  return a.remote_addrs == b.remote_addrs && a.local_addrs == b.local_addrs &&
         a.remote_port == b.remote_port && a.local_port == b.local_port &&
         a.proposals == b.proposals && a.vips == b.vips && a.remote == b.remote &&
         (change.same_local || a.local == b.local);
}

/// Whether a child that is up can stay: how long it lives and what follows its end count from the
/// next time on, and nobody has to lose packets for them.
bool same_tunnel(const ConnectionChange& change, const model::ChildTemplate& before) {
  const model::ChildTemplate* after =
      change.after ? change.after->find_child(before.name) : nullptr;
  if (after == nullptr || !after->stays_up()) return false;
  model::ChildTemplate adjusted = before;
  adjusted.lifetime = after->lifetime;
  adjusted.inactivity = after->inactivity;
  adjusted.start_action = after->start_action;
  adjusted.dpd_action = after->dpd_action;
  adjusted.close_action = after->close_action;
  adjusted.keep_up = after->keep_up;
  return adjusted == *after && same_line(change);
}

}  // namespace

bool is_routed(const model::ChildTemplate& child) {
  const bool starts = child.start_action != model::ChildAction::none || child.keep_up;
  return child.start_action == model::ChildAction::trap || (child.is_shunt() && starts);
}

bool same_child(const ConnectionChange& change, std::string_view name) {
  if (!change.before || !change.after) return false;
  const model::ChildTemplate* before = change.before->find_child(name);
  const model::ChildTemplate* after = change.after->find_child(name);
  return before != nullptr && after != nullptr && *before == *after && same_line(change);
}

std::vector<std::string> tunnels_that_end(const ConnectionChange& change) {
  bool all_go = true;
  std::vector<std::string> out;
  for (const model::ChildTemplate& child : change.before->children) {
    if (same_child(change, child.name) || same_tunnel(change, child)) {
      all_go = false;
    } else if (child.stays_up()) {
      out.push_back(child.name);
    }
  }
  if (out.empty() || !all_go) return out;
  return {""};
}

bool route_ends(const ConnectionChange& change, const model::ChildTemplate& child) {
  if (same_child(change, child.name)) return false;
  const model::ChildTemplate* successor =
      change.after ? change.after->find_child(child.name) : nullptr;
  return successor == nullptr || !is_routed(*successor);
}

}  // namespace cygnet::control
