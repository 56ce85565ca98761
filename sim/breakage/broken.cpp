#include "sim/breakage/broken.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cygnet::sim {
namespace {

constexpr std::string_view kNames[] = {"none",
                                       "judging",
                                       "replay",
                                       "window",
                                       "authentication",
                                       "initiator_proof",
                                       "responder_proof",
                                       "leases",
                                       "ivs",
                                       "ike_ivs",
                                       "keys",
                                       "half_open",
                                       "clear",
                                       "gap",
                                       "reauthentication",
                                       "denial"};
static_assert(std::size(kNames) == static_cast<std::size_t>(Rule::denial) + 1);
thread_local Rule current = Rule::none;
thread_local bool believes = false;

}  // namespace

std::span<const std::string_view> rule_names() { return kNames; }

std::optional<Rule> find_rule(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == std::end(kNames)) return std::nullopt;
  return static_cast<Rule>(at - std::begin(kNames));
}

Rule broken() { return current; }
void set_broken(Rule rule) { current = rule; }

Gullible::Gullible(bool really) : before_(std::exchange(believes, really)) {}
Gullible::~Gullible() { believes = before_; }
bool gullible() { return believes; }

}  // namespace cygnet::sim
