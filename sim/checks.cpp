// What must hold in a virtual world: after each step, and in the end.
#include <algorithm>
#include <utility>

#include "pki/identity.hpp"
#include "sim/stage/beliefs.hpp"
#include "sim/world_impl.hpp"

namespace cygnet::sim {
namespace {

using std::chrono::seconds;

/// A replaced child still receives for some seconds (ike/limits.hpp); longer it must not stay.
constexpr Duration kUnownedMax = seconds{6};
/// A node whose plane does not change is looked at so often.
constexpr Duration kCheckInterval = seconds{15};

bool is_established(const ike::IkeStatus& sa) {
  return sa.state != ike::IkeStatus::State::connecting;
}

std::string names(std::vector<std::string> all) {
  std::ranges::sort(all);
  return fmt::format("{}", fmt::join(all, " "));
}

}  // namespace

void World::check(std::size_t index, bool ticked) {
  Place& place = places_[index];
  const std::uint64_t changes = place.node->plane().changes();
  const bool due = ticked && now_ - place.checked_at >= kCheckInterval;
  if (std::exchange(place.checked, changes) == changes && !due) return;
  place.checked_at = now_;
  const ike::Status status = place.node->status();
  if (status.half_open > place.node->spec().engine.half_open_max) {
    fail(fmt::format("{} has {} half-open IKE_SAs", name_of(index), status.half_open));
  }
  if (const std::string wrong = misbelief(status, place.node->plane()); !wrong.empty()) {
    fail(name_of(index) + ": " + wrong);
  }
  check_unowned(place, status, ticked);
  check_keys(index);
  check_flows(index);
  if (index == 0) check_leases(status);
}

/// What is installed and nobody's stays only for a while.
void World::check_unowned(Place& place, const ike::Status& status, bool ticked) {
  std::map<model::ChildId, Instant> still;
  for (const model::ChildId id : unowned(status, place.node->plane())) {
    const auto before = place.unowned.find(id);
    const Instant since = before == place.unowned.end() ? clock(place) : before->second;
    if (ticked && clock(place) - since > kUnownedMax) fail("a child stays installed for nobody");
    still.emplace(id, since);
  }
  place.unowned = std::move(still);
}

/// Both ends of a Child SA have the same keys, whenever both are installed.
void World::check_keys(std::size_t index) {
  for (std::size_t i = index == 0 ? 1 : 0; i < (index == 0 ? places_.size() : 1); ++i) {
    const Node& other = *places_[i].node;
    if (other.runs() && !same_keys(places_[index].node->plane(), other.plane())) {
      fail(fmt::format("{} and {} hold different keys", name_of(index), name_of(i)));
    }
  }
}

/// A trap stays where it is. And where nothing is lost and nobody lets go, what once could be sent
/// always can: no rekey or reauthentication leaves a gap.
void World::check_flows(std::size_t index) {
  if (now_ < first_traffic_ || !(scenario_.traps || strict())) return;
  for (std::size_t client = 1; client < places_.size(); ++client) {
    if (index != 0 && index != client) continue;
    Place& place = places_[client];
    if (place.node->spec().hostile()) continue;
    for (std::size_t child = 0; child < place.node->spec().children(); ++child) {
      const Flow flow{.client = client, .child = child, .from_hub = index == 0};
      const auto ends = ends_of(flow);
      if (!ends) continue;
      const Plane& plane = places_[index].node->plane();
      if (plane.guards(ends->first, ends->second)) {
        place.guarded[bit_of(flow)] = true;
      } else if (place.guarded[bit_of(flow)]) {
        fail(fmt::format("{}: the trap to {} is gone", name_of(index), ends->second.text()));
      }
      if (!strict()) continue;
      if (plane.carries(ends->first, ends->second)) {
        place.carried[bit_of(flow)] = true;
      } else if (place.carried[bit_of(flow)]) {
        fail(fmt::format("{} cannot send to {} any more", name_of(index), ends->second.text()));
      }
    }
  }
}

void World::check_leases(const ike::Status& hub) {
  std::map<IpAddress, const ike::IkeStatus*> holders;
  for (const ike::IkeStatus& sa : hub.sas) {
    if (sa.state == ike::IkeStatus::State::deleting) continue;
    for (const IpAddress& address : sa.remote_vips) {
      const auto [at, fresh] = holders.emplace(address, &sa);
      if (fresh) continue;
      const ike::IkeStatus& other = *at->second;
      // One peer may be here twice for a moment, and have one address; two that share an identity
      // may not.
      if (*other.remote_id == *sa.remote_id && !places_[0].node->is_of_many(sa.connection))
        continue;
      fail(fmt::format("{} is leased to {} and {}", address.text(), pki::to_text(*other.remote_id),
                       pki::to_text(*sa.remote_id)));
    }
  }
}

/// It must be who it says it is: who has the key, and has taken part.
void World::check_peer(std::size_t index, ike::SaId id) {
  const Node& node = *places_[index].node;
  if (node.spec().hostile()) return;  // what enemies believe is up to them
  const ike::Status status = node.status();
  const auto sa = std::ranges::find(status.sas, id, &ike::IkeStatus::id);
  if (sa == status.sas.end() || !is_established(*sa)) return;
  const std::string peer = pki::to_text(*sa->remote_id);
  const auto other = std::ranges::find_if(places_, [&](const Place& place) {
    return place.node->spec().name == peer && !place.node->spec().hostile();
  });
  const bool takes_part =
      other != places_.end() &&
      monitor_.takes_part(static_cast<std::size_t>(other - places_.begin()), sa->spi_i, sa->spi_r);
  if (!takes_part) fail(fmt::format("{} takes somebody for {}", name_of(index), peer));
}

// --- the end -------------------------------------------------------------------------------------

std::string World::missing(std::size_t index) const {
  const Node& node = *places_[index].node;
  if (node.spec().hostile()) return {};
  const ike::Status hub = places_[0].node->status();
  const std::string& name = node.spec().name;
  const ike::Status status = node.status();
  if (status.sas.size() != 1) {
    return fmt::format("{} has {} IKE_SAs in the end", name, status.sas.size());
  }
  const ike::IkeStatus& sa = status.sas[0];
  const auto other = std::ranges::find_if(hub.sas, [&](const ike::IkeStatus& one) {
    return one.spi_i == sa.spi_i && one.spi_r == sa.spi_r;
  });
  const auto count =
      std::ranges::count_if(hub.sas, [&](const ike::IkeStatus& one) { return is_with(one, name); });
  if (other == hub.sas.end() || count != 1) {
    return fmt::format("the gateway has {} IKE_SAs with {}", count, name);
  }
  std::vector<std::string> wanted;
  for (std::size_t child = 0; child < node.spec().children(); ++child) {
    wanted.emplace_back(child_name(child));
  }
  std::vector<std::string> here;
  for (const ike::ChildStatus& child : sa.children) here.push_back(child.name);
  std::vector<std::string> there;
  for (const ike::ChildStatus& child : other->children) there.push_back(child.name);
  if (names(here) != names(wanted) || names(there) != names(wanted)) {
    return fmt::format("{} has the children '{}', the gateway '{}' instead of '{}'", name,
                       names(here), names(there), names(wanted));
  }
  for (const ike::ChildStatus& child : sa.children) {
    const auto mine = node.plane().find(child.spi_in);
    const auto theirs = places_[0].node->plane().find(child.spi_out);
    const bool mirrored = mine && theirs && mine->spi_out == theirs->spi_in &&
                          theirs->spi_out == mine->spi_in && mine->key_in == theirs->key_out &&
                          mine->key_out == theirs->key_in;
    if (!mirrored) return fmt::format("{} and the gateway hold different SAs", name);
  }
  return {};
}

std::string World::verdict(std::uint64_t first_probe) const {
  if (const auto lost = monitor_.first_lost(first_probe)) {
    return fmt::format("in the end packet {} does not arrive", *lost);
  }
  // Where nothing disturbs and nobody lets a tunnel go, every packet that a tunnel took arrives:
  // rekeys and reauthentications lose none.
  if (strict() && monitor_.delivered() < monitor_.sent()) {
    return fmt::format("{} of {} packets were lost on a network that loses none, packet {} first",
                       monitor_.sent() - monitor_.delivered(), monitor_.sent(),
                       monitor_.first_lost().value_or(0));
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const Node& node = *places_[i].node;
    if (node.spec().hostile() || node.unanswered() == 0) continue;
    return fmt::format("{} operators of {} wait for an answer", node.unanswered(), name_of(i));
  }
  return {};
}

}  // namespace cygnet::sim
