// CREATE_CHILD_SA that replaces the IKE_SA.                       RFC 7296 §1.3.2, §2.18
//
//    HDR, SK {SA, Ni, KEi}  -->
//                           <--  HDR, SK {SA, Nr, KEr}
//
// The children move to the new IKE_SA; the requester deletes the old one. When both ends ask at
// once, race.hpp says which of the two new IKE_SAs survives.
#pragma once

#include "ike/exchange/create_child.hpp"

namespace cygnet::ike {

inline constexpr PayloadType kRekeyIkePayloads[] = {PayloadType::sa, PayloadType::ke,
                                                    PayloadType::nonce};
inline constexpr ExchangeSpec kRekeyIke{.type = ExchangeType::create_child_sa,
                                        .request = kRekeyIkePayloads};

/// The responder's answer. The IKE_SA it makes is `sa.their_fresh`; the engine decides later
/// whether it takes over.
[[nodiscard]] std::vector<wire::Payload> answer_rekey_ike(IkeSa& sa, Established& state,
                                                          const std::vector<wire::Payload>& request,
                                                          Context& cx);

/// `fresh` takes over: children, queued tasks and addresses of `old` move to it.
void hand_over(IkeSa& old, IkeSa& fresh, Context& cx);

}  // namespace cygnet::ike
