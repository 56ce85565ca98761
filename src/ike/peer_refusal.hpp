// What a peer's error notify says about our own configuration.     RFC 7296 §3.10.1
#pragma once

#include "ike/sa.hpp"

namespace cygnet::ike {

/// The record for an error notify that answers a request of ours; `child` is the child that was
/// asked for, null when the request was about the IKE_SA alone.
[[nodiscard]] FailureRecord peer_refusal(const IkeSa& sa, NotifyType type,
                                         const model::ChildTemplate* child);

}  // namespace cygnet::ike
