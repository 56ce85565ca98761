// ike/window.cpp with a message window that can be broken; the linker takes this one.
#include "sim/breakage/broken.hpp"
// The class calls classify(id, expected) inline; only the free function is replaced.
#include "ike/window.hpp"

#define classify honest_classify
namespace cygnet::ike {
Inbound classify(MessageId id, MessageId expected);
}
#include "ike/window.cpp"  // NOLINT(bugprone-suspicious-include)
#undef classify

namespace cygnet::ike {

Inbound classify(MessageId id, MessageId expected) {
  const Inbound honest = honest_classify(id, expected);
  const bool breaks = sim::broken() == sim::Rule::window && honest == Inbound::repeated;
  return breaks ? Inbound::fresh : honest;
}

}  // namespace cygnet::ike
