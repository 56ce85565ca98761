// What to do about an identity that is not the expected one.           RFC 7296 §3.5
#pragma once

#include <string>

#include "model/identity.hpp"

namespace cygnet::ike {

/// One sentence about a peer that sent `theirs` where remote.id is `ours`.
[[nodiscard]] std::string identity_advice(const model::IdentityPattern& ours,
                                          const model::Identity& theirs);

/// The same about a peer that asked for `theirs` where local.id is `ours`.
[[nodiscard]] std::string asked_identity_advice(const model::IdentityPattern& ours,
                                                const model::Identity& theirs);

}  // namespace cygnet::ike
