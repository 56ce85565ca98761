#include "sim/breakage/broken.hpp"

#include <algorithm>
#include <iterator>

namespace cygnet::sim {
namespace {

constexpr std::string_view kNames[] = {"none",           "judging", "replay", "window",
                                       "authentication", "leases",  "ivs", "ike_ivs"};
thread_local Rule current = Rule::none;

}  // namespace

std::span<const std::string_view> rule_names() { return kNames; }

std::optional<Rule> find_rule(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == std::end(kNames)) return std::nullopt;
  return static_cast<Rule>(at - std::begin(kNames));
}

Rule broken() { return current; }
void set_broken(Rule rule) { current = rule; }

}  // namespace cygnet::sim
