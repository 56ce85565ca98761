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

//= RFC7296#2.25.1 "If a peer receives a request to rekey a Child SA that it is currently trying
//=                 to close, it SHOULD reply with TEMPORARY_FAILURE."
//= RFC7296#2.25.1 "If a peer receives a request to rekey a Child SA that it is currently
//=                 rekeying, it SHOULD reply as usual, and SHOULD prepare to close redundant SAs"
RekeyReply reply_to_rekey(const RekeyFacts& facts) {
  // Once ours is made we are about to close the old one; a second exchange of theirs is no race.
  const bool settled = facts.deleting || facts.ours == OurRekey::made || facts.their_attempt;
  return settled ? RekeyReply::temporary_failure : RekeyReply::accept;
}

Survivor conclude(const RekeyFacts& facts, bool original_initiator) {
  switch (facts.ours) {
    case OurRekey::under_way:
      return Survivor::undecided;
    case OurRekey::made:
      return judge(facts.our_attempt, facts.their_attempt, original_initiator) ==
                     RaceVerdict::theirs_survives
                 ? Survivor::theirs
                 : Survivor::ours;
    case OurRekey::none:
    case OurRekey::failed:
      break;
  }
  return facts.their_attempt ? Survivor::theirs : Survivor::none;
}

Survivor reply_to_delete(const RekeyFacts& facts, bool original_initiator) {
  if (facts.ours == OurRekey::under_way) {
    // Only the creator of the survivor deletes the old SA: the peer has decided already.
    return facts.their_attempt ? Survivor::theirs : Survivor::none;
  }
  return conclude(facts, original_initiator);
}

}  // namespace cygnet::ike
