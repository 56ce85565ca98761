#include "cli/ipsec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string_view>

#include "cli/ipsec_daemon.hpp"
#include "cli/ipsec_system.hpp"
#include "io/unix_socket.hpp"

namespace cygnet::cli {
namespace {

/// Those of strongSwan's script, which are those of the LSB.
constexpr int kUsage = 2;
constexpr int kNotPermitted = 4;
constexpr int kNotRunning = 7;

constexpr std::string_view kSynopsis = "Usage: ipsec [--vici unix:///path] VERB [ARGUMENT...]\n";
constexpr std::string_view kVerbs = R"(
The daemon
  start               runs cygnetd: [--conf FILE] [--logfile FILE] [--nofork] [-- its options]
  stop, restart       ends it; ends it and runs it again
  reload              reads the files again, as update and every reread... do
Tunnels
  up NAME             brings one up
  down NAME           closes it; also NAME[3], NAME{3}, NAME[*], NAME{*}
  down-srcip A [B]    closes those of the virtual addresses A to B
  route NAME          installs its trap or shunt; unroute NAME removes it
  purgeike            closes IKE_SAs without children
What there is
  status [NAME]       what is up; statusall [NAME] says more
  leases [POOL [ADDRESS]]
  listcerts, listcacerts, listcainfos, listalgs, listplugins; listall [--utc] for all of these
  listcounters [NAME], resetcounters [NAME]
  version

docs/ipsec-command.md says the rest.
)";

using Arguments = std::span<const std::string>;

int complain(const IpsecSetting& setting, const std::string& text, int code) {
  fmt::print(stderr, "{}: {}\n", setting.program, text);
  return code;
}

int say(const std::string& text) {
  fmt::print("{}\n", text);
  return 0;
}

// --- the daemon's process ------------------------------------------------------------------------

int start(const IpsecSetting& setting, Arguments arguments) {
  Launch how{.uri = setting.uri};
  while (!arguments.empty()) {
    const std::string& word = arguments.front();
    const bool more = arguments.size() > 1;
    arguments = arguments.subspan(1);
    if (word == "--") {
      how.options.assign(arguments.begin(), arguments.end());
      break;
    }
    if (word == "--nofork") {
      how.no_fork = true;
    } else if ((word == "--conf" || word == "--logfile") && more) {
      // The daemon runs in another folder.
      (word == "--conf" ? how.conf : how.log) = std::filesystem::absolute(arguments.front());
      arguments = arguments.subspan(1);
    } else {
      return complain(setting, fmt::format("start does not know '{}'", word), kUsage);
    }
  }
  fmt::print(stderr, "Starting cygnet {} IPsec [cygnetd]...\n", setting.version);
  if (liveness(setting.uri) == Liveness::running) {
    fmt::print(stderr, "cygnetd is already running ({} answers) -- skipping daemon start\n",
               setting.uri);
    return 0;
  }
  const auto launched = launch(how);
  return launched ? 0 : complain(setting, launched.error().text(), 1);
}

int stop(const IpsecSetting& setting, Arguments) {
  const Liveness daemon = liveness(setting.uri);
  if (daemon == Liveness::absent || daemon == Liveness::dead) {
    fmt::print(stderr, "Stopping cygnet IPsec failed: cygnetd is not running\n");
    return 0;
  }
  fmt::print(stderr, "Stopping cygnet IPsec...\n");
  const auto stopped = stop_daemon(setting.uri);
  return stopped ? 0 : complain(setting, stopped.error().text(), kNotPermitted);
}

int restart(const IpsecSetting& setting, Arguments arguments) {
  const int stopped = stop(setting, {});
  return stopped == 0 ? start(setting, arguments) : stopped;
}

/// `update` and `reload` differ in strongSwan; cygnetd always changes what differs.
int reread(const IpsecSetting& setting, std::string_view verb) {
  auto session = Session::open(setting.uri);
  if (!session) {
    fmt::print(stderr, "{} cygnet IPsec failed: cygnetd is not running\n", verb);
    return kNotRunning;
  }
  fmt::print(stderr, "{} cygnet IPsec configuration...\n", verb);
  return ipsec_reload(*session, {});
}
int reload(const IpsecSetting& setting, Arguments) { return reread(setting, "Reloading"); }
int update(const IpsecSetting& setting, Arguments) { return reread(setting, "Updating"); }

/// 0 running, 1 dead but its socket is left, 3 not running, 4 unknown.
int status_code(Liveness daemon) {
  switch (daemon) {
    case Liveness::running:
      return 0;
    case Liveness::dead:
      return 1;
    case Liveness::absent:
      return 3;
    case Liveness::unknown:
      break;
  }
  return kNotPermitted;
}

int show_status(const IpsecSetting& setting, Arguments arguments, bool all) {
  const Liveness daemon = liveness(setting.uri);
  if (daemon == Liveness::unknown) {
    return complain(setting, "cannot ask at " + setting.uri, kNotPermitted);
  }
  if (daemon != Liveness::running) return status_code(daemon);
  auto session = Session::open(setting.uri);
  if (!session) return complain(setting, session.error().text(), status_code(Liveness::dead));
  return ipsec_show(*session, arguments, all);
}
int status(const IpsecSetting& setting, Arguments arguments) {
  return show_status(setting, arguments, false);
}
int statusall(const IpsecSetting& setting, Arguments arguments) {
  return show_status(setting, arguments, true);
}

// --- about ourselves -----------------------------------------------------------------------------

std::string version_code(const IpsecSetting& setting) {
  return fmt::format("U{}/K{}", setting.version, kernel_release());
}

int help(const IpsecSetting&, Arguments) {
  fmt::print("{}{}", kSynopsis, kVerbs);
  return 0;
}
int version(const IpsecSetting& setting, Arguments) {
  return say(fmt::format("{} cygnet {}", kernel_name(), version_code(setting)));
}
int versioncode(const IpsecSetting& setting, Arguments) { return say(version_code(setting)); }
int directory(const IpsecSetting&, Arguments) { return say(program_folder()); }
int confdir(const IpsecSetting&, Arguments) { return say("/etc"); }
int piddir(const IpsecSetting&, Arguments) { return say("/run/cygnet"); }

// --- the table -----------------------------------------------------------------------------------

struct OwnVerb {
  std::string_view name;
  int (*run)(const IpsecSetting&, Arguments);
};
constexpr OwnVerb kOwnVerbs[] = {
    {"start", start},         {"stop", stop},
    {"restart", restart},     {"reload", reload},
    {"update", update},       {"status", status},
    {"statusall", statusall}, {"version", version},
    {"--version", version},   {"--versioncode", versioncode},
    {"--help", help},         {"--directory", directory},
    {"--confdir", confdir},   {"--piddir", piddir},
};

int run_daemon_verb(const IpsecSetting& setting, const IpsecVerb& verb, Arguments arguments) {
  if (arguments.size() < verb.least || (!verb.usage.empty() && arguments.size() > verb.most)) {
    fmt::print("Usage: ipsec {} {}\n", verb.name, verb.usage);
    return kUsage;
  }
  auto session = Session::open(setting.uri);
  if (!session) {
    const int code = session.error().code == EACCES ? kNotPermitted : kNotRunning;
    return complain(setting, session.error().text() + "; is cygnetd running?", code);
  }
  return verb.run(*session, arguments);
}

}  // namespace

int ipsec(IpsecSetting setting, std::vector<std::string> arguments) {
  if (arguments.size() >= 2 && arguments.front() == "--vici") {
    setting.uri = arguments[1];
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (const auto path = io::unix_path(setting.uri); !path) {
    return complain(setting, path.error().text(), kUsage);
  }
  if (arguments.empty()) {
    fmt::print("{}ipsec --help lists the verbs.\n", kSynopsis);
    return 0;
  }
  const std::string name = arguments.front();
  const Arguments rest = Arguments{arguments}.subspan(1);
  const auto own = std::ranges::find(kOwnVerbs, std::string_view{name}, &OwnVerb::name);
  if (own != std::end(kOwnVerbs)) return own->run(setting, rest);
  if (const IpsecVerb* verb = find_ipsec_verb(name)) return run_daemon_verb(setting, *verb, rest);
  const bool option = name.starts_with("--");
  return complain(
      setting,
      fmt::format("unknown {} `{}' {}", option ? "option" : "command", name,
                  option ? "(perhaps command name was omitted?)" : "(`ipsec --help' for list)"),
      kUsage);
}

}  // namespace cygnet::cli
