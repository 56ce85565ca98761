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
/// An attacker's packet that was made of a true one never overtakes that in a calm world.
constexpr Duration kAttackDelay = seconds{1};
constexpr std::size_t kFloodMax = 48;

}  // namespace

Duration World::pick(Duration low, Duration high) {
  return low + Duration{static_cast<Duration::rep>(
                   rng_.below(static_cast<std::uint64_t>((high - low).count())))};
}

void World::fault() {
  if (!faults_) return;
  using Fault = void (World::*)(std::size_t);
  // In a calm world nothing is lost, whoever is busy.
  static constexpr Fault kCalm[] = {&World::rekey_child, &World::rekey_ike, &World::initiate,
                                    &World::reload};
  static constexpr Fault kAttacks[] = {&World::attack, &World::forestall, &World::flood};
  static constexpr Fault kStorms[] = {
      &World::cut_line,  &World::restart_router,  &World::crash,          &World::crash_soon,
      &World::shut_down, &World::pause,           &World::jump_clock,     &World::narrow_path,
      &World::detour,    &World::refuse_installs, &World::change_network, &World::throw_out,
  };
  const std::size_t index = rng_.below(places_.size());
  const std::size_t attacks = scenario_.attacked ? std::size(kAttacks) : 0;
  const std::size_t storms = scenario_.calm ? 0 : std::size(kStorms);
  std::size_t which = rng_.below(std::size(kCalm) + attacks + storms);
  if (which < std::size(kCalm)) return (this->*kCalm[which])(index);
  which -= std::size(kCalm);
  if (which < attacks) return (this->*kAttacks[which])(index);
  (this->*kStorms[which - attacks])(index);
}

// --- lines and routers ---------------------------------------------------------------------------

/// The machine notices, as when a cable is pulled; or the line is cut somewhere further away.
void World::cut_line(std::size_t index) {
  const auto& addresses = places_[index].node->spec().addresses;
  const IpAddress address = addresses[rng_.below(addresses.size())];
  const std::uint64_t number = ++faults_so_far_;
  const bool seen = rng_.below(2) == 0;
  note("{}: line {} cut{}", name_of(index), address.text(), seen ? ", as it sees" : "");
  network_.cut[address] = number;
  if (seen) places_[index].node->set_link(address, false, clock(places_[index]));
  later(pick(seconds{2}, minutes{12}), [this, address, index, number, seen] {
    const auto at = network_.cut.find(address);
    if (at == network_.cut.end() || at->second != number) return;
    note("{}: line {} is back", name_of(index), address.text());
    network_.cut.erase(at);
    if (!seen) return;
    places_[index].node->set_link(address, true, clock(places_[index]));
    if (awake(places_[index])) settle(index);
  });
  if (awake(places_[index])) settle(index);
}

void World::restart_router(std::size_t index) {
  const NodeSpec& spec = places_[index].node->spec();
  if (!spec.nat) return;
  note("{}: its router restarts with another address", spec.name);
  network_.nats[*spec.nat].forget();
  network_.nats[*spec.nat].address =
      IpAddress::v4(0xcb010000 + static_cast<std::uint32_t>(rng_.below(0xffff)));  // 203.1.0.0/16
}

void World::narrow_path(std::size_t) {
  const std::uint64_t number = ++faults_so_far_;
  network_.hole = Network::Hole{.size_max = 80 + rng_.below(200), .fault = number};
  note("datagrams of more than {} octets get lost", network_.hole->size_max);
  later(pick(seconds{10}, minutes{5}), [this, number] {
    if (!network_.hole || network_.hole->fault != number) return;
    note("large datagrams get through again");
    network_.hole.reset();
  });
}

/// What is meant for the gateway reaches somebody who answers in its place.
void World::detour(std::size_t) {
  const std::size_t last = places_.size() - 1;
  if (places_[last].node->spec().role != NodeSpec::Role::impostor) return;
  const std::uint64_t number = ++faults_so_far_;
  note("an impostor answers in the gateway's place");
  network_.detour = Network::Detour{
      .addresses = places_[0].node->spec().addresses, .node = last, .fault = number};
  later(pick(seconds{10}, minutes{4}), [this, number] {
    if (!network_.detour || network_.detour->fault != number) return;
    note("the impostor goes");
    network_.detour.reset();
  });
}

/// From the home network to the mobile one, or back behind some router; perhaps to one that has
/// IPv6 only.
void World::change_network(std::size_t index) {
  Place& place = places_[index];
  const NodeSpec& spec = place.node->spec();
  if (index == 0 || spec.hostile() || !spec.inner.empty() || place.pause != 0) return;
  const auto& gateway = places_[0].node->spec().addresses;
  const IpFamily family = gateway[rng_.below(gateway.size())].family();
  ++moves_;
  const bool behind = family == IpFamily::v4 && !network_.nats.empty() && rng_.below(2) == 0;
  const auto nat = behind ? std::optional{rng_.below(network_.nats.size())} : std::nullopt;
  IpAddress address = IpAddress::v4((behind ? 0xc0a90000U : 0xcb008000U) + moves_);
  if (family == IpFamily::v6) {
    address = *IpAddress::parse(fmt::format("2001:db8:2:{:x}::1", moves_));
  }
  note("{}: moves to another network, {}", name_of(index), address.text());
  place.node->move(address, nat, clock(place));
  if (awake(place)) settle(index);
}

// --- machines ------------------------------------------------------------------------------------

void World::crash(std::size_t index) {
  if (!places_[index].node->runs()) return;
  note("{}: crash", name_of(index));
  places_[index].node->crash();
  settle(index);
}

void World::crash_soon(std::size_t index) {
  if (!places_[index].node->runs()) return;
  const std::size_t actions = 1 + rng_.below(30);
  note("{}: will crash after {} actions", name_of(index), actions);
  places_[index].node->crash_after(actions);
}

void World::shut_down(std::size_t index) {
  Place& place = places_[index];
  if (!awake(place)) return;
  note("{}: shuts down", name_of(index));
  forget_traps(index);
  place.node->shut_down(clock(place));
  settle(index);
}

void World::pause(std::size_t index) {
  const std::uint64_t number = ++faults_so_far_;
  note("{}: paused", name_of(index));
  places_[index].pause = number;
  later(pick(seconds{1}, minutes{2}), [this, index, number] {
    if (places_[index].pause == number) resume(index);
  });
}

/// Everything that has come meanwhile is there at once.
void World::resume(std::size_t index) {
  Place& place = places_[index];
  note("{}: goes on", name_of(index));
  place.pause = 0;
  for (const Packet& packet : std::exchange(place.backlog, {})) arrive(index, packet);
  if (place.node->runs()) settle(index);
}

void World::jump_clock(std::size_t index) {
  note("{}: its clock jumps", name_of(index));
  places_[index].ahead += pick(seconds{1}, minutes{30});
  if (awake(places_[index])) settle(index);
}

void World::refuse_installs(std::size_t index) {
  if (!places_[index].node->runs()) return;
  const auto count = static_cast<unsigned>(1 + rng_.below(3));
  note("{}: its plane will refuse {} children", name_of(index), count);
  places_[index].node->plane().refuse_installs(count);
}

// --- operators -----------------------------------------------------------------------------------

void World::request(std::size_t index, std::string_view command,
                    std::initializer_list<std::pair<std::string_view, std::string_view>> items) {
  Place& place = places_[index];
  if (!awake(place)) return;
  vici::Request typed{.command = std::string{command}, .message = {}};
  std::string words;
  for (const auto& [name, value] : items) {
    typed.message.add(name, value);
    words += fmt::format(" {}={}", name, value);
  }
  note("{}: operator: {}{}", name_of(index), command, words);
  place.node->request(typed, clock(place));
  settle(index);
}

void World::rekey_child(std::size_t index) { request(index, "rekey", {{"child", "net"}}); }

void World::rekey_ike(std::size_t index) {
  if (!awake(places_[index])) return;
  const ike::Status status = places_[index].node->status();
  if (status.sas.empty()) return;
  request(index, "rekey", {{"ike", status.sas[rng_.below(status.sas.size())].connection}});
}

void World::initiate(std::size_t index) { request(index, "initiate", {{"child", "net"}}); }

/// The gateway throws somebody out, or drops a child; it comes back by itself.
void World::throw_out(std::size_t) {
  if (!awake(places_[0])) return;
  if (rng_.below(2) == 0) return request(0, "terminate", {{"child", "net"}});
  const ike::Status status = places_[0].node->status();
  if (status.sas.empty()) return;
  request(0, "terminate", {{"ike", status.sas[rng_.below(status.sas.size())].connection}});
}

/// The configuration is read again, as it was or a little different.
void World::reload(std::size_t index) {
  Place& place = places_[index];
  if (!awake(place) || place.node->spec().hostile()) return;
  place.edition += static_cast<unsigned>(rng_.below(3));
  note("{}: reads its configuration again, edition {}", name_of(index), place.edition);
  place.node->reload(place.edition, clock(place));
  settle(index);
}

// --- the attacker --------------------------------------------------------------------------------

void World::attack(std::size_t) {
  for (int i = 0; i < 8; ++i) {
    auto packet = rng_.below(2) == 0 ? attacker_.replay() : attacker_.lie();
    if (!packet) continue;
    const Duration after = milliseconds{rng_.below(5000)} + kAttackDelay;
    push(after, {.kind = Event::Kind::arrival, .packet = *std::move(packet)});
  }
}

void World::forestall(std::size_t) {
  const std::uint64_t number = ++faults_so_far_;
  note("an attacker answers handshakes");
  forestalls_ = number;
  later(pick(seconds{5}, minutes{2}), [this, number] {
    if (forestalls_ == number) forestalls_ = 0;
  });
}

void World::flood(std::size_t) {
  const std::size_t count = 1 + rng_.below(kFloodMax);
  note("a flood of {} handshakes", count);
  for (Packet& packet : attacker_.flood(count)) {
    push(milliseconds{rng_.below(3000)},
         {.kind = Event::Kind::arrival, .packet = std::move(packet)});
  }
}

// --- the end -------------------------------------------------------------------------------------

void World::heal() {
  note("all faults end");
  faults_ = false;
  forestalls_ = 0;
  network_.cut.clear();
  network_.hole.reset();
  network_.detour.reset();
  network_.weather = {.delay = milliseconds{20}};
  // Traps need traffic to show that they work.
  const bool rare = scenario_.traffic_interval > kFinalTraffic;
  scenario_.traffic_interval = kFinalTraffic;
  if (rare) push(Duration{0}, {.kind = Event::Kind::traffic});
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    for (const IpAddress& own : place.node->spec().addresses) {
      place.node->set_link(own, true, clock(place));
    }
    if (place.pause != 0) resume(i);
    if (place.node->runs()) {
      place.node->crash_after({});
      place.node->plane().refuse_installs(0);
      settle(i);
    } else {
      start(i);
    }
  }
}

}  // namespace cygnet::sim
