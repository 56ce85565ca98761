// CREATE_CHILD_SA for a further Child SA.                         RFC 7296 §1.3.1
//
//    HDR, SK {SA, Ni, [KEi,] TSi, TSr}  -->
//                                <--  HDR, SK {SA, Nr, [KEr,] TSi, TSr}
#pragma once

#include "ike/child_sa.hpp"
#include "ike/exchange/spec.hpp"

namespace cygnet::ike {

inline constexpr PayloadType kCreateChildPayloads[] = {PayloadType::sa, PayloadType::nonce,
                                                       PayloadType::ts_i, PayloadType::ts_r};
inline constexpr ExchangeSpec kCreateChild{.type = ExchangeType::create_child_sa,
                                           .request = kCreateChildPayloads};

/// The responder's answer; also serves rekeys, which pass the child that is replaced.
struct ChildAnswer {
  std::vector<wire::Payload> payloads;
  std::optional<model::ChildId> made;
  Attempt attempt;  ///< the exchange's nonces
};
[[nodiscard]] ChildAnswer answer_create_child(IkeSa& sa, Established& state,
                                              const std::vector<wire::Payload>& request,
                                              std::optional<model::ChildId> rekeyed, Context& cx);

/// Both ends made the same child at once: the one whose exchange has the lowest nonce goes, deleted
/// by its maker, as after crossing rekeys (RFC 7296 §2.8.1).
void drop_duplicate(IkeSa& sa, Context& cx, model::ChildId fresh);

// --- shared by the tasks that send CREATE_CHILD_SA
// ------------------------------------------------

/// Makes nonce and, for a group, the ephemeral key, unless the task already has them from
/// before a restart. Fails when the group is not available.
[[nodiscard]] Result<void> prepare(KeyOffer& keys, KeId group, Context& cx);
/// Appends Ni and KEi.
void add_key_offer(const KeyOffer& keys, std::vector<wire::Payload>& out);
/// The shared secret of a response (empty when no key exchange was chosen).
[[nodiscard]] Result<Secret> finish(KeyOffer& keys, const std::vector<wire::Payload>& reply,
                                    KeId agreed);
/// What an error notify of a response means for the task that sent the request: about `child`, or
/// about the IKE_SA when that is null.
[[nodiscard]] Step on_refused(IkeSa& sa, KeyOffer& keys, const wire::NotifyPayload& reason,
                              const model::ChildTemplate* child, Context& cx);

}  // namespace cygnet::ike
