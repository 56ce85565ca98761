// The chain of payloads inside SK; the first octet is the type of its first. RFC 7296 §3.2, §3.14
// Modules: wire
#include "fuzz_target.hpp"
#include "wire_oracle.hpp"

namespace cygnet {

void fuzz_payload_chain(ByteView input) {
  if (input.empty()) return;
  const ByteView plaintext = input.subspan(1);
  const auto parsed = wire::parse_payloads(static_cast<PayloadType>(input[0]), plaintext);
  if (!parsed) return wire::check_error(parsed.error(), plaintext.size());
  CYG_CHECK(parsed->size() <= wire::kPayloadsMax);
  CYG_CHECK(wire::summary(*parsed, true).empty() == parsed->empty());

  const std::vector<wire::Payload> payloads = wire::settled_chain(*parsed);
  const wire::Chain chain = wire::write_payloads(payloads);
  CYG_CHECK(chain.bytes.size() <= plaintext.size());
  const auto again = wire::parse_payloads(chain.first, chain.bytes);
  CYG_CHECK(again.has_value());
  CYG_CHECK(*again == payloads);
}

}  // namespace cygnet
