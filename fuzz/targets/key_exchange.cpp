// The bodies of Key Exchange and Nonce payloads.                   RFC 7296 §3.4, §3.9
// Modules: wire
#include "fuzz_target.hpp"
#include "wire_oracle.hpp"

namespace cygnet {

void fuzz_key_exchange(ByteView input) {
  wire::check_body(input, wire::parse_ke);
  wire::check_body(input, wire::parse_nonce);
}

}  // namespace cygnet
