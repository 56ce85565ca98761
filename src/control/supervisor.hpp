// Which children should be up, and when to try again.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "base/time.hpp"

namespace cygnet::control {

/// The first pause after a failed attempt; each further one is twice as long.
inline constexpr Duration kRetryMin = std::chrono::seconds{2};
/// The longest pause.
inline constexpr Duration kRetryMax = std::chrono::minutes{5};
/// The longest pause for a child that is to be kept up.
inline constexpr Duration kKeepUpRetryMax = std::chrono::seconds{15};
/// What has been up for less, and is wanted again, counts as an attempt that failed: whoever throws
/// us out at once is not called without a pause.
inline constexpr Duration kSteadyMin = std::chrono::seconds{30};

struct ChildKey {
  std::string connection;
  std::string child;
  friend auto operator<=>(const ChildKey&, const ChildKey&) = default;
};

/// Children that were asked for by the configuration (start_action = start), by traffic, or by a
/// dead peer's action. Attempts go on until one succeeds or somebody says otherwise.
class Supervisor {
 public:
  /// Brings `key` up as soon as possible; one that is being tried is left alone. `limit` attempts
  /// are made, 0 = for ever.
  void want(const ChildKey& key, Instant now, unsigned limit, Duration pause_max = kRetryMax);
  /// Something about the network has changed: whatever waits is due now, and starts over with
  /// short pauses.
  void hurry(Instant now);
  /// The same for one of them.
  void hurry(const ChildKey& key, Instant now);
  /// Gives up on it: it is up, or the operator took it down, or it is configured no more.
  void forget(const ChildKey& key) { entries_.erase(key); }
  /// The attempt succeeded. What is to be tried for ever is remembered, for pauses should it not
  /// last; the rest is given up on.
  void succeeded(const ChildKey& key, Instant now);
  /// The attempt failed, or what had succeeded turned out not to have: schedules the next. The
  /// pause, or nothing when the limit is reached or nobody wants it.
  [[nodiscard]] std::optional<Duration> failed(const ChildKey& key, Instant now, Rng& rng);
  /// What is due now, no more than `count_max`: what has been due for longest first. Each then
  /// counts as being tried.
  [[nodiscard]] std::vector<ChildKey> take_due(
      Instant now, std::size_t count_max = std::numeric_limits<std::size_t>::max());
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// Attempts that were made for it so far.
  [[nodiscard]] unsigned attempts(const ChildKey& key) const;

 private:
  struct Entry {
    std::optional<Instant> due;  ///< empty while an attempt is under way, or it is up
    std::optional<Instant> up;   ///< when the last attempt succeeded, and nothing is wanted
    unsigned attempts = 0;
    unsigned limit = 0;
    unsigned failures = 0;  ///< since the start or the last hurry()
    Duration pause_max = kRetryMax;
  };
  [[nodiscard]] static Duration pause_of(const Entry& entry);
  static void hurry(Entry& entry, Instant now);

  std::map<ChildKey, Entry> entries_;
};

}  // namespace cygnet::control
