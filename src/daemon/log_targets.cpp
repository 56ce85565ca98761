#include "daemon/log_targets.hpp"

namespace cygnet::daemon {
namespace {

using Kind = LogTarget::Kind;

bool is_stderr(const config::LogPlace& place) {
  return place.kind == config::LogPlace::Kind::file &&
         (place.name == "stderr" || place.name == "stdout");
}

Result<LogTarget> target_of(const std::string& place) {
  if (place == "stderr") return LogTarget{.kind = Kind::stderr_text};
  if (place == "journal") return LogTarget{.kind = Kind::journal};
  if (place == "syslog") return LogTarget{.kind = Kind::syslog, .name = "daemon"};
  if (place.find('/') != std::string::npos) return LogTarget{.kind = Kind::file, .name = place};
  return fail("--log " + place,
              "write stderr, journal, syslog or a file's path with a '/' in it; how much is told "
              "is --log-level");
}

}  // namespace

Result<std::vector<LogTarget>> log_targets(const LogOptions& options,
                                           const config::LogSettings& settings,
                                           const std::optional<model::LogLevels>& charon_debug) {
  model::LogLevels levels = charon_debug.value_or(model::LogLevels{});
  for (const config::LogPlace& place : settings.places) {
    if (is_stderr(place)) levels = place.levels;
  }
  if (settings.journal) levels = *settings.journal;
  if (options.level) levels = {.all = *options.level, .of = {}};

  std::vector<LogTarget> out;
  for (const std::string& place : options.places) {
    CYG_TRY(LogTarget target, target_of(place));
    target.levels = levels;
    out.push_back(std::move(target));
  }
  if (out.empty()) out.push_back({.levels = levels});
  for (const config::LogPlace& place : settings.places) {
    if (is_stderr(place)) continue;
    const bool file = place.kind == config::LogPlace::Kind::file;
    out.push_back({.kind = file ? Kind::file : Kind::syslog,
                   .name = place.name,
                   .append = place.append,
                   .must = false,
                   .levels = place.levels});
  }
  return out;
}

}  // namespace cygnet::daemon
