#include "ike/state.hpp"

namespace cygnet::ike {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

}  // namespace

SkKeys* keys_of(State& state) {
  return std::visit(Overloaded{
                        [](AwaitInitReply&) -> SkKeys* { return nullptr; },
                        [](Closed& s) -> SkKeys* { return s.keys ? &*s.keys : nullptr; },
                        [](JudgeResponder& s) -> SkKeys* { return &s.sent.handshake.keys; },
                        [](Established& s) -> SkKeys* { return &s.keys; },
                        [](auto& s) -> SkKeys* { return &s.handshake.keys; },
                    },
                    state);
}

}  // namespace cygnet::ike
