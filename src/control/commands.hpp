// The commands of the vici socket, one function each. Internal to control.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "control/controller.hpp"
#include "control/upper_case.hpp"

namespace cygnet::control {

/// One request: what its command needs. Every command ends in exactly one respond(), now or, with
/// an operation, later.
struct Commands {
  Controller& self;
  ClientId client;
  const vici::Message& request;
  const View& view;
  Instant now;
  Effects& out;

  // commands.cpp: about the daemon
  void version();
  void stats();
  void plan();
  void reload();
  void reload_settings();
  void failures();
  void get_counters();
  void reset_counters();
  void get_algorithms();

  // commands_sas.cpp: what is up and should be
  void initiate();
  void terminate();
  void rekey();
  void redirect();
  void install();
  void uninstall();
  void list_sas();
  void list_policies();

  // commands_load.cpp: the configuration, item by item
  void load_conn();
  void unload_conn();
  void load_cert();
  void load_key();
  void unload_key();
  void get_keys();
  void load_token();
  void load_shared();
  void unload_shared();
  void get_shared();
  void flush_certs();
  void clear_creds();
  void load_authority();
  void unload_authority();
  void load_pool();
  void unload_pool();

  // commands_list.cpp: what is configured
  void list_conns();
  void get_conns();
  void list_certs();
  void list_authorities();
  void get_authorities();
  void get_pools();

  void respond(vici::Message message) {
    out.emplace_back(effect::Respond{client, std::move(message)});
  }
  void stream(std::string_view event, vici::Message message) {
    out.emplace_back(effect::Stream{client, std::string{event}, std::move(message)});
  }
  /// Streams these, and answers when they are told.
  void list(std::string event, std::deque<Listing::Part> parts);
  void done();
  void refuse(std::string_view why);
  /// done() or the error's text.
  void answer(const Result<void>& result);
  /// refuse() with all faults of a section, or nothing. Warnings go to the log.
  [[nodiscard]] bool refuse_faults(const config::Diagnostics& diags);
  void warn(std::string text);

 private:
  [[nodiscard]] const vici::Item* only_section(std::string_view what);
  [[nodiscard]] std::optional<ChildKey> wanted_child();
  [[nodiscard]] std::optional<Instant> timeout() const;
  [[nodiscard]] std::optional<ike::command::Filter> filter();
  [[nodiscard]] std::optional<ike::command::Filter> some_filter();
  [[nodiscard]] bool wants_log() const;
  [[nodiscard]] bool may_wait();
  void reauthenticate();
  void begin(Controller::Operation::Kind kind, const ChildKey& key);
  [[nodiscard]] std::uint64_t matches(const ike::command::Filter& filter) const;
  void forget(const ike::command::Filter& filter);
  [[nodiscard]] std::optional<std::pair<ike::command::Filter, ike::RequestId>> filtered(
      Controller::Operation::Kind kind);
};

}  // namespace cygnet::control
