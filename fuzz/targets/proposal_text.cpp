// Proposals and traffic selectors as swanctl.conf writes them.
// Modules: model
#include "fuzz_target.hpp"
#include "model/proposal.hpp"
#include "model/traffic_selector.hpp"

namespace cygnet {

void fuzz_proposal_text(ByteView input) {
  const std::string text = to_string(input);
  for (const ProtocolId protocol : {ProtocolId::ike, ProtocolId::esp}) {
    const auto proposals = model::parse_proposals(text, protocol);
    if (!proposals) continue;
    CYG_CHECK(!proposals->empty());
    CYG_CHECK(!model::text_of(*proposals).empty());
    // What we offer ourselves we must be able to agree on.
    CYG_CHECK(model::choose(*proposals, *proposals).has_value());
  }
  if (const auto selector = model::parse_selector(text)) {
    const auto again = model::parse_selector(selector->text());
    CYG_CHECK(again.has_value() && *again == *selector);
  }
}

}  // namespace cygnet
