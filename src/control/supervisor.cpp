#include "control/supervisor.hpp"

#include <algorithm>
#include <utility>

namespace cygnet::control {

void Supervisor::want(const ChildKey& key, Instant now, unsigned limit, Duration pause_max) {
  const auto [at, fresh] =
      entries_.try_emplace(key, Entry{.due = now, .limit = limit, .pause_max = pause_max});
  if (fresh) return;
  Entry& entry = at->second;
  if (const auto up = std::exchange(entry.up, std::nullopt)) {
    if (now - *up >= kSteadyMin) entry.failures = 0;
    entry.limit = limit;
    entry.pause_max = pause_max;
    entry.due = now + (entry.failures == 0 ? Duration{0} : pause_of(entry));
    ++entry.failures;
  } else if (entry.due) {
    entry.due = std::min(*entry.due, now);  // traffic or a dead peer ends the pause
  }
}

void Supervisor::succeeded(const ChildKey& key, Instant now) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return;
  if (at->second.limit != 0) {
    entries_.erase(at);
    return;
  }
  at->second.due.reset();
  at->second.up = now;
  at->second.attempts = 0;
}

Duration Supervisor::pause_of(const Entry& entry) {
  Duration pause = kRetryMin;
  for (unsigned i = 1; i < entry.failures && pause < entry.pause_max; ++i) pause *= 2;
  return std::min<Duration>(pause, entry.pause_max);
}

void Supervisor::hurry(Instant now) {
  for (auto& [key, entry] : entries_) hurry(entry, now);
}

void Supervisor::hurry(const ChildKey& key, Instant now) {
  if (const auto at = entries_.find(key); at != entries_.end()) hurry(at->second, now);
}

void Supervisor::hurry(Entry& entry, Instant now) {
  entry.failures = 0;
  if (entry.due) entry.due = std::min(*entry.due, now);
}

std::optional<Duration> Supervisor::failed(const ChildKey& key, Instant now, Rng& rng) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return std::nullopt;
  Entry& entry = at->second;
  if (entry.limit != 0 && entry.attempts >= entry.limit) {
    entries_.erase(at);
    return std::nullopt;
  }
  if (const auto up = std::exchange(entry.up, std::nullopt); up && now - *up >= kSteadyMin) {
    entry.failures = 0;
  }
  ++entry.failures;
  Duration pause = pause_of(entry);
  // A gateway's clients must not all come back at once: up to a quarter less.
  pause -= Duration{
      static_cast<Duration::rep>(rng.u64() % static_cast<std::uint64_t>((pause / 4).count() + 1))};
  entry.due = now + pause;
  return pause;
}

std::vector<ChildKey> Supervisor::take_due(Instant now, std::size_t count_max) {
  std::vector<ChildKey> out;
  if (count_max == 0) return out;
  for (const auto& [key, entry] : entries_) {
    if (entry.due && *entry.due <= now) out.push_back(key);
  }
  if (out.size() > count_max) {
    // Whoever fails often must not keep those from their turn that come later in the alphabet.
    std::ranges::stable_sort(out, {}, [this](const ChildKey& key) { return *entries_[key].due; });
    out.resize(count_max);
  }
  for (const ChildKey& key : out) {
    Entry& entry = entries_[key];
    entry.due.reset();
    ++entry.attempts;
  }
  return out;
}

std::optional<Instant> Supervisor::deadline() const {
  std::optional<Instant> out;
  for (const auto& [key, entry] : entries_) {
    if (entry.due && (!out || *entry.due < *out)) out = entry.due;
  }
  return out;
}

unsigned Supervisor::attempts(const ChildKey& key) const {
  const auto at = entries_.find(key);
  return at == entries_.end() ? 0 : at->second.attempts;
}

}  // namespace cygnet::control
