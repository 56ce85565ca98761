// The insides of one simulated history.
#pragma once

#include <fmt/format.h>

#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "sim/monitor.hpp"
#include "sim/scenario.hpp"

namespace cygnet::sim {

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
  void later(Duration after, std::function<void()> action) {
    push(after, {.kind = Event::Kind::action, .action = std::move(action)});
  }
  void handle(Event& event);
  void arrive(std::size_t index, const Packet& packet);
  void sent(std::size_t index, Packet packet);
  void set_alarm(std::size_t index);
  [[nodiscard]] Instant clock(const Place& place) const { return now_ + place.ahead; }
  [[nodiscard]] bool awake(const Place& place) const {
    return place.node->runs() && place.paused_until <= now_;
  }
  [[nodiscard]] const std::string& name_of(std::size_t index) const {
    return places_[index].node->spec().name;
  }
  Node::Hooks hooks(std::size_t index);

  void traffic();
  void exchange_inner(std::size_t index, std::size_t child);
  void send_from_hub(std::size_t index, std::size_t child);
  void send_inner(std::size_t from, Inner inner, const std::string& receiver);
  // faults.cpp: each befalls the node with this index, or somebody else
  void fault();
  void cut_line(std::size_t index);
  void restart_router(std::size_t index);
  void crash(std::size_t index);
  void pause(std::size_t index);
  void jump_clock(std::size_t index);
  void narrow_path(std::size_t index);
  void rekey_child(std::size_t index);
  void rekey_ike(std::size_t index);
  void throw_out(std::size_t index);
  void change_network(std::size_t index);
  void attack(std::size_t index);
  void strike();
  void heal();
  void command(std::size_t index, ike::Command command);
  [[nodiscard]] Duration pick(Duration low, Duration high);

  // checks.cpp
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

}  // namespace cygnet::sim
