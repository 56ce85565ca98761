// The bodies of Configuration and EAP payloads.                    RFC 7296 §3.15, §3.16
// Modules: wire
#include "fuzz_target.hpp"
#include "wire_oracle.hpp"

namespace cygnet {

void fuzz_configuration(ByteView input) {
  wire::check_body(input, wire::parse_cp);
  wire::check_body(input, wire::parse_eap);
}

}  // namespace cygnet
