#include "sim/breakage/broken.hpp"

#include <algorithm>
#include <array>

namespace cygnet::sim {
namespace {

constexpr std::array<std::string_view, 7> kNames{"none",           "judging", "replay", "window",
                                                 "authentication", "leases",  "ivs"};
thread_local Rule current = Rule::none;

}  // namespace

std::string_view to_string(Rule rule) { return kNames[static_cast<std::size_t>(rule)]; }

std::optional<Rule> find_rule(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<Rule>(at - kNames.begin());
}

Rule broken() { return current; }
void set_broken(Rule rule) { current = rule; }

}  // namespace cygnet::sim
