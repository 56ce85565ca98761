#include "ike/connections.hpp"

#include <utility>

#include "pki/identity.hpp"

namespace cygnet::ike {

Connections::Connections(std::initializer_list<model::Connection> connections) {
  for (const model::Connection& one : connections) put(one);
}

void Connections::put(model::Connection connection) {
  const std::string name = connection.name;
  std::uint64_t place = next_;
  if (const auto at = entries_.find(name); at != entries_.end()) {
    place = at->second.place;
    forget(at->second);
  } else {
    ++next_;
  }
  list_.put(std::move(connection));
  index(*list_.find(name), place);
}

bool Connections::drop(std::string_view name) {
  const auto at = entries_.find(name);
  if (at == entries_.end()) return false;
  forget(at->second);
  entries_.erase(at);
  return list_.drop(name);
}

void Connections::arrange(const std::vector<std::string>& names) {
  if (!list_.arrange(names)) return;
  groups_.clear();
  entries_.clear();
  next_ = 0;
  for (const model::Connection& one : list_) index(one, next_++);
}

void Connections::index(const model::Connection& connection, std::uint64_t place) {
  const auto group = groups_
                         .try_emplace({.local_addrs = connection.local_addrs,
                                       .remote_addrs = connection.remote_addrs,
                                       .proposals = connection.proposals,
                                       .local_id = connection.local.id,
                                       .remote_method = connection.remote.method,
                                       .send_certreq = connection.send_certreq})
                         .first;
  Entry entry{.place = place, .group = group, .id = std::nullopt};
  Group& members = group->second;
  members.all.emplace(place, &connection);
  if (pki::has_wildcard(connection.remote.id)) {
    members.open.emplace(place, &connection);
  } else {
    entry.id = pki::identity_key(*connection.remote.id);
    members.by_id[*entry.id].emplace(place, &connection);
  }
  entries_.insert_or_assign(connection.name, std::move(entry));
}

void Connections::forget(const Entry& entry) {
  Group& members = entry.group->second;
  members.all.erase(entry.place);
  members.open.erase(entry.place);
  if (entry.id) {
    const auto at = members.by_id.find(*entry.id);
    at->second.erase(entry.place);
    if (at->second.empty()) members.by_id.erase(at);
  }
  if (members.all.empty()) groups_.erase(entry.group);
}

}  // namespace cygnet::ike
