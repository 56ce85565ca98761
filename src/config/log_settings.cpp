#include "config/log_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "config/fields.hpp"
#include "config/text_file.hpp"

namespace cygnet::config {
namespace {

using model::LogLevel;

Result<LogLevel> parse_level(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  const auto level = is_number ? model::log_level_of_charon(number) : std::nullopt;
  if (!level) return fail(fmt::format("'{}' is no level: write -1 (nothing) to 4", text));
  return *level;
}
constexpr ValueType<LogLevel> kLevel{"-1 to 4", parse_level, nullptr};

constexpr std::string_view kFacilities[] = {"daemon", "auth",   "authpriv", "user",
                                            "local0", "local1", "local2",   "local3",
                                            "local4", "local5", "local6",   "local7"};

/// `default` and the groups; a group that only strongSwan has must still be a number.
model::LogLevels read_levels(const Section& section, Fields& fields) {
  model::LogLevels out;
  out.all = fields.maybe("default", kLevel).value_or(LogLevel::info);
  for (const Key& key : section.keys) {
    const auto group = model::log_group(key.name);
    if (!group && !model::is_foreign_log_group(key.name)) continue;
    const auto level = fields.maybe(key.name, kLevel);
    if (group && level) out.of[*group] = *level;
  }
  return out;
}

LogPlace read_file(const Section& section, Diagnostics& diags) {
  Fields fields{section, diags, nullptr, "filelog"};
  LogPlace out{.kind = LogPlace::Kind::file};
  // Before `path` came, the section was called after the file.
  out.name = fields.maybe("path", kFileName).value_or(section.name);
  out.append = fields.optional("append", kBoolean, true);
  out.levels = read_levels(section, fields);
  if (!out.name.starts_with('/') && out.name != "stderr" && out.name != "stdout") {
    diags.error(
        fields.at("path"),
        fmt::format("path: '{}' is neither an absolute path nor stderr or stdout", out.name));
  }
  return out;
}

LogPlace read_facility(const Section& section, Diagnostics& diags) {
  Fields fields{section, diags, nullptr, "syslog"};
  LogPlace out{.kind = LogPlace::Kind::syslog, .name = section.name};
  out.levels = read_levels(section, fields);
  if (std::ranges::find(kFacilities, section.name) == std::end(kFacilities)) {
    const std::vector<std::string_view> known{std::begin(kFacilities), std::end(kFacilities)};
    diags.error(section.place,
                fmt::format("'{}' is no facility of syslog{}; known are {}", section.name,
                            model::did_you_mean(section.name, known), fmt::join(known, ", ")));
  }
  return out;
}

}  // namespace

LogSettings load_log_settings(const Section& daemon, Diagnostics& diags) {
  LogSettings out;
  if (const Section* files = daemon.find_section("filelog")) {
    for (const Section& one : files->sections) out.places.push_back(read_file(one, diags));
  }
  if (const Section* syslog = daemon.find_section("syslog")) {
    Fields fields{*syslog, diags, nullptr, "syslog"};
    out.syslog_identifier = fields.maybe("identifier", kText);
    for (const Section& one : syslog->sections) out.places.push_back(read_facility(one, diags));
  }
  if (const Section* journal = daemon.find_section("journal")) {
    Fields fields{*journal, diags, nullptr, "journal"};
    out.journal = read_levels(*journal, fields);
  }
  return out;
}

Result<model::LogLevels> parse_charondebug(std::string_view text) {
  model::LogLevels out;
  for (const std::string_view item : split_list(text)) {
    const std::size_t space = item.find_first_of(" \t");
    const std::string_view name = item.substr(0, space);
    if (space == std::string_view::npos) {
      return fail(fmt::format("'{}' has no level: write it as 'ike 2'", item));
    }
    CYG_TRY(const LogLevel level, parse_level(trimmed(item.substr(space))));
    if (const auto group = model::log_group(name)) {
      out.of[*group] = level;
    } else if (name == "any") {
      out.all = level;
    } else if (!model::is_foreign_log_group(name)) {
      return fail(
          fmt::format("'{}' is no group of log lines: write ike, chd, cfg, knl, net, enc, "
                      "dmn or any",
                      name));
    }
  }
  return out;
}

}  // namespace cygnet::config
