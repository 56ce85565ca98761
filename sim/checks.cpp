// What must hold in a virtual world: after each step, and in the end.
#include <algorithm>
#include <set>
#include <utility>

#include "pki/identity.hpp"
#include "sim/world_impl.hpp"

namespace cygnet::sim {
namespace {

using std::chrono::seconds;

/// A replaced child still receives for some seconds (ike/limits.hpp); longer it must not stay.
constexpr Duration kUnownedMax = seconds{6};
/// A node whose plane does not change is looked at so often.
constexpr Duration kCheckInterval = seconds{5};

}  // namespace

void World::check(std::size_t index, bool ticked) {
  Place& place = places_[index];
  const std::uint64_t changes = place.node->plane().changes();
  const bool due = ticked && now_ - place.checked_at >= kCheckInterval;
  if (std::exchange(place.checked, changes) == changes && !due) return;
  place.checked_at = now_;
  const ike::Status status = place.node->status();
  if (status.half_open > ike::EngineConfig{}.half_open_max) fail("too many half-open IKE_SAs");
  std::set<model::ChildId> installed;
  for (const Plane::View& view : place.node->plane().children()) installed.insert(view.id);
  std::map<model::ChildId, Instant> unowned;
  std::set<model::ChildId> believed;
  for (const ike::IkeStatus& sa : status.sas) {
    for (const ike::ChildStatus& child : sa.children) believed.insert(child.id);
  }
  for (const model::ChildId id : believed) {
    if (!installed.contains(id)) fail("a child is believed in that is not installed");
  }
  for (const model::ChildId id : installed) {
    if (believed.contains(id)) continue;
    const auto before = place.unowned.find(id);
    const Instant since = before == place.unowned.end() ? clock(place) : before->second;
    if (ticked && clock(place) - since > kUnownedMax) fail("a child stays installed for nobody");
    unowned.emplace(id, since);
  }
  place.unowned = std::move(unowned);
  if (index == 0) check_leases(status);
}

void World::check_leases(const ike::Status& hub) {
  std::map<IpAddress, std::string> holders;
  for (const ike::IkeStatus& sa : hub.sas) {
    if (sa.state == ike::IkeStatus::State::deleting) continue;
    for (const IpAddress& address : sa.remote_vips) {
      const std::string holder = pki::to_text(*sa.remote_id);
      const auto [at, fresh] = holders.emplace(address, holder);
      if (!fresh && at->second != holder) {
        fail(fmt::format("{} is leased to {} and {}", address.text(), at->second, holder));
      }
    }
  }
}

std::string World::missing(std::size_t index) const {
  const Node& node = *places_[index].node;
  if (node.spec().enemy) return {};
  const ike::Status hub = places_[0].node->status();
  const auto hub_children = places_[0].node->plane().children();
  const std::string& name = node.spec().name;
  const ike::Status status = node.status();
  if (status.sas.size() != 1) {
    return fmt::format("{} has {} IKE_SAs in the end", name, status.sas.size());
  }
  const ike::IkeStatus& sa = status.sas[0];
  const auto other = std::ranges::find_if(hub.sas, [&](const ike::IkeStatus& one) {
    return one.spi_i == sa.spi_i && one.spi_r == sa.spi_r;
  });
  const auto count = std::ranges::count_if(hub.sas, [&](const ike::IkeStatus& one) {
    return one.remote_id && pki::to_text(*one.remote_id) == name;
  });
  if (other == hub.sas.end() || count != 1) {
    return fmt::format("the gateway has {} IKE_SAs with {}", count, name);
  }
  // Replaced ones still receive for some seconds.
  auto mine = node.plane().children();
  std::erase_if(mine, [&](const Plane::View& view) {
    return std::ranges::find(sa.children, view.id, &ike::ChildStatus::id) == sa.children.end();
  });
  const std::size_t wanted = node.spec().children();
  if (sa.children.size() != wanted || other->children.size() != wanted || mine.size() != wanted) {
    std::string ids;
    for (const auto& child : mine) ids += fmt::format(" {{{}}}", child.id.value());
    for (const auto& child : other->children) ids += fmt::format(" [{}]", child.id.value());
    return fmt::format("{} has {} children ({} installed), the gateway {}:{}", name,
                       sa.children.size(), mine.size(), other->children.size(), ids);
  }
  for (const Plane::View& own : mine) {
    const auto theirs = std::ranges::find(hub_children, own.spi_out, [](const Plane::View& view) {
      return std::optional{view.spi_in};
    });
    const bool mirrored = theirs != hub_children.end() && theirs->spi_out == own.spi_in &&
                          own.key_in == theirs->key_out && own.key_out == theirs->key_in;
    if (!mirrored) return fmt::format("{} and the gateway hold different keys", name);
  }
  return {};
}

void World::probe() {
  for (std::size_t index = 1; index < places_.size(); ++index) {
    const NodeSpec& spec = places_[index].node->spec();
    for (std::size_t child = 0; child < spec.children() && !spec.enemy; ++child) {
      send_from_hub(index, child);
    }
  }
}

}  // namespace cygnet::sim
