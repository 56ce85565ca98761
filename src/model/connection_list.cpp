#include "model/connection_list.hpp"

#include <algorithm>
#include <set>

namespace cygnet::model {

void ConnectionList::put(Connection connection) {
  const auto [at, fresh] = by_name_.try_emplace(connection.name, next_);
  if (fresh) ++next_;
  places_.insert_or_assign(at->second, std::move(connection));
}

bool ConnectionList::drop(std::string_view name) {
  const auto at = by_name_.find(name);
  if (at == by_name_.end()) return false;
  places_.erase(at->second);
  by_name_.erase(at);
  return true;
}

bool ConnectionList::arrange(const std::vector<std::string>& names) {
  const std::set<std::string_view> named(names.begin(), names.end());
  std::vector<std::string> order;
  for (const std::string& name : names) {
    if (by_name_.contains(name)) order.push_back(name);
  }
  for (const Connection& one : *this) {
    if (!named.contains(one.name)) order.push_back(one.name);
  }
  const bool same = std::ranges::equal(*this, order, {}, &Connection::name);
  if (same) return false;
  ConnectionList fresh;
  for (const std::string& name : order)
    fresh.put(std::move(places_.at(by_name_.find(name)->second)));
  *this = std::move(fresh);
  return true;
}

const Connection* ConnectionList::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : &places_.at(at->second);
}

}  // namespace cygnet::model
