// ike/race.cpp with a judgement that can be broken; the linker takes this one.
#include "sim/breakage/broken.hpp"

#define conclude honest_conclude
#include "ike/race.cpp"  // NOLINT(bugprone-suspicious-include)
#undef conclude

namespace cygnet::ike {

Survivor conclude(const RekeyFacts& facts, bool original_initiator);

Survivor conclude(const RekeyFacts& facts, bool original_initiator) {
  const Survivor honest = honest_conclude(facts, original_initiator);
  const bool crossing = facts.ours == OurRekey::made && facts.their_attempt;
  return sim::broken() == sim::Rule::judging && crossing ? Survivor::ours : honest;
}

}  // namespace cygnet::ike
