#include "cli/main.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <optional>

#include "cli/commands.hpp"
#include "cli/ipsec.hpp"

namespace cygnet::cli {
namespace {

struct Arguments {
  std::string uri = "unix:///run/cygnet/cygnet.vici";
  std::string name;
  std::string kind;
  unsigned timeout = kTimeoutDefault;
  bool quiet = false;
  bool json = false;
  std::string file;
  std::optional<Format> format;
  std::string secrets;
  bool with_secrets = false;
  bool lints = false;
};

const std::map<std::string, Format> kFormats{{"swanctl", Format::swanctl},
                                             {"ipsec", Format::ipsec}};

void add_subcommands(CLI::App& app, Arguments& arguments) {
  const auto add = [&app](const char* name, const char* text) {
    return app.add_subcommand(name, text);
  };
  const auto add_name = [&arguments](CLI::App* to) {
    to->add_option("NAME", arguments.name, "A connection, a child, or connection/child")
        ->required();
  };
  const auto add_timeout = [&arguments](CLI::App* to) {
    to->add_option("--timeout", arguments.timeout, "Seconds to wait; 0: for ever")
        ->capture_default_str();
  };
  CLI::App* up = add("up", "Bring a tunnel up");
  add_name(up);
  add_timeout(up);
  up->add_flag("--quiet", arguments.quiet, "Print errors only");
  CLI::App* down = add("down", "Take a tunnel down");
  add_name(down);
  add_timeout(down);
  CLI::App* rekey = add("rekey", "Make new keys now");
  rekey->add_option("KIND", arguments.kind, "ike or child")
      ->required()
      ->check(CLI::IsMember({"ike", "child"}));
  add_name(rekey);
  add("status", "Show what is connected")
      ->add_flag("--json", arguments.json, "For programs; see docs/status-json.md");
  add("why", "Explain the last refusals and failed attempts")
      ->add_option("PEER", arguments.name,
                   "Only those of a connection, an identity or an address; a part of it will do");
  add("reload", "Read the configuration again; running tunnels stay up");
  add("version", "Show our version and the daemon's");
  CLI::App* check = add("check", "Find what is wrong with a configuration, and what people regret");
  check->add_option("FILE", arguments.file, "swanctl.conf or ipsec.conf")
      ->default_str("/etc/swanctl/swanctl.conf");
  check->add_option("--format", arguments.format, "Where the file does not tell by itself")
      ->transform(CLI::CheckedTransformer(kFormats))
      ->option_text("swanctl|ipsec");
  check->add_flag("--lints", arguments.lints, "List the hazards by name instead");
  CLI::App* convert =
      add("convert", "Print ipsec.conf as swanctl.conf; what changes goes to stderr");
  convert->add_option("FILE", arguments.file, "ipsec.conf")->default_str("/etc/ipsec.conf");
  convert->add_option("--secrets", arguments.secrets,
                      "ipsec.secrets. Default: the one beside FILE, when it exists");
  convert->add_flag("--with-secrets", arguments.with_secrets, "Print pre-shared keys as well");
  // Its arguments are not ours to read, not even --help.
  CLI::App* ipsec = add("ipsec", "strongSwan's command of that name");
  ipsec->prefix_command()->set_help_flag();
  app.require_subcommand(1);
}

/// Those that need no daemon.
std::optional<Exit> run_alone(const std::string& command, const Arguments& arguments) {
  if (command == "check") {
    if (arguments.lints) return lints();
    const std::string file = arguments.file.empty() ? "/etc/swanctl/swanctl.conf" : arguments.file;
    return check(file, arguments.format);
  }
  if (command == "convert") {
    const std::string file = arguments.file.empty() ? "/etc/ipsec.conf" : arguments.file;
    return convert(file, arguments.secrets, arguments.with_secrets);
  }
  return std::nullopt;
}

Exit run_subcommand(const std::string& command, const Arguments& arguments, Session& session,
                    const std::string& version_text) {
  if (command == "up") return up(session, arguments.name, arguments.timeout, arguments.quiet);
  if (command == "down") return down(session, arguments.name, arguments.timeout);
  if (command == "rekey") return rekey(session, arguments.kind, arguments.name);
  if (command == "status") return status(session, arguments.json);
  if (command == "why") return why(session, arguments.name);
  if (command == "reload") return reload(session);
  return version(session, version_text);
}

}  // namespace

int run(int argc, char** argv, const std::string& version_text) {
  const std::string program = argc > 0 ? argv[0] : "cygnet";
  Arguments arguments;
  if (std::filesystem::path{program}.filename() == "ipsec") {
    return ipsec({program, arguments.uri, version_text}, {argv + 1, argv + argc});
  }
  CLI::App app{"cygnet: an IKEv2/IPsec VPN. Talks to the daemon cygnetd."};
  app.set_version_flag("--version", version_text);
  app.add_option("--vici", arguments.uri, "The daemon's control socket")->capture_default_str();
  add_subcommands(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help or the fault; its own codes are not ours.
    return app.exit(error) == 0 ? static_cast<int>(Exit::done) : static_cast<int>(Exit::usage);
  }
  const CLI::App& chosen = *app.get_subcommands().front();
  const std::string command = chosen.get_name();
  if (command == "ipsec") {
    return ipsec({"ipsec", arguments.uri, version_text}, chosen.remaining());
  }
  if (const auto done = run_alone(command, arguments)) return static_cast<int>(*done);
  auto session = Session::open(arguments.uri);
  if (!session) {
    fmt::print(stderr, "cygnet: {}\nIs cygnetd running? Another socket: --vici unix:///path\n",
               session.error().text());
    return static_cast<int>(Exit::no_daemon);
  }
  return static_cast<int>(run_subcommand(command, arguments, *session, version_text));
}

}  // namespace cygnet::cli
