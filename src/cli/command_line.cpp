#include "cli/command_line.hpp"

#include <fmt/format.h>

#include <chrono>

#include "cli/ipsec.hpp"
#include "usage/completion.hpp"

namespace cygnet::cli {
namespace {

constexpr const char* kSwanctlConf = "/etc/swanctl/swanctl.conf";
constexpr const char* kIpsecConf = "/etc/ipsec.conf";

std::string or_default(const std::string& file, const char* fallback) {
  return file.empty() ? fallback : file;
}

/// At the end of --help.
std::string exit_text() {
  std::string out = "Exit codes:\n";
  for (const usage::ExitCode& one : exit_codes()) {
    out += fmt::format("  {}  {}\n", one.code, one.text);
  }
  return out;
}

}  // namespace

CommandLine::CommandLine(std::string version)
    : version_(std::move(version)),
      app_("cygnet: an IKEv2/IPsec VPN. Talks to the daemon cygnetd.", "cygnet") {
  app_.set_version_flag("--version", version_, "Print our version and exit");
  app_.set_help_flag("-h,--help", "Print this help and exit");
  app_.add_option(usage::kDaemonOption, arguments_.uri, "The daemon's control socket")
      ->type_name("URI")
      ->capture_default_str();
  add_tunnel_commands();
  add_report_commands();
  add_configuration_commands();
  add_other_commands();
  app_.require_subcommand(1);
  app_.footer(exit_text());
}

CLI::App* CommandLine::add(const std::string& name, const std::string& text, Alone run) {
  CLI::App* out = app_.add_subcommand(name, text);
  out->footer("");  // not the exit codes once more
  alone_.emplace(out, std::move(run));
  return out;
}

CLI::App* CommandLine::add(const std::string& name, const std::string& text, WithDaemon run) {
  CLI::App* out = app_.add_subcommand(name, text);
  out->footer("");
  with_daemon_.emplace(out, std::move(run));
  return out;
}

void CommandLine::add_name(CLI::App* to) {
  to->add_option("NAME", arguments_.name, "A connection, a child, or connection/child")
      ->type_name("")
      ->required();
}

void CommandLine::add_timeout(CLI::App* to) {
  to->add_option("--timeout", arguments_.timeout, "How long to wait; 0: for ever")
      ->type_name("SECONDS")
      ->capture_default_str();
}

void CommandLine::add_tunnel_commands() {
  CLI::App* up = add("up", "Bring a tunnel up and say how it goes",
                     [](Session& session, const Arguments& given) {
                       return cli::up(session, given.name, given.timeout, given.quiet);
                     });
  add_name(up);
  add_timeout(up);
  up->add_flag("--quiet", arguments_.quiet, "Print errors only");
  CLI::App* down = add("down", "Take a tunnel down; it is not brought up again by itself",
                       [](Session& session, const Arguments& given) {
                         return cli::down(session, given.name, given.timeout);
                       });
  add_name(down);
  add_timeout(down);
  CLI::App* rekey = add("rekey", "Make new keys now", [](Session& session, const Arguments& given) {
    return cli::rekey(session, given.kind, given.name);
  });
  rekey->add_option("KIND", arguments_.kind, "What gets them: the IKE_SA or a child")
      ->required()
      ->type_name("ike|child")
      ->check(CLI::IsMember({"ike", "child"}).description(""));
  add_name(rekey);
}

void CommandLine::add_report_commands() {
  CLI::App* status =
      add("status", "Show what is connected", [](Session& session, const Arguments& given) {
        if (!given.watch) return cli::status(session, given.json);
        return cli::watch(session, given.uri, given.json, std::chrono::seconds{*given.watch});
      });
  status->add_flag("--json", arguments_.json, "For programs; see docs/status-json.md");
  status
      ->add_option("--watch", arguments_.watch,
                   "Again whenever something changes, and after so long at the latest; Ctrl-C ends "
                   "it. With --json each state is one line")
      ->type_name("SECONDS")
      ->expected(0, 1)
      ->check(CLI::Range(1U, kWatchMax).description(""))
      ->default_str(std::to_string(kWatchDefault));
  CLI::App* why = add("why", "Explain the last refusals and failed attempts",
                      [](Session& session, const Arguments& given) {
                        return cli::why(session, given.name, given.json);
                      });
  why->add_option("PEER", arguments_.name,
                  "Only those of a connection, an identity or an address; a part of it will do")
      ->type_name("");
  why->add_flag("--json", arguments_.json, "For programs; see docs/why-json.md");
}

void CommandLine::add_configuration_commands() {
  CLI::App* plan = add("plan", "Show what apply would change, and change nothing",
                       [](Session& session, const Arguments& given) {
                         return cli::plan(session, false, given.json);
                       });
  CLI::App* apply = add("apply",
                        "Read the configuration again and show what that has changed; what did not "
                        "change stays up, and a faulty one changes nothing",
                        [](Session& session, const Arguments& given) {
                          return cli::plan(session, true, given.json);
                        });
  apply->alias("reload");
  for (CLI::App* one : {plan, apply}) {
    one->add_flag("--json", arguments_.json, "For programs; see docs/plan-json.md");
  }
  CLI::App* check = add("check", "Find what is wrong with a configuration, and what people regret",
                        [](const Arguments& given) {
                          if (given.lints) return cli::lints();
                          return cli::check(or_default(given.file, kSwanctlConf), given.format);
                        });
  check->add_option("FILE", arguments_.file, "swanctl.conf or ipsec.conf")
      ->type_name("")
      ->default_str(kSwanctlConf);
  static const std::map<std::string, Format> kFormats{{"swanctl", Format::swanctl},
                                                      {"ipsec", Format::ipsec}};
  check->add_option("--format", arguments_.format, "Where the file does not tell by itself")
      ->transform(CLI::CheckedTransformer(kFormats).description(""))
      ->type_name("swanctl|ipsec");
  check->add_flag("--lints", arguments_.lints, "List the hazards by name instead");
  CLI::App* convert = add(
      "convert", "Print ipsec.conf as swanctl.conf; what changes goes to stderr",
      [](const Arguments& given) {
        return cli::convert(or_default(given.file, kIpsecConf), given.secrets, given.with_secrets);
      });
  convert->add_option("FILE", arguments_.file, "ipsec.conf")
      ->type_name("")
      ->default_str(kIpsecConf);
  convert
      ->add_option("--secrets", arguments_.secrets,
                   "ipsec.secrets. Unless given, the one beside FILE, when it exists")
      ->type_name("FILE");
  convert->add_flag("--with-secrets", arguments_.with_secrets, "Print pre-shared keys as well");
}

void CommandLine::add_other_commands() {
  add("version", "Show our version and the daemon's",
      [this](Session& session, const Arguments&) { return cli::version(session, version_); });
  // Its arguments are not ours to read, not even --help.
  ipsec_ = add("ipsec", "strongSwan's command of that name", Alone{});
  ipsec_->prefix_command()->set_help_flag();
  add("completion", "Print what makes a shell complete our command lines",
      [this](const Arguments& given) {
        fmt::print("{}", cli::completion(*this, given.kind));
        return Exit::done;
      })
      ->add_option("SHELL", arguments_.kind, "Which shell")
      ->required()
      ->type_name("bash|zsh|fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));
  add("manual", "Print the manual page, for man(1)", [this](const Arguments&) {
    fmt::print("{}", cli::manual(*this));
    return Exit::done;
  });
  add(usage::kNamesCommand, "Print what NAME can be, for completions",
      [](Session& session, const Arguments&) { return cli::names(session); })
      ->group("");
}

int CommandLine::run(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help or the fault; its own codes are not ours.
    return app_.exit(error) == 0 ? static_cast<int>(Exit::done) : static_cast<int>(Exit::usage);
  }
  return dispatch(*app_.get_subcommands().front());
}

int CommandLine::dispatch(const CLI::App& chosen) {
  if (&chosen == ipsec_) return ipsec({"ipsec", arguments_.uri, version_}, chosen.remaining());
  if (const auto alone = alone_.find(&chosen); alone != alone_.end()) {
    return static_cast<int>(alone->second(arguments_));
  }
  auto session = Session::open(arguments_.uri);
  if (!session) {
    fmt::print(stderr, "cygnet: {}\nIs cygnetd running? Another socket: --vici unix:///path\n",
               session.error().text());
    return static_cast<int>(Exit::no_daemon);
  }
  return static_cast<int>(with_daemon_.at(&chosen)(*session, arguments_));
}

const std::vector<usage::ExitCode>& exit_codes() {
  static const std::vector<usage::ExitCode> kCodes = [] {
    std::vector<usage::ExitCode> out;
    const auto add = [&out](Exit code, const char* text) {
      out.push_back({static_cast<int>(code), text});
    };
    add(Exit::done, "done");
    add(Exit::failed, "the daemon tried and could not; the reason is on stderr");
    add(Exit::usage, "the command line is wrong");
    add(Exit::no_daemon, "no daemon at the control socket");
    add(Exit::not_found, "no connection or child of that name");
    add(Exit::timeout, "still trying when the time was up");
    return out;
  }();
  return kCodes;
}

std::string manual(const CommandLine& line) {
  usage::Command table = usage::command_of(line.app());
  return usage::manual_page(table,
                            {.section = 1,
                             .version = line.version(),
                             .description = "cygnet steers the daemon cygnetd(8), which connects "
                                            "this machine to others by IKEv2 and "
                                            "IPsec, as a gateway or as a client.\n\n"
                                            "NAME is a connection, a child of one, or both as "
                                            "connection/child. Those that the daemon "
                                            "has are in its configuration.",
                             .exits = exit_codes(),
                             .files = {{"/run/cygnet/cygnet.vici", "the daemon's control socket"},
                                       {kSwanctlConf, "what check reads unless told otherwise"},
                                       {kIpsecConf, "what convert reads unless told otherwise"}},
                             .see_also = {"cygnetd(8)", "ipsec.conf(5)"}});
}

std::string completion(const CommandLine& line, const std::string& shell) {
  const usage::Command table = usage::command_of(line.app());
  if (shell == "bash") return usage::bash_completion(table);
  return shell == "zsh" ? usage::zsh_completion(table) : usage::fish_completion(table);
}

}  // namespace cygnet::cli
