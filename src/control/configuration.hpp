// What is configured, by the daemon's file and by clients of the vici socket alike.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "control/credentials.hpp"
#include "model/connection_list.hpp"

namespace cygnet::control {

/// One connection that is new, other than before, or gone.
struct ConnectionChange {
  std::optional<model::Connection> before;
  std::optional<model::Connection> after;
  /// How we prove who we are was written the same both times: what completion makes of it is
  /// nothing that a tunnel has to end for.
  bool same_local = false;
};
using ConnectionChanges = std::vector<ConnectionChange>;

/// What reading the file has changed.
struct FileChanges {
  ConnectionChanges connections;
  bool rearranged = false;  ///< the connections stand in another order now
};

/// Connections and credentials. The file is replaced as a whole, clients come item by item; an item
/// takes the place of the one of the same name, whoever brought that. Each call that changes
/// something says which connections are others now: certificates that come later can complete a
/// connection that came before them.
class Configuration {
 public:
  /// What there is of connections.
  struct Given {
    model::Connection connection;  ///< as it was written
    bool from_file = false;
    config::Origin origin = config::Origin::swanctl;
  };
  struct State {
    std::map<std::string, Given, std::less<>> given;
    model::ConnectionList connections;
    std::uint64_t completed_from = 0;  ///< the Credentials::own_version() of the last time
  };
  /// A file that has been read, and everything that follows from it. Move-only.
  struct Staged {
    FileChanges changes;
    std::vector<CredentialChange> credential_changes;
    State state;
    CredentialSet credentials;
  };
  /// Everything the file says, in place of what it said before; commit() puts it into force, until
  /// then nothing has changed. Empty when `diags` has errors afterwards.
  [[nodiscard]] std::optional<Staged> stage(config::Loaded loaded, config::Diagnostics& diags);
  /// Nothing else was changed since it was staged.
  FileChanges commit(Staged staged);
  /// From a client. What it lacks (a key, a certificate) may still come: those are warnings.
  [[nodiscard]] ConnectionChanges put(model::Connection connection, config::Diagnostics& diags);
  [[nodiscard]] ConnectionChanges drop(std::string_view connection);
  /// For whoever has changed the credentials. Cheap when none of ours came or went.
  [[nodiscard]] ConnectionChanges complete_again();

  /// Complete as far as the credentials allow, in order.
  [[nodiscard]] const model::ConnectionList& connections() const { return state_.connections; }
  /// Whether swanctl manages it: it does not come from ipsec.conf.
  [[nodiscard]] bool is_managed(std::string_view connection) const;
  [[nodiscard]] const Credentials& credentials() const { return credentials_; }
  [[nodiscard]] Credentials& credentials() { return credentials_; }

 private:
  [[nodiscard]] ConnectionChanges complete_again(State& state) const;
  static void set(State& state, Given given, model::Connection complete,
                  ConnectionChanges& changes);
  static void unset(State& state, std::string_view name, ConnectionChanges& changes);

  State state_;
  Credentials credentials_;
};

}  // namespace cygnet::control
