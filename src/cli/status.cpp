#include "cli/status.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/tree.hpp"

namespace cygnet::cli {
namespace {

using Value = nlohmann::ordered_json;

std::string span_text(std::uint64_t seconds) {
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{} days", seconds / 86400);
}

std::string size_text(std::uint64_t octets) {
  if (octets < 10'000) return fmt::format("{} B", octets);
  if (octets < 10'000'000) return fmt::format("{:.1f} kB", static_cast<double>(octets) / 1e3);
  if (octets < 10'000'000'000) return fmt::format("{:.1f} MB", static_cast<double>(octets) / 1e6);
  return fmt::format("{:.1f} GB", static_cast<double>(octets) / 1e9);
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::uint64_t number(const vici::Message& from, std::string_view name) {
  return from.number(name).value_or(0);
}

std::string child_text(const vici::Message& child) {
  std::string out =
      fmt::format("  {} ({}): {} <-> {}\n", child.text("name"), lower(child.text("state")),
                  joined(child, "local-ts"), joined(child, "remote-ts"));
  out += fmt::format("    {}, in {} ({} packets), out {} ({} packets)\n", child.text("proposal"),
                     size_text(number(child, "bytes-in")), number(child, "packets-in"),
                     size_text(number(child, "bytes-out")), number(child, "packets-out"));
  return out;
}

std::string sa_text(const std::string& name, const vici::Message& sa) {
  std::string out = fmt::format("{} ({}", name, lower(sa.text("state")));
  if (const auto since = sa.number("established")) out += ", " + span_text(*since);
  if (const auto rekey = sa.number("rekey-time")) out += ", rekey in " + span_text(*rekey);
  out += ")\n";
  const auto end = [&](std::string_view side, bool nat) {
    return fmt::format("{} at {}:{}{}", sa.text(fmt::format("{}-id", side)),
                       sa.text(fmt::format("{}-host", side)), sa.text(fmt::format("{}-port", side)),
                       nat ? " (behind NAT)" : "");
  };
  out += fmt::format("  we:   {}\n", end("local", sa.flag("nat-local")));
  out += fmt::format("  peer: {}\n", end("remote", sa.flag("nat-remote")));
  if (!sa.text("proposal").empty()) out += fmt::format("  {}\n", sa.text("proposal"));
  if (sa.list("local-vips") != nullptr) {
    out += fmt::format("  virtual IP {}", joined(sa, "local-vips"));
    if (sa.list("dns") != nullptr) out += fmt::format(", DNS {}", joined(sa, "dns"));
    out += "\n";
  }
  if (sa.list("remote-vips") != nullptr) {
    out += fmt::format("  peer's virtual IP {}\n", joined(sa, "remote-vips"));
  }
  if (const vici::Message* children = sa.find("child-sas")) {
    each_section(*children, [&out](const auto&, const auto& child) { out += child_text(child); });
  }
  return out;
}

Value list_json(const vici::Message& from, std::string_view name) {
  Value out = Value::array();
  if (const vici::List* list = from.list(name)) {
    for (const std::string& item : *list) out.push_back(item);
  }
  return out;
}

/// A number of seconds, or null when there is none.
Value seconds_json(const vici::Message& from, std::string_view name) {
  const auto value = from.number(name);
  return value ? Value(*value) : Value(nullptr);
}

Value child_json(const vici::Message& child) {
  return {{"name", child.text("name")},
          {"id", number(child, "uniqueid")},
          {"state", lower(child.text("state"))},
          {"proposal", child.text("proposal")},
          {"udp_encap", child.flag("encap")},
          {"spi_in", child.text("spi-in")},
          {"spi_out", child.text("spi-out")},
          {"local_ts", list_json(child, "local-ts")},
          {"remote_ts", list_json(child, "remote-ts")},
          {"bytes_in", number(child, "bytes-in")},
          {"packets_in", number(child, "packets-in")},
          {"bytes_out", number(child, "bytes-out")},
          {"packets_out", number(child, "packets-out")},
          {"installed_s", seconds_json(child, "install-time")},
          {"rekey_in_s", seconds_json(child, "rekey-time")},
          {"expires_in_s", seconds_json(child, "life-time")}};
}

Value end_json(const vici::Message& sa, const std::string& side) {
  return {{"id", sa.text(side + "-id")},
          {"address", sa.text(side + "-host")},
          {"port", number(sa, side + "-port")}};
}

Value sa_json(const std::string& name, const vici::Message& sa) {
  Value children = Value::array();
  if (const vici::Message* section = sa.find("child-sas")) {
    each_section(*section,
                 [&](const auto&, const auto& child) { children.push_back(child_json(child)); });
  }
  return {{"connection", name},
          {"id", number(sa, "uniqueid")},
          {"state", lower(sa.text("state"))},
          {"initiator", sa.flag("initiator")},
          {"spi_i", sa.text("initiator-spi")},
          {"spi_r", sa.text("responder-spi")},
          {"local", end_json(sa, "local")},
          {"remote", end_json(sa, "remote")},
          {"nat", {{"local", sa.flag("nat-local")}, {"remote", sa.flag("nat-remote")}}},
          {"proposal", sa.text("proposal")},
          {"virtual_ips", list_json(sa, "local-vips")},
          {"remote_virtual_ips", list_json(sa, "remote-vips")},
          {"dns", list_json(sa, "dns")},
          {"established_s", seconds_json(sa, "established")},
          {"rekey_in_s", seconds_json(sa, "rekey-time")},
          {"children", std::move(children)}};
}

}  // namespace

std::string status_text(const StatusInput& input) {
  std::string out;
  for (const vici::Message& event : input.sas) {
    each_section(event, [&out](const auto& name, const auto& sa) { out += sa_text(name, sa); });
  }
  if (out.empty()) out = "no tunnel is up\n";
  for (const vici::Message& event : input.policies) {
    each_section(event, [&out](const auto& name, const auto& policy) {
      const std::string mode = lower(policy.text("mode"));
      out += fmt::format("{} ({}): {} <-> {}\n", name,
                         mode == "pass" || mode == "drop" ? mode : "waits for traffic",
                         joined(policy, "local-ts"), joined(policy, "remote-ts"));
    });
  }
  each_section(input.pools, [&out](const auto& name, const auto& pool) {
    out += fmt::format("pool {}: {} of {} addresses in use\n", name, number(pool, "online"),
                       number(pool, "size"));
  });
  if (input.failures != 0) {
    out += fmt::format("{} failed attempt{}: see `cygnet why`\n", input.failures,
                       input.failures == 1 ? "" : "s");
  }
  return out;
}

std::string status_json(const StatusInput& input, Json layout) {
  Value sas = Value::array();
  for (const vici::Message& event : input.sas) {
    each_section(event,
                 [&](const auto& name, const auto& sa) { sas.push_back(sa_json(name, sa)); });
  }
  Value policies = Value::array();
  for (const vici::Message& event : input.policies) {
    each_section(event, [&](const auto& name, const auto& policy) {
      policies.push_back({{"name", name},
                          {"mode", lower(policy.text("mode"))},
                          {"local_ts", list_json(policy, "local-ts")},
                          {"remote_ts", list_json(policy, "remote-ts")}});
    });
  }
  Value pools = Value::array();
  each_section(input.pools, [&](const auto& name, const auto& pool) {
    pools.push_back({{"name", name},
                     {"base", pool.text("base")},
                     {"size", number(pool, "size")},
                     {"online", number(pool, "online")},
                     {"offline", number(pool, "offline")}});
  });
  const Value out{{"version", 1},
                  {"ike_sas", std::move(sas)},
                  {"policies", std::move(policies)},
                  {"pools", std::move(pools)},
                  {"failures", input.failures}};
  // Names come from peers and may hold octets that are no UTF-8.
  return out.dump(layout == Json::indented ? 2 : -1, ' ', false, Value::error_handler_t::replace) +
         "\n";
}

}  // namespace cygnet::cli
