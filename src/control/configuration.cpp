#include "control/configuration.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace cygnet::control {

std::optional<FileChanges> Configuration::load_file(config::Loaded loaded,
                                                    config::Diagnostics& diags) {
  CredentialSet fresh = CredentialSet::from(loaded, diags);
  CredentialSet before = credentials_.exchange_file(std::move(fresh));
  std::vector<model::Connection> complete = loaded.connections;
  for (model::Connection& one : complete) credentials_.complete(one, diags);
  if (diags.has_errors()) {
    static_cast<void>(credentials_.exchange_file(std::move(before)));
    return std::nullopt;
  }
  credentials_.prefer_file();
  std::set<std::string_view> names;
  for (const model::Connection& one : complete) names.insert(one.name);
  FileChanges out;
  std::erase_if(given_, [&](const auto& entry) {
    const bool stays = !entry.second.from_file || names.contains(entry.first);
    if (!stays) unset(entry.first, out.connections);
    return !stays;
  });
  std::vector<std::string> order;
  for (std::size_t i = 0; i < complete.size(); ++i) {
    order.push_back(complete[i].name);
    set({std::move(loaded.connections[i]), true}, std::move(complete[i]), out.connections);
  }
  out.rearranged = connections_.arrange(order);
  // The credentials may serve what clients have brought.
  std::ranges::move(complete_again(), std::back_inserter(out.connections));
  return out;
}

ConnectionChanges Configuration::put(model::Connection connection, config::Diagnostics& diags) {
  ConnectionChanges changes;
  model::Connection complete = connection;
  config::Diagnostics lacks;
  credentials_.complete(complete, lacks);
  for (const config::Diagnostic& one : lacks.sorted()) diags.warning(one.place, one.text);
  set({std::move(connection), false}, std::move(complete), changes);
  return changes;
}

ConnectionChanges Configuration::drop(std::string_view connection) {
  ConnectionChanges changes;
  if (const auto at = given_.find(connection); at != given_.end()) {
    given_.erase(at);
    unset(connection, changes);
  }
  return changes;
}

ConnectionChanges Configuration::complete_again() {
  ConnectionChanges changes;
  if (std::exchange(completed_from_, credentials_.own_version()) == credentials_.own_version()) {
    return changes;
  }
  for (const auto& [name, given] : given_) {
    const model::LocalAuth& local = given.connection.local;
    // What certificates that are named lead to is the same every time.
    if (local.method != model::AuthClass::pubkey || !local.certs.empty()) continue;
    model::Connection complete = given.connection;
    config::Diagnostics lacks;  // told when it was put
    credentials_.complete(complete, lacks);
    const model::Connection* old = connections_.find(name);
    if (old != nullptr && *old == complete) continue;
    ConnectionChange change{.before = std::nullopt, .after = complete, .same_local = true};
    if (old != nullptr) change.before = *old;
    connections_.put(std::move(complete));
    changes.push_back(std::move(change));
  }
  return changes;
}

void Configuration::set(Given given, model::Connection complete, ConnectionChanges& changes) {
  ConnectionChange change;
  if (const auto at = given_.find(complete.name); at != given_.end()) {
    change.same_local = at->second.connection.local == given.connection.local;
  }
  given_.insert_or_assign(complete.name, std::move(given));
  if (const model::Connection* old = connections_.find(complete.name)) {
    if (*old == complete) return;
    change.before = *old;
  }
  change.after = complete;
  connections_.put(std::move(complete));
  changes.push_back(std::move(change));
}

void Configuration::unset(std::string_view name, ConnectionChanges& changes) {
  const model::Connection* old = connections_.find(name);
  if (old == nullptr) return;
  changes.push_back({.before = *old, .after = std::nullopt, .same_local = false});
  connections_.drop(name);
}

}  // namespace cygnet::control
