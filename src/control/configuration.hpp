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
  /// Everything the file says, in place of what it said before. Empty, and nothing has changed,
  /// when `diags` has errors afterwards.
  [[nodiscard]] std::optional<FileChanges> load_file(config::Loaded loaded,
                                                     config::Diagnostics& diags);
  /// From a client. What it lacks (a key, a certificate) may still come: those are warnings.
  [[nodiscard]] ConnectionChanges put(model::Connection connection, config::Diagnostics& diags);
  [[nodiscard]] ConnectionChanges drop(std::string_view connection);
  /// For whoever has changed the credentials. Cheap when none of ours came or went.
  [[nodiscard]] ConnectionChanges complete_again();

  /// Complete as far as the credentials allow, in order.
  [[nodiscard]] const model::ConnectionList& connections() const { return connections_; }
  [[nodiscard]] const Credentials& credentials() const { return credentials_; }
  [[nodiscard]] Credentials& credentials() { return credentials_; }

 private:
  struct Given {
    model::Connection connection;  ///< as it was written
    bool from_file = false;
  };
  void set(Given given, model::Connection complete, ConnectionChanges& changes);
  void unset(std::string_view name, ConnectionChanges& changes);

  std::map<std::string, Given, std::less<>> given_;
  model::ConnectionList connections_;
  Credentials credentials_;
  std::uint64_t completed_from_ = 0;  ///< the Credentials::own_version() of the last time
};

}  // namespace cygnet::control
