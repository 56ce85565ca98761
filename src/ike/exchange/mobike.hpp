// An IKE_SA whose ends move.                                      RFC 4555
//
//    HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_SOURCE_IP),
//             N(NAT_DETECTION_DESTINATION_IP)}  -->
//                       <--  HDR, SK {N(NAT_DETECTION_SOURCE_IP),
//                                     N(NAT_DETECTION_DESTINATION_IP)}
//                       <--  HDR, SK {N(COOKIE2)}
//    HDR, SK {N(COOKIE2)}  -->
//
// The first initiator (the one of the first of a row of rekeyed IKE_SAs) says where it is now. The
// other end follows, then makes sure that somebody who has the keys is really there.
#pragma once

#include "ike/exchange/spec.hpp"
#include "ike/sa.hpp"

namespace cygnet::ike {

/// N(MOBIKE_SUPPORTED) for IKE_AUTH, when this connection allows it.
void add_mobike_supported(const IkeSa& sa, std::vector<wire::Payload>& out);
/// Whether the peer said so too.
void learn_mobike(IkeSa& sa, const std::vector<wire::Payload>& payloads);

/// What an INFORMATIONAL request says of addresses: the payloads for its answer. Follows
/// UPDATE_SA_ADDRESSES of an initiator.
[[nodiscard]] std::vector<wire::Payload> answer_mobike(IkeSa& sa, const Received& received,
                                                       const std::vector<wire::Payload>& request,
                                                       Context& cx);

/// The IKE_SA and its children go on between these endpoints.
void move_to(IkeSa& sa, Context& cx, const Endpoint& local, const Endpoint& remote);
/// Our address towards the peer has changed. With MOBIKE the peer is told; without, the IKE_SA
/// cannot go on and ends, and what is to stay up is wanted again.
void change_local(IkeSa& sa, Context& cx, const IpAddress& local);

/// The NAT notifies of a protected message, for a peer that wants to know how it is seen.
[[nodiscard]] std::vector<wire::Payload> nat_notifies_of(const IkeSa& sa, Context& cx);
/// From a response: how the peer sees us now. A NAT that maps us differently than before is told
/// to the peer by UPDATE_SA_ADDRESSES (RFC 4555 §3.8).
void notice_mapping(IkeSa& sa, Context& cx, const std::vector<wire::Payload>& reply);

}  // namespace cygnet::ike
