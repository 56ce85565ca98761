// ike/exchange/ike_auth_common.cpp with a judgement of AUTH that can be left out; the linker takes
// this one.
#include "sim/breakage/broken.hpp"

#define judge_peer honest_judge_peer
#include "ike/exchange/ike_auth_common.cpp"  // NOLINT(bugprone-suspicious-include)
#undef judge_peer

namespace cygnet::ike {
namespace {

bool looks_at_auth(bool of_responder) {
  if (sim::gullible()) return false;
  switch (sim::broken()) {
    case sim::Rule::authentication:
      return false;
    case sim::Rule::initiator_proof:
      return of_responder;
    case sim::Rule::responder_proof:
      return !of_responder;
    default:
      return true;
  }
}

}  // namespace

std::expected<PeerAuthenticated, FailureRecord> judge_peer(
    IkeSa& sa, Context& cx, const Handshake& handshake, const std::vector<wire::Payload>& payloads,
    const model::Identity& identity, const Answer& answer);

std::expected<PeerAuthenticated, FailureRecord> judge_peer(
    IkeSa& sa, Context& cx, const Handshake& handshake, const std::vector<wire::Payload>& payloads,
    const model::Identity& identity, const Answer& answer) {
  const auto* auth = first_of<wire::AuthPayload>(payloads);
  if (auth == nullptr || looks_at_auth(sa.initiator)) {
    return honest_judge_peer(sa, cx, handshake, payloads, identity, answer);
  }
  // Whatever the peer has sent is what was expected.
  const Answer agrees{.id = answer.id, .result = answer::Mac{.value = Secret{auth->data}}};
  return honest_judge_peer(sa, cx, handshake, payloads, identity, agrees);
}

}  // namespace cygnet::ike
