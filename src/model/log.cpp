#include "model/log.hpp"

#include <algorithm>
#include <array>

namespace cygnet::model {
namespace {

constexpr std::string_view kLevelNames[] = {"none", "error", "warning", "notice",
                                            "info", "debug", "trace"};
/// From -1 on. What strongSwan adds at 4 are secrets: there is no such level here.
constexpr std::array kCharonLevels = {LogLevel::none,  LogLevel::notice, LogLevel::info,
                                      LogLevel::debug, LogLevel::trace,  LogLevel::trace};

constexpr std::string_view kGroupNames[] = {"dmn", "ike", "chd", "cfg", "knl", "net", "enc"};
constexpr std::string_view kForeignGroups[] = {"mgr", "job", "asn", "lib", "esp",
                                               "tls", "tnc", "imc", "imv", "pts"};

}  // namespace

std::string_view to_string(LogLevel level) { return kLevelNames[static_cast<std::size_t>(level)]; }

std::optional<LogLevel> log_level_of_charon(int number) {
  if (number < -1 || number > 4) return std::nullopt;
  return kCharonLevels[static_cast<std::size_t>(number + 1)];
}

std::string_view to_string(LogGroup group) { return kGroupNames[static_cast<std::size_t>(group)]; }

std::optional<LogGroup> log_group(std::string_view word) {
  for (const LogGroup group : kLogGroups) {
    if (to_string(group) == word) return group;
  }
  return std::nullopt;
}

bool is_foreign_log_group(std::string_view word) {
  return std::ranges::find(kForeignGroups, word) != std::end(kForeignGroups);
}

bool LogLevels::wants(LogGroup group, LogLevel level) const {
  const auto at = of.find(group);
  return level != LogLevel::none && level <= (at == of.end() ? all : at->second);
}

}  // namespace cygnet::model
