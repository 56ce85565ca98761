// A controller with nothing around it: its effects are told in a word or two each.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "config/swanctl_parser.hpp"
#include "control/controller.hpp"
#include "toys/rng.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::control::test {

/// A world without SAs, unless a test puts some there.
struct FakeView final : View {
  ike::Status status() const override { return now; }
  std::optional<model::SaStats> stats(model::ChildId) const override { return known; }
  std::vector<ike::Path> paths(const std::vector<IpAddress>& remotes) override {
    return {{IpAddress::v4(1), remotes.front()}};
  }
  const ike::CounterBook& counters() const override { return book; }
  ProcessStats process() const override {
    return {.threads = 3, .idle = 2, .heap = {.used = 4096}};
  }
  std::string wall_clock_text(Instant) const override { return "Nov 26 14:20:01 2026"; }
  bool anybody_hears(std::string_view) const override { return heard; }
  bool heard = true;
  std::optional<model::SaStats> known;
  ike::Status now;
  ike::CounterBook book;
};

struct Bench {
  Bench() : controller(crypto::openssl(), rng, {.version = "1"}, {}) {}

  /// Configures; the faults, empty when it was accepted.
  std::string configure(const std::string& text) {
    cygnet::test::MemoryFiles files;
    config::Diagnostics diags;
    const config::Section root = config::parse_swanctl_text(text, "c", files, diags);
    config::Loaded loaded = config::load_swanctl(root, files, "/d", diags);
    const bool done = controller.configure(std::move(loaded), diags, at, effects);
    EXPECT_EQ(done, !diags.has_errors());
    return diags.text();
  }
  /// The file is read for a client; the faults.
  std::string reload(const std::string& text, bool only_plan) {
    cygnet::test::MemoryFiles files;
    config::Diagnostics diags;
    const config::Section root = config::parse_swanctl_text(text, "c", files, diags);
    config::Loaded loaded = config::load_swanctl(root, files, "/d", diags);
    controller.reload({.client = ClientId{1}, .only_plan = only_plan}, std::move(loaded), diags,
                      view, at, effects);
    return diags.text();
  }
  void request(const std::string& command, vici::Message message, std::uint64_t client = 1) {
    controller.handle(ClientId{client}, {command, std::move(message)}, view, at, effects);
  }
  void event(ike::Event one) { controller.handle(one, view, at, effects); }
  void tick(Instant now) {
    at = now;
    controller.tick(at, effects);
  }

  /// What was asked for since the last call, one word or two each.
  std::string taken() {
    std::string out;
    for (const Effect& effect : std::exchange(effects, {})) {
      const std::string text = std::visit([&](const auto& one) { return this->name(one); }, effect);
      if (!text.empty()) out += (out.empty() ? "" : ", ") + text;
    }
    return out;
  }
  std::string name(const effect::Tell& tell) {
    return std::visit(
        [this]<class C>(const C& command) -> std::string {
          if constexpr (std::is_same_v<C, ike::command::PutConnection>) {
            return "put " + command.connection.name;
          } else if constexpr (std::is_same_v<C, ike::command::DropConnection>) {
            return "drop " + command.name;
          } else if constexpr (std::is_same_v<C, ike::command::ArrangeConnections>) {
            return "arrange " + fmt::format("{}", fmt::join(command.names, " "));
          } else if constexpr (std::is_same_v<C, ike::command::SetAuthorities>) {
            return "authorities " + std::to_string(command.authorities.size());
          } else if constexpr (std::is_same_v<C, ike::command::Initiate>) {
            last_request = command.request;
            last_remote = command.remote;
            return "initiate " + command.connection + "/" + command.child;
          } else if constexpr (std::is_same_v<C, ike::command::Route>) {
            last_request = command.request;
            return "route " + command.connection + "/" + command.child;
          } else if constexpr (std::is_same_v<C, ike::command::Unroute>) {
            return "unroute " + command.connection + "/" + command.child;
          } else if constexpr (std::is_same_v<C, ike::command::Terminate>) {
            last_request = command.request;
            return "terminate " + command.filter.connection + "/" + command.filter.child;
          } else if constexpr (std::is_same_v<C, ike::command::Rekey>) {
            last_request = command.request;
            return "rekey " + command.filter.connection + "/" + command.filter.child;
          } else {
            return "shutdown";
          }
        },
        tell.command);
  }
  std::string name(const effect::Resolve& resolve) {
    last_request = resolve.request;
    const auto* host = std::get_if<model::HostName>(&resolve.target.remote);
    return "resolve " +
           (host != nullptr ? host->name : std::get<IpRange>(resolve.target.remote).first.text());
  }
  static std::string name(const effect::Reload& reload) {
    return reload.only_plan ? "plan" : "reload";
  }
  std::string name(const effect::Respond& respond) {
    answer = respond.message;
    return "answer " + std::to_string(respond.client.value()) + " " +
           std::string{respond.message.text("success")} +
           (respond.message.text("errmsg").empty()
                ? ""
                : ": " + std::string{respond.message.text("errmsg")});
  }
  std::string name(const effect::Stream& stream) {
    streamed.push_back(stream.message);
    return "stream " + stream.event;
  }
  std::string name(const effect::Publish& publish) {
    published.push_back(publish.event);
    return "";
  }
  static std::string name(const effect::Resume&) { return "resume"; }
  static std::string name(const effect::ResetCounters& reset) {
    return "reset " + (reset.each ? "each" : reset.connection);
  }
  static std::string name(const effect::ReloadSettings&) { return "reload settings"; }
  std::string name(const effect::Log& log) {
    logged.push_back(log.line.text());
    return "";
  }

  cygnet::test::SeededRng rng{1};
  FakeView view;
  Controller controller;
  Effects effects;
  Instant at{std::chrono::seconds{100}};
  ike::RequestId last_request;
  Endpoint last_remote;  ///< that an Initiate goes to
  // As they were taken:
  vici::Message answer;                 ///< the last one
  std::vector<vici::Message> streamed;  ///< parts of answers
  std::vector<std::string> published;   ///< events for everybody, by name
  std::vector<std::string> logged;
};

inline vici::Message message(std::initializer_list<std::pair<const char*, const char*>> values) {
  vici::Message out;
  for (const auto& [key, value] : values) out.add(key, value);
  return out;
}

inline std::string psk(const std::string& connections) {
  return "auth { local { auth = psk\n id = a.example }\n remote { auth = psk } }\n"
         "connections { " +
         connections + " }\nsecrets { ike { secret = x } }\n";
}
inline const std::string kHome =
    psk("home : auth { remote_addrs = 192.0.2.1\n children { net { } } }");
inline const std::string kStarted =
    psk("home : auth { remote_addrs = gw.example\n children { net { start_action = start } } }");
inline const Result<Route> kRoute = Route{{IpAddress::v4(1), 500}, {IpAddress::v4(2), 500}};

}  // namespace cygnet::control::test
