#include "daemon/log.hpp"

#include <algorithm>

namespace cygnet::daemon {

using model::LogGroup;
using model::LogLevel;

Log::Log() {
  auto sink = open_sink({}, identifier_);  // stderr is always there
  if (sink) places_.push_back({LogTarget{}, *std::move(sink)});
}

Result<void> Log::configure(const std::vector<LogTarget>& targets, const std::string& identifier) {
  std::vector<Place> fresh;
  // What is open already is told apart by its index, and moved once nothing can fail any more.
  std::vector<std::size_t> kept;
  std::vector<std::string> faults;
  for (const LogTarget& target : targets) {
    const auto known = std::ranges::find_if(places_, [&](const Place& place) {
      return identifier == identifier_ && place.target.kind == target.kind &&
             place.target.name == target.name;
    });
    const auto index = static_cast<std::size_t>(known - places_.begin());
    if (known != places_.end() && std::ranges::find(kept, index) == kept.end()) {
      kept.push_back(index);
      fresh.push_back({target, nullptr});
      continue;
    }
    auto sink = open_sink(target, identifier);
    if (!sink && target.must) return std::unexpected(std::move(sink).error());
    if (sink) {
      fresh.push_back({target, *std::move(sink)});
    } else {
      faults.push_back(sink.error().text());
    }
  }
  auto next = kept.begin();
  for (Place& place : fresh) {
    if (place.sink == nullptr) place.sink = std::move(places_[*next++].sink);
  }
  places_ = std::move(fresh);
  identifier_ = identifier;
  for (std::string& fault : faults) warning(LogGroup::cfg, std::move(fault));
  return {};
}

void Log::reopen() {
  for (Place& place : places_) {
    if (const auto done = place.sink->reopen(); !done) error(LogGroup::dmn, done.error().text());
  }
}

bool Log::wants(LogGroup group, LogLevel level) const {
  return std::ranges::any_of(
      places_, [&](const Place& place) { return place.target.levels.wants(group, level); });
}

void Log::write(const control::LogLine& line) {
  for (Place& place : places_) {
    if (place.target.levels.wants(line.group, line.level)) place.sink->write(line);
  }
}

void Log::say(LogLevel level, LogGroup group, std::string sentence) {
  write({.level = level, .group = group, .sentence = std::move(sentence)});
}
void Log::error(LogGroup group, std::string sentence) {
  say(LogLevel::error, group, std::move(sentence));
}
void Log::warning(LogGroup group, std::string sentence) {
  say(LogLevel::warning, group, std::move(sentence));
}
void Log::notice(LogGroup group, std::string sentence) {
  say(LogLevel::notice, group, std::move(sentence));
}
void Log::info(LogGroup group, std::string sentence) {
  say(LogLevel::info, group, std::move(sentence));
}
void Log::trace(LogGroup group, std::string sentence) {
  say(LogLevel::trace, group, std::move(sentence));
}

void Log::errors(LogGroup group, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end != 0) error(group, std::string{text.substr(0, end)});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

}  // namespace cygnet::daemon
