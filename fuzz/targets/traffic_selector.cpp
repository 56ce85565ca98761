// The body of a Traffic Selector payload.                          RFC 7296 §3.13
// Modules: wire
#include "fuzz_target.hpp"
#include "wire_oracle.hpp"

namespace cygnet {

void fuzz_traffic_selector(ByteView input) {
  wire::check_body(input, [](Reader body) { return wire::parse_ts(body, false); });
}

}  // namespace cygnet
