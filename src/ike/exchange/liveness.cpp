#include "ike/exchange/liveness.hpp"

namespace cygnet::ike {

std::optional<Request> Liveness::build(IkeSa&, Context&) {
  return Request{.exchange = kLiveness.type, .payloads = {}};
}

// That an authentic answer came is all there is to know; the dispatcher has noted when.
Step Liveness::on_response(IkeSa&, const std::vector<wire::Payload>&, Context&) { return Done{}; }

void Liveness::abandon(Context&, const std::string&) {}

}  // namespace cygnet::ike
