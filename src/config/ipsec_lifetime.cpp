// When keys are replaced and when they end.
//
//    replaced after  lifetime - (margin + random(0, margin * fuzz))
//
// which swanctl.conf writes as rekey_time = lifetime - margin and rand_time = margin * fuzz.
#include <fmt/format.h>

#include <algorithm>

#include "config/ipsec_conversion.hpp"
#include "config/ipsec_values.hpp"

namespace cygnet::config {
namespace {

using std::chrono::seconds;

constexpr std::chrono::hours kIkeLifetime{3};
constexpr std::chrono::hours kChildLifetime{1};
constexpr std::chrono::minutes kMargin{9};
constexpr std::uint64_t kFuzz = 100;

/// Seconds, octets or packets.
struct Limit {
  std::uint64_t soft = 0;
  std::uint64_t spread = 0;
};

/// The words that say one limit.
struct Words {
  std::string_view life;
  std::string_view margin;
};

/// Nothing when the margin leaves no life.
std::optional<Limit> limit_of(const Conn& conn, const Words& words, std::uint64_t life,
                              std::uint64_t margin) {
  Conversion& cx = conn.cx;
  const Key* key = conn.fields.find(words.margin);
  const Place& place =
      key != nullptr ? key->value_place : conn.fields.at(words.life);  // of the conn, if neither
  if (margin >= life && key == nullptr && life > 1) {
    // Nobody has set that margin: a short life gets a shorter one.
    margin = life / 2;
    cx.warn(place, fmt::format("the usual {} is longer than {}; now it is half of that",
                               words.margin, words.life));
  }
  if (margin >= life) {
    cx.diags.error(place, fmt::format("{} must be less than {}", words.margin, words.life));
    return std::nullopt;
  }
  const std::uint64_t fuzz = conn.fields.optional("rekeyfuzz", kPercent, kFuzz);
  Limit out{.soft = life - margin, .spread = life};
  // In two parts, so that no product overflows; more than the whole life is cut anyway.
  if (fuzz == 0 || margin / 100 <= life / fuzz) {
    out.spread = margin / 100 * fuzz + margin % 100 * fuzz / 100;
  }
  if (out.spread >= out.soft) {
    out.spread = out.soft / 2;
    cx.warn(place, fmt::format("{} with rekeyfuzz reaches back to the start of {}: keys could be "
                               "replaced at once; now at least half of the time passes before",
                               words.margin, words.life));
  }
  return out;
}

std::uint64_t in_seconds(Duration time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(time).count());
}
std::string seconds_text(std::uint64_t count) {
  return time_text(Duration{seconds{static_cast<std::int64_t>(count)}});
}

/// Where a time comes from: its lifetime, or else its margin, if one of them is set.
const Key* source_of(const Conn& conn, const Words& words) {
  const Key* life = conn.fields.find(words.life);
  return life != nullptr ? life : conn.fields.find(words.margin);
}

bool is_rekeyed(const Conn& conn) { return conn.fields.optional("rekey", kBoolean, true); }

/// lifebytes or lifepackets: without a limit there is nothing to write.
void add_volume(const Conn& conn, const Words& words, const std::string& unit, Section& child) {
  const Key* life = conn.fields.find(words.life);
  const auto most = conn.fields.maybe(words.life, kCount);
  const auto margin = conn.fields.maybe(words.margin, kCount);
  if (life == nullptr || !most || *most == 0) return;
  copy_key(child, "life_" + unit, *life);
  if (!is_rekeyed(conn)) {
    return make_key(child, "rekey_" + unit, "0", conn.fields.find("rekey"));
  }
  if (!margin) {
    conn.cx.inform(life->place, fmt::format("without {} nothing was replaced before {} was "
                                            "reached; now it is, 10 % earlier",
                                            words.margin, words.life));
    return make_key(child, "rekey_" + unit, std::to_string(*most - *most / 10), life);
  }
  const auto limit = limit_of(conn, words, *most, *margin);
  if (!limit) return;
  make_key(child, "rekey_" + unit, std::to_string(limit->soft), conn.fields.find(words.margin));
  make_key(child, "rand_" + unit, std::to_string(limit->spread), conn.fields.find(words.margin));
}

}  // namespace

void add_ike_lifetime(const Conn& conn, Section& connection) {
  constexpr Words kWords{"ikelifetime", "margintime"};
  const Duration life = conn.fields.optional("ikelifetime", kIpsecTime, Duration{kIkeLifetime});
  const Duration margin = conn.fields.optional("margintime", kIpsecTime, Duration{kMargin});
  const bool reauthenticated = conn.fields.optional("reauth", kBoolean, true);
  if (!is_rekeyed(conn)) {
    return make_key(connection, "rekey_time", "0s", conn.fields.find("rekey"));
  }
  const auto limit = limit_of(conn, kWords, in_seconds(life), in_seconds(margin));
  if (!limit) return;
  const Key* source = source_of(conn, kWords);
  if (reauthenticated) {
    make_key(connection, "reauth_time", seconds_text(limit->soft), source);
    make_key(connection, "rekey_time", "0s", conn.fields.find("reauth"));
  } else {
    make_key(connection, "rekey_time", seconds_text(limit->soft), source);
  }
  make_key(connection, "over_time", time_text(margin), conn.fields.find("margintime"));
  make_key(connection, "rand_time", seconds_text(limit->spread), conn.fields.find("rekeyfuzz"));
}

void add_child_lifetime(const Conn& conn, Section& child) {
  constexpr Words kWords{"lifetime", "margintime"};
  const Duration life = conn.fields.optional("lifetime", kIpsecTime, Duration{kChildLifetime});
  const Duration margin = conn.fields.optional("margintime", kIpsecTime, Duration{kMargin});
  if (!is_rekeyed(conn)) {
    make_key(child, "rekey_time", "0s", conn.fields.find("rekey"));
  } else if (const auto limit = limit_of(conn, kWords, in_seconds(life), in_seconds(margin))) {
    make_key(child, "rekey_time", seconds_text(limit->soft), source_of(conn, kWords));
    make_key(child, "rand_time", seconds_text(limit->spread), conn.fields.find("rekeyfuzz"));
  }
  make_key(child, "life_time", time_text(life), conn.fields.find("lifetime"));
  add_volume(conn, {"lifebytes", "marginbytes"}, "bytes", child);
  add_volume(conn, {"lifepackets", "marginpackets"}, "packets", child);
}

}  // namespace cygnet::config
