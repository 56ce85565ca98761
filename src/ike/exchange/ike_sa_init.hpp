// The first exchange: algorithms, nonces, keys.                   RFC 7296 §1.2
//
//    HDR, SAi1, KEi, Ni  -->
//                        <--  HDR, SAr1, KEr, Nr, [CERTREQ]
#pragma once

#include <expected>

#include "ike/exchange/spec.hpp"
#include "ike/sa.hpp"

namespace cygnet::ike {

inline constexpr PayloadType kInitPayloads[] = {PayloadType::sa, PayloadType::ke,
                                                PayloadType::nonce};
inline constexpr ExchangeSpec kIkeSaInit{.type = ExchangeType::ike_sa_init,
                                         .request = kInitPayloads};

/// Starts an IKE_SA as initiator: sends the first request. The SA closes (with a record) when
/// no key exchange can be begun.
void start_init(IkeSa& sa, Context& cx);

/// Takes the response: COOKIE and INVALID_KE_PAYLOAD start anew. It is not authenticated, so an
/// error or nonsense is believed only when a few quick repeats bring nothing better.
[[nodiscard]] State on_init_reply(AwaitInitReply&& state, IkeSa& sa, const Received& received,
                                  const wire::Message& reply, ByteView datagram, Context& cx);

/// The outcome of a first request that asks for an IKE_SA: a new SA (its response already in
/// `cx.out`), or the payloads of an unprotected answer without state, or silence.
struct InitAnswer {
  std::optional<IkeSa> sa{};
  std::vector<wire::Payload> stateless{};
  FailureRecord record{};  ///< of a refusal; its phase is empty where nothing is refused
};
/// `request` has been parsed, its cookie checked and its limits respected by the engine.
[[nodiscard]] InitAnswer answer_init(const Received& received, const wire::Message& request,
                                     ByteView datagram, Context& cx);

}  // namespace cygnet::ike
