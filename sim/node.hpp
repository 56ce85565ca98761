// One virtual machine: the real engine and the real control, joined as the daemon joins them.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/controller.hpp"
#include "control/sleep_watch.hpp"
#include "ike/engine.hpp"
#include "sim/stage/carrier.hpp"
#include "sim/stage/plane.hpp"
#include "toys/rng.hpp"

namespace cygnet::sim {

/// What an enemy takes for the shared key.
inline constexpr std::string_view kGuessedKey = "a guess";

/// What a node is; a restart makes the same again.
struct NodeSpec {
  std::string name;                  ///< and identity, as an FQDN
  std::vector<IpAddress> addresses;  ///< where it is now; those in use first
  std::optional<std::size_t> nat;    ///< the NAT it is behind
  /// A later edition is what an operator has changed a little.
  std::function<config::Loaded(unsigned edition)> configuration;
  enum class Role : std::uint8_t {
    honest,
    enemy,    ///< calls with a wrong key: must never get in
    impostor  ///< answers in the gateway's place with a wrong key: nobody must believe it
  } role = Role::honest;
  /// Of a site: its host in each of its networks, one for each child. It is called at its address,
  /// so it does not move. Others have the virtual IP of their one child.
  std::vector<IpAddress> inner{};
  ike::EngineConfig engine{};
  bool udp_encap_only = true;  ///< its plane is the TUN one; else it can do raw ESP
  [[nodiscard]] std::size_t children() const { return inner.empty() ? 1 : inner.size(); }
  [[nodiscard]] bool hostile() const { return role != Role::honest; }
};

/// The name of the child with this index.
[[nodiscard]] inline std::string_view child_name(std::size_t index) {
  return index == 0 ? "net" : "more";
}

/// Whether the peer of this IKE_SA has said that it is the node of this name.
[[nodiscard]] inline bool is_with(const ike::IkeStatus& sa, std::string_view name) {
  return sa.remote_id && std::ranges::equal(sa.remote_id->data, as_bytes(name));
}

class Node final : public control::View {
 public:
  struct Hooks {
    Plane::Hooks plane;
    std::function<void(const ike::Event&)> event;
    std::function<void(const std::string&)> log;
    /// A name is to be resolved: looked_up() with the same, sooner or later.
    std::function<void(const control::effect::Resolve&)> look_up;
  };
  Node(NodeSpec spec, Hooks hooks, std::uint64_t seed, bool trace);

  /// Boots: a fresh engine, controller and plane.
  void start(Instant now);
  /// Loses everything.
  void crash();
  /// Crashes in the middle of what follows, after so many actions; empty: it will not.
  void crash_after(std::optional<std::size_t> actions) { carrier_->halt_after(actions); }
  /// Says goodbye to its peers, then stops; the process ends like the daemon's.
  void shut_down(Instant now);
  [[nodiscard]] bool runs() const { return engine_.has_value(); }
  /// How often it has been started.
  [[nodiscard]] unsigned boots() const { return boots_; }

  // Each of these may end in a crash or in the end of a shutdown: ask runs() afterwards.
  void receive(const Packet& packet, Instant now);
  void tick(Instant now);
  Fate send(const Inner& inner, Instant now);
  /// What an operator types; `command` is one of vici's.
  void request(const vici::Request& command, Instant now);
  /// Reads its configuration again, which is this edition now.
  void reload(unsigned edition, Instant now);
  void looked_up(const control::effect::Resolve& question,
                 const Result<std::vector<IpAddress>>& remotes, Instant now);
  /// The link at one of its addresses is down, or up again, and it notices.
  void set_link(const IpAddress& address, bool up, Instant now);
  /// The machine is in another network now.
  void move(const IpAddress& address, std::optional<std::size_t> nat, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;

  /// Requests of the operator that nobody has answered since the last start.
  [[nodiscard]] std::size_t unanswered() const { return clients_.size(); }
  [[nodiscard]] bool has(const IpAddress& address) const;
  /// Whether peers of this connection may share an identity (unique = never).
  [[nodiscard]] bool is_of_many(const std::string& connection) const {
    return of_many_.contains(connection);
  }
  [[nodiscard]] ike::Status status() const override { return engine_->status(); }
  [[nodiscard]] std::optional<model::SaStats> stats(model::ChildId child) const override {
    const auto known = plane_->stats(child);
    return known ? std::optional{*known} : std::nullopt;
  }
  [[nodiscard]] const ike::CounterBook& counters() const override { return engine_->counters(); }
  [[nodiscard]] control::ProcessStats process() const override { return {}; }
  [[nodiscard]] std::string wall_clock_text(Instant) const override { return {}; }
  /// No client of a control socket is simulated.
  [[nodiscard]] bool anybody_hears(std::string_view) const override { return false; }
  [[nodiscard]] std::vector<ike::Path> paths(const std::vector<IpAddress>& remotes) override;
  [[nodiscard]] const NodeSpec& spec() const { return spec_; }
  [[nodiscard]] Plane& plane() { return *plane_; }
  [[nodiscard]] const Plane& plane() const { return *plane_; }

 private:
  [[nodiscard]] Carrier::Outside outside();
  /// A call from outside begins, and ends with everything carried out.
  void begin(Instant now);
  void end();
  void notice_sleep();
  void load();
  void believe_denial(ByteView datagram);
  void follow_network();
  void tell_addresses();
  [[nodiscard]] std::optional<IpAddress> source_for(const IpAddress& remote) const;
  void on_event(const ike::Event& event);
  [[nodiscard]] ike::Answer answer(const ike::Ask& ask);
  void carry_out(control::Effects effects);
  void act(control::effect::Tell& tell);
  void act(const control::effect::Resolve& resolve);
  void act(const control::effect::Respond& respond);
  void act(const control::effect::Log& log) { hooks_.log(log.line.text()); }
  // Nobody asks for these by vici here, and nobody listens.
  static void act(const control::effect::Reload&) {}
  static void act(const control::effect::ReloadSettings&) {}
  static void act(const control::effect::Stream&) {}
  static void act(const control::effect::Resume&) {}
  static void act(const control::effect::Publish&) {}
  static void act(const control::effect::ResetCounters&) {}
  void resolved(const control::effect::Resolve& question,
                const Result<std::vector<IpAddress>>& remotes);

  NodeSpec spec_;
  Hooks hooks_;
  test::SeededRng rng_;
  std::optional<ike::Engine> engine_;
  std::optional<control::Controller> controller_;
  std::unique_ptr<Plane> plane_;
  std::optional<Carrier> carrier_;
  control::SleepWatch sleep_watch_;
  std::set<IpAddress> down_;  ///< addresses whose link is seen to be down
  std::set<std::string> of_many_;
  std::set<control::ClientId> clients_;
  std::uint64_t last_client_ = 0;
  std::optional<Instant> follow_at_;   ///< when a change of the network is looked into
  std::optional<Instant> give_up_at_;  ///< when a shutdown waits for nobody any more
  bool quiet_ = false;
  unsigned edition_ = 0;
  unsigned boots_ = 0;
  Instant now_;
  bool trace_;  ///< log every IKE message
};

}  // namespace cygnet::sim
