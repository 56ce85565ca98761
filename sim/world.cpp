#include "sim/world.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "pki/identity.hpp"
#include "sim/world_impl.hpp"
#include "toys/toy_crypto.hpp"

namespace cygnet::sim {
namespace {

using std::chrono::milliseconds;
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
constexpr std::size_t kRecordedMax = 64;

}  // namespace

World::World(const Options& options)
    : options_(options),
      rng_(options.seed),
      scenario_(make_scenario(options, rng_)),
      network_(rng_.u64()),
      monitor_([this](const std::string& text) { fail(text); }) {
  test::seed_toy_crypto(options.seed);
  set_bugs_fatal(true);
  network_.weather = scenario_.weather;
  network_.nats = std::move(scenario_.nats);
  faults_end_ = now_ + scenario_.time;
  for (NodeSpec& spec : scenario_.nodes) {
    const std::size_t index = places_.size();
    places_.push_back({.node = std::make_unique<Node>(std::move(spec), hooks(index), rng_.u64(),
                                                      options.transcript != nullptr)});
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

void World::push(Duration after, Event event) {
  event.at = now_ + after;
  event.order = ++order_;
  events_.push(std::move(event));
}

Node::Hooks World::hooks(std::size_t index) {
  return {.plane = {.send = [this, index](Packet packet) { sent(index, std::move(packet)); },
                    .deliver =
                        [this, index](const Inner& inner) {
                          monitor_.inner_delivered(inner.number, places_[index].node->spec().name);
                        },
                    .sealed = [this](std::uint64_t key,
                                     std::uint64_t number) { monitor_.sealed(key, number); },
                    .fault =
                        [this, index](const std::string& text) {
                          fail(places_[index].node->spec().name + ": " + text);
                        }},
          .event =
              [this, index](const ike::Event& event) {
                const bool rekeyed = std::holds_alternative<ike::event::ChildRekeyed>(event) ||
                                     std::holds_alternative<ike::event::IkeRekeyed>(event);
                if (rekeyed) ++report_.rekeys;
                const NodeSpec& spec = places_[index].node->spec();
                if (std::holds_alternative<ike::event::IkeUp>(event) && spec.enemy) {
                  fail("somebody with a wrong key has authenticated");
                }
              },
          .log =
              [this, index](const std::string& text) {
                note("{}: {}", places_[index].node->spec().name, text);
              }};
}

void World::sent(std::size_t index, Packet packet) {
  ++report_.datagrams;
  const NodeSpec& spec = places_[index].node->spec();
  if (!packet.esp) monitor_.ike_sent(index, packet.bytes);
  if (faults_ && !scenario_.calm) {
    recorded_.push_back(packet);
    if (recorded_.size() > kRecordedMax) recorded_.pop_front();
  }
  for (Arrival& arrival : network_.carry(std::move(packet), spec.nat, now_)) {
    push(arrival.after, {.kind = Event::Kind::arrival, .packet = std::move(arrival.packet)});
  }
}

void World::set_alarm(std::size_t index) {
  Place& place = places_[index];
  if (!place.node->runs()) return;
  const auto due = place.node->deadline();
  if (!due) return;
  const Instant at = std::max(*due - place.ahead, now_);
  if (place.wake && *place.wake <= at && *place.wake >= now_) return;
  place.wake = at;
  push(at - now_, {.kind = Event::Kind::wake, .node = index});
}

void World::arrive(std::size_t index, const Packet& packet) {
  Place& place = places_[index];
  if (!place.node->runs()) return;
  if (place.paused_until > now_) {
    // A process that does not run: its datagrams wait in the socket.
    return push(place.paused_until - now_,
                {.kind = Event::Kind::arrival, .node = index, .packet = packet});
  }
  if (packet.esp && packet.bytes.size() == 1) return;  // a keepalive
  if (!packet.esp) monitor_.ike_received(index, packet.bytes);
  place.node->receive(packet, clock(place));
  set_alarm(index);
  check(index, false);
}

void World::handle(Event& event) {
  switch (event.kind) {
    case Event::Kind::arrival: {
      const auto own = network_.deliver(event.packet.destination, now_);
      if (!own) return;
      event.packet.destination = *own;
      for (std::size_t i = 0; i < places_.size(); ++i) {
        if (places_[i].node->spec().address == own->address) return arrive(i, event.packet);
      }
      return;
    }
    case Event::Kind::wake: {
      Place& place = places_[event.node];
      if (place.wake != event.at) return;  // another alarm has been set since
      place.wake.reset();
      if (!place.node->runs()) return;
      if (place.paused_until > now_) {
        place.wake = place.paused_until;
        return push(place.paused_until - now_, {.kind = Event::Kind::wake, .node = event.node});
      }
      place.node->tick(clock(place));
      set_alarm(event.node);
      return check(event.node, true);
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

/// One packet each way.
void World::exchange_inner(std::size_t index, std::size_t child) {
  Place& gateway = places_[0];
  Place& client = places_[index];
  const NodeSpec& spec = client.node->spec();
  if (spec.enemy || !awake(client) || !awake(gateway)) return;
  const IpAddress hub = gateway_inner(child);
  if (!scenario_.silent) {
    const auto own = spec.inner.empty() ? client.node->plane().own_address() : spec.inner[child];
    if (!own) return;
    send_inner(index, {0, *own, hub}, gateway.node->spec().name);
  }
  send_from_hub(index, child);
}

/// One packet from the gateway's network, to where the gateway believes the client's address to be.
void World::send_from_hub(std::size_t index, std::size_t child) {
  const NodeSpec& spec = places_[index].node->spec();
  const IpAddress hub = gateway_inner(child);
  if (!spec.inner.empty()) return send_inner(0, {0, hub, spec.inner[child]}, spec.name);
  for (const ike::IkeStatus& sa : places_[0].node->status().sas) {
    const bool its = sa.remote_id && pki::to_text(*sa.remote_id) == spec.name;
    if (!its || sa.remote_vips.empty() || sa.children.empty()) continue;
    return send_inner(0, {0, hub, sa.remote_vips.front()}, spec.name);
  }
}

void World::send_inner(std::size_t from, Inner inner, const std::string& receiver) {
  if (silent_ || now_ < first_traffic_) return;
  inner.number = ++inner_;
  monitor_.inner_sent(inner.number, receiver);
  note("{}: sends packet {}", places_[from].node->spec().name, inner.number);
  if (!places_[from].node->send(inner, clock(places_[from]))) monitor_.inner_refused(inner.number);
  set_alarm(from);
}

void World::live_until(Instant end) {
  while (!events_.empty() && events_.top().at <= end && report_.fault.empty()) {
    Event event = std::move(const_cast<Event&>(events_.top()));
    events_.pop();
    at_once_ = event.at == now_ ? at_once_ + 1 : 0;
    if (at_once_ > kEventsAtOnceMax) fail("a loop without progress");
    now_ = event.at;
    handle(event);
  }
}

Report World::run() {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    // Clients must not depend on the order of the starts: each end at some time of its own.
    push(milliseconds{rng_.below(3000)}, {.kind = Event::Kind::action, .action = [this, i] {
                                            places_[i].node->start(clock(places_[i]));
                                            set_alarm(i);
                                          }});
  }
  push(seconds{10}, {.kind = Event::Kind::fault});
  first_traffic_ = now_ + scenario_.quiet;
  push(seconds{5}, {.kind = Event::Kind::traffic});
  push(scenario_.time, {.kind = Event::Kind::action, .action = [this] { heal(); }});
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
  if (report_.fault.empty()) live_until(end + kUnderWay);
  if (const auto lost = monitor_.first_lost(before); lost && report_.fault.empty()) {
    fail(fmt::format("in the end packet {} does not arrive", *lost));
  }
  report_.packets_sent = monitor_.sent();
  report_.packets_delivered = monitor_.delivered();
  // Where nothing disturbs and nobody lets a tunnel go, every packet that a tunnel took arrives:
  // rekeys and reauthentications lose none.
  if (report_.fault.empty() && scenario_.calm && scenario_.lossless &&
      report_.packets_delivered < report_.packets_sent) {
    fail(fmt::format("{} of {} packets were lost on a network that loses none, packet {} first",
                     report_.packets_sent - report_.packets_delivered, report_.packets_sent,
                     monitor_.first_lost().value_or(0)));
  }
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
