// What IKE_SAs and requests are called.
#pragma once

#include <cstdint>

#include "base/strong.hpp"

namespace cygnet::ike {

/// One IKE_SA; unique for the life of the process, printed as `name[7]`.
using SaId = Strong<std::uint32_t, struct SaIdKind>;
/// Chosen by the caller; comes back in event::CommandDone. Zero: nobody waits.
using RequestId = Strong<std::uint64_t, struct RequestIdKind>;

}  // namespace cygnet::ike
