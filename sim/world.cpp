#include "sim/world.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "sim/configs.hpp"
#include "sim/world_impl.hpp"
#include "toys/toy_crypto.hpp"

namespace cygnet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Twice what a request's schedule takes, after the last fault.
constexpr Duration kSettleTime = seconds{330};
/// A rekey may be under way just when one looks: some more looks, this far apart.
constexpr int kLooks = 6;
constexpr Duration kLookInterval = seconds{7};
/// No packet takes longer.
constexpr Duration kUnderWay = seconds{2};
/// Events at one instant before it counts as a loop without progress.
constexpr std::size_t kEventsAtOnceMax = 20'000;
/// Datagrams that wait in the sockets of a process that does not run.
constexpr std::size_t kBacklogMax = 256;
constexpr Duration kLookUpTime = milliseconds{20};

}  // namespace

World::World(const Options& options)
    : options_(options),
      rng_(options.seed),
      scenario_(make_scenario(options, rng_)),
      network_(rng_.u64()),
      attacker_(rng_.u64()),
      monitor_([this](const std::string& text) { fail(text); }) {
  test::seed_toy_crypto(options.seed);
  set_bugs_fatal(true);
  network_.weather = scenario_.weather;
  network_.nats = std::move(scenario_.nats);
  faults_end_ = now_ + scenario_.time;
  for (NodeSpec& spec : scenario_.nodes) {
    const std::size_t index = places_.size();
    const std::size_t flows = 2 * spec.children();
    places_.push_back({.node = std::make_unique<Node>(std::move(spec), hooks(index), rng_.u64(),
                                                      options.transcript != nullptr),
                       .carried = std::vector<bool>(flows),
                       .guarded = std::vector<bool>(flows)});
  }
  report_.nodes = places_.size();
}

void World::fail(const std::string& text) {
  note("FAULT: {}", text);
  if (report_.fault.empty()) report_.fault = text;
}

void World::write(const std::string& line) {
  const auto since = std::chrono::duration_cast<milliseconds>(now_.since_start).count() - 3'600'000;
  options_.transcript(fmt::format("{:>10}.{:03} {}", since / 1000, since % 1000, line));
}

Node::Hooks World::hooks(std::size_t index) {
  return {.plane = {.send = [this, index](Packet packet) { sent(index, std::move(packet)); },
                    .deliver =
                        [this, index](const Inner& inner) {
                          monitor_.inner_delivered(inner.number, name_of(index));
                        },
                    .sealed = [this](std::uint64_t key,
                                     std::uint64_t number) { monitor_.sealed(key, number); },
                    .fault = [this, index](
                                 const std::string& text) { fail(name_of(index) + ": " + text); }},
          .event =
              [this, index](const ike::Event& event) {
                const bool rekeyed = std::holds_alternative<ike::event::ChildRekeyed>(event) ||
                                     std::holds_alternative<ike::event::IkeRekeyed>(event);
                if (rekeyed) ++report_.rekeys;
                if (const auto* up = std::get_if<ike::event::IkeUp>(&event)) {
                  check_peer(index, up->sa);
                }
              },
          .log = [this, index](const std::string& text) { note("{}: {}", name_of(index), text); },
          .look_up = [this, index](
                         const control::effect::Resolve& question) { look_up(index, question); }};
}

// --- the network ---------------------------------------------------------------------------------

void World::sent(std::size_t index, Packet packet) {
  ++report_.datagrams;
  const NodeSpec& spec = places_[index].node->spec();
  if (packet.kind == Packet::Kind::ike) {
    monitor_.ike_sent(index, packet.bytes);
    if (static_cast<PayloadType>(packet.bytes[16]) == PayloadType::skf) ++report_.fragments;
  }
  // Only who is up to no good can send from where he is not.
  if (!spec.hostile() && !places_[index].node->has(packet.source.address)) return;
  const bool watched = faults_ && scenario_.attacked;
  for (Arrival& arrival : network_.carry(std::move(packet), spec.nat, now_)) {
    if (watched) {
      attacker_.see(arrival.packet);
      if (forestalls_ != 0 && rng_.below(2) == 0) {
        if (auto answer = attacker_.forestall(arrival.packet)) {
          push(arrival.after / 2, {.kind = Event::Kind::arrival, .packet = *std::move(answer)});
        }
      }
    }
    push(arrival.after, {.kind = Event::Kind::arrival, .packet = std::move(arrival.packet)});
  }
}

void World::arrive(std::size_t index, const Packet& packet) {
  Place& place = places_[index];
  if (!place.node->runs()) return;
  if (place.pause != 0) {
    if (place.backlog.size() < kBacklogMax) place.backlog.push_back(packet);
    return;
  }
  if (packet.kind == Packet::Kind::keepalive) return;
  if (packet.kind == Packet::Kind::ike) monitor_.ike_received(index, packet.bytes);
  place.node->receive(packet, clock(place));
  settle(index);
}

/// Somebody asks for the addresses of a name; there is only one.
void World::look_up(std::size_t index, const control::effect::Resolve& question) {
  const bool disturbed = faults_ && !scenario_.calm;
  const Duration takes = disturbed ? pick(kLookUpTime, seconds{4}) : kLookUpTime;
  const bool fails = disturbed && rng_.below(4) == 0;
  const unsigned boot = places_[index].node->boots();
  later(takes, [this, index, question, fails, boot] {
    Place& place = places_[index];
    if (!awake(place) && place.pause != 0 && place.node->boots() == boot) {
      return later(seconds{1}, [this, index, question] { look_up(index, question); });
    }
    if (!place.node->runs() || place.node->boots() != boot) return;
    note("{}: look-up {}", name_of(index), fails ? "fails" : "done");
    Result<std::vector<IpAddress>> found = places_[0].node->spec().addresses;
    if (fails) found = cygnet::fail("look up", "no answer");
    place.node->looked_up(question, found, clock(place));
    settle(index);
  });
}

// --- time ----------------------------------------------------------------------------------------

void World::set_alarm(std::size_t index) {
  Place& place = places_[index];
  const auto due = place.node->deadline();
  if (!due) return;
  const Instant at = std::max(*due - place.ahead, now_);
  if (place.wake && *place.wake <= at && *place.wake >= now_) return;
  place.wake = at;
  push(at - now_, {.kind = Event::Kind::wake, .node = index});
}

void World::start(std::size_t index) {
  Place& place = places_[index];
  place.node->start(clock(place));
  place.up = true;
  settle(index);
}

void World::settle(std::size_t index, bool ticked) {
  Place& place = places_[index];
  if (place.node->runs()) {
    set_alarm(index);
    return check(index, ticked);
  }
  if (!std::exchange(place.up, false)) return;
  note("{}: has stopped", name_of(index));
  place.wake.reset();
  place.checked = 0;
  place.unowned.clear();
  forget_traps(index);
  later(faults_ ? pick(Duration{0}, minutes{3}) : seconds{1}, [this, index] {
    if (places_[index].node->runs()) return;
    note("{}: restart", name_of(index));
    start(index);
  });
}

void World::forget_traps(std::size_t index) {
  for (std::size_t client = 1; client < places_.size(); ++client) {
    if (index != 0 && index != client) continue;
    auto& guarded = places_[client].guarded;
    for (std::size_t bit = index == 0 ? 1 : 0; bit < guarded.size(); bit += 2) guarded[bit] = false;
  }
}

void World::handle(Event& event) {
  switch (event.kind) {
    case Event::Kind::arrival: {
      const auto own = network_.deliver(event.packet, now_);
      if (!own) return;
      event.packet.destination = *own;
      if (const auto& detour = network_.detour;
          detour && std::ranges::find(detour->addresses, own->address) != detour->addresses.end()) {
        return arrive(detour->node, event.packet);
      }
      for (std::size_t i = 0; i < places_.size(); ++i) {
        if (places_[i].node->has(own->address)) return arrive(i, event.packet);
      }
      return;
    }
    case Event::Kind::wake: {
      Place& place = places_[event.node];
      if (place.wake != now_) return;  // another alarm has been set since
      place.wake.reset();
      if (!awake(place)) return;
      place.node->tick(clock(place));
      return settle(event.node, true);
    }
    case Event::Kind::fault:
      fault();
      return push(scenario_.fault_interval, {.kind = Event::Kind::fault});
    case Event::Kind::traffic:
      traffic();
      return push(scenario_.traffic_interval, {.kind = Event::Kind::traffic});
    case Event::Kind::action:
      return event.action();
  }
}

void World::live_until(Instant end) {
  while (!agenda_.empty() && agenda_.next() <= end && report_.fault.empty()) {
    at_once_ = agenda_.next() == now_ ? at_once_ + 1 : 0;
    if (at_once_ > kEventsAtOnceMax) fail("a loop without progress");
    now_ = agenda_.next();
    Event event = agenda_.take();
    handle(event);
  }
}

Report World::run() {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    // Clients must not depend on the order of the starts: each end at some time of its own.
    later(milliseconds{rng_.below(3000)}, [this, i] { start(i); });
  }
  if (scenario_.dead_address) {
    network_.cut[places_[0].node->spec().addresses.back()] = ++faults_so_far_;
  }
  push(seconds{10}, {.kind = Event::Kind::fault});
  first_traffic_ = now_ + scenario_.quiet;
  push(seconds{5}, {.kind = Event::Kind::traffic});
  later(scenario_.time, [this] { heal(); });
  Instant end = faults_end_ + kSettleTime;
  live_until(end);
  for (std::size_t i = 1; i < places_.size() && report_.fault.empty(); ++i) {
    std::string lacks = missing(i);
    for (int look = 0; look < kLooks && !lacks.empty() && report_.fault.empty(); ++look) {
      end = end + kLookInterval;
      live_until(end);
      lacks = missing(i);
    }
    if (!lacks.empty()) fail(lacks);
  }
  // Everybody is reached, though nobody there may have sent anything since the faults ended.
  const std::uint64_t before = inner_;
  if (report_.fault.empty()) probe();
  // What is under way arrives.
  silent_ = true;
  live_until(end + kUnderWay);
  if (report_.fault.empty()) {
    if (const std::string wrong = verdict(before); !wrong.empty()) fail(wrong);
  }
  report_.packets_sent = monitor_.sent();
  report_.packets_delivered = monitor_.delivered();
  report_.virtual_time = now_.since_start - std::chrono::hours{1};
  return std::move(report_);
}

Report simulate(const Options& options) {
  set_broken(options.broken);
  Report out = World{options}.run();
  set_broken(Rule::none);
  return out;
}

}  // namespace cygnet::sim
