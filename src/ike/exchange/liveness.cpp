#include "ike/exchange/liveness.hpp"

#include "ike/exchange/mobike.hpp"

namespace cygnet::ike {

std::optional<Request> Liveness::build(IkeSa& sa, Context& cx) {
  Request out{.exchange = kInformational.type, .payloads = {}};
  // Behind a NAT that may map us anew, we ask how we are seen (RFC 4555 §3.8).
  if (sa.peer.mobike && sa.first_initiator && sa.nat_local) {
    out.payloads = nat_notifies_of(sa, cx, sa.local, sa.remote);
  }
  return out;
}

// That an authentic answer came is most of what there is to know; the dispatcher has noted when.
Step Liveness::on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx) {
  notice_mapping(sa, cx, reply);
  return Done{};
}

void Liveness::abandon(Context&, const std::string&) {}

}  // namespace cygnet::ike
