// What should be connected: the configuration, who asked for what, and the answers the core needs.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "config/load.hpp"
#include "control/configuration.hpp"
#include "control/effects.hpp"
#include "control/failure_log.hpp"
#include "control/listing.hpp"
#include "control/pools.hpp"
#include "control/supervisor.hpp"
#include "crypto/provider.hpp"
#include "vici/server_session.hpp"

namespace cygnet::control {

/// Operations that clients have asked for and that may be under way at once. Whatever takes
/// something down or only tells is not counted.
inline constexpr std::size_t kOperationsMax = 10'000;
/// Attempts of our own that may be under way at once; what is due beyond waits for one to end.
inline constexpr std::size_t kAttemptsMax = 500;

/// What `version` answers.
struct BuildInfo {
  std::string version;
  std::string sysname;
  std::string release;
  std::string machine;
};

/// Between the engine and everybody who wants something of it. Calls append to `out` what the
/// daemon must do next; nothing is done here. One thread.
class Controller {
 public:
  /// `crypto` and `rng` must outlive the controller.
  Controller(const crypto::Provider& crypto, Rng& rng, BuildInfo build, Instant now);

  /// Replaces what the file said before, or changes nothing when `diags` has errors afterwards.
  /// Children with a start action that are new or changed are started or routed; those that have
  /// changed or gone, and vanished traps, are taken down first. What did not change stays up.
  [[nodiscard]] bool configure(config::Loaded loaded, config::Diagnostics& diags, Instant now,
                               Effects& out);

  /// The same for a client, which hears what it changes (kChangeEvent); or would change, when it
  /// asked for that only.
  void reload(const effect::Reload& asked, config::Loaded loaded, config::Diagnostics& diags,
              const View& view, Instant now, Effects& out);
  /// The configuration could not be used.
  static void refuse_reload(ClientId client, std::string faults, Effects& out);

  /// Resolvers and WINS servers for every client that gets an address, after those of its pool.
  void set_servers(std::vector<IpAddress> dns, std::vector<IpAddress> nbns) {
    pools_.set_servers(std::move(dns), std::move(nbns));
  }

  /// The answer to anything the engine asks; `wall` is for certificates.
  [[nodiscard]] ike::Answer answer(const ike::Ask& ask, View& view, WallTime wall);
  void release(const ike::ask::Release& release) { pools_.release(release.sa); }
  void handle(const ike::Event& event, const View& view, Instant now, Effects& out);

  /// What the pools give out of, whoever has configured them.
  [[nodiscard]] std::vector<IpRange> pool_ranges() const;

  /// A command of a vici client. It is answered by exactly one effect::Respond, now or later.
  void handle(ClientId client, const vici::Request& request, const View& view, Instant now,
              Effects& out);
  /// The next parts of a long answer, after effect::Resume.
  void resume(ClientId client, const View& view, Instant now, Effects& out);
  /// Nobody waits for these answers any more.
  void disconnected(ClientId client);
  /// The result of an effect::Resolve.
  void resolved(ike::RequestId request, const Result<Route>& route, Effects& out, Instant now);
  /// The result of an effect::ReloadSettings: empty, or what is wrong.
  static void reloaded(ClientId client, const std::string& faults, Effects& out);

  /// Links, addresses or routes have changed, or the machine has slept: what waits is tried now.
  void network_changed(Instant now, Effects& out);
  void tick(Instant now, Effects& out);
  [[nodiscard]] std::optional<Instant> deadline() const;

  /// The commands and events of the vici socket.
  [[nodiscard]] static const vici::Catalogue& catalogue();

 private:
  /// Something under way for a client or for the supervisor.
  struct Operation {
    enum class Kind : std::uint8_t { initiate, route, terminate, other } kind = Kind::other;
    ChildKey key;  ///< child may be empty: all of the connection
    std::optional<ClientId> client;
    bool asked = false;               ///< by a client, whether it waits or not
    bool attempt = false;             ///< of our own
    std::optional<Instant> deadline;  ///< then the client is told "timeout"
    bool streams_log = false;
    ike::SaId instead_of{};           ///< reauthentication of this IKE_SA
    std::optional<IpAddress> remote;  ///< then: where the peer is
    std::optional<model::PacketFlow> trigger{};
    std::optional<std::uint64_t> matches;
  };
  friend struct Commands;

  [[nodiscard]] const model::Connection* find(std::string_view connection) const {
    return configuration_.connections().find(connection);
  }
  [[nodiscard]] ike::RequestId open(Operation operation);
  void start(ike::RequestId request, Effects& out, Instant now);
  void finish(ike::RequestId request, bool success, const std::string& error, Effects& out,
              Instant now);
  /// Remembers why somebody was refused or an attempt failed, and tells whoever hears of it.
  /// `view` may be null: then it may be told to nobody.
  void keep(const ike::FailureRecord& record, const View* view, Instant now, Effects& out);
  void commit(Configuration::Staged staged, const FilePools& pools, Instant now, Effects& out);
  /// Tells the engine, and carries start actions out.
  void apply(const ConnectionChanges& changes, Instant now, Effects& out);
  void retire(const ConnectionChange& change, Effects& out);
  void begin(const ConnectionChange& change, Instant now);
  /// For commands that have changed credentials: what follows for connections and CERTREQs.
  void credentials_changed(Instant now, Effects& out);
  void tell_authorities(Effects& out);
  void stream_log(const LogLine& line, Effects& out) const;
  [[nodiscard]] bool want(const std::string& connection, const std::string& child, Instant now);
  /// Ends attempts that are under way for a child, or for all of a connection; clients hear why.
  void cancel(Operation::Kind kind, const ChildKey& key, std::string_view why, Effects& out);
  [[nodiscard]] std::size_t asked_for() const;  ///< operations of clients
  [[nodiscard]] std::size_t attempts_under_way() const;
  /// An operator asks for it again: it is kept up, or routed, as it is configured, whatever becomes
  /// of the attempt that this asks for.
  void want_again(Operation::Kind kind, const ChildKey& key, Instant now);
  /// Empty when there is nothing to tell any more.
  [[nodiscard]] std::optional<vici::Message> message_of(const Listing::Part& part, const View& view,
                                                        Instant now) const;
  /// Says when an attempt that has failed is made again, if it is.
  void try_later(Supervisor& supervisor, const ChildKey& key, const std::string& error, Instant now,
                 Effects& out);
  /// What was to be installed is not.
  void lose_route(const ike::event::Unrouted& unrouted, Instant now, Effects& out);
  /// A child has ended: whether it comes back.
  [[nodiscard]] bool want_back(const ike::event::ChildDown& down, Instant now);

  const crypto::Provider& crypto_;
  Rng& rng_;
  BuildInfo build_;
  Instant started_;
  Configuration configuration_;
  std::vector<Bytes> announced_;  ///< the authorities that the engine has been told of
  Pools pools_;
  FailureLog failures_;
  Supervisor wanted_;                               ///< children to bring up
  Supervisor routes_;                               ///< traps and shunts to install
  std::set<ChildKey> routed_;                       ///< those that are installed
  std::map<ChildKey, model::PacketFlow> triggers_;  ///< packets that asked for what is wanted
  std::set<ChildKey> down_;  ///< taken down by the operator until asked for again
  std::map<ike::RequestId, Operation> operations_;
  std::map<ClientId, Listing> listings_;  ///< that are being told
  std::uint64_t next_request_ = 1;
};

}  // namespace cygnet::control
