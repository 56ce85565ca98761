// The libFuzzer entry of one target, CYGNET_FUZZ_TARGET.
#include <cstddef>
#include <cstdint>

#include "fuzz_target.hpp"

namespace cygnet {
void CYGNET_FUZZ_TARGET(ByteView input);
}

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  cygnet::set_bugs_fatal(true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cygnet::CYGNET_FUZZ_TARGET({data, size});
  return 0;
}
