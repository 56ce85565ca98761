// CREATE_CHILD_SA that replaces a Child SA.                    RFC 7296 §1.3.3, §2.8
//
//    HDR, SK {N(REKEY_SA), SA, Ni, [KEi,] TSi, TSr}  -->
//                                <--  HDR, SK {SA, Nr, [KEr,] TSi, TSr}
//
// The requester sends on the new SA at once and deletes the old one. The answerer sends on the
// new one when it receives on it or when the old one is deleted: so no packet is lost.
#pragma once

#include "ike/exchange/create_child.hpp"

namespace cygnet::ike {

/// The responder's answer to a request with N(REKEY_SA).
[[nodiscard]] std::vector<wire::Payload> answer_rekey_child(
    IkeSa& sa, Established& state, const std::vector<wire::Payload>& request,
    const wire::NotifyPayload& rekey, Context& cx);

/// Marks `fresh` as `old`'s successor and tells the world.
void succeed(IkeSa& sa, Context& cx, model::ChildId old, model::ChildId fresh);

}  // namespace cygnet::ike
