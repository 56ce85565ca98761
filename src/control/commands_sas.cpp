// Bringing up, taking down and showing what is up.
#include <fmt/format.h>

#include <algorithm>

#include "control/commands.hpp"
#include "control/report.hpp"

namespace cygnet::control {
namespace {

/// `timeout` in milliseconds: 0 waits, -1 does not.
constexpr std::string_view kNoWait = "-1";
constexpr std::uint64_t kTimeoutMsMax = 24ULL * 3600 * 1000;

ike::command::Filter filter_of(const vici::Message& request) {
  ike::command::Filter out{.connection = std::string{request.text("ike")},
                           .child = std::string{request.text("child")}};
  if (const auto id = request.number("ike-id"))
    out.ike_id = ike::SaId{static_cast<std::uint32_t>(*id)};
  if (const auto id = request.number("child-id")) {
    out.child_id = model::ChildId{static_cast<std::uint32_t>(*id)};
  }
  return out;
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

bool is_shunt(const model::ChildTemplate& child) {
  return child.mode == model::ChildMode::pass || child.mode == model::ChildMode::drop;
}

}  // namespace

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
  const bool waits = request.text("timeout") != kNoWait;
  if (waits) {
    operation.client = client;
    operation.deadline = timeout();
    operation.streams_log = request.number("loglevel").value_or(1) > 0;
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
  const ike::RequestId id =
      self.open({.kind = Controller::Operation::Kind::other, .key = *key, .client = client});
  out.emplace_back(effect::Tell{
      ike::command::Unroute{.request = id, .connection = key->connection, .child = key->child}});
}

/// Children and IKE_SAs that a filter names.
std::uint64_t Commands::matches(const ike::command::Filter& filter) const {
  const bool children = !filter.child.empty() || filter.child_id.value() != 0;
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
  const auto forget_child = [&](const std::string& connection, const std::string& child) {
    self.wanted_.forget({connection, child});
    self.down_.insert({connection, child});
    self.cancel(connection, child, out);
  };
  if (filter.ike_id.value() != 0 || filter.child_id.value() != 0) {
    for (const ike::IkeStatus& sa : view.status().sas) {
      if (!fits(sa, filter)) continue;
      for (const ike::ChildStatus& child : sa.children) {
        if (fits(child, filter)) forget_child(sa.connection, child.name);
      }
    }
    return;
  }
  for (const model::Connection& connection : self.configuration_.connections()) {
    if (!filter.connection.empty() && filter.connection != connection.name) continue;
    for (const model::ChildTemplate& child : connection.children) {
      if (filter.child.empty() || filter.child == child.name) {
        forget_child(connection.name, child.name);
      }
    }
    if (!filter.child.empty()) continue;
    self.wanted_.forget({connection.name, {}});
    self.cancel(connection.name, {}, out);
  }
}

std::optional<std::pair<ike::command::Filter, ike::RequestId>> Commands::filtered(
    Controller::Operation::Kind kind) {
  ike::command::Filter filter = filter_of(request);
  if (is_empty(filter)) {
    refuse("say which: child, ike, child-id or ike-id");
    return std::nullopt;
  }
  const std::uint64_t count = matches(filter);
  Controller::Operation operation{
      .kind = kind, .key = {filter.connection, filter.child}, .matches = count};
  if (request.text("timeout") != kNoWait) {
    operation.client = client;
    operation.deadline = timeout();
    operation.streams_log = request.number("loglevel").value_or(1) > 0;
  } else {
    vici::Message answer;
    answer.add_flag("success", true).add("matches", count);
    respond(std::move(answer));
  }
  return std::pair{std::move(filter), self.open(std::move(operation))};
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
  const ike::command::Filter filter = filter_of(request);
  std::uint64_t count = 0;
  for (const ike::IkeStatus& sa : view.status().sas) {
    if (!fits(sa, filter) || !sa.first_initiator) continue;
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
  const ike::command::Filter filter = filter_of(request);
  const bool children = !filter.child.empty() || filter.child_id.value() != 0;
  for (ike::IkeStatus& sa : view.status().sas) {
    if (!fits(sa, filter)) continue;
    std::erase_if(sa.children, [&](const auto& child) { return !fits(child, filter); });
    if (children && sa.children.empty()) continue;
    stream("list-sa", sa_message(sa, view, now));
  }
  respond({});
}

void Commands::list_policies() {
  // Without a kind all are meant.
  const bool all = !request.flag("drop") && !request.flag("pass") && !request.flag("trap");
  for (const ike::ChildStatus& routed : view.status().routed) {
    const std::string& ike = routed.connection;
    const std::string& name = routed.name;
    const model::Connection* connection = self.find(ike);
    const model::ChildTemplate* known =
        connection == nullptr ? nullptr : connection->find_child(name);
    const model::ChildTemplate child = known == nullptr ? model::ChildTemplate{} : *known;
    const bool wanted = all || (child.mode == model::ChildMode::drop && request.flag("drop")) ||
                        (child.mode == model::ChildMode::pass && request.flag("pass")) ||
                        (!is_shunt(child) && request.flag("trap"));
    const bool fits = (request.text("ike").empty() || request.text("ike") == ike) &&
                      (request.text("child").empty() || request.text("child") == name);
    if (wanted && fits) stream("list-policy", policy_message(routed, child));
  }
  respond({});
}

}  // namespace cygnet::control
