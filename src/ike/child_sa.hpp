// Negotiating and installing Child SAs, for IKE_AUTH and CREATE_CHILD_SA alike.
//                                                         RFC 7296 §1.2, §1.3, §2.9, §2.17
#pragma once

#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "ike/sa.hpp"

namespace cygnet::ike {

/// A negotiation that failed: what to tell the peer, and the record for the operator.
struct Refusal {
  NotifyType notify = NotifyType::no_proposal_chosen;
  Bytes data;
  FailureRecord record;
};

/// What both ends agreed on for one child.
struct Agreement {
  const model::ChildTemplate* wanted = nullptr;  ///< of the SA's connection; valid for the call
  std::uint8_t proposal_number = 1;
  model::Suite suite;
  EspSpi spi_out;
  std::vector<model::TrafficSelector> local_ts;
  std::vector<model::TrafficSelector> remote_ts;
};

/// How the selectors and proposals of an offer are made.
struct OfferRules {
  bool in_ike_auth = false;                  ///< no key exchange; addresses may not be known yet
  std::optional<model::PacketFlow> trigger;  ///< goes first (RFC 7296 §2.9)
};
/// SA, TSi, TSr for `wanted`; `spi_in` is ours. N(...) that belong to the child included.
[[nodiscard]] std::vector<wire::Payload> offer_child(const IkeSa& sa, const EngineConfig& config,
                                                     const model::ChildTemplate& wanted,
                                                     EspSpi spi_in, const OfferRules& rules);
/// The group a key exchange for this template starts with; none if it wants no PFS.
[[nodiscard]] KeId first_group(const model::ChildTemplate& wanted);

struct AnswerRules {
  bool in_ike_auth = false;
  const Child* rekeyed = nullptr;  ///< a rekey keeps to this child's template
};
/// The responder's decision over SA, TSi and TSr of a request.
[[nodiscard]] std::expected<Agreement, Refusal> answer_offer(
    const IkeSa& sa, const EngineConfig& config, const std::vector<wire::Payload>& request,
    const AnswerRules& rules);
/// SA, TSi, TSr of the response.
[[nodiscard]] std::vector<wire::Payload> answer_child(const Agreement& agreed, EspSpi spi_in);

/// The initiator's check of the response against what it offered (RFC 7296 §2.7, §2.9).
[[nodiscard]] std::expected<Agreement, Refusal> take_answer(const IkeSa& sa,
                                                            const EngineConfig& config,
                                                            const model::ChildTemplate& wanted,
                                                            const std::vector<wire::Payload>& reply,
                                                            bool in_ike_auth);

/// Everything install_child needs beyond the agreement.
struct InstallPlan {
  EspSpi spi_in;
  bool we_started = false;     ///< we are the exchange's initiator: whose keys are whose
  bool hold_outbound = false;  ///< the answer to a rekey or reauthentication: send on the old child
  std::optional<model::ChildId> replaces;
  Attempt attempt{};  ///< the exchange's nonces
};
/// Derives no keys: cuts `keys` to the two directions, installs the child in the plane and adds
/// it to the table.
Child& install_child(IkeSa& sa, Context& cx, const Agreement& agreed, const ChildKeys& keys,
                     const InstallPlan& plan);
/// Says that a child is up, if it is there.
void announce_child(const IkeSa& sa, Context& cx, model::ChildId id);
/// Asks how long child `about` has been idle, on behalf of `child`: the same, or what replaces it.
void ask_use(const IkeSa& sa, Context& cx, Child& child, model::ChildId about);
/// Lets an answered rekey's child send (RFC 7296 §2.8). Harmless when it already does.
void activate_child(IkeSa& sa, Context& cx, Child& child);

/// Whether a packet is one of those that these selectors name.
[[nodiscard]] bool carries(const std::vector<model::TrafficSelector>& local,
                           const std::vector<model::TrafficSelector>& remote,
                           const model::PacketFlow& packet);
/// A child of this template that counts and carries this packet.
[[nodiscard]] bool has_child_for(const IkeSa& sa, std::string_view name,
                                 const model::PacketFlow& packet);
/// The hosts that `dynamic` selectors stand for on our side and on the peer's.
[[nodiscard]] std::vector<IpAddress> local_hosts(const IkeSa& sa);
[[nodiscard]] std::vector<IpAddress> remote_hosts(const IkeSa& sa);
[[nodiscard]] std::vector<model::TrafficSelector> resolve(
    const std::vector<model::SelectorTemplate>& templates, const std::vector<IpAddress>& hosts);

}  // namespace cygnet::ike
