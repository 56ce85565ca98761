// What goes wrong in a virtual world: lines, routers, machines, operators and an attacker.
#include <utility>

#include "sim/world_impl.hpp"

namespace cygnet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Between packets once the faults have ended.
constexpr Duration kFinalTraffic = seconds{20};

}  // namespace

void World::strike() {
  if (recorded_.empty()) return;
  Packet packet = recorded_[rng_.below(recorded_.size())];
  switch (rng_.below(4)) {
    case 0:
      break;  // as it was
    case 1:   // from somewhere else
      packet.source = {IpAddress::v4(0xc0000200 + static_cast<std::uint32_t>(rng_.below(255))),
                       static_cast<std::uint16_t>(1 + rng_.below(65535))};
      break;
    case 2:  // damaged
      packet.bytes[rng_.below(packet.bytes.size())] ^= 0x40;
      break;
    default:  // made up, with a true header
      for (std::size_t i = 28; i < packet.bytes.size(); ++i) {
        packet.bytes[i] = static_cast<std::uint8_t>(rng_.below(256));
      }
  }
  push(milliseconds{rng_.below(5000)}, {.kind = Event::Kind::arrival, .packet = std::move(packet)});
}

void World::attack(std::size_t) {
  for (int i = 0; i < 5; ++i) strike();
}

Duration World::pick(Duration low, Duration high) {
  return low + Duration{static_cast<Duration::rep>(
                   rng_.below(static_cast<std::uint64_t>((high - low).count())))};
}

void World::fault() {
  if (!faults_ || scenario_.calm) return;
  using Fault = void (World::*)(std::size_t);
  static constexpr Fault kFaults[] = {
      &World::cut_line,    &World::restart_router,   &World::crash,        &World::pause,
      &World::jump_clock,  &World::narrow_path,      &World::rekey_child,  &World::rekey_ike,
      &World::throw_out,   &World::change_network,   &World::attack,
  };
  const std::size_t index = rng_.below(places_.size());
  (this->*kFaults[rng_.below(std::size(kFaults))])(index);
}

void World::cut_line(std::size_t index) {
  const Duration time = pick(seconds{2}, minutes{12});
  note("{}: line cut", name_of(index));
  const IpAddress address = places_[index].node->spec().address;
  network_.cut.insert(address);
  later(time, [this, address, index] {
    network_.cut.erase(address);
    Place& place = places_[index];
    // The machine sees its link come back.
    if (awake(place)) place.node->network_changed(clock(place));
    set_alarm(index);
  });
}

void World::restart_router(std::size_t index) {
  const NodeSpec& spec = places_[index].node->spec();
  if (!spec.nat) return;
  note("{}: its router restarts with another address", spec.name);
  network_.nats[*spec.nat].forget();
  network_.nats[*spec.nat].address =
      IpAddress::v4(0xcb007200 + static_cast<std::uint32_t>(rng_.below(0xffff)));
}

void World::crash(std::size_t index) {
  Place& place = places_[index];
  if (!place.node->runs()) return;
  note("{}: crash", name_of(index));
  place.node->crash();
  place.wake.reset();
  place.checked = 0;
  place.unowned.clear();
  later(pick(Duration{0}, minutes{3}), [this, index] {
    Place& dead = places_[index];
    if (dead.node->runs()) return;
    note("{}: restart", name_of(index));
    dead.node->start(clock(dead));
    set_alarm(index);
  });
}

void World::pause(std::size_t index) {
  note("{}: paused", name_of(index));
  places_[index].paused_until = now_ + pick(seconds{1}, minutes{2});
}

void World::jump_clock(std::size_t index) {
  note("{}: its clock jumps", name_of(index));
  places_[index].ahead += pick(seconds{1}, minutes{30});
  set_alarm(index);
}

void World::narrow_path(std::size_t) {
  network_.size_max = 300 + rng_.below(1000);
  later(pick(seconds{10}, minutes{5}), [this] { network_.size_max.reset(); });
}

void World::command(std::size_t index, ike::Command command) {
  Place& place = places_[index];
  if (!awake(place)) return;
  place.node->command(std::move(command), clock(place));
  set_alarm(index);
}

void World::rekey_child(std::size_t index) {
  note("{}: operator rekeys", name_of(index));
  command(index, ike::command::Rekey{.filter = {.child = "net"}});
}

void World::rekey_ike(std::size_t index) {
  note("{}: operator rekeys IKE", name_of(index));
  command(index, ike::command::Rekey{});
}

/// The gateway throws somebody out, or drops a child; it comes back by itself.
void World::throw_out(std::size_t) {
  note("the gateway throws out");
  command(0, ike::command::Terminate{.filter = {.child = rng_.below(2) == 0 ? "net" : ""}});
}

/// From the home network to the mobile one, or back behind some router.
void World::change_network(std::size_t index) {
  Place& place = places_[index];
  if (index == 0 || !place.node->spec().inner.empty() || place.paused_until > now_) return;
  note("{}: moves to another network", name_of(index));
  ++moves_;
  const bool behind = !network_.nats.empty() && rng_.below(2) == 0;
  const auto nat = behind ? std::optional{rng_.below(network_.nats.size())} : std::nullopt;
  const IpAddress address = IpAddress::v4((behind ? 0xc0a90000U : 0xcb008000U) + moves_);
  place.node->move(address, nat, clock(place));
  set_alarm(index);
}

void World::heal() {
  note("all faults end");
  faults_ = false;
  network_.cut.clear();
  network_.size_max.reset();
  network_.weather = {.delay = milliseconds{20}};
  // Traps need traffic to show that they work.
  const bool rare = scenario_.traffic_interval > kFinalTraffic;
  scenario_.traffic_interval = kFinalTraffic;
  if (rare) push(Duration{0}, {.kind = Event::Kind::traffic});
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    place.paused_until = {};
    if (!place.node->runs()) place.node->start(clock(place));
    set_alarm(i);
  }
}

}  // namespace cygnet::sim
