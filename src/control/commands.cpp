// The commands of the vici socket: strongSwan's names, keys and answers, and our own cygnet-*.
#include <fmt/format.h>

#include <algorithm>

#include "control/controller.hpp"
#include "control/report.hpp"

namespace cygnet::control {
namespace {

vici::Message done() {
  vici::Message out;
  out.add_flag("success", true);
  return out;
}

vici::Message refused(std::string_view why) {
  vici::Message out;
  out.add_flag("success", false).add("errmsg", why);
  return out;
}

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

}  // namespace

/// One command: what it needs, then one function each.
struct Commands {
  Controller& self;
  ClientId client;
  const vici::Message& request;
  const View& view;
  Instant now;
  Effects& out;

  void respond(vici::Message message) {
    out.emplace_back(effect::Respond{client, std::move(message)});
  }
  void stream(std::string_view event, vici::Message message) {
    out.emplace_back(effect::Stream{client, std::string{event}, std::move(message)});
  }

  void version() {
    vici::Message answer;
    answer.add("daemon", "cygnetd").add("version", self.build_.version);
    answer.add("sysname", self.build_.sysname).add("release", self.build_.release);
    answer.add("machine", self.build_.machine);
    respond(std::move(answer));
  }

  void stats() {
    const ike::Status status = view.status();
    vici::Message answer;
    const auto running = std::chrono::duration_cast<std::chrono::seconds>(now - self.started_);
    answer.section("uptime").add("running", fmt::format("{} seconds", running.count()));
    answer.section("ikesas")
        .add("total", std::uint64_t{status.sas.size()})
        .add("half-open", std::uint64_t{status.half_open});
    respond(std::move(answer));
  }

  void reload() { out.emplace_back(effect::Reload{client}); }

  /// The child (or whole connection) that `child` and `ike` name; answers when there is none.
  std::optional<ChildKey> wanted_child() {
    const std::string_view ike = request.text("ike");
    const std::string_view child = request.text("child");
    for (const model::Connection& connection : self.connections_) {
      if (!ike.empty() && connection.name != ike) continue;
      if (child.empty() && !ike.empty()) return ChildKey{connection.name, {}};
      if (connection.find_child(child) != nullptr) {
        return ChildKey{connection.name, std::string{child}};
      }
    }
    respond(refused(child.empty() ? fmt::format("no connection '{}'", ike)
                                  : fmt::format("no child '{}'{}", child,
                                                ike.empty() ? "" : fmt::format(" in '{}'", ike))));
    return std::nullopt;
  }

  std::optional<Instant> timeout() const {
    const auto ms = request.number("timeout");
    if (!ms || *ms == 0) return std::nullopt;
    return now + std::chrono::milliseconds{std::min(*ms, kTimeoutMsMax)};
  }

  void initiate() {
    const auto key = wanted_child();
    if (!key) return;
    begin(Controller::Operation::Kind::initiate, *key);
  }

  void install() {
    const auto key = wanted_child();
    if (!key) return;
    begin(Controller::Operation::Kind::route, *key);
  }

  void begin(Controller::Operation::Kind kind, const ChildKey& key) {
    Controller::Operation operation{.kind = kind, .key = key};
    const bool waits = request.text("timeout") != kNoWait;
    if (waits) {
      operation.client = client;
      operation.deadline = timeout();
      operation.streams_log = request.number("loglevel").value_or(1) > 0;
    } else {
      respond(done());
    }
    self.start(self.open(std::move(operation)), out, now);
  }

  void uninstall() {
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
  std::uint64_t matches(const ike::command::Filter& filter) const {
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
  void forget(const ike::command::Filter& filter) {
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
    for (const model::Connection& connection : self.connections_) {
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

  std::optional<std::pair<ike::command::Filter, ike::RequestId>> filtered() {
    ike::command::Filter filter = filter_of(request);
    if (is_empty(filter)) {
      respond(refused("say which: child, ike, child-id or ike-id"));
      return std::nullopt;
    }
    const std::uint64_t count = matches(filter);
    Controller::Operation operation{.kind = Controller::Operation::Kind::other,
                                    .key = {filter.connection, filter.child},
                                    .matches = count};
    if (request.text("timeout") != kNoWait) {
      operation.client = client;
      operation.deadline = timeout();
    } else {
      respond(done().add("matches", count));
    }
    return std::pair{std::move(filter), self.open(std::move(operation))};
  }

  void terminate() {
    auto wanted = filtered();
    if (!wanted) return;
    forget(wanted->first);
    out.emplace_back(effect::Tell{
        ike::command::Terminate{.request = wanted->second, .filter = std::move(wanted->first)}});
  }

  void rekey() {
    auto wanted = filtered();
    if (!wanted) return;
    out.emplace_back(effect::Tell{
        ike::command::Rekey{.request = wanted->second, .filter = std::move(wanted->first)}});
  }

  void list_sas() {
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

  void list_policies() {
    for (const ike::ChildStatus& routed : view.status().routed) {
      const std::size_t slash = routed.name.rfind('/');
      const model::Connection* connection = self.find(routed.name.substr(0, slash));
      const model::ChildTemplate* child =
          connection == nullptr ? nullptr : connection->find_child(routed.name.substr(slash + 1));
      stream("list-policy",
             policy_message(routed, child == nullptr ? model::ChildTemplate{} : *child));
    }
    respond({});
  }

  void list_conns() {
    const std::string_view only = request.text("ike");
    for (const model::Connection& connection : self.connections_) {
      if (only.empty() || connection.name == only) {
        stream("list-conn", connection_message(connection));
      }
    }
    respond({});
  }

  void get_conns() {
    vici::List names;
    for (const model::Connection& connection : self.connections_) names.push_back(connection.name);
    vici::Message answer;
    answer.add("conns", std::move(names));
    respond(std::move(answer));
  }

  void get_pools() {
    vici::Message answer;
    const std::string_view only = request.text("name");
    for (const auto& [name, pool] : self.pools_.all()) {
      if (!only.empty() && name != only) continue;
      answer.add(name, pool_message(pool, request.flag("leases")));
    }
    respond(std::move(answer));
  }

  void failures() {
    for (const ike::FailureRecord& record : self.failures_.records()) {
      stream("cygnet-failure", failure_message(record, now));
    }
    respond({});
  }
};

namespace {

struct CommandRow {
  std::string_view name;
  void (Commands::*run)();
};
constexpr CommandRow kCommands[] = {
    {"version", &Commands::version},       {"stats", &Commands::stats},
    {"cygnet-reload", &Commands::reload},  {"initiate", &Commands::initiate},
    {"terminate", &Commands::terminate},   {"rekey", &Commands::rekey},
    {"install", &Commands::install},       {"uninstall", &Commands::uninstall},
    {"list-sas", &Commands::list_sas},     {"list-policies", &Commands::list_policies},
    {"list-conns", &Commands::list_conns}, {"get-conns", &Commands::get_conns},
    {"get-pools", &Commands::get_pools},   {"cygnet-failures", &Commands::failures},
};

}  // namespace

const vici::Catalogue& Controller::catalogue() {
  static const vici::Catalogue kCatalogue = [] {
    vici::Catalogue out;
    for (const CommandRow& row : kCommands) out.commands.emplace(row.name);
    out.events = {"list-sa", "list-policy", "list-conn", "control-log", "cygnet-failure"};
    return out;
  }();
  return kCatalogue;
}

void Controller::handle(ClientId client, const vici::Request& request, const View& view,
                        Instant now, Effects& out) {
  Commands commands{*this, client, request.message, view, now, out};
  if (operations_.size() >= kOperationsMax) return commands.respond(refused("too many requests"));
  const auto row =
      std::ranges::find(kCommands, std::string_view{request.command}, &CommandRow::name);
  // The session answers what is not in the catalogue by itself.
  if (row == std::end(kCommands)) return commands.respond(refused("unknown command"));
  (commands.*(row->run))();
}

}  // namespace cygnet::control
