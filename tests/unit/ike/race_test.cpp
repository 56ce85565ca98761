// The pure functions of rekey races, over every combination of facts.   RFC 7296 §2.8.1, §2.25
#include "ike/race.hpp"

#include <gtest/gtest.h>

namespace cygnet::ike {
namespace {

const Attempt kLow{.initiator = {1}, .responder = {9}};
const Attempt kHigh{.initiator = {2}, .responder = {3}};
constexpr OurRekey kStages[] = {OurRekey::none, OurRekey::under_way, OurRekey::made,
                                OurRekey::failed};

//= RFC7296#2.8.1 test
TEST(Race, Judge_TheLowestOfTheFourNoncesLoses) {
  EXPECT_EQ(judge(kLow, kHigh, true), RaceVerdict::theirs_survives);
  EXPECT_EQ(judge(kHigh, kLow, true), RaceVerdict::ours_survives);
  EXPECT_EQ(judge(kLow, std::nullopt, true), RaceVerdict::no_race);
}

TEST(Race, Judge_AShorterNonceIsLowerThanItsExtension) {
  const Attempt prefix{.initiator = {5, 5}, .responder = {7}};
  const Attempt longer{.initiator = {5, 5, 0}, .responder = {6}};
  EXPECT_EQ(judge(prefix, longer, false), RaceVerdict::theirs_survives);
}

TEST(Race, Judge_EqualLowestNonces_TheOriginalInitiatorsSurvives) {
  const Attempt one{.initiator = {1}, .responder = {2}};
  const Attempt two{.initiator = {4}, .responder = {1}};
  EXPECT_EQ(judge(one, two, true), RaceVerdict::ours_survives);
  EXPECT_EQ(judge(two, one, false), RaceVerdict::theirs_survives);
}

// Whatever both ends know in the end, exactly one SA survives and both name the same.
TEST(Race, Conclude_BothEndsAgree) {
  for (const auto& [ours, theirs] : {std::pair{kLow, kHigh}, std::pair{kHigh, kLow}}) {
    const RekeyFacts here{.ours = OurRekey::made, .our_attempt = ours, .their_attempt = theirs};
    const RekeyFacts there{.ours = OurRekey::made, .our_attempt = theirs, .their_attempt = ours};
    const Survivor mine = conclude(here, true);
    const Survivor yours = conclude(there, false);
    EXPECT_TRUE((mine == Survivor::ours && yours == Survivor::theirs) ||
                (mine == Survivor::theirs && yours == Survivor::ours));
  }
}

TEST(Race, Conclude_EveryCombination) {
  for (const OurRekey stage : kStages) {
    for (const bool answered : {false, true}) {
      RekeyFacts facts{.ours = stage};
      if (stage == OurRekey::made) facts.our_attempt = kHigh;
      if (answered) facts.their_attempt = kLow;
      Survivor expected = answered ? Survivor::theirs : Survivor::none;
      if (stage == OurRekey::under_way) expected = Survivor::undecided;
      if (stage == OurRekey::made) expected = Survivor::ours;
      EXPECT_EQ(conclude(facts, true), expected);
      // The peer's Delete decides what was undecided: only the survivor's maker deletes.
      if (expected == Survivor::undecided) expected = answered ? Survivor::theirs : Survivor::none;
      EXPECT_EQ(reply_to_delete(facts, true), expected);
    }
  }
}

//= RFC7296#2.25.1 test
TEST(Race, ReplyToRekey_EveryCombination) {
  for (const OurRekey stage : kStages) {
    for (const bool deleting : {false, true}) {
      for (const bool answered : {false, true}) {
        RekeyFacts facts{.ours = stage, .deleting = deleting};
        if (answered) facts.their_attempt = kLow;
        const bool busy = deleting || answered || stage == OurRekey::made;
        EXPECT_EQ(reply_to_rekey(facts), busy ? RekeyReply::temporary_failure : RekeyReply::accept);
      }
    }
  }
}

}  // namespace
}  // namespace cygnet::ike
