// Crossing rekeys and deletes of one SA: accumulated facts, pure functions.  RFC 7296 §2.8.1, §2.25
//
// Both ends may rekey the same SA at once, answers may be lost, and either end may delete
// meanwhile. What happened is noted in RekeyFacts; the functions below say what follows. The same
// ones serve Child SAs and IKE_SAs.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace cygnet::ike {

/// The nonces of one exchange that makes an SA: the requester's and the answerer's.
struct Attempt {
  Bytes initiator;
  Bytes responder;
  friend auto operator<=>(const Attempt&, const Attempt&) = default;
};

enum class RaceVerdict : std::uint8_t { no_race, ours_survives, theirs_survives };

/// Which of two crossing exchanges' SAs survives. Absent attempts are no race. When both have
/// the same lowest nonce (on which the RFC is silent) the SA made by the original initiator of
/// the IKE_SA survives.
[[nodiscard]] RaceVerdict judge(const std::optional<Attempt>& ours,
                                const std::optional<Attempt>& theirs, bool original_initiator);

/// How far our own exchange that replaces an SA has come.
enum class OurRekey : std::uint8_t {
  none,       ///< not asked for, or only queued
  under_way,  ///< requested, not answered
  made,       ///< answered: the new SA is there
  failed      ///< refused
};

/// What is known about the replacement of one SA.
struct RekeyFacts {
  OurRekey ours = OurRekey::none;
  std::optional<Attempt> our_attempt;    ///< with `made`
  std::optional<Attempt> their_attempt;  ///< we answered the peer's exchange
  bool deleting = false;                 ///< a Delete of ours is queued or under way
};

/// The answer to a peer's request to rekey this SA.
enum class RekeyReply : std::uint8_t {
  accept,
  temporary_failure  ///< we are closing it, or have replaced it (RFC 7296 §2.25)
};
[[nodiscard]] RekeyReply reply_to_rekey(const RekeyFacts& facts);

/// What has become of a rekeyed SA.
enum class Survivor : std::uint8_t {
  undecided,  ///< our exchange is under way: its answer decides
  none,       ///< nothing replaces the SA
  ours,       ///< ours: we delete the old SA, the peer its own new one
  theirs      ///< the peer's: it deletes the old SA, we our own new one
};
[[nodiscard]] Survivor conclude(const RekeyFacts& facts, bool original_initiator);

/// The peer deletes the SA while we may be replacing it: `theirs` when its own replacement has
/// thereby taken over (its creator deletes the old SA), `none` when the peer wants the SA gone.
[[nodiscard]] Survivor reply_to_delete(const RekeyFacts& facts, bool original_initiator);

}  // namespace cygnet::ike
