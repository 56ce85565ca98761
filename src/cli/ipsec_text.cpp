#include "cli/ipsec_text.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>

#include "cli/tree.hpp"

namespace cygnet::cli {
namespace {

constexpr std::string_view kAnyone = "%any";

std::uint64_t number(const vici::Message& from, std::string_view name) {
  return from.number(name).value_or(0);
}

/// "AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384", of what an SA's keys tell.
std::string suite_text(const vici::Message& sa) {
  std::string out{sa.text("encr-alg")};
  const auto sized = [&](std::string_view key) {
    if (!sa.text(key).empty()) out += fmt::format("_{}", sa.text(key));
  };
  const auto then = [&](std::string_view key) {
    if (!sa.text(key).empty()) out += fmt::format("/{}", sa.text(key));
  };
  sized("encr-keysize");
  then("integ-alg");
  sized("integ-keysize");
  then("prf-alg");
  then("dh-group");
  if (sa.flag("esn")) out += "/ESN";
  return out;
}

std::string selectors(const vici::Message& from) {
  return joined(from, "local-ts", " ") + " === " + joined(from, "remote-ts", " ");
}

// --- IKE_SAs and children ------------------------------------------------------------------------

/// "rekeying in 3 hours", what is wanted of `key`; `over` when its time has come.
std::string due_text(const vici::Message& sa, std::string_view key, std::string_view what) {
  const std::uint64_t left = number(sa, key);
  return left == 0 ? fmt::format(", {} active", what)
                   : fmt::format(", {} in {}", what, ipsec_span(left));
}

/// How we authenticate in the connection `name`: "public key".
std::string_view method_of(const std::vector<vici::Message>& connections, std::string_view name) {
  for (const vici::Message& event : connections) {
    const vici::Message* connection = event.find(name);
    if (connection == nullptr) continue;
    const vici::Message* local = connection->find("local-1");
    if (local != nullptr) return local->text("class");
  }
  return "public key";
}

std::string ike_details(std::string_view head, const std::string& name, const vici::Message& sa,
                        const std::vector<vici::Message>& connections) {
  const bool initiator = sa.flag("initiator");
  std::string out = fmt::format("{}IKEv{} SPIs: {}_i{} {}_r{}", head, sa.text("version", "2"),
                                sa.text("initiator-spi"), initiator ? "*" : "",
                                sa.text("responder-spi"), initiator ? "" : "*");
  if (!sa.text("established").empty()) {
    const bool rekey = sa.number("rekey-time").has_value();
    const bool reauth = sa.number("reauth-time").has_value();
    if (rekey) out += due_text(sa, "rekey-time", "rekeying");
    if (reauth) {
      out += due_text(sa, "reauth-time",
                      fmt::format("{} reauthentication", method_of(connections, name)));
    }
    if (!rekey && !reauth) out += ", rekeying disabled";
  }
  out += "\n";
  if (!sa.text("encr-alg").empty())
    out += fmt::format("{}IKE proposal: {}\n", head, suite_text(sa));
  for (const std::string_view tasks : {"queued", "active", "passive"}) {
    const std::string list = joined(sa, fmt::format("tasks-{}", tasks), " ");
    if (!list.empty()) out += fmt::format("{}Tasks {}: {} \n", head, tasks, list);
  }
  return out;
}

std::string ike_text(const std::string& name, const vici::Message& sa, const IpsecStatus& input,
                     bool all) {
  const std::string head = fmt::format("{:>12}[{}]: ", name, sa.text("uniqueid"));
  std::string out = head + std::string{sa.text("state")};
  if (sa.text("state") == "ESTABLISHED") {
    out += fmt::format(" {} ago", ipsec_span(number(sa, "established")));
  }
  out += fmt::format(", {}[{}]...{}[{}]\n", sa.text("local-host"), sa.text("local-id", kAnyone),
                     sa.text("remote-host"), sa.text("remote-id", kAnyone));
  if (!sa.text("remote-eap-id").empty()) {
    out += fmt::format("{}Remote EAP identity: {}\n", head, sa.text("remote-eap-id"));
  }
  if (all) out += ike_details(head, name, sa, input.connections);
  return out;
}

/// "252 bytes_i (3 pkts, 1s ago)"; `way` is "in" or "out".
std::string traffic_text(const vici::Message& child, std::string_view way) {
  std::string out = fmt::format("{} bytes_{}", number(child, fmt::format("bytes-{}", way)), way[0]);
  const std::string_view idle = child.text(fmt::format("use-{}", way));
  if (!idle.empty()) {
    const std::uint64_t packets = number(child, fmt::format("packets-{}", way));
    out += fmt::format(" ({} pkt{}, {}s ago)", packets, packets == 1 ? "" : "s", idle);
  }
  return out;
}

std::string spis_text(const vici::Message& child) {
  std::string out = fmt::format(", {}{} SPIs: {}_i {}_o", child.text("protocol", "ESP"),
                                child.flag("encap") ? " in UDP" : "", child.text("spi-in"),
                                child.text("spi-out"));
  if (!child.text("cpi-in").empty()) {
    out += fmt::format(", IPCOMP CPIs: {}_i {}_o", child.text("cpi-in"), child.text("cpi-out"));
  }
  return out;
}

std::string child_text(const vici::Message& child, bool all) {
  const std::string head =
      fmt::format("{:>12}{{{}}}:  ", child.text("name"), child.text("uniqueid"));
  const std::string_view state = child.text("state");
  std::string out =
      fmt::format("{}{}, {}, reqid {}", head, state, child.text("mode"), child.text("reqid"));
  if (state == "INSTALLED") {
    out += spis_text(child) + "\n";
    if (all) {
      out += fmt::format("{}{}, {}, {}", head, suite_text(child), traffic_text(child, "in"),
                         traffic_text(child, "out"));
      out += child.number("rekey-time") ? due_text(child, "rekey-time", "rekeying")
                                        : ", rekeying disabled";
      out += "\n";
    }
  } else {
    if (state == "REKEYED") {
      out += fmt::format(", expires in {}", ipsec_span(number(child, "life-time")));
    }
    out += "\n";
  }
  return out + fmt::format("{} {}\n", head, selectors(child));
}

/// One IKE_SA and its children; nothing when neither it nor a child is called `only`.
std::string sa_text(const std::string& name, const vici::Message& sa, const IpsecStatus& input,
                    std::string_view only, bool all) {
  const bool whole = only.empty() || name == only;
  std::string children;
  if (const vici::Message* section = sa.find("child-sas")) {
    each_section(*section, [&](const auto&, const vici::Message& child) {
      if (whole || child.text("name") == only) children += child_text(child, all);
    });
  }
  if (!whole && children.empty()) return {};
  return ike_text(name, sa, input, all) + children;
}

std::string sas_text(const IpsecStatus& input, std::string_view only, bool all) {
  std::size_t up = 0;
  std::size_t connecting = 0;
  std::string out;
  for (const vici::Message& event : input.sas) {
    each_section(event, [&](const std::string& name, const vici::Message& sa) {
      const bool half = sa.text("state") == "CONNECTING" || sa.text("state") == "CREATED";
      ++(half ? connecting : up);
      out += sa_text(name, sa, input, only, all);
    });
  }
  if (out.empty()) out = only.empty() ? "  none\n" : "  no match\n";
  return fmt::format("Security Associations ({} up, {} connecting):\n", up, connecting) + out;
}

// --- traps and shunts ----------------------------------------------------------------------------

std::string policies_text(const IpsecStatus& input, std::string_view only) {
  std::string shunted;
  std::string routed;
  for (const vici::Message& event : input.policies) {
    each_section(event, [&](const std::string&, const vici::Message& policy) {
      const std::string_view child = policy.text("child");
      if (!only.empty() && child != only) return;
      const std::string_view mode = policy.text("mode");
      if (mode == "PASS" || mode == "DROP") {
        shunted += fmt::format("{:>12}:  {} {}\n", child, selectors(policy), mode);
        return;
      }
      const std::string head = fmt::format("{:>12}{{{}}}:  ", child, policy.text("uniqueid", "0"));
      routed += fmt::format("{}ROUTED, {}, reqid {}\n", head, mode, policy.text("reqid", "0"));
      routed += fmt::format("{} {}\n", head, selectors(policy));
    });
  }
  std::string out;
  if (!shunted.empty()) out += "Shunted Connections:\n" + shunted;
  if (!routed.empty()) out += "Routed Connections:\n" + routed;
  return out;
}

// --- the daemon and its configuration ------------------------------------------------------------

const vici::Message& section(const vici::Message& from, std::string_view name) {
  static const vici::Message kNone;
  const vici::Message* found = from.find(name);
  return found == nullptr ? kNone : *found;
}

std::string daemon_text(const IpsecStatus& input) {
  const vici::Message& stats = input.stats;
  const vici::Message& uptime = section(stats, "uptime");
  const vici::Message& memory = section(stats, "mallinfo");
  const vici::Message& workers = section(stats, "workers");
  const vici::Message& active = section(workers, "active");
  const vici::Message& queues = section(stats, "queues");
  const auto by_priority = [](const vici::Message& of) {
    return fmt::format("{}/{}/{}/{}", number(of, "critical"), number(of, "high"),
                       number(of, "medium"), number(of, "low"));
  };
  std::string out =
      fmt::format("Status of IKE {} daemon (cygnet {}, {} {}, {}):\n", input.version.text("daemon"),
                  input.version.text("version"), input.version.text("sysname"),
                  input.version.text("release"), input.version.text("machine"));
  out += fmt::format("  uptime: {}, since {}\n", uptime.text("running"), uptime.text("since"));
  if (!memory.empty()) {
    out += fmt::format("  malloc: sbrk {}, mmap {}, used {}, free {}\n", number(memory, "sbrk"),
                       number(memory, "mmap"), number(memory, "used"), number(memory, "free"));
  }
  out += fmt::format("  worker threads: {} of {} idle, {} working, job queue: {}, scheduled: {}\n",
                     number(workers, "idle"), number(workers, "total"), by_priority(active),
                     by_priority(queues), number(stats, "scheduled"));
  out += fmt::format("  loaded plugins: {}\n", joined(stats, "plugins", " "));
  return out;
}

std::string pools_text(const vici::Message& pools) {
  std::string out;
  each_section(pools, [&](const std::string& name, const vici::Message& pool) {
    out += fmt::format("  {}: {}/{}/{}\n", name, number(pool, "size"), number(pool, "online"),
                       number(pool, "offline"));
  });
  return out.empty() ? out : "Virtual IP pools (size/online/offline):\n" + out;
}

/// An authentication round; `side` is "local: " or "remote:".
std::string round_text(std::string_view head, std::string_view side, const vici::Message& round) {
  std::string out = fmt::format("{} {} ", head, side);
  const std::string_view id = round.text("id");
  if (!id.empty() && id != kAnyone) out += fmt::format("[{}] ", id);
  out += fmt::format("uses {} authentication\n", round.text("class"));
  const auto subjects = [&](std::string_view key, std::string_view label) {
    const vici::List* list = round.list(key);
    if (list == nullptr) return;
    for (const std::string& subject : *list) {
      out += fmt::format("{}  {:<6} \"{}\"\n", head, label, subject);
    }
  };
  subjects("cacerts", "ca:");
  subjects("certs", "cert:");
  if (!round.text("revocation").empty()) {
    out += fmt::format("{}  crl:   status must be {}\n", head, round.text("revocation"));
  }
  return out;
}

std::string connection_text(const std::string& name, const vici::Message& connection) {
  const std::string head = fmt::format("{:>12}:  ", name);
  const bool dpd = number(connection, "dpd_delay") != 0;
  std::string out =
      fmt::format("{}{}...{}  {}", head, joined(connection, "local_addrs", ","),
                  joined(connection, "remote_addrs", ","), connection.text("version"));
  if (dpd) out += fmt::format(", dpddelay={}s", connection.text("dpd_delay"));
  out += "\n";
  each_section(connection, [&](const std::string& key, const vici::Message& round) {
    if (key.starts_with("local")) out += round_text(head, "local: ", round);
    if (key.starts_with("remote")) out += round_text(head, "remote:", round);
  });
  each_section(section(connection, "children"), [&](const std::string& child, const auto& body) {
    out += fmt::format("{:>12}:   child:  {} {}", child, selectors(body), body.text("mode"));
    if (dpd) out += fmt::format(", dpdaction={}", body.text("dpd_action"));
    out += "\n";
  });
  return out;
}

std::string connections_text(const IpsecStatus& input, std::string_view only) {
  std::string out = "Connections:\n";
  for (const vici::Message& event : input.connections) {
    each_section(event, [&](const std::string& name, const vici::Message& connection) {
      if (only.empty() || name == only) out += connection_text(name, connection);
    });
  }
  return out;
}

}  // namespace

std::string ipsec_span(std::uint64_t seconds) {
  struct Unit {
    std::uint64_t size;
    std::string_view name;
  };
  std::uint64_t size = 1;
  std::string_view name = "second";
  for (const Unit& unit : {Unit{60, "minute"}, Unit{3600, "hour"}, Unit{86400, "day"}}) {
    if (seconds <= 2 * unit.size) break;
    size = unit.size;
    name = unit.name;
  }
  const std::uint64_t count = seconds / size;
  return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
}

std::string ipsec_status(const IpsecStatus& input, std::string_view only) {
  return policies_text(input, only) + sas_text(input, only, false);
}

std::string ipsec_statusall(const IpsecStatus& input, std::string_view only) {
  std::string out = daemon_text(input) + pools_text(input.pools) + "Listening IP addresses:\n";
  for (const std::string& address : input.addresses) out += fmt::format("  {}\n", address);
  return out + connections_text(input, only) + policies_text(input, only) +
         sas_text(input, only, true);
}

// --- leases, counters, algorithms ----------------------------------------------------------------

std::string ipsec_leases(const vici::Message& pools, std::string_view pool,
                         std::string_view address) {
  std::string out;
  each_section(pools, [&](const std::string& name, const vici::Message& one) {
    if (!pool.empty() && name != pool) return;
    const std::uint64_t online = number(one, "online");
    out += fmt::format("Leases in pool '{}', usage: {}/{}, {} online\n", name,
                       online + number(one, "offline"), number(one, "size"), online);
    std::string leases;
    each_section(section(one, "leases"), [&](const auto&, const vici::Message& lease) {
      if (!address.empty() && lease.text("address") != address) return;
      leases += fmt::format("  {:>15}   {}   '{}'\n", lease.text("address"), lease.text("status"),
                            lease.text("identity"));
    });
    out += leases.empty() ? "  no matching leases found\n" : leases;
  });
  if (!out.empty()) return out;
  return pool.empty() ? "no pools found\n" : fmt::format("pool '{}' not found\n", pool);
}

namespace {

struct CounterName {
  std::string_view key;
  std::string_view text;
};
constexpr CounterName kCounters[] = {
    {"ike-rekey-init", "ikeInitRekey"},
    {"ike-rekey-resp", "ikeRspRekey"},
    {"child-rekey", "ikeChildSaRekey"},
    {"invalid", "ikeInInvalid"},
    {"invalid-spi", "ikeInInvalidSpi"},
    {"ike-init-in-req", "ikeInInitReq"},
    {"ike-init-in-resp", "ikeInInitRsp"},
    {"ike-init-out-req", "ikeOutInitReq"},
    {"ike-init-out-resp", "ikeOutInitRsp"},
    {"ike-auth-in-req", "ikeInAuthReq"},
    {"ike-auth-in-resp", "ikeInAuthRsp"},
    {"ike-auth-out-req", "ikeOutAuthReq"},
    {"ike-auth-out-resp", "ikeOutAuthRsp"},
    {"create-child-in-req", "ikeInCrChildReq"},
    {"create-child-in-resp", "ikeInCrChildRsp"},
    {"create-child-out-req", "ikeOutCrChildReq"},
    {"create-child-out-resp", "ikeOutCrChildRsp"},
    {"info-in-req", "ikeInInfoReq"},
    {"info-in-resp", "ikeInInfoRsp"},
    {"info-out-req", "ikeOutInfoReq"},
    {"info-out-resp", "ikeOutInfoRsp"},
};

struct AlgorithmKind {
  std::string_view key;
  std::string_view title;
};
constexpr AlgorithmKind kAlgorithms[] = {
    {"encryption", "encryption:"},
    {"integrity", "integrity:"},
    {"aead", "aead:"},
    {"hasher", "hasher:"},
    {"prf", "prf:"},
    {"xof", "xof:"},
    {"kdf", "kdf:"},
    {"drbg", "drbg:"},
    {"ke", "dh-group:"},
    {"dh", "dh-group:"},
    {"rng", "random-gen:"},
    {"nonce-gen", "nonce-gen:"},
};
/// No line of the list of algorithms is longer.
constexpr std::size_t kLineMax = 120;

std::string algorithms_line(std::string_view title, const vici::Message& kind) {
  std::string out;
  std::string line = fmt::format("  {:<11}", title);
  for (const vici::Item& item : kind.items()) {
    const auto* plugin = std::get_if<std::string>(&item.content);
    if (plugin == nullptr) continue;
    const std::string word = fmt::format(" {}[{}]", item.name, *plugin);
    if (line.size() + word.size() > kLineMax) {
      out += line + "\n";
      line = fmt::format("  {:<11}", "");
    }
    line += word;
  }
  return out + line + "\n";
}

}  // namespace

std::string ipsec_counters(const vici::Message& answer, std::string_view name) {
  const vici::Message* counts = section(answer, "counters").find(name);
  if (counts == nullptr) return fmt::format("No IKE counters found for '{}'\n", name);
  std::string out = name.empty() ? "\nList of IKE counters:\n\n"
                                 : fmt::format("\nList of IKE counters for '{}':\n\n", name);
  for (const CounterName& counter : kCounters) {
    out += fmt::format("{:<18} {:>12}\n", counter.text, number(*counts, counter.key));
  }
  return out;
}

std::string ipsec_algorithms(const vici::Message& answer) {
  std::string out = "\nList of registered IKE algorithms:\n\n";
  for (const AlgorithmKind& kind : kAlgorithms) {
    if (const vici::Message* list = answer.find(kind.key)) {
      out += algorithms_line(kind.title, *list);
    }
  }
  return out;
}

std::string ipsec_plugins(const vici::Message& answer) {
  std::string out = "\nList of loaded Plugins:\n\n";
  if (const vici::List* plugins = answer.list("plugins")) {
    for (const std::string& plugin : *plugins) out += fmt::format("{}:\n", plugin);
  }
  return out;
}

// --- certificates --------------------------------------------------------------------------------

namespace {

std::string date_text(std::int64_t time, bool utc) {
  const auto seconds = static_cast<std::time_t>(time);
  std::tm parts{};
  if ((utc ? ::gmtime_r(&seconds, &parts) : ::localtime_r(&seconds, &parts)) == nullptr) return {};
  std::array<char, 40> room{};
  const char* format = utc ? "%b %d %H:%M:%S UTC %Y" : "%b %d %H:%M:%S %Y";
  return {room.data(), std::strftime(room.data(), room.size(), format, &parts)};
}

std::string validity_text(const vici::Message& certificate, const Clock& clock) {
  const auto begin = static_cast<std::int64_t>(number(certificate, "not-before"));
  const auto end = static_cast<std::int64_t>(number(certificate, "not-after"));
  const auto span = [](std::int64_t from, std::int64_t to) {
    return ipsec_span(static_cast<std::uint64_t>(to - from));
  };
  std::string out = fmt::format("  validity:  not before {}, ", date_text(begin, clock.utc));
  out += clock.now < begin ? fmt::format("not valid yet (valid in {})\n", span(clock.now, begin))
                           : "ok\n";
  out += fmt::format("             not after  {}, ", date_text(end, clock.utc));
  out += clock.now > end ? fmt::format("expired ({} ago)\n", span(end, clock.now))
                         : fmt::format("ok (expires in {})\n", span(clock.now, end));
  return out;
}

std::string certificate_text(const vici::Message& certificate, const Clock& clock) {
  std::string out;
  const auto row = [&](std::string_view label, std::string_view value) {
    if (!value.empty()) out += fmt::format("  {:<10} {}\n", label, value);
  };
  const auto name = [&](std::string_view key) {
    out += fmt::format("  {:<9} \"{}\"\n", fmt::format("{}:", key), certificate.text(key));
  };
  name("subject");
  name("issuer");
  out += validity_text(certificate, clock);
  row("serial:", certificate.text("serial"));
  row("altNames:", joined(certificate, "alt-names"));
  const std::string flags = joined(certificate, "flags", " ");
  if (!flags.empty()) row("flags:", flags + " ");
  row("authkeyId:", certificate.text("authority-key-id"));
  row("subjkeyId:", certificate.text("subject-key-id"));
  row("pubkey:", fmt::format("{}{}", certificate.text("key"),
                             certificate.flag("has_privkey") ? ", has private key" : ""));
  row("keyid:", certificate.text("key-id"));
  row("subjkey:", certificate.text("key-sha1"));
  return out;
}

}  // namespace

std::string ipsec_certificates(std::string_view heading, const std::vector<vici::Message>& events,
                               const Clock& clock) {
  if (events.empty()) return {};
  std::string out = fmt::format("\nList of {}\n", heading);
  for (const vici::Message& event : events) out += "\n" + certificate_text(event, clock);
  return out;
}

std::string ipsec_authorities(const std::vector<vici::Message>& events) {
  std::string out;
  const auto uris = [&](const vici::Message& from, std::string_view key, std::string_view label) {
    const vici::List* list = from.list(key);
    if (list == nullptr) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
      out += fmt::format("  {:<12} '{}'\n", i == 0 ? label : "", (*list)[i]);
    }
  };
  for (const vici::Message& event : events) {
    each_section(event, [&](const std::string&, const vici::Message& authority) {
      if (joined(authority, "crl_uris").empty() && joined(authority, "ocsp_uris").empty()) return;
      out += fmt::format("\n  {:<12} \"{}\"\n", "authname:", authority.text("cacert"));
      uris(authority, "crl_uris", "crluris:");
      uris(authority, "ocsp_uris", "ocspuris:");
    });
  }
  return out.empty() ? out : "\nList of CA Information Sections:\n" + out;
}

}  // namespace cygnet::cli
