// What Linux has, what we want it to have, and the steps between: pure.
#include "host/state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace cygnet::host {
namespace {

std::string text_of(const PortRange& ports) {
  return ports.first == ports.last ? fmt::format("{}", ports.first)
                                   : fmt::format("{}-{}", ports.first, ports.last);
}

template <class T>
bool has(const std::vector<T>& sorted, const T& value) {
  return std::ranges::binary_search(sorted, value);
}

template <class T>
void insert(std::vector<T>& sorted, const T& value) {
  const auto at = std::ranges::lower_bound(sorted, value);
  if (at == sorted.end() || *at != value) sorted.insert(at, value);
}

template <class T>
void erase(std::vector<T>& sorted, const T& value) {
  const auto [first, last] = std::ranges::equal_range(sorted, value);
  sorted.erase(first, last);
}

/// Two routes with the same key cannot be there at the same time; one replaces the other.
std::pair<std::uint32_t, Prefix> key_of(const HostRoute& route) {
  return {route.table, route.prefix};
}

/// Routes are sorted by their key first.
const HostRoute* find_key(const std::vector<HostRoute>& routes, const HostRoute& wanted) {
  const auto found = std::ranges::lower_bound(routes, key_of(wanted), {}, key_of);
  return found == routes.end() || key_of(*found) != key_of(wanted) ? nullptr : &*found;
}

template <class T>
void missing(std::vector<Operation>& out, Operation::Kind kind, const std::vector<T>& from,
             const std::vector<T>& in) {
  for (const T& value : from) {
    if (!has(in, value)) out.push_back(Operation{.kind = kind, .what = value, .before = {}});
  }
}

std::vector<HostAddress>& list_of(HostState& state, const HostAddress&) { return state.addresses; }
std::vector<HostRoute>& list_of(HostState& state, const HostRoute&) { return state.routes; }
std::vector<HostRule>& list_of(HostState& state, const HostRule&) { return state.rules; }

}  // namespace

std::string Flow::text() const {
  std::string out = fmt::format("to {} ipproto {}", remote.text(), protocol);
  if (!local_ports.any()) out += " sport " + text_of(local_ports);
  if (!remote_ports.any()) out += " dport " + text_of(remote_ports);
  return out;
}

std::string HostAddress::text() const {
  return fmt::format("address {}/{}{}", address.text(), address.bits(),
                     on_loopback ? " on lo" : "");
}

std::string HostRoute::text() const {
  std::string out = fmt::format("route {}{}", throws ? "throw " : "", prefix.text());
  if (source) out += " src " + source->text();
  return out + fmt::format(" table {}", table);
}

std::string HostRule::text() const {
  std::string out = fmt::format("rule {} {}:", family == IpFamily::v4 ? "v4" : "v6", priority);
  if (inverted) out += " not";
  if (fwmark) out += fmt::format(" fwmark {:#x}", *fwmark);
  if (flow) out += " " + flow->text();
  switch (action) {
    case RuleAction::look_up:
      return out + fmt::format(" lookup {}", table);
    case RuleAction::go_to:
      return out + fmt::format(" goto {}", target);
    case RuleAction::nop:
      return out + " nop";
  }
  return out;
}

std::string Operation::text() const {
  const char* const verb = kind == Kind::add      ? "add "
                           : kind == Kind::remove ? "remove "
                                                  : "replace ";
  return verb + std::visit([](const auto& item) { return item.text(); }, what);
}

Operation Operation::reverse() const {
  switch (kind) {
    case Kind::add:
      return Operation{.kind = Kind::remove, .what = what, .before = {}};
    case Kind::remove:
      return Operation{.kind = Kind::add, .what = what, .before = {}};
    case Kind::replace:
      break;
  }
  const auto& now = std::get<HostRoute>(what);
  return Operation{.kind = Kind::replace, .what = before.value_or(now), .before = now};
}

std::vector<Operation> plan(const HostState& actual, const HostState& wanted) {
  using Kind = Operation::Kind;
  std::vector<Operation> out;
  missing(out, Kind::add, wanted.addresses, actual.addresses);
  for (const HostRoute& route : wanted.routes) {
    if (has(actual.routes, route)) continue;
    const HostRoute* old = find_key(actual.routes, route);
    out.push_back(old == nullptr ? Operation{.kind = Kind::add, .what = route, .before = {}}
                                 : Operation{.kind = Kind::replace, .what = route, .before = *old});
  }
  missing(out, Kind::add, wanted.rules, actual.rules);
  missing(out, Kind::remove, actual.rules, wanted.rules);
  for (const HostRoute& route : actual.routes) {
    if (find_key(wanted.routes, route) == nullptr) {
      out.push_back(Operation{.kind = Kind::remove, .what = route, .before = {}});
    }
  }
  missing(out, Kind::remove, actual.addresses, wanted.addresses);
  return out;
}

void apply(HostState& state, const Operation& step) {
  std::visit(
      [&](const auto& item) {
        auto& list = list_of(state, item);
        if (step.kind == Operation::Kind::remove) {
          erase(list, item);
        } else {
          insert(list, item);
        }
      },
      step.what);
  if (step.kind == Operation::Kind::replace && step.before) erase(state.routes, *step.before);
}

}  // namespace cygnet::host
