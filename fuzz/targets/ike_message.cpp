// A whole datagram, as it came and with its length field put right.         RFC 7296 §3.1
// Modules: wire
#include "fuzz_target.hpp"
#include "wire_oracle.hpp"

namespace cygnet {
namespace {

void check_datagram(ByteView datagram) {
  const auto header = wire::parse_header(datagram);
  const auto parsed = wire::parse_message(datagram);
  if (!header) {
    wire::check_error(header.error(), datagram.size());
    CYG_CHECK(!parsed.has_value());
    return;
  }
  if (!parsed) return wire::check_error(parsed.error(), datagram.size());
  CYG_CHECK(parsed->header == *header);
  if (parsed->sealed) return;  // the target `fragments` looks at these

  const std::vector<wire::Payload> payloads = wire::settled_chain(parsed->payloads);
  const Bytes written = wire::write_message(parsed->header, payloads);
  CYG_CHECK(written.size() <= datagram.size());
  const auto again = wire::parse_message(written);
  CYG_CHECK(again.has_value());
  CYG_CHECK(again->header == parsed->header);
  CYG_CHECK(again->payloads == payloads);
  CYG_CHECK(!again->sealed);
}

}  // namespace

void fuzz_ike_message(ByteView input) {
  check_datagram(input);
  check_datagram(wire::with_length(input));
}

}  // namespace cygnet
