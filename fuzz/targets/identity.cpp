// The bodies of IDi, CERT, CERTREQ and AUTH payloads.              RFC 7296 §3.5-3.8
// Modules: wire
#include "fuzz_target.hpp"
#include "wire_oracle.hpp"

namespace cygnet {

void fuzz_identity(ByteView input) {
  wire::check_body(input, [](Reader body) { return wire::parse_id(body, true); });
  wire::check_body(input, wire::parse_cert);
  wire::check_body(input, wire::parse_cert_req);
  wire::check_body(input, wire::parse_auth);
}

}  // namespace cygnet
