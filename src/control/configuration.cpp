#include "control/configuration.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace cygnet::control {

std::optional<Configuration::Staged> Configuration::stage(config::Loaded loaded,
                                                          config::Diagnostics& diags) {
  Staged out{.changes = {}, .credential_changes = {}, .state = state_, .credentials = {}};
  CredentialSet fresh = CredentialSet::from(loaded, diags);
  out.credential_changes = credentials_.changes_to(fresh);
  CredentialSet before = credentials_.exchange_file(std::move(fresh));
  std::vector<model::Connection> complete = loaded.connections;
  for (model::Connection& one : complete) credentials_.complete(one, diags);
  if (!diags.has_errors()) {
    State& state = out.state;
    std::set<std::string_view> names;
    for (const model::Connection& one : complete) names.insert(one.name);
    std::erase_if(state.given, [&](const auto& entry) {
      const bool stays = !entry.second.from_file || names.contains(entry.first);
      if (!stays) unset(state, entry.first, out.changes.connections);
      return !stays;
    });
    std::vector<std::string> order;
    for (std::size_t i = 0; i < complete.size(); ++i) {
      order.push_back(complete[i].name);
      const bool ipsec = loaded.ipsec_connections.contains(complete[i].name);
      set(state,
          {.connection = std::move(loaded.connections[i]),
           .from_file = true,
           .origin = ipsec ? config::Origin::ipsec : config::Origin::swanctl},
          std::move(complete[i]), out.changes.connections);
    }
    out.changes.rearranged = state.connections.arrange(order);
    // The credentials may serve what clients have brought.
    std::ranges::move(complete_again(state), std::back_inserter(out.changes.connections));
  }
  out.credentials = credentials_.exchange_file(std::move(before));
  if (diags.has_errors()) return std::nullopt;
  return out;
}

FileChanges Configuration::commit(Staged staged) {
  static_cast<void>(credentials_.exchange_file(std::move(staged.credentials)));
  credentials_.prefer_file();
  state_ = std::move(staged.state);
  state_.completed_from = credentials_.own_version();
  return std::move(staged.changes);
}

ConnectionChanges Configuration::put(model::Connection connection, config::Diagnostics& diags) {
  ConnectionChanges changes;
  model::Connection complete = connection;
  config::Diagnostics lacks;
  credentials_.complete(complete, lacks);
  for (const config::Diagnostic& one : lacks.sorted()) diags.warning(one.place, one.text);
  set(state_, {.connection = std::move(connection)}, std::move(complete), changes);
  return changes;
}

ConnectionChanges Configuration::drop(std::string_view connection) {
  ConnectionChanges changes;
  if (const auto at = state_.given.find(connection); at != state_.given.end()) {
    state_.given.erase(at);
    unset(state_, connection, changes);
  }
  return changes;
}

bool Configuration::is_managed(std::string_view connection) const {
  const auto at = state_.given.find(connection);
  return at != state_.given.end() && at->second.origin == config::Origin::swanctl;
}

ConnectionChanges Configuration::complete_again() { return complete_again(state_); }

ConnectionChanges Configuration::complete_again(State& state) const {
  ConnectionChanges changes;
  if (std::exchange(state.completed_from, credentials_.own_version()) ==
      credentials_.own_version()) {
    return changes;
  }
  // Nothing but `local` is completed, and thousands of connections have the same one.
  const model::LocalAuth* last = nullptr;
  model::LocalAuth completed;
  for (const auto& [name, given] : state.given) {
    const model::LocalAuth& local = given.connection.local;
    // What certificates that are named lead to is the same every time.
    if (local.method != model::AuthClass::pubkey || !local.certs.empty()) continue;
    const model::Connection* old = state.connections.find(name);
    if (last == nullptr || *last != local) {
      model::Connection one = given.connection;
      config::Diagnostics lacks;  // told when it was put
      credentials_.complete(one, lacks);
      completed = std::move(one.local);
      last = &local;
    }
    if (old != nullptr && old->local == completed) continue;
    model::Connection complete = given.connection;
    complete.local = completed;
    ConnectionChange change{.before = std::nullopt, .after = complete, .same_local = true};
    if (old != nullptr) change.before = *old;
    state.connections.put(std::move(complete));
    changes.push_back(std::move(change));
  }
  return changes;
}

void Configuration::set(State& state, Given given, model::Connection complete,
                        ConnectionChanges& changes) {
  ConnectionChange change;
  if (const auto at = state.given.find(complete.name); at != state.given.end()) {
    change.same_local = at->second.connection.local == given.connection.local;
  }
  state.given.insert_or_assign(complete.name, std::move(given));
  if (const model::Connection* old = state.connections.find(complete.name)) {
    if (*old == complete) return;
    change.before = *old;
  }
  change.after = complete;
  state.connections.put(std::move(complete));
  changes.push_back(std::move(change));
}

void Configuration::unset(State& state, std::string_view name, ConnectionChanges& changes) {
  const model::Connection* old = state.connections.find(name);
  if (old == nullptr) return;
  changes.push_back({.before = *old, .after = std::nullopt, .same_local = false});
  state.connections.drop(name);
}

}  // namespace cygnet::control
