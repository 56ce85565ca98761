// The insides of one simulated history.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/agenda.hpp"
#include "sim/attacker.hpp"
#include "sim/scenario.hpp"
#include "sim/stage/monitor.hpp"

namespace cygnet::sim {

class World {
 public:
  explicit World(const Options& options);
  Report run();

 private:
  /// What one child of a client carries one way.
  struct Flow {
    std::size_t client = 0;
    std::size_t child = 0;
    bool from_hub = false;
  };
  /// A node with what the world does to it and knows of it.
  struct Place {
    std::unique_ptr<Node> node;
    bool up = false;              ///< it has been started and has not stopped since
    std::optional<Instant> wake;  ///< the alarm that is set
    Duration ahead{0};            ///< its clock has jumped by so much
    std::uint64_t pause = 0;      ///< the fault that keeps its process from running
    std::vector<Packet> backlog;  ///< what waits in its sockets meanwhile
    unsigned edition = 0;         ///< of its configuration
    std::uint64_t checked = 0;    ///< the plane's changes at the last check
    Instant checked_at;
    /// Installed children that the engine does not tell of, since when by the node's clock.
    std::map<model::ChildId, Instant> unowned;
    /// Of a client, by child and direction: whether packets could once be sent.
    std::vector<bool> carried;
    /// Likewise, whether a trap waited; at the sender.
    std::vector<bool> guarded;
  };

  // --- world.cpp
  void push(Duration after, Event event) { agenda_.put(now_ + after, std::move(event)); }
  void later(Duration after, std::function<void()> action) {
    push(after, {.kind = Event::Kind::action, .action = std::move(action)});
  }
  void handle(Event& event);
  void arrive(std::size_t index, const Packet& packet);
  void sent(std::size_t index, Packet packet);
  void set_alarm(std::size_t index);
  void start(std::size_t index);
  /// After each call to a node: its alarm, and what must hold; or it has stopped.
  void settle(std::size_t index, bool ticked = false);
  /// It stops, and with it what its plane guards.
  void forget_traps(std::size_t index);
  void look_up(std::size_t index, const control::effect::Resolve& question);
  void live_until(Instant end);
  [[nodiscard]] Instant clock(const Place& place) const { return now_ + place.ahead; }
  [[nodiscard]] bool awake(const Place& place) const {
    return place.node->runs() && place.pause == 0;
  }
  [[nodiscard]] const std::string& name_of(std::size_t index) const {
    return places_[index].node->spec().name;
  }
  Node::Hooks hooks(std::size_t index);

  // --- traffic.cpp
  void traffic();
  void exchange_inner(std::size_t index, std::size_t child);
  void send_from_hub(std::size_t index, std::size_t child);
  void send_inner(const Flow& flow, Inner inner);
  /// Sends one packet to each child of each client, whose applications may be silent.
  void probe();
  /// The address of a client's end of a child, if it has one now.
  [[nodiscard]] std::optional<IpAddress> own_inner(std::size_t index, std::size_t child) const;
  /// Source and destination, as the sender's plane sees them.
  [[nodiscard]] std::optional<std::pair<IpAddress, IpAddress>> ends_of(const Flow& flow) const;
  [[nodiscard]] static std::size_t bit_of(const Flow& flow) {
    return 2 * flow.child + (flow.from_hub ? 1 : 0);
  }

  // --- faults.cpp: each befalls the node with this index, or somebody else
  void fault();
  void cut_line(std::size_t index);
  void restart_router(std::size_t index);
  void crash(std::size_t index);
  void crash_soon(std::size_t index);
  void shut_down(std::size_t index);
  void pause(std::size_t index);
  void resume(std::size_t index);
  void jump_clock(std::size_t index);
  void narrow_path(std::size_t index);
  void detour(std::size_t index);
  void refuse_installs(std::size_t index);
  void change_network(std::size_t index);
  void rekey_child(std::size_t index);
  void rekey_ike(std::size_t index);
  void initiate(std::size_t index);
  void throw_out(std::size_t index);
  void reload(std::size_t index);
  void attack(std::size_t index);
  void forestall(std::size_t index);
  void flood(std::size_t index);
  void heal();
  /// An operator types a command of vici's, with these items.
  void request(std::size_t index, std::string_view command,
               std::initializer_list<std::pair<std::string_view, std::string_view>> items);
  [[nodiscard]] Duration pick(Duration low, Duration high);

  // --- checks.cpp
  /// What must hold of one node: after each step that changed its plane, and now and then after its
  /// alarms (`ticked`).
  void check(std::size_t index, bool ticked);
  void check_unowned(Place& place, const ike::Status& status, bool ticked);
  void check_keys(std::size_t index);
  void check_flows(std::size_t index);
  void check_leases(const ike::Status& hub);
  /// A node believes that it has authenticated somebody.
  void check_peer(std::size_t index, ike::SaId sa);
  /// What is not up again as it should be at this client; empty: everything is.
  [[nodiscard]] std::string missing(std::size_t index) const;
  /// What is wrong when everything is over; empty: nothing.
  [[nodiscard]] std::string verdict(std::uint64_t first_probe) const;
  /// No packet that a tunnel could carry may be lost.
  [[nodiscard]] bool strict() const { return scenario_.calm && scenario_.lossless; }

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
  Attacker attacker_;
  Monitor monitor_;
  std::vector<Place> places_;
  Agenda agenda_;
  Instant now_{std::chrono::hours{1}};
  Instant faults_end_;
  std::size_t at_once_ = 0;
  std::uint64_t inner_ = 0;
  std::uint64_t faults_so_far_ = 0;
  std::uint64_t forestalls_ = 0;  ///< the fault during which handshakes are answered by an attacker
  std::uint32_t moves_ = 0;
  Instant first_traffic_;
  bool silent_ = false;   ///< no more traffic
  bool faults_ = true;    ///< they go on
  bool probing_ = false;  ///< each packet must find its way
  Report report_;
};

}  // namespace cygnet::sim
