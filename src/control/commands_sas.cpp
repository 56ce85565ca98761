// Bringing up, taking down and showing what is up.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "control/commands.hpp"
#include "control/report.hpp"

namespace cygnet::control {
namespace {

/// `timeout` in milliseconds: 0 waits, -1 does not.
constexpr std::string_view kNoWait = "-1";
constexpr std::uint64_t kTimeoutMsMax = 24ULL * 3600 * 1000;

/// An id, 0 when it is not there; nothing when it is no number of 32 bits.
std::optional<std::uint32_t> id_of(const vici::Message& request, std::string_view name) {
  if (request.value(name) == nullptr) return 0;
  const auto id = request.number(name);
  if (!id || *id > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*id);
}

bool names_children(const ike::command::Filter& filter) {
  return !filter.child.empty() || filter.child_id.value() != 0;
}

bool is_empty(const ike::command::Filter& filter) {
  return filter.connection.empty() && filter.child.empty() && filter.ike_id.value() == 0 &&
         filter.child_id.value() == 0;
}

bool fits(const ike::IkeStatus& sa, const ike::command::Filter& filter) {
  return (filter.connection.empty() || filter.connection == sa.connection) &&
         (filter.ike_id.value() == 0 || filter.ike_id == sa.id);
}

bool fits(const ike::ChildStatus& child, const ike::command::Filter& filter) {
  return (filter.child.empty() || filter.child == child.name) &&
         (filter.child_id.value() == 0 || filter.child_id == child.id);
}

}  // namespace

/// What the request selects; answers when an id is none.
std::optional<ike::command::Filter> Commands::filter() {
  const auto ike_id = id_of(request, "ike-id");
  const auto child_id = id_of(request, "child-id");
  if (!ike_id || !child_id) {
    refuse(fmt::format("{}: not a number of 32 bits", !ike_id ? "ike-id" : "child-id"));
    return std::nullopt;
  }
  return ike::command::Filter{.connection = std::string{request.text("ike")},
                              .child = std::string{request.text("child")},
                              .ike_id = ike::SaId{*ike_id},
                              .child_id = model::ChildId{*child_id}};
}

/// The same for commands that must not mean everything.
std::optional<ike::command::Filter> Commands::some_filter() {
  auto some = filter();
  if (some && is_empty(*some)) {
    refuse("say which: child, ike, child-id or ike-id");
    return std::nullopt;
  }
  return some;
}

/// The child (or whole connection) that `child` and `ike` name; answers when there is none.
std::optional<ChildKey> Commands::wanted_child() {
  const std::string_view ike = request.text("ike");
  const std::string_view child = request.text("child");
  for (const model::Connection& connection : self.configuration_.connections()) {
    if (!ike.empty() && connection.name != ike) continue;
    if (child.empty() && !ike.empty()) return ChildKey{connection.name, {}};
    if (connection.find_child(child) != nullptr) {
      return ChildKey{connection.name, std::string{child}};
    }
  }
  refuse(child.empty() ? fmt::format("no connection '{}'", ike)
                       : fmt::format("no child '{}'{}", child,
                                     ike.empty() ? "" : fmt::format(" in '{}'", ike)));
  return std::nullopt;
}

std::optional<Instant> Commands::timeout() const {
  const auto ms = request.number("timeout");
  if (!ms || *ms == 0) return std::nullopt;
  return now + std::chrono::milliseconds{std::min(*ms, kTimeoutMsMax)};
}

/// Charon's levels: -1 is silent, as is 0 with us.
bool Commands::wants_log() const {
  return !request.text("loglevel").starts_with('-') && request.number("loglevel").value_or(1) > 0;
}

/// Answers when clients have asked for too much already.
bool Commands::may_wait() {
  if (self.asked_for() < kOperationsMax) return true;
  refuse("too many requests");
  return false;
}

void Commands::initiate() {
  const auto key = wanted_child();
  if (!key) return;
  begin(Controller::Operation::Kind::initiate, *key);
}

void Commands::install() {
  const auto key = wanted_child();
  if (!key) return;
  begin(Controller::Operation::Kind::route, *key);
}

void Commands::begin(Controller::Operation::Kind kind, const ChildKey& key) {
  Controller::Operation operation{.kind = kind, .key = key};
  if (!may_wait()) return;
  operation.asked = true;
  if (request.text("timeout") != kNoWait) {
    operation.client = client;
    operation.deadline = timeout();
    operation.streams_log = wants_log();
  } else {
    done();
  }
  self.want_again(kind, key, now);
  self.start(self.open(std::move(operation)), out, now);
}

void Commands::uninstall() {
  const auto key = wanted_child();
  if (!key) return;
  self.routes_.forget(*key);
  self.routed_.erase(*key);
  self.cancel(Controller::Operation::Kind::route, *key, "uninstalled by command", out);
  const ike::RequestId id =
      self.open({.kind = Controller::Operation::Kind::other, .key = *key, .client = client});
  out.emplace_back(effect::Tell{
      ike::command::Unroute{.request = id, .connection = key->connection, .child = key->child}});
}

/// Children and IKE_SAs that a filter names.
std::uint64_t Commands::matches(const ike::command::Filter& filter) const {
  const bool children = names_children(filter);
  std::uint64_t count = 0;
  for (const ike::IkeStatus& sa : view.status().sas) {
    if (!fits(sa, filter)) continue;
    if (!children) ++count;
    for (const ike::ChildStatus& child : sa.children) {
      if (children && fits(child, filter)) ++count;
    }
  }
  return count;
}

/// What the operator takes down is not brought up again by us.
void Commands::forget(const ike::command::Filter& filter) {
  static constexpr auto kInitiate = Controller::Operation::Kind::initiate;
  static constexpr std::string_view kTerminated = "terminated by command";
  const auto forget_child = [&](const std::string& connection, const std::string& child) {
    self.wanted_.forget({connection, child});
    self.down_.insert({connection, child});
    self.cancel(kInitiate, {connection, child}, kTerminated, out);
  };
  const auto forget_connection = [&](const model::Connection& connection) {
    for (const model::ChildTemplate& child : connection.children) {
      forget_child(connection.name, child.name);
    }
    self.wanted_.forget({connection.name, {}});
    self.cancel(kInitiate, {connection.name, {}}, kTerminated, out);
  };
  if (filter.ike_id.value() != 0 || filter.child_id.value() != 0) {
    for (const ike::IkeStatus& sa : view.status().sas) {
      if (!fits(sa, filter)) continue;
      for (const ike::ChildStatus& child : sa.children) {
        if (fits(child, filter)) forget_child(sa.connection, child.name);
      }
      // It has only just been called: whatever it was called for.
      const model::Connection* connection = self.find(sa.connection);
      if (sa.children.empty() && !names_children(filter) && connection != nullptr) {
        forget_connection(*connection);
      }
    }
    return;
  }
  for (const model::Connection& connection : self.configuration_.connections()) {
    if (!filter.connection.empty() && filter.connection != connection.name) continue;
    if (filter.child.empty()) {
      forget_connection(connection);
    } else if (connection.find_child(filter.child) != nullptr) {
      forget_child(connection.name, filter.child);
    }
  }
}

std::optional<std::pair<ike::command::Filter, ike::RequestId>> Commands::filtered(
    Controller::Operation::Kind kind) {
  auto filter = some_filter();
  if (!filter) return std::nullopt;
  // What is up can always be taken down.
  if (kind != Controller::Operation::Kind::terminate && !may_wait()) return std::nullopt;
  const std::uint64_t count = matches(*filter);
  Controller::Operation operation{
      .kind = kind, .key = {filter->connection, filter->child}, .asked = true, .matches = count};
  if (request.text("timeout") != kNoWait) {
    operation.client = client;
    operation.deadline = timeout();
    operation.streams_log = wants_log();
  } else {
    vici::Message answer;
    answer.add_flag("success", true).add("matches", count);
    respond(std::move(answer));
  }
  return std::pair{*std::move(filter), self.open(std::move(operation))};
}

void Commands::terminate() {
  auto wanted = filtered(Controller::Operation::Kind::terminate);
  if (!wanted) return;
  forget(wanted->first);
  out.emplace_back(effect::Tell{
      ike::command::Terminate{.request = wanted->second, .filter = std::move(wanted->first)}});
}

/// IKE_SAs that we have set up are authenticated anew, children and all.
void Commands::reauthenticate() {
  const auto filter = some_filter();
  if (!filter) return;
  std::uint64_t count = 0;
  for (const ike::IkeStatus& sa : view.status().sas) {
    if (!fits(sa, *filter) || !sa.first_initiator) continue;
    const bool has_child = std::ranges::any_of(
        sa.children, [&](const ike::ChildStatus& child) { return fits(child, *filter); });
    if (names_children(*filter) && !has_child) continue;
    if (sa.state != ike::IkeStatus::State::established) continue;
    ++count;
    self.start(self.open({.kind = Controller::Operation::Kind::initiate,
                          .key = {sa.connection, {}},
                          .instead_of = sa.id,
                          .remote = sa.remote.address}),
               out, now);
  }
  if (count == 0) return refuse("no IKE_SA that we have set up matches: its initiator does that");
  vici::Message answer;
  answer.add_flag("success", true).add("matches", count);
  respond(std::move(answer));
}

void Commands::redirect() { refuse("redirect (RFC 5685) is not supported yet"); }

void Commands::rekey() {
  if (request.flag("reauth")) return reauthenticate();
  auto wanted = filtered(Controller::Operation::Kind::other);
  if (!wanted) return;
  out.emplace_back(effect::Tell{
      ike::command::Rekey{.request = wanted->second, .filter = std::move(wanted->first)}});
}

void Commands::list_sas() {
  const auto wanted = filter();
  if (!wanted) return;
  std::deque<Listing::Part> parts;
  for (ike::IkeStatus& sa : view.status().sas) {
    if (!fits(sa, *wanted)) continue;
    std::erase_if(sa.children, [&](const auto& child) { return !fits(child, *wanted); });
    if (names_children(*wanted) && sa.children.empty()) continue;
    parts.emplace_back(part::Sa{std::move(sa)});
  }
  list("list-sa", std::move(parts));
}

void Commands::list_policies() {
  static const model::ChildTemplate kUnknown;
  // Without a kind all are meant.
  const bool all = !request.flag("drop") && !request.flag("pass") && !request.flag("trap");
  std::deque<Listing::Part> parts;
  for (const ike::ChildStatus& routed : view.status().routed) {
    const std::string& ike = routed.connection;
    const std::string& name = routed.name;
    const model::Connection* connection = self.find(ike);
    const model::ChildTemplate* known =
        connection == nullptr ? nullptr : connection->find_child(name);
    const model::ChildTemplate& child = known == nullptr ? kUnknown : *known;
    const bool wanted = all || (child.mode == model::ChildMode::drop && request.flag("drop")) ||
                        (child.mode == model::ChildMode::pass && request.flag("pass")) ||
                        (!child.is_shunt() && request.flag("trap"));
    const bool fits = (request.text("ike").empty() || request.text("ike") == ike) &&
                      (request.text("child").empty() || request.text("child") == name);
    if (wanted && fits) parts.emplace_back(part::Policy{routed});
  }
  list("list-policy", std::move(parts));
}

}  // namespace cygnet::control
