// CREATE_CHILD_SA that replaces the IKE_SA.                       RFC 7296 §1.3.2, §2.18
//
//    HDR, SK {SA, Ni, KEi}  -->
//                           <--  HDR, SK {SA, Nr, KEr}
//
// The children move to the new IKE_SA; the requester deletes the old one.
#pragma once

#include "ike/exchange/create_child.hpp"

namespace cygnet::ike {

inline constexpr PayloadType kRekeyIkePayloads[] = {PayloadType::sa, PayloadType::ke,
                                                    PayloadType::nonce};
inline constexpr ExchangeSpec kRekeyIke{.name = "rekey-ike",
                                        .reference = "RFC 7296 §1.3.2",
                                        .type = ExchangeType::create_child_sa,
                                        .request = kRekeyIkePayloads,
                                        .response = kRekeyIkePayloads};

struct IkeRekeyAnswer {
  std::vector<wire::Payload> payloads;
  std::optional<IkeSa> fresh;  ///< hand it to `hand_over` once the response is sent
};
[[nodiscard]] IkeRekeyAnswer answer_rekey_ike(IkeSa& sa, Established& state,
                                              const std::vector<wire::Payload>& request,
                                              Context& cx);

/// Moves children, queued tasks and addresses from `old` to `fresh` and gives it to the engine.
void hand_over(IkeSa& old, IkeSa fresh, Context& cx);

}  // namespace cygnet::ike
