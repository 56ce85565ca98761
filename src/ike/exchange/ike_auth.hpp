// The second exchange: both prove who they are, the first Child SA is made.   RFC 7296 §1.2
//
//    HDR, SK {IDi, [CERT,] [CERTREQ,] [IDr,] AUTH, [CP,] SAi2, TSi, TSr}  -->
//                              <--  HDR, SK {IDr, [CERT,] AUTH, [CP,] SAr2, TSi, TSr}
#pragma once

#include "ike/exchange/spec.hpp"
#include "ike/sa.hpp"

namespace cygnet::ike {

inline constexpr PayloadType kAuthRequest[] = {PayloadType::id_i};
inline constexpr ExchangeSpec kIkeAuth{.type = ExchangeType::ike_auth, .request = kAuthRequest};

/// CERTREQ with our authorities, when this connection authenticates its peer by certificate.
void add_certificate_request(const IkeSa& sa, Context& cx, std::vector<wire::Payload>& out);
/// Remembers the CA hashes of CERTREQs, at most kAuthoritiesMax.
void learn_authorities(IkeSa& sa, const std::vector<wire::Payload>& payloads);

// --- initiator ---------------------------------------------------------------------------------

/// IKE_SA_INIT is complete: asks for our proof.
[[nodiscard]] State prove_to_responder(IkeSa& sa, Handshake handshake, Context& cx);
/// Our proof is there: sends the request.
[[nodiscard]] State on_own_proof(ProveToResponder&& state, IkeSa& sa, const Answer& answer,
                                 Context& cx);
/// The response: asks for what its AUTH is to be checked with.
[[nodiscard]] State on_auth_reply(AwaitAuthReply&& state, IkeSa& sa,
                                  std::vector<wire::Payload> reply, Context& cx);
/// The check's result: the IKE_SA is established with its first child, or closed.
[[nodiscard]] State on_judgement(JudgeResponder&& state, IkeSa& sa, const Answer& answer,
                                 Context& cx);

// --- responder ---------------------------------------------------------------------------------

[[nodiscard]] State on_auth_request(AwaitAuthRequest&& state, IkeSa& sa,
                                    std::vector<wire::Payload> request, Context& cx);
[[nodiscard]] State on_judgement(JudgeInitiator&& state, IkeSa& sa, const Answer& answer,
                                 Context& cx);
[[nodiscard]] State on_own_proof(ProveToInitiator&& state, IkeSa& sa, const Answer& answer,
                                 Context& cx);
[[nodiscard]] State on_lease(LeaseAddresses&& state, IkeSa& sa, const Answer& answer, Context& cx);

}  // namespace cygnet::ike
