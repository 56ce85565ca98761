// The connections of an engine, and the way from what a peer shows to those that it could mean.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/connection_list.hpp"

namespace cygnet::ike {

/// Connections in file order, found by name, by what a first message tells, and by the peer's
/// identity: of ten thousand only those that could fit are looked at.
class Connections {
 public:
  /// What a connection asks of a peer before its identity counts.
  struct Terms {
    std::vector<model::AddressPattern> local_addrs;
    std::vector<model::AddressPattern> remote_addrs;
    std::vector<model::Proposal> proposals;
    std::optional<model::Identity> local_id;
    model::AuthClass remote_method = model::AuthClass::pubkey;
    bool send_certreq = true;
    friend auto operator<=>(const Terms&, const Terms&) = default;
  };
  /// By their places: file order.
  using Members = std::map<std::uint64_t, const model::Connection*>;
  /// Those with the same terms.
  struct Group {
    Members all;
    std::map<std::string, Members> by_id;  ///< pki::identity_key() of remote ids without wildcards
    Members open;                          ///< the others: any peer, or with wildcards
  };

  Connections() = default;
  Connections(std::initializer_list<model::Connection> connections);
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// As model::ConnectionList has them.
  void put(model::Connection connection);
  bool drop(std::string_view name);
  void arrange(const std::vector<std::string>& names);
  [[nodiscard]] const model::Connection* find(std::string_view name) const {
    return list_.find(name);
  }

  [[nodiscard]] const std::map<Terms, Group>& groups() const { return groups_; }

 private:
  struct Entry {
    std::uint64_t place = 0;
    std::map<Terms, Group>::iterator group;
    std::optional<std::string> id;
  };
  void index(const model::Connection& connection, std::uint64_t place);
  void forget(const Entry& entry);

  model::ConnectionList list_;
  std::map<Terms, Group> groups_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::uint64_t next_ = 0;
};

}  // namespace cygnet::ike
