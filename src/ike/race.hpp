// Who survives when both ends rekey the same SA.                 RFC 7296 §2.8.1
#pragma once

#include <optional>

#include "base/bytes.hpp"

namespace cygnet::ike {

/// The nonces of one rekey exchange: the requester's and the answerer's.
struct Attempt {
  Bytes initiator;
  Bytes responder;
  friend auto operator<=>(const Attempt&, const Attempt&) = default;
};

enum class RaceVerdict : std::uint8_t { no_race, ours_survives, theirs_survives };

/// Which of two crossing rekeys of one SA survives. Absent attempts are no race. When both have
/// the same lowest nonce (on which the RFC is silent) the SA made by the original initiator of
/// the IKE_SA survives.
[[nodiscard]] RaceVerdict judge(const std::optional<Attempt>& ours,
                                const std::optional<Attempt>& theirs, bool original_initiator);

}  // namespace cygnet::ike
