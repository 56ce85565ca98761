#include "cli/commands.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "cli/names.hpp"
#include "cli/plan.hpp"
#include "cli/tree.hpp"
#include "cli/why.hpp"
#include "config/lint.hpp"
#include "disk/disk_files.hpp"
#include "io/addresses.hpp"

namespace cygnet::cli {
namespace {

/// What the daemon's answer means for our exit code.
Exit verdict(const vici::Message& answer) {
  const auto refusal = vici::refusal(answer);
  if (!refusal) return Exit::done;
  return complain(*refusal, refusal->starts_with("timeout") ? Exit::timeout : Exit::failed);
}

struct Found {
  Exit exit = Exit::done;
  Name name;
};

Found look_up(Session& session, const std::string& text) {
  const auto connections = session.list("list-conns", "list-conn");
  if (!connections) return {complain(connections.error()), {}};
  auto name = find_name(text, *connections);
  if (!name) return {complain(name.error().text(), Exit::not_found), {}};
  return {Exit::done, *std::move(name)};
}

vici::Message request_for(const Name& name) {
  vici::Message out;
  out.add("ike", name.connection);
  if (!name.child.empty()) out.add("child", name.child);
  return out;
}

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace

Exit complain(const std::string& text, Exit code) {
  fmt::print(stderr, "cygnet: {}\n", text);
  return code;
}

Exit complain(const Error& error) { return complain(error.text(), Exit::failed); }

Exit up(Session& session, const std::string& name, unsigned timeout, bool quiet) {
  const Found found = look_up(session, name);
  if (found.exit != Exit::done) return found.exit;
  vici::Message request = request_for(found.name);
  request.add("timeout", std::uint64_t{timeout} * 1000);
  const auto answer = session.follow("initiate", request, [quiet](const std::string& line) {
    if (!quiet) fmt::print("{}\n", line);
  });
  if (!answer) return complain(answer.error());
  return verdict(*answer);
}

Exit down(Session& session, const std::string& name, unsigned timeout) {
  const Found found = look_up(session, name);
  if (found.exit != Exit::done) return found.exit;
  vici::Message request = request_for(found.name);
  request.add("timeout", std::uint64_t{timeout} * 1000);
  const auto answer = session.call("terminate", request);
  if (!answer) return complain(answer.error());
  return verdict(*answer);
}

Exit rekey(Session& session, const std::string& kind, const std::string& name) {
  const Found found = look_up(session, name);
  if (found.exit != Exit::done) return found.exit;
  Name what = found.name;
  if (kind == "ike") what.child.clear();
  if (kind == "child" && what.child.empty()) {
    return complain("say which child: '" + name + "' is a connection", Exit::not_found);
  }
  const auto answer = session.call("rekey", request_for(what));
  if (!answer) return complain(answer.error());
  return verdict(*answer);
}

Exit why(Session& session, const std::string& peer, bool json) {
  const auto failures = session.list("cygnet-failures", "cygnet-failure");
  if (!failures) return complain(failures.error());
  const std::vector<vici::Message> records = records_about(*failures, peer);
  if (json) {
    fmt::print("{}", why_json(records));
  } else if (records.empty()) {
    fmt::print("nothing was refused and no attempt has failed{}\n",
               peer.empty() ? "" : " of '" + peer + "'");
  } else {
    fmt::print("{}", printable(why_text(records)));
  }
  return Exit::done;
}

Exit plan(Session& session, bool apply, bool json) {
  const auto done = session.gather(apply ? "cygnet-reload" : "cygnet-plan", "cygnet-change");
  if (!done) return complain(done.error());
  if (const Exit exit = verdict(done->answer); exit != Exit::done) return exit;
  PlanInput input{.changes = done->events, .warnings = {}, .applied = apply};
  if (const vici::List* warnings = done->answer.list("warnings")) input.warnings = *warnings;
  fmt::print("{}", json ? plan_json(input) : printable(plan_text(input)));
  return Exit::done;
}

Exit names(Session& session) {
  const auto connections = session.list("list-conns", "list-conn");
  if (!connections) return complain(connections.error());
  for (const std::string& name : all_names(*connections)) fmt::print("{}\n", name);
  return Exit::done;
}

Exit version(Session& session, const std::string& ours) {
  const auto answer = session.call("version");
  if (!answer) return complain(answer.error());
  fmt::print("cygnet {}\n{} {} on {} {}\n", ours, answer->text("daemon"), answer->text("version"),
             answer->text("sysname"), answer->text("release"));
  return Exit::done;
}

Exit check(const std::string& file, std::optional<Format> format) {
  disk::DiskFiles files;
  const std::string path = absolute(file);
  if (!format) {
    const auto found = format_of(path, files);
    if (!found) return complain(found.error());
    format = *found;
  }
  const auto own = io::own_addresses();
  if (!own) return complain(own.error());
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const CheckReport report = check_file(path, *format, {.addresses = *own, .now = now}, files);
  fmt::print("{}", report.text);
  return report.usable ? Exit::done : Exit::failed;
}

Exit lints() {
  for (const config::LintInfo& one : config::all_lints()) {
    fmt::print("{:<26} {}\n", one.name, one.about);
  }
  return Exit::done;
}

Exit convert(const std::string& file, const std::string& secrets, bool with_secrets) {
  disk::DiskFiles files;
  const auto own = io::own_addresses();
  if (!own) return complain(own.error());
  const ConvertReport report = convert_file(
      absolute(file), secrets.empty() ? "" : absolute(secrets), with_secrets, *own, files);
  fmt::print(stderr, "{}", report.notes);
  fmt::print("{}", report.text);
  return report.text.empty() ? Exit::failed : Exit::done;
}

}  // namespace cygnet::cli
