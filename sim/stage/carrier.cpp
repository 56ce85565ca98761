#include "sim/stage/carrier.hpp"

#include <type_traits>
#include <utility>

namespace cygnet::sim {

void Carrier::take(const ike::Datagram& datagram, Instant now) {
  ike::Actions out;
  engine_.handle(datagram, now, out);
  carry_out(std::move(out));
}

void Carrier::tell(ike::Command command, Instant now) {
  ike::Actions out;
  engine_.handle(std::move(command), now, out);
  carry_out(std::move(out));
}

void Carrier::tick(Instant now) {
  ike::Actions out;
  engine_.tick(now, out);
  carry_out(std::move(out));
}

void Carrier::drain(Instant now) {
  if (std::exchange(draining_, true)) return;
  while (!halted()) {
    for (model::PlaneEvent& event : plane_.take_events()) put(std::move(event));
    if (inputs_.empty()) break;
    Input input = std::move(inputs_.front());
    inputs_.pop_front();
    ike::Actions out;
    std::visit([&](auto& one) { engine_.handle(std::move(one), now, out); }, input);
    carry_out(std::move(out));
  }
  draining_ = false;
}

void Carrier::carry_out(ike::Actions actions) {
  for (ike::Action& action : actions) {
    if (halted()) return;
    // Events are not counted: a trace must not change what happens.
    const bool counts = left_ && !std::holds_alternative<ike::Event>(action);
    std::visit([this](auto& one) { act(one); }, action);
    if (counts) --*left_;
  }
}

void Carrier::act(const ike::action::Install& install) {
  if (auto done = plane_.install(install.child); !done) {
    put(model::plane::InstallFailed{install.child.id, std::move(done).error()});
  }
}

void Carrier::act(const ike::action::Activate& activate) {
  if (auto done = plane_.activate(activate.child, activate.outbound); !done) {
    put(model::plane::InstallFailed{activate.child, std::move(done).error()});
  }
}

// The daemon logs what fails here; a plane that watches itself knows what that means.
void Carrier::act(const ike::action::Relocate& relocate) {
  static_cast<void>(plane_.relocate(relocate.child, relocate.local, relocate.remote));
}

void Carrier::act(const ike::action::Remove& remove) {
  static_cast<void>(plane_.remove(remove.child));
}

}  // namespace cygnet::sim
