#include "sim/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <queue>
#include <set>

#include "base/check.hpp"
#include "pki/identity.hpp"
#include "sim/monitor.hpp"
#include "sim/scenario.hpp"
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
/// Between packets once the faults have ended.
constexpr Duration kFinalTraffic = seconds{20};
/// No packet takes longer.
constexpr Duration kUnderWay = seconds{2};
/// A replaced child still receives for some seconds (ike/limits.hpp); longer it must not stay.
constexpr Duration kUnownedMax = seconds{6};
/// A node whose plane does not change is looked at so often.
constexpr Duration kCheckInterval = seconds{5};
/// Events at one instant before it counts as a loop without progress.
constexpr std::size_t kEventsAtOnceMax = 20'000;
constexpr std::size_t kTranscriptMax = 4'000'000;
constexpr std::size_t kRecordedMax = 64;

struct Event {
  Instant at;
  std::uint64_t order = 0;  ///< among events of one instant: as they were made
  enum class Kind : std::uint8_t { arrival, wake, fault, traffic, action } kind{};
  std::size_t node = 0;
  Packet packet{};
  std::function<void()> action{};
};
struct Later {
  bool operator()(const Event& a, const Event& b) const {
    return std::pair{b.at, b.order} < std::pair{a.at, a.order};
  }
};

class World {
 public:
  explicit World(const Options& options);
  Report run();

 private:
  /// A node with what the world does to it.
  struct Place {
    std::unique_ptr<Node> node;
    std::optional<Instant> wake;  ///< the alarm that is set
    Duration ahead{0};            ///< its clock has jumped by so much
    Instant paused_until;
    std::uint64_t checked = 0;  ///< the plane's changes at the last check
    Instant checked_at;
    /// Installed children that the engine does not tell of, since when by the node's clock.
    std::map<model::ChildId, Instant> unowned;
  };

  void push(Duration after, Event event);
  void handle(Event& event);
  void arrive(std::size_t index, const Packet& packet);
  void sent(std::size_t index, Packet packet);
  void set_alarm(std::size_t index);
  [[nodiscard]] Instant clock(const Place& place) const { return now_ + place.ahead; }
  [[nodiscard]] bool awake(const Place& place) const {
    return place.node->runs() && place.paused_until <= now_;
  }
  Node::Hooks hooks(std::size_t index);

  void traffic();
  void exchange_inner(std::size_t index, std::size_t child);
  void send_from_hub(std::size_t index, std::size_t child);
  void send_inner(std::size_t from, Inner inner, const std::string& receiver);
  void fault();
  void heal();
  void attack();
  void cut(std::size_t index, Duration time);
  /// What must hold of one node: after each step that changed its plane, and now and then after its
  /// alarms (`ticked`).
  void check(std::size_t index, bool ticked);
  void check_leases(const ike::Status& hub);
  /// What is not up again as it should be at this client; empty: everything is.
  [[nodiscard]] std::string missing(std::size_t index) const;
  /// Sends one packet to each child of each client, whose applications may be silent.
  void probe();
  void live_until(Instant end);

  void fail(const std::string& text);
  /// A line of the transcript, if there is one.
  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    if (options_.transcript) write(fmt::format(format, std::forward<Args>(args)...));
  }
  void write(const std::string& line);

  Options options_;
  test::SeededRng rng_;
  Scenario scenario_;
  Network network_;
  Monitor monitor_;
  std::vector<Place> places_;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::deque<Packet> recorded_;  ///< what the attacker has seen
  Instant now_{std::chrono::hours{1}};
  Instant faults_end_;
  std::uint64_t order_ = 0;
  std::size_t at_once_ = 0;
  std::uint64_t inner_ = 0;
  std::uint32_t moves_ = 0;
  Instant first_traffic_;
  bool silent_ = false;  ///< no more traffic
  bool faults_ = true;
  Report report_;
};

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
                                                      options.transcript)});
  }
  report_.nodes = places_.size();
}

void World::fail(const std::string& text) {
  note("FAULT: {}", text);
  if (report_.fault.empty()) report_.fault = text;
}

void World::write(const std::string& line) {
  if (report_.transcript.size() > kTranscriptMax) return;
  const auto since = std::chrono::duration_cast<milliseconds>(now_.since_start).count() - 3'600'000;
  report_.transcript += fmt::format("{:>10}.{:03} {}\n", since / 1000, since % 1000, line);
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
  if (!packet.esp) monitor_.ike_sent(spec.address, packet.bytes);
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
  if (!packet.esp) monitor_.ike_received(place.node->spec().address, packet.bytes);
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

// --- faults --------------------------------------------------------------------------------------

void World::cut(std::size_t index, Duration time) {
  const IpAddress address = places_[index].node->spec().address;
  network_.cut.insert(address);
  push(time, {.kind = Event::Kind::action, .action = [this, address, index] {
                network_.cut.erase(address);
                Place& place = places_[index];
                // The machine sees its link come back.
                if (awake(place)) place.node->network_changed(clock(place));
                set_alarm(index);
              }});
}

void World::attack() {
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

void World::fault() {
  if (!faults_ || scenario_.calm) return;
  const std::size_t index = rng_.below(places_.size());
  Place& place = places_[index];
  const NodeSpec& spec = place.node->spec();
  const auto pick = [this](Duration low, Duration high) {
    return low + Duration{static_cast<Duration::rep>(
                     rng_.below(static_cast<std::uint64_t>((high - low).count())))};
  };
  switch (rng_.below(11)) {
    case 0: {
      const Duration time = pick(seconds{2}, minutes{12});
      note("{}: line cut", spec.name);
      return cut(index, time);
    }
    case 1:
      if (!spec.nat) return;
      note("{}: its router restarts with another address", spec.name);
      network_.nats[*spec.nat].forget();
      network_.nats[*spec.nat].address =
          IpAddress::v4(0xcb007200 + static_cast<std::uint32_t>(rng_.below(0xd00)));
      return;
    case 2: {
      if (!place.node->runs()) return;
      note("{}: crash", spec.name);
      place.node->crash();
      place.wake.reset();
      place.checked = 0;
      place.unowned.clear();
      return push(pick(Duration{0}, minutes{3}),
                  {.kind = Event::Kind::action, .action = [this, index] {
                     Place& dead = places_[index];
                     if (dead.node->runs()) return;
                     note("{}: restart", dead.node->spec().name);
                     dead.node->start(clock(dead));
                     set_alarm(index);
                   }});
    }
    case 3:
      note("{}: paused", spec.name);
      place.paused_until = now_ + pick(seconds{1}, minutes{2});
      return;
    case 4:
      note("{}: its clock jumps", spec.name);
      place.ahead += pick(seconds{1}, minutes{30});
      return set_alarm(index);
    case 5:
      network_.size_max = 300 + rng_.below(1000);
      return push(pick(seconds{10}, minutes{5}),
                  {.kind = Event::Kind::action, .action = [this] { network_.size_max.reset(); }});
    case 6:
      if (!awake(place)) return;
      note("{}: operator rekeys", spec.name);
      place.node->command(ike::command::Rekey{.filter = {.child = "net"}}, clock(place));
      return set_alarm(index);
    case 7:
      if (!awake(place)) return;
      note("{}: operator rekeys IKE", spec.name);
      place.node->command(ike::command::Rekey{}, clock(place));
      return set_alarm(index);
    case 8:
      // The gateway throws somebody out, or drops a child; it comes back by itself.
      if (!awake(places_[0])) return;
      note("the gateway throws out");
      places_[0].node->command(
          ike::command::Terminate{.filter = {.child = rng_.below(2) == 0 ? "net" : ""}},
          clock(places_[0]));
      return set_alarm(0);
    case 9: {
      if (index == 0 || !spec.inner.empty() || place.paused_until > now_) return;
      // From the home network to the mobile one, or back behind some router.
      note("{}: moves to another network", spec.name);
      ++moves_;
      const bool behind = !network_.nats.empty() && rng_.below(2) == 0;
      const auto nat = behind ? std::optional{rng_.below(network_.nats.size())} : std::nullopt;
      const IpAddress address = IpAddress::v4((behind ? 0xc0a90000U : 0xcb008000U) + moves_);
      place.node->move(address, nat, clock(place));
      return set_alarm(index);
    }
    default:
      for (std::uint64_t i = 0; i < 5; ++i) attack();
  }
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

// --- what must hold ------------------------------------------------------------------------------

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

}  // namespace

Report simulate(const Options& options) {
  set_broken(options.broken);
  Report out = World{options}.run();
  set_broken(Rule::none);
  return out;
}

}  // namespace cygnet::sim
