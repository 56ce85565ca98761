// The commands of the vici socket: strongSwan's names, keys and answers, and our own cygnet-*.
#include "control/commands.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/report.hpp"

namespace cygnet::control {

// --- answers -------------------------------------------------------------------------------------

void Commands::done() {
  vici::Message message;
  message.add_flag("success", true);
  respond(std::move(message));
}

void Commands::refuse(std::string_view why) {
  vici::Message message;
  message.add_flag("success", false).add("errmsg", why);
  respond(std::move(message));
}

void Commands::answer(const Result<void>& result) {
  if (result) return done();
  refuse(result.error().text());
}

bool Commands::refuse_faults(const config::Diagnostics& diags) {
  std::string errors;
  for (const config::Diagnostic& one : diags.sorted()) {
    if (one.severity == config::Severity::warning) {
      warn(one.line());
    } else {
      errors += (errors.empty() ? "" : "; ") + one.place.text() + ": " + one.text;
    }
  }
  if (errors.empty()) return false;
  refuse(errors);
  return true;
}

void Commands::warn(std::string text) {
  out.emplace_back(effect::Log{{.level = model::LogLevel::warning,
                                .group = model::LogGroup::cfg,
                                .sentence = std::move(text),
                                .event = "warning"}});
}

// --- about the daemon ----------------------------------------------------------------------------

void Commands::version() {
  vici::Message message;
  message.add("daemon", "cygnetd").add("version", self.build_.version);
  message.add("sysname", self.build_.sysname).add("release", self.build_.release);
  message.add("machine", self.build_.machine);
  respond(std::move(message));
}

void Commands::stats() { respond(stats_message(view, self.started_, now)); }

void Commands::plan() { out.emplace_back(effect::Reload{.client = client, .only_plan = true}); }

void Commands::reload() { out.emplace_back(effect::Reload{.client = client}); }

void Commands::reload_settings() { out.emplace_back(effect::ReloadSettings{client}); }

void Commands::failures() {
  for (const Failure& failure : self.failures_.failures()) {
    stream(kFailureEvent, failure_message(failure, now));
  }
  respond({});
}

void Commands::get_counters() {
  const ike::CounterBook& book = view.counters();
  const std::string_view name = request.text("name");
  vici::Message message;
  vici::Message& counters = message.section("counters");
  const auto& of = book.of_connections();
  if (request.flag("all")) {
    for (const auto& [connection, counts] : of) counters.add(connection, counts_message(counts));
  } else if (name.empty()) {
    counters.add("", counts_message(book.all()));
  } else if (const auto at = of.find(name); at != of.end()) {
    counters.add(name, counts_message(at->second));
  } else {
    return refuse(fmt::format("no counters of a connection '{}'", name));
  }
  message.add_flag("success", true);
  respond(std::move(message));
}

void Commands::reset_counters() {
  const std::string_view name = request.text("name");
  if (!name.empty() && !view.counters().of_connections().contains(name)) {
    return refuse(fmt::format("no counters of a connection '{}'", name));
  }
  out.emplace_back(effect::ResetCounters{std::string{name}, request.flag("all")});
  done();
}

void Commands::get_algorithms() { respond(algorithms_message(self.crypto_)); }

// --- the table -----------------------------------------------------------------------------------

namespace {

struct CommandRow {
  std::string_view name;
  void (Commands::*run)();
};
constexpr CommandRow kCommands[] = {
    {"version", &Commands::version},
    {"stats", &Commands::stats},
    {"reload-settings", &Commands::reload_settings},
    {"initiate", &Commands::initiate},
    {"terminate", &Commands::terminate},
    {"rekey", &Commands::rekey},
    {"redirect", &Commands::redirect},
    {"install", &Commands::install},
    {"uninstall", &Commands::uninstall},
    {"list-sas", &Commands::list_sas},
    {"list-policies", &Commands::list_policies},
    {"list-conns", &Commands::list_conns},
    {"get-conns", &Commands::get_conns},
    {"list-certs", &Commands::list_certs},
    {"list-authorities", &Commands::list_authorities},
    {"get-authorities", &Commands::get_authorities},
    {"load-conn", &Commands::load_conn},
    {"unload-conn", &Commands::unload_conn},
    {"load-cert", &Commands::load_cert},
    {"load-key", &Commands::load_key},
    {"unload-key", &Commands::unload_key},
    {"get-keys", &Commands::get_keys},
    {"load-token", &Commands::load_token},
    {"load-shared", &Commands::load_shared},
    {"unload-shared", &Commands::unload_shared},
    {"get-shared", &Commands::get_shared},
    {"flush-certs", &Commands::flush_certs},
    {"clear-creds", &Commands::clear_creds},
    {"load-authority", &Commands::load_authority},
    {"unload-authority", &Commands::unload_authority},
    {"load-pool", &Commands::load_pool},
    {"unload-pool", &Commands::unload_pool},
    {"get-pools", &Commands::get_pools},
    {"get-algorithms", &Commands::get_algorithms},
    {"get-counters", &Commands::get_counters},
    {"reset-counters", &Commands::reset_counters},
    // Ours.
    {"cygnet-plan", &Commands::plan},
    {"cygnet-reload", &Commands::reload},
    {"cygnet-failures", &Commands::failures},
};

}  // namespace

const vici::Catalogue& Controller::catalogue() {
  static const vici::Catalogue kCatalogue = [] {
    vici::Catalogue out;
    for (const CommandRow& row : kCommands) out.commands.emplace(row.name);
    out.events = {"log",       "control-log",    "list-sa",        "list-policy",
                  "list-conn", "list-cert",      "list-authority", "ike-updown",
                  "ike-rekey", "ike-update",     "child-updown",   "child-rekey",
                  "alert",     "cygnet-failure", "cygnet-change"};
    return out;
  }();
  return kCatalogue;
}

void Controller::handle(ClientId client, const vici::Request& request, const View& view,
                        Instant now, Effects& out) {
  Commands commands{.self = *this,
                    .client = client,
                    .request = request.message,
                    .view = view,
                    .now = now,
                    .out = out};
  const auto row =
      std::ranges::find(kCommands, std::string_view{request.command}, &CommandRow::name);
  // The session answers what is not in the catalogue by itself.
  if (row == std::end(kCommands)) return commands.refuse("unknown command");
  (commands.*(row->run))();
}

}  // namespace cygnet::control
