// The bodies of Notify and Delete payloads.                        RFC 7296 §3.10, §3.11
// Modules: wire
#include "fuzz_target.hpp"
#include "wire_oracle.hpp"

namespace cygnet {

void fuzz_notify(ByteView input) {
  wire::check_body(input, wire::parse_notify);
  wire::check_body(input, wire::parse_delete);
}

}  // namespace cygnet
