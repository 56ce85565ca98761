// The body of a Security Association payload.                     RFC 7296 §3.3
// Modules: wire
#include "fuzz_target.hpp"
#include "wire_oracle.hpp"

namespace cygnet {

void fuzz_sa(ByteView input) { wire::check_body(input, wire::parse_sa); }

}  // namespace cygnet
