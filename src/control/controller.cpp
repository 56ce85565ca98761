#include "control/controller.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/fate.hpp"
#include "control/journal.hpp"
#include "control/plan.hpp"
#include "control/report.hpp"
#include "control/target.hpp"

namespace cygnet::control {
namespace {

ike::answer::Refused gone(const std::string& connection) {
  return {.reason = ike::Reason::no_connection,
          .ours = "it was taken out of the configuration",
          .theirs = connection,
          .advice = "configure it again, or connect to another"};
}

/// No address stands behind remote_addrs, or no way leads there.
ike::FailureRecord nowhere_to_call(const std::string& connection, const Error& error, Instant now) {
  return {.at = now,
          .connection = connection,
          .initiator = true,
          .phase = "before IKE_SA_INIT",
          .reason = ike::Reason::unreachable,
          .field = "remote_addrs",
          .theirs = error.text(),
          .advice = "check the name or address in remote_addrs, this host's DNS and its routes"};
}

/// How long ago a child carried a packet either way; refused when the plane does not know.
decltype(ike::Answer::result) use_of(const std::optional<model::SaStats>& stats) {
  if (!stats) return ike::answer::Refused{};
  std::optional<Duration> idle = stats->idle_in;
  if (stats->idle_out && (!idle || *stats->idle_out < *idle)) idle = stats->idle_out;
  return ike::answer::ChildUse{.idle = idle};
}

/// What is suspicious, as much of it as a client takes at once.
vici::List lines_of(const config::Diagnostics& diags) {
  constexpr std::size_t kOctetsMax = 64 * 1024;
  vici::List out;
  std::size_t octets = 0;
  const auto all = diags.sorted();
  for (const config::Diagnostic& one : all) {
    std::string line = one.line();
    octets += line.size();
    if (octets > kOctetsMax) {
      out.push_back(fmt::format("... and {} more", all.size() - out.size()));
      break;
    }
    out.push_back(std::move(line));
  }
  return out;
}

/// One of the few results an ask can have, as one of all.
template <class Results>
ike::Answer widened(ike::AskId id, Results results) {
  return std::visit([id](auto& one) { return ike::Answer{id, std::move(one)}; }, results);
}

}  // namespace

Controller::Controller(const crypto::Provider& crypto, Rng& rng, BuildInfo build, Instant now)
    : crypto_(crypto), rng_(rng), build_(std::move(build)), started_(now) {}

bool Controller::configure(config::Loaded loaded, config::Diagnostics& diags, Instant now,
                           Effects& out) {
  const FilePools pools{loaded.pools, loaded.ipsec_pools};
  auto staged = configuration_.stage(std::move(loaded), diags);
  if (!staged) return false;
  commit(*std::move(staged), pools, now, out);
  return true;
}

void Controller::reload(const effect::Reload& asked, config::Loaded loaded,
                        config::Diagnostics& diags, const View& view, Instant now, Effects& out) {
  const FilePools pools{loaded.pools, loaded.ipsec_pools};
  auto staged = configuration_.stage(std::move(loaded), diags);
  if (!staged) {
    return refuse_reload(asked.client, "load the configuration:\n" + diags.text(), out);
  }
  Listing listing{.event = std::string{kChangeEvent}, .parts = {}, .last = {}};
  for (Change& change : plan_of(*staged, pools_.changes_to(pools.all), routed_, view)) {
    listing.parts.emplace_back(part::Change{control::message_of(change)});
  }
  listing.last.add_flag("success", true);
  vici::List warnings = lines_of(diags);
  if (!warnings.empty()) listing.last.add("warnings", std::move(warnings));
  if (!asked.only_plan) commit(*std::move(staged), pools, now, out);
  listings_.insert_or_assign(asked.client, std::move(listing));
  resume(asked.client, view, now, out);
}

void Controller::refuse_reload(ClientId client, std::string faults, Effects& out) {
  // A value of vici has an end.
  static constexpr std::string_view kMore = "\n...";
  if (faults.size() > vici::kValueMax)
    faults.replace(vici::kValueMax - kMore.size(), std::string::npos, kMore);
  reloaded(client, faults, out);
}

void Controller::commit(Configuration::Staged staged, const FilePools& pools, Instant now,
                        Effects& out) {
  const FileChanges changes = configuration_.commit(std::move(staged));
  pools_.configure(pools);
  apply(changes.connections, now, out);
  if (!changes.rearranged) return;
  ike::command::ArrangeConnections order;
  for (const model::Connection& one : configuration_.connections()) order.names.push_back(one.name);
  out.emplace_back(effect::Tell{std::move(order)});
}

void Controller::apply(const ConnectionChanges& changes, Instant now, Effects& out) {
  tell_authorities(out);
  for (const ConnectionChange& change : changes) {
    retire(change, out);
    if (change.after) {
      out.emplace_back(effect::Tell{ike::command::PutConnection{*change.after}});
      begin(change, now);
    } else {
      out.emplace_back(effect::Tell{ike::command::DropConnection{change.before->name}});
      out.emplace_back(effect::ResetCounters{.connection = change.before->name, .each = false});
    }
  }
  tick(now, out);
}

void Controller::credentials_changed(Instant now, Effects& out) {
  apply(configuration_.complete_again(), now, out);
}

void Controller::tell_authorities(Effects& out) {
  std::vector<Bytes> hashes = configuration_.credentials().authority_hashes();
  if (hashes == announced_) return;
  announced_ = hashes;
  out.emplace_back(effect::Tell{ike::command::SetAuthorities{std::move(hashes)}});
}

/// What is configured no more, or differently, goes before the new comes.
void Controller::retire(const ConnectionChange& change, Effects& out) {
  if (!change.before) return;
  const model::Connection& before = *change.before;
  for (const model::ChildTemplate& child : before.children) {
    if (same_child(change, child.name)) continue;
    const ChildKey key{before.name, child.name};
    triggers_.erase(key);
    wanted_.forget(key);
    routes_.forget(key);
    down_.erase(key);
    if (!route_ends(change, child) || routed_.erase(key) == 0) continue;
    out.emplace_back(
        effect::Tell{ike::command::Unroute{.connection = key.connection, .child = key.child}});
  }
  for (std::string& child : tunnels_that_end(change)) {
    out.emplace_back(effect::Tell{
        ike::command::Terminate{.filter = {.connection = before.name, .child = std::move(child)}}});
  }
}

void Controller::begin(const ConnectionChange& change, Instant now) {
  const model::Connection& connection = *change.after;
  for (const model::ChildTemplate& child : connection.children) {
    const ChildKey key{connection.name, child.name};
    if (same_child(change, child.name)) {
      // What an attempt has lacked may have come.
      if (change.before->local != connection.local) wanted_.hurry(key, now);
      continue;
    }
    if (child.start_action == model::ChildAction::none && !child.keep_up) continue;
    if (is_routed(child)) {
      routes_.want(key, now, 0);
      if (!child.keep_up) continue;
    }
    // An end that can only be called keeps nothing up itself.
    if (child.start_action != model::ChildAction::start && !target_of(connection, 1)) continue;
    static_cast<void>(want(connection.name, child.name, now));
  }
}

// --- answers -------------------------------------------------------------------------------------

ike::Answer Controller::answer(const ike::Ask& ask, View& view, WallTime wall) {
  return std::visit(
      [&](const auto& what) {
        using What = std::remove_cvref_t<decltype(what)>;
        if constexpr (std::is_same_v<What, ike::ask::ChildUse>) {
          return ike::Answer{ask.id, use_of(view.stats(what.child))};
        } else if constexpr (std::is_same_v<What, ike::ask::Paths>) {
          return ike::Answer{ask.id, ike::answer::Paths{.paths = view.paths(what.remotes)}};
        } else {
          const model::Connection* connection = find(what.connection);
          if (connection == nullptr) return ike::Answer{ask.id, gone(what.connection)};
          if constexpr (std::is_same_v<What, ike::ask::Sign>) {
            return widened(ask.id, configuration_.credentials().sign(what, *connection));
          } else if constexpr (std::is_same_v<What, ike::ask::SharedKeyMac>) {
            return widened(ask.id, configuration_.credentials().mac(crypto_, what));
          } else if constexpr (std::is_same_v<What, ike::ask::CheckCertificates>) {
            return widened(ask.id, configuration_.credentials().check(what, *connection, wall));
          } else {
            static_assert(std::is_same_v<What, ike::ask::Lease>);
            return widened(ask.id, pools_.lease(what, connection->pools));
          }
        }
      },
      ask.what);
}

std::vector<IpRange> Controller::pool_ranges() const {
  std::vector<IpRange> out;
  for (const auto& [name, pool] : pools_.all()) out.push_back(pool.config().range);
  return out;
}

// --- events --------------------------------------------------------------------------------------

void Controller::handle(const ike::Event& event, const View& view, Instant now, Effects& out) {
  if (auto line = line_of(event)) {
    stream_log(*line, out);
    out.emplace_back(effect::Log{*std::move(line)});
  }
  if (auto told = event_message(event, view, now)) {
    out.emplace_back(effect::Publish{std::move(told->name), std::move(told->message)});
  }
  if (const auto* failed = std::get_if<ike::event::Failed>(&event)) {
    keep(failed->record, &view, now, out);
  } else if (const auto* done = std::get_if<ike::event::CommandDone>(&event)) {
    finish(done->request, done->success, done->error, out, now);
  } else if (const auto* wanted = std::get_if<ike::event::WantUp>(&event)) {
    if (!want(wanted->connection, wanted->child, now)) return;
    if (wanted->trigger) {
      triggers_.insert_or_assign({wanted->connection, wanted->child}, *wanted->trigger);
    }
    tick(now, out);
  } else if (const auto* unrouted = std::get_if<ike::event::Unrouted>(&event)) {
    lose_route(*unrouted, now, out);
  } else if (const auto* route = std::get_if<ike::event::WantRoute>(&event)) {
    const ChildKey key{route->connection, route->child};
    if (find(key.connection) == nullptr || routed_.contains(key)) return;
    routes_.want(key, now, 0);
    tick(now, out);
  } else if (const auto* reauth = std::get_if<ike::event::WantReauth>(&event)) {
    start(open({.kind = Operation::Kind::initiate,
                .key = {reauth->connection, {}},
                .instead_of = reauth->sa,
                .remote = reauth->remote}),
          out, now);
  } else if (const auto* up = std::get_if<ike::event::ChildUp>(&event)) {
    down_.erase({up->connection, up->name});
    triggers_.erase({up->connection, up->name});
  } else if (const auto* down = std::get_if<ike::event::ChildDown>(&event)) {
    if (want_back(*down, now)) tick(now, out);
  } else if (const auto* rekeyed = std::get_if<ike::event::IkeRekeyed>(&event)) {
    pools_.transfer(rekeyed->old, rekeyed->fresh);
  }
}

void Controller::keep(const ike::FailureRecord& record, const View* view, Instant now,
                      Effects& out) {
  const Failure& kept = failures_.add(record);
  if (view != nullptr && !view->anybody_hears(kFailureEvent)) return;
  out.emplace_back(effect::Publish{std::string{kFailureEvent}, failure_message(kept, now)});
}

bool Controller::want(const std::string& connection, const std::string& child, Instant now) {
  const model::Connection* at = find(connection);
  if (at == nullptr) return false;
  const model::ChildTemplate* found = at->find_child(child);
  const bool for_ever =
      found != nullptr && (found->stays_up() || found->dpd_action == model::ChildAction::start);
  const bool keep_up = found != nullptr && found->keep_up;
  wanted_.want({connection, child}, now, for_ever ? 0 : at->keyingtries,
               keep_up ? kKeepUpRetryMax : kRetryMax);
  return true;
}

bool Controller::want_back(const ike::event::ChildDown& down, Instant now) {
  const model::Connection* connection = find(down.connection);
  const model::ChildTemplate* child =
      connection == nullptr ? nullptr : connection->find_child(down.name);
  // Whoever only answers cannot call: the other end keeps it up.
  if (child == nullptr || !child->keep_up || down_.contains({down.connection, down.name}) ||
      !target_of(*connection, 1)) {
    return false;
  }
  return want(down.connection, down.name, now);
}

void Controller::network_changed(Instant now, Effects& out) {
  wanted_.hurry(now);
  routes_.hurry(now);
  tick(now, out);
}

void Controller::stream_log(const LogLine& line, Effects& out) const {
  for (const auto& [request, operation] : operations_) {
    if (!operation.streams_log || operation.key.connection != line.value("connection")) {
      continue;
    }
    out.emplace_back(effect::Stream{*operation.client, "control-log", log_message(line)});
  }
}

// --- operations ----------------------------------------------------------------------------------

ike::RequestId Controller::open(Operation operation) {
  const ike::RequestId request{next_request_++};
  operations_.emplace(request, std::move(operation));
  return request;
}

/// Finds out where to call; goes on in resolved().
void Controller::start(ike::RequestId request, Effects& out, Instant now) {
  const Operation& operation = operations_.at(request);
  const model::Connection* connection = find(operation.key.connection);
  if (connection == nullptr) {
    return finish(request, false, fmt::format("no connection '{}'", operation.key.connection), out,
                  now);
  }
  const model::ChildTemplate* child = connection->find_child(operation.key.child);
  if (operation.kind == Operation::Kind::route && child != nullptr && child->is_shunt()) {
    return resolved(request, Route{}, out, now);  // nobody is called for a shunt
  }
  auto target = target_of(*connection, wanted_.attempts(operation.key));
  // Whoever is reauthenticated is called where it is.
  if (target && operation.remote) target->remote = IpRange{*operation.remote, *operation.remote};
  if (!target) return finish(request, false, target.error().text(), out, now);
  out.emplace_back(effect::Resolve{request, *std::move(target)});
}

void Controller::resolved(ike::RequestId request, const Result<Route>& route, Effects& out,
                          Instant now) {
  const auto at = operations_.find(request);
  if (at == operations_.end()) return;  // its client has given up
  if (!route) {
    keep(nowhere_to_call(at->second.key.connection, route.error(), now), nullptr, now, out);
    return finish(request, false, route.error().text(), out, now);
  }
  const ChildKey& key = at->second.key;
  if (at->second.kind == Operation::Kind::route) {
    out.emplace_back(effect::Tell{ike::command::Route{.request = request,
                                                      .connection = key.connection,
                                                      .child = key.child,
                                                      .local = route->local,
                                                      .remote = route->remote}});
  } else {
    out.emplace_back(effect::Tell{ike::command::Initiate{.request = request,
                                                         .connection = key.connection,
                                                         .child = key.child,
                                                         .local = route->local,
                                                         .remote = route->remote,
                                                         .instead_of = at->second.instead_of,
                                                         .trigger = at->second.trigger}});
  }
}

void Controller::finish(ike::RequestId request, bool success, const std::string& error,
                        Effects& out, Instant now) {
  const auto at = operations_.find(request);
  if (at == operations_.end()) return;
  const Operation operation = std::move(at->second);
  operations_.erase(at);
  if (operation.client) {
    vici::Message answer;
    answer.add_flag("success", success);
    if (operation.matches) {
      answer.add("matches", *operation.matches);
      if (operation.kind == Operation::Kind::terminate) {
        answer.add("terminated", success ? *operation.matches : std::uint64_t{0});
      }
    }
    if (!success) answer.add("errmsg", escaped(error));
    out.emplace_back(effect::Respond{*operation.client, std::move(answer)});
  }
  const bool route = operation.kind == Operation::Kind::route;
  if (!route && operation.kind != Operation::Kind::initiate) return;
  Supervisor& supervisor = route ? routes_ : wanted_;
  if (operation.instead_of != ike::SaId{}) {
    // The old IKE_SA stays up with what the new one does not have, and asks again.
    if (!success) {
      LogLine line{
          .level = model::LogLevel::warning,
          .sentence = fmt::format("{}: reauthentication: {}", operation.key.connection, error),
          .event = "reauthentication-failed"};
      line.with("connection", operation.key.connection).with("why", error);
      out.emplace_back(effect::Log{std::move(line)});
    }
    return;
  }
  if (success) {
    supervisor.succeeded(operation.key, now);
    if (route) routed_.insert(operation.key);
    return;
  }
  if (!operation.client) try_later(supervisor, operation.key, error, now, out);
}

void Controller::try_later(Supervisor& supervisor, const ChildKey& key, const std::string& error,
                           Instant now, Effects& out) {
  const std::string name = key.connection + "/" + key.child;
  const auto pause = supervisor.failed(key, now, rng_);
  LogLine line{.group = model::LogGroup::cfg};
  if (pause) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*pause).count();
    line.sentence = fmt::format("{}: {}; next try in {} s", name, error, seconds);
    line.event = "retry";
  } else {
    line.level = model::LogLevel::warning;
    line.sentence = fmt::format("{}: {}; given up", name, error);
    line.event = "given-up";
  }
  line.with("connection", key.connection).with("child", key.child).with("why", error);
  out.emplace_back(effect::Log{std::move(line)});
}

/// The data plane refuses after the command was answered: that success was none.
void Controller::lose_route(const ike::event::Unrouted& unrouted, Instant now, Effects& out) {
  const ChildKey key{unrouted.connection, unrouted.child};
  if (!routed_.contains(key)) return;  // somebody has taken it away since
  if (!unrouted.old_one_stands) routed_.erase(key);
  try_later(routes_, key, "it could not be installed", now, out);
}

void Controller::want_again(Operation::Kind kind, const ChildKey& key, Instant now) {
  const model::Connection* connection = find(key.connection);
  if (connection == nullptr) return;
  for (const model::ChildTemplate& child : connection->children) {
    if (!key.child.empty() && child.name != key.child) continue;
    const ChildKey one{connection->name, child.name};
    // A moment later: when the operator's own attempt succeeds at once there is no other.
    const Instant due = now + kRetryMin;
    if (kind == Operation::Kind::route) {
      if (is_routed(child)) routes_.want(one, due, 0);
      continue;
    }
    if (child.is_shunt()) continue;
    down_.erase(one);
    const bool stays = child.keep_up || child.start_action == model::ChildAction::start;
    if (stays && target_of(*connection, 1)) static_cast<void>(want(one.connection, one.child, due));
  }
}

std::size_t Controller::asked_for() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(operations_, [](const auto& one) { return one.second.asked; }));
}

std::size_t Controller::attempts_under_way() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(operations_, [](const auto& one) { return one.second.attempt; }));
}

void Controller::cancel(Operation::Kind kind, const ChildKey& key, std::string_view why,
                        Effects& out) {
  std::vector<ike::RequestId> ended;
  for (const auto& [request, operation] : operations_) {
    const bool fits = operation.kind == kind && operation.key.connection == key.connection &&
                      (key.child.empty() || operation.key.child == key.child);
    if (fits) ended.push_back(request);
  }
  for (const ike::RequestId request : ended) {
    const Operation operation = std::move(operations_.at(request));
    operations_.erase(request);
    if (!operation.client) continue;
    vici::Message answer;
    answer.add_flag("success", false).add("errmsg", why);
    out.emplace_back(effect::Respond{*operation.client, std::move(answer)});
  }
}

void Controller::disconnected(ClientId client) {
  std::erase_if(operations_, [client](const auto& entry) { return entry.second.client == client; });
  listings_.erase(client);
}

void Controller::reloaded(ClientId client, const std::string& faults, Effects& out) {
  vici::Message answer;
  answer.add_flag("success", faults.empty());
  if (!faults.empty()) answer.add("errmsg", faults);
  out.emplace_back(effect::Respond{client, std::move(answer)});
}

void Controller::tick(Instant now, Effects& out) {
  const auto room = [this] {
    const std::size_t under_way = attempts_under_way();
    return kAttemptsMax - std::min(under_way, kAttemptsMax);
  };
  for (const ChildKey& key : routes_.take_due(now, room())) {
    start(open({.kind = Operation::Kind::route, .key = key, .attempt = true}), out, now);
  }
  for (const ChildKey& key : wanted_.take_due(now, room())) {
    Operation operation{.kind = Operation::Kind::initiate, .key = key, .attempt = true};
    if (const auto at = triggers_.find(key); at != triggers_.end()) operation.trigger = at->second;
    start(open(std::move(operation)), out, now);
  }
  // The attempt goes on; only its client stops waiting.
  for (auto& [request, operation] : operations_) {
    if (!operation.deadline || *operation.deadline > now) continue;
    operation.deadline.reset();
    operation.streams_log = false;
    vici::Message answer;
    answer.add_flag("success", false).add("errmsg", "timeout: still trying, see the log");
    out.emplace_back(effect::Respond{*operation.client, std::move(answer)});
    operation.client.reset();
  }
}

std::optional<Instant> Controller::deadline() const {
  std::optional<Instant> out;
  const auto earlier = [&out](const std::optional<Instant>& other) {
    if (other && (!out || *other < *out)) out = other;
  };
  // Without room the end of an attempt wakes us.
  if (attempts_under_way() < kAttemptsMax) {
    earlier(wanted_.deadline());
    earlier(routes_.deadline());
  }
  for (const auto& [request, operation] : operations_) earlier(operation.deadline);
  return out;
}

}  // namespace cygnet::control
