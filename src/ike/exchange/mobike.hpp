// An IKE_SA whose ends move.                                      RFC 4555
//
//    HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_SOURCE_IP),
//             N(NAT_DETECTION_DESTINATION_IP)}  -->
//                       <--  HDR, SK {N(NAT_DETECTION_SOURCE_IP),
//                                     N(NAT_DETECTION_DESTINATION_IP)}
//                       <--  HDR, SK {N(COOKIE2)}
//    HDR, SK {N(COOKIE2)}  -->
//
// A responder that can be reached at several addresses names them, in IKE_AUTH and when they
// change:
//
//                       <--  HDR, SK {N(ADDITIONAL_IP4_ADDRESS), N(ADDITIONAL_IP6_ADDRESS) ...}
//    HDR, SK {}  -->
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

/// As responder: our other addresses, or that there are none (RFC 4555 §3.4).
void add_addresses(const IkeSa& sa, Context& cx, std::vector<wire::Payload>& out);
/// As first initiator: where the responder says it can be reached, at most kPeerAddressesMax.
void learn_addresses(IkeSa& sa, const std::vector<wire::Payload>& payloads);
/// As responder: lets the initiator know that add_addresses() says something else now.
void tell_addresses(IkeSa& sa, Context& cx);

/// The way to the peer is gone, or silent: asks for all the ways there are. The answer, taken by
/// take_paths(), moves an IKE_SA whose way is gone to the first that is left; otherwise the request
/// that is under way goes out on all of them, and follow_answer() moves it to the one that works
/// (RFC 4555 §3.10). Nothing happens where there is no choice.
void seek_path(IkeSa& sa, Context& cx);
void take_paths(IkeSa& sa, Context& cx, const Answer& answer);
void follow_answer(IkeSa& sa, Context& cx, const Received& received);

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

/// Whether the peer is still to prove that it is where it says.
[[nodiscard]] bool checks_path(const IkeSa& sa);
/// Puts the children's outer addresses where they are, or sends them apart from IKE's.
void move_children(IkeSa& sa, Context& cx, const Endpoint& local, const Endpoint& remote);
/// The NAT notifies of a protected message between these endpoints, for a peer that wants to know
/// how it is seen.
[[nodiscard]] std::vector<wire::Payload> nat_notifies_of(const IkeSa& sa, Context& cx,
                                                         const Endpoint& local,
                                                         const Endpoint& remote);
/// From a response: how the peer sees us now. A NAT that maps us differently than before, or may
/// do so as there was no answer before, is told to the peer by UPDATE_SA_ADDRESSES (RFC 4555 §3.8).
void notice_mapping(IkeSa& sa, Context& cx, const std::vector<wire::Payload>& reply);

}  // namespace cygnet::ike
