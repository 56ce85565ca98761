// INFORMATIONAL that deletes Child SAs or the IKE_SA.             RFC 7296 §1.4.1
//
//    HDR, SK {D}  -->
//                 <--  HDR, SK {[D]}
#pragma once

#include "ike/exchange/spec.hpp"
#include "ike/sa.hpp"

namespace cygnet::ike {

/// The Delete payloads of an INFORMATIONAL request: what is deleted here, and the SPIs of the
/// other direction for the answer. True in `ike` when the IKE_SA itself is to end.
struct DeleteAnswer {
  std::vector<wire::Payload> payloads;
  bool ike = false;
};
/// A child whose hard limit is reached: deleted, and made anew first if it is to stay up.
void expire_child(IkeSa& sa, Context& cx, model::ChildId id, const std::string& why);
/// The peer has made a child for this inbound SPI of ours and we have not: tells it. The SPI is
/// taken over.
void delete_orphan(IkeSa& sa, Context& cx, std::optional<EspSpi>& spi_in);
[[nodiscard]] DeleteAnswer answer_delete(IkeSa& sa, const std::vector<wire::Payload>& request,
                                         Context& cx);

}  // namespace cygnet::ike
