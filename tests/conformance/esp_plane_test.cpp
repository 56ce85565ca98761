// The esp engine passes the data plane suite.
#include "conformance/data_plane_suite.hpp"
#include "conformance/esp_rig.hpp"

namespace cygnet::test {
INSTANTIATE_TYPED_TEST_SUITE_P(Esp, DataPlaneSuite, EspRig);
}  // namespace cygnet::test
