// What applications of a virtual world send through its tunnels.
#include "sim/world_impl.hpp"

namespace cygnet::sim {

/// Packets between the gateway and one client; in the end, for each child of all clients.
void World::traffic() {
  if (faults_) {
    const std::size_t index = 1 + rng_.below(places_.size() - 1);
    return exchange_inner(index, rng_.below(places_[index].node->spec().children()));
  }
  for (std::size_t index = 1; index < places_.size(); ++index) {
    const std::size_t children = places_[index].node->spec().children();
    for (std::size_t child = 0; child < children; ++child) exchange_inner(index, child);
  }
}

std::optional<IpAddress> World::own_inner(std::size_t index, std::size_t child) const {
  const Node& node = *places_[index].node;
  if (!node.spec().inner.empty()) return node.spec().inner[child];
  return node.runs() ? node.plane().own_address() : std::nullopt;
}

std::optional<std::pair<IpAddress, IpAddress>> World::ends_of(const Flow& flow) const {
  const auto own = own_inner(flow.client, flow.child);
  if (!own) return std::nullopt;
  const IpAddress hub = gateway_inner(flow.child);
  return flow.from_hub ? std::pair{hub, *own} : std::pair{*own, hub};
}

/// One packet each way.
void World::exchange_inner(std::size_t index, std::size_t child) {
  const Place& client = places_[index];
  if (client.node->spec().hostile() || !awake(client) || !awake(places_[0])) return;
  if (!scenario_.silent) {
    const Flow flow{.client = index, .child = child};
    const auto ends = ends_of(flow);
    if (!ends) {
      if (strict() && client.carried[bit_of(flow)])
        fail(name_of(index) + " has no address any more");
      return;
    }
    send_inner(flow, {0, ends->first, ends->second});
  }
  send_from_hub(index, child);
}

/// One packet from the gateway's network, to where the gateway believes the client's address to be.
void World::send_from_hub(std::size_t index, std::size_t child) {
  const NodeSpec& spec = places_[index].node->spec();
  const Flow flow{.client = index, .child = child, .from_hub = true};
  const IpAddress hub = gateway_inner(child);
  if (!spec.inner.empty()) return send_inner(flow, {0, hub, spec.inner[child]});
  for (const ike::IkeStatus& sa : places_[0].node->status().sas) {
    if (!is_with(sa, spec.name) || sa.remote_vips.empty() || sa.children.empty()) continue;
    return send_inner(flow, {0, hub, sa.remote_vips.front()});
  }
  if (probing_ || (strict() && places_[index].carried[bit_of(flow)])) {
    fail("the gateway does not know where " + spec.name + " is");
  }
}

void World::send_inner(const Flow& flow, Inner inner) {
  if (silent_ || now_ < first_traffic_) return;
  const std::size_t from = flow.from_hub ? 0 : flow.client;
  Place& sender = places_[from];
  inner.number = ++inner_;
  monitor_.inner_sent(inner.number, name_of(flow.from_hub ? flow.client : 0));
  note("{}: sends packet {}", name_of(from), inner.number);
  const bool must_go = probing_ || (strict() && places_[flow.client].carried[bit_of(flow)]);
  const Fate fate = sender.node->send(inner, clock(sender));
  if (fate == Fate::clear && places_[flow.client].guarded[bit_of(flow)]) {
    fail(fmt::format("packet {} leaves {} in the clear", inner.number, name_of(from)));
  }
  if (fate == Fate::clear || fate == Fate::dropped) {
    if (must_go) fail(fmt::format("{} has no tunnel for packet {}", name_of(from), inner.number));
    monitor_.inner_refused(inner.number);
  }
  settle(from);
}

void World::probe() {
  probing_ = true;
  for (std::size_t index = 1; index < places_.size(); ++index) {
    const NodeSpec& spec = places_[index].node->spec();
    for (std::size_t child = 0; child < spec.children() && !spec.hostile(); ++child) {
      send_from_hub(index, child);
    }
  }
}

}  // namespace cygnet::sim
