#include "cli/ipsec_daemon.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <optional>
#include <vector>

#include "base/ip.hpp"
#include "cli/ipsec_certificate.hpp"
#include "cli/ipsec_names.hpp"
#include "cli/ipsec_system.hpp"
#include "cli/ipsec_text.hpp"
#include "cli/tree.hpp"
#include "io/addresses.hpp"

namespace cygnet::cli {
namespace {

using Arguments = std::span<const std::string>;
using Messages = std::vector<vici::Message>;

/// The daemon went away, or does not know what we ask for.
int broken(const Error& error) {
  fmt::print(stderr, "ipsec: {}\n", error.text());
  return 1;
}

int print(const std::string& text) {
  fmt::print("{}", text);
  static_cast<void>(std::fflush(stdout));  // what follows may take long
  return 0;
}

std::string argument(Arguments arguments, std::size_t index) {
  return index < arguments.size() ? arguments[index] : std::string{};
}

/// A request with one value; an empty one counts as none.
vici::Message request(std::string_view name, std::string_view value) {
  vici::Message out;
  if (!value.empty()) out.add(name, value);
  return out;
}

/// Runs a command that tells how it goes; what it is refused for, if it is.
Result<std::optional<std::string>> follow(Session& session, const std::string& command,
                                          const vici::Message& request) {
  std::string last;
  CYG_TRY(const vici::Message answer,
          session.follow(command, request, [&last](const std::string& line) {
            print(line + "\n");
            last = line;
          }));
  std::optional<std::string> refusal = vici::refusal(answer);
  // The last line often says it already, and more.
  if (refusal && !last.contains(*refusal)) print(*refusal + "\n");
  return refusal;
}

Result<Messages> connections(Session& session) { return session.list("list-conns", "list-conn"); }
Result<Messages> sas(Session& session) { return session.list("list-sas", "list-sa"); }
Result<Messages> policies(Session& session) {
  vici::Message all;
  all.add_flag("drop", true).add_flag("pass", true).add_flag("trap", true);
  return session.list("list-policies", "list-policy", all);
}

// --- up, down, route -----------------------------------------------------------------------------

int up(Session& session, Arguments arguments) {
  const std::string& name = arguments.front();
  const auto known = connections(session);
  if (!known) return broken(known.error());
  const auto conn = find_conn(name, *known);
  if (!conn) return print(fmt::format("no config named '{}'\n", name));
  const auto refusal = follow(session, "initiate", conn->request());
  if (!refusal) return broken(refusal.error());
  return print(*refusal ? fmt::format("establishing connection '{}' failed\n", name)
                        : fmt::format("connection '{}' established successfully\n", name));
}

int close_all(Session& session, const std::vector<Closing>& closings) {
  for (const Closing& closing : closings) {
    if (closing.what.empty()) {
      const auto answer = session.call("terminate", closing.request);
      if (!answer) return broken(answer.error());
      continue;
    }
    const auto refusal = follow(session, "terminate", closing.request);
    if (!refusal) return broken(refusal.error());
    print(*refusal ? fmt::format("closing {} failed\n", closing.what)
                   : fmt::format("{} closed successfully\n", closing.what));
  }
  return 0;
}

int down(Session& session, Arguments arguments) {
  const auto up = sas(session);
  if (!up) return broken(up.error());
  return close_all(session, find_closings(arguments.front(), *up));
}

int down_srcip(Session& session, Arguments arguments) {
  const auto begin = IpAddress::parse(arguments.front());
  const auto end = arguments.size() > 1 ? IpAddress::parse(arguments[1]) : begin;
  if (!begin || !end) return broken((begin ? end : begin).error());
  const auto up = sas(session);
  if (!up) return broken(up.error());
  return close_all(session, find_clients({*begin, *end}, *up));
}

int purge_ike(Session& session, Arguments) {
  const auto up = sas(session);
  if (!up) return broken(up.error());
  return close_all(session, find_idle(*up));
}

int route(Session& session, Arguments arguments) {
  const std::string& name = arguments.front();
  const auto known = connections(session);
  if (!known) return broken(known.error());
  const std::vector<Conn> children = find_children(name, *known);
  if (children.empty()) return print(fmt::format("no config named '{}'\n", name));
  for (const Conn& conn : children) {
    const auto refusal = follow(session, "install", conn.request());
    if (!refusal) return broken(refusal.error());
    if (conn.is_shunt()) {
      print(fmt::format("'{}' shunt {} policy {}\n", conn.child, conn.mode,
                        *refusal ? "installation failed" : "installed"));
    } else {
      print(*refusal ? fmt::format("routing '{}' failed\n", conn.child)
                     : fmt::format("'{}' routed\n", conn.child));
    }
  }
  return 0;
}

int unroute(Session& session, Arguments arguments) {
  const std::string& name = arguments.front();
  const auto installed = policies(session);
  if (!installed) return broken(installed.error());
  const auto conn = find_policy(name, *installed);
  if (!conn) return print(fmt::format("configuration '{}' not found\n", name));
  const auto refusal = follow(session, "uninstall", conn->request());
  if (!refusal) return broken(refusal.error());
  if (*refusal) return print(fmt::format("unrouting '{}' failed\n", name));
  return print(conn->is_shunt() ? fmt::format("shunt policy '{}' uninstalled\n", name)
                                : fmt::format("trap policy '{}' unrouted\n", name));
}

// --- lists ---------------------------------------------------------------------------------------

/// An answer shown by one of the functions of ipsec_text.
template <class Show>
int show(const Result<vici::Message>& answer, const Show& text) {
  return answer ? print(text(*answer)) : broken(answer.error());
}

/// The answer of get-pools for this pool, or all, with leases from number `from` on.
Result<vici::Message> ask_pools(Session& session, const std::string& pool, std::size_t from) {
  vici::Message wanted = request("name", pool);
  wanted.add_flag("leases", true).add_flag("all", true);
  if (from != 0) wanted.add("from", std::uint64_t{from});
  return session.call("get-pools", wanted);
}

/// Moves on through a pool's leases; whether there are more.
bool take_leases(const vici::Message& pool, vici::Message& to) {
  const vici::Message* leases = pool.find("leases");
  if (leases == nullptr) return false;
  for (const vici::Item& one : leases->items()) {
    to.add(one.name, std::get<vici::Message>(one.content));
  }
  return pool.number("leases-left").value_or(0) != 0;
}

/// All pools with all leases: what does not fit into one answer is asked for.
Result<vici::Message> pools_with_leases(Session& session) {
  CYG_TRY(const vici::Message pools, ask_pools(session, "", 0));
  vici::Message out;
  for (const vici::Item& item : pools.items()) {
    const auto* pool = std::get_if<vici::Message>(&item.content);
    if (pool == nullptr) continue;
    vici::Message leases;
    bool left = take_leases(*pool, leases);
    while (left) {
      CYG_TRY(const vici::Message more, ask_pools(session, item.name, leases.size()));
      const vici::Message* part = more.find(item.name);
      left = part != nullptr && take_leases(*part, leases);
    }
    vici::Message whole;
    for (const char* key : {"base", "size", "online", "offline"}) whole.add(key, pool->text(key));
    whole.add("leases", std::move(leases));
    out.add(item.name, std::move(whole));
  }
  return out;
}

int leases(Session& session, Arguments arguments) {
  return show(pools_with_leases(session), [&](const vici::Message& pools) {
    return ipsec_leases(pools, argument(arguments, 0), argument(arguments, 1));
  });
}

int list_counters(Session& session, Arguments arguments) {
  const std::string name = argument(arguments, 0);
  return show(session.call("get-counters", request("name", name)),
              [&](const vici::Message& answer) { return ipsec_counters(answer, name); });
}

int reset_counters(Session& session, Arguments arguments) {
  const auto answer = session.call("reset-counters", request("name", argument(arguments, 0)));
  return answer ? 0 : broken(answer.error());
}

int list_algorithms(Session& session, Arguments) {
  return show(session.call("get-algorithms"), ipsec_algorithms);
}

int list_plugins(Session& session, Arguments) { return show(session.call("stats"), ipsec_plugins); }

int list_authorities(Session& session, Arguments) {
  const auto events = session.list("list-authorities", "list-authority");
  return events ? print(ipsec_authorities(*events)) : broken(events.error());
}

int list_certificates(Session& session, Arguments arguments, std::string_view flag,
                      std::string_view heading) {
  vici::Message wanted;
  wanted.add("type", "X509").add("flag", flag);
  const auto events = session.list("list-certs", "list-cert", wanted);
  if (!events) return broken(events.error());
  std::vector<vici::Message> certificates;
  for (const vici::Message& event : *events) {
    auto one = with_details(event);
    if (!one) return broken(one.error());
    certificates.push_back(*std::move(one));
  }
  const Clock clock{.now = std::time(nullptr), .utc = argument(arguments, 0) == "--utc"};
  return print(ipsec_certificates(heading, certificates, clock));
}
int list_certs(Session& session, Arguments arguments) {
  return list_certificates(session, arguments, "NONE", "X.509 End Entity Certificates");
}
int list_ca_certs(Session& session, Arguments arguments) {
  return list_certificates(session, arguments, "CA", "X.509 CA Certificates");
}

int list_all(Session& session, Arguments arguments) {
  int worst = 0;
  for (const auto list :
       {list_certs, list_ca_certs, list_authorities, list_algorithms, list_plugins}) {
    worst = std::max(worst, list(session, arguments));
  }
  return worst;
}

/// For what we have none of, or nothing to do about.
int nothing(Session&, Arguments) { return 0; }

int flush(Session& session, std::string_view type) {
  const auto answer = session.call("flush-certs", request("type", type));
  return answer ? 0 : broken(answer.error());
}
int purge_certs(Session& session, Arguments) { return flush(session, "X509"); }
int purge_crls(Session& session, Arguments) { return flush(session, "X509_CRL"); }
int purge_ocsp(Session& session, Arguments) { return flush(session, "OCSP_RESPONSE"); }

constexpr std::string_view kName = "<connection name>";

constexpr IpsecVerb kVerbs[] = {
    {"up", up, 1, 1, kName},
    {"down", down, 1, 1, kName},
    {"down-srcip", down_srcip, 1, 2, "<start> [<end>]"},
    {"route", route, 1, 1, kName},
    {"unroute", unroute, 1, 1, kName},
    {"leases", leases},
    {"listcerts", list_certs},
    {"listcacerts", list_ca_certs},
    {"listcainfos", list_authorities},
    {"listalgs", list_algorithms},
    {"listplugins", list_plugins},
    {"listcounters", list_counters},
    {"resetcounters", reset_counters},
    {"listall", list_all},
    {"listpubkeys", nothing},
    {"listaacerts", nothing},
    {"listocspcerts", nothing},
    {"listacerts", nothing},
    {"listgroups", nothing},
    {"listcrls", nothing},
    {"listocsp", nothing},
    {"secrets", ipsec_reload},
    {"rereadsecrets", ipsec_reload},
    {"rereadcacerts", ipsec_reload},
    {"rereadcrls", ipsec_reload},
    {"rereadall", ipsec_reload},
    {"rereadaacerts", nothing},
    {"rereadocspcerts", nothing},
    {"rereadacerts", nothing},
    {"purgecerts", purge_certs},
    {"purgecrls", purge_crls},
    {"purgeocsp", purge_ocsp},
    {"purgeike", purge_ike},
};

/// The host's addresses but for the loopback interface's and those that the tunnels have brought.
Result<std::vector<std::string>> listening_addresses(const Messages& sas) {
  CYG_TRY(const std::vector<IpAddress> own, io::own_addresses(io::Interfaces::no_loopback));
  std::vector<std::string> out;
  for (const IpAddress& address : own) out.push_back(address.text());
  for (const vici::Message& event : sas) {
    each_section(event, [&](const std::string&, const vici::Message& sa) {
      const vici::List* virtual_ones = sa.list("local-vips");
      if (virtual_ones == nullptr) return;
      for (const std::string& address : *virtual_ones) std::erase(out, address);
    });
  }
  return out;
}

/// What only statusall tells.
Result<void> ask_more(Session& session, IpsecStatus& status) {
  CYG_TRY(status.version, session.call("version"));
  CYG_TRY(status.stats, session.call("stats"));
  CYG_TRY(status.pools, session.call("get-pools", request("all", "yes")));
  CYG_TRY(status.connections, connections(session));
  CYG_TRY(status.addresses, listening_addresses(status.sas));
  return {};
}

}  // namespace

const IpsecVerb* find_ipsec_verb(std::string_view name) {
  const auto found = std::ranges::find(kVerbs, name, &IpsecVerb::name);
  return found == std::end(kVerbs) ? nullptr : found;
}

int ipsec_show(Session& session, Arguments arguments, bool all) {
  IpsecStatus status;
  auto up = sas(session);
  if (!up) return broken(up.error());
  status.sas = *std::move(up);
  auto installed = policies(session);
  if (!installed) return broken(installed.error());
  status.policies = *std::move(installed);
  const std::string only = argument(arguments, 0);
  if (!all) return print(ipsec_status(status, only));
  if (const auto asked = ask_more(session, status); !asked) return broken(asked.error());
  return print(ipsec_statusall(status, only));
}

int ipsec_reload(Session& session, Arguments) {
  const auto answer = session.call("cygnet-reload");
  if (!answer) return broken(answer.error());
  const auto refusal = vici::refusal(*answer);
  if (!refusal) return 0;
  fmt::print(stderr, "{}\n", *refusal);
  return 1;
}

}  // namespace cygnet::cli
