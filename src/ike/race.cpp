#include "ike/race.hpp"

#include <algorithm>

namespace cygnet::ike {
namespace {

const Bytes& lowest(const Attempt& attempt) {
  return std::min(attempt.initiator, attempt.responder);
}

}  // namespace

//= RFC7296#2.8.1 "the SA created with the lowest of the four nonces ... SHOULD be
//=                closed by the endpoint that created it"
// std::vector orders octet by octet and a proper prefix before its extensions,
// which is exactly the RFC's meaning of "lowest".
RaceVerdict judge(const std::optional<Attempt>& ours, const std::optional<Attempt>& theirs,
                  bool original_initiator) {
  if (!ours || !theirs) return RaceVerdict::no_race;
  if (lowest(*ours) == lowest(*theirs)) {
    return original_initiator ? RaceVerdict::ours_survives : RaceVerdict::theirs_survives;
  }
  return lowest(*ours) < lowest(*theirs) ? RaceVerdict::theirs_survives
                                         : RaceVerdict::ours_survives;
}

}  // namespace cygnet::ike
