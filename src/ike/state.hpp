// What an IKE_SA awaits: one struct per expectation.              RFC 7296 §1.2
//
//   initiator: AwaitInitReply -> ProveToResponder -> AwaitAuthReply -> JudgeResponder
//              -> Established
//
//   responder: AwaitAuthRequest -> JudgeInitiator -> ProveToInitiator -> LeaseAddresses
//              -> Established
//
// A state is taken by && and the next one is returned. Only Established can create or rekey
// anything, and it cannot be built without a PeerAuthenticated.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "ike/actions.hpp"
#include "ike/auth.hpp"
#include "ike/keys.hpp"

namespace cygnet::ike {

/// What IKE_SA_INIT leaves for IKE_AUTH.
struct Handshake {
  SkKeys keys;
  Bytes nonce_i;
  Bytes nonce_r;
  Bytes init_request;   ///< RealMessage1
  Bytes init_response;  ///< RealMessage2
};

/// IKE_SA_INIT sent.
struct AwaitInitReply {
  std::unique_ptr<crypto::KeyExchange> exchange;
  KeId group = KeId::none;
  Bytes nonce;
  Bytes cookie;
  Bytes request;
  unsigned restarts = 0;
  std::optional<FailureRecord> refusal;  ///< somebody's: what to report if nothing better comes
};
/// Our signature or MAC is being made.
struct ProveToResponder {
  AskId ask;
  Handshake handshake;
};
/// IKE_AUTH sent; `spi_in` is reserved for the first child, if one was asked for.
struct AwaitAuthReply {
  Handshake handshake;
  std::optional<EspSpi> spi_in;
};
/// IKE_AUTH answered; the peer's certificate or MAC is being checked.
struct JudgeResponder {
  AskId ask;
  AwaitAuthReply sent;
  std::vector<wire::Payload> reply;
  model::Identity id_r;
};

/// IKE_SA_INIT answered.
struct AwaitAuthRequest {
  Handshake handshake;
};
/// IKE_AUTH received; the peer's certificate or MAC is being checked.
struct JudgeInitiator {
  AskId ask;
  Handshake handshake;
  std::vector<wire::Payload> request;
  model::Identity id_i;
};
/// The peer is authenticated; our own proof is being made.
struct ProveToInitiator {
  AskId ask;
  Handshake handshake;
  PeerAuthenticated peer;
  std::vector<wire::Payload> request;
};
/// Both proofs are there; addresses for the peer are being leased.
struct LeaseAddresses {
  AskId ask;
  Handshake handshake;
  PeerAuthenticated peer;
  std::vector<wire::Payload> request;
  std::vector<wire::Payload> proof;  ///< IDr, CERTs, AUTH
};

/// RFC 7296 §1.2. Cannot be built without having authenticated the peer.
struct Established {
  SkKeys keys;
  PeerAuthenticated peer;
};
/// Nothing more is accepted. The keys stay while the SA lingers: a repeat of the peer's last
/// request still gets its answer.
struct Closed {
  std::optional<SkKeys> keys;
};

using State =
    std::variant<AwaitInitReply, ProveToResponder, AwaitAuthReply, JudgeResponder, AwaitAuthRequest,
                 JudgeInitiator, ProveToInitiator, LeaseAddresses, Established, Closed>;

/// The keys that open and seal this state's messages; null before there are any.
[[nodiscard]] SkKeys* keys_of(State& state);

}  // namespace cygnet::ike
