#include "sim/node.hpp"

#include "sim/breakage/broken.hpp"
#include "toys/toy_crypto.hpp"

namespace cygnet::sim {
namespace {

/// All simulations happen on one day.
constexpr WallTime kWall{std::chrono::seconds{1'800'000'000}};

}  // namespace

Node::Node(NodeSpec spec, Hooks hooks, std::uint64_t seed, bool trace)
    : spec_(std::move(spec)), hooks_(std::move(hooks)), rng_(seed), trace_(trace) {}

void Node::start(Instant now) {
  plane_ = std::make_unique<Plane>(hooks_.plane);
  plane_->set_time(now);
  engine_.emplace(ike::EngineConfig{.trace_messages = trace_}, test::toy_crypto(), rng_);
  controller_.emplace(test::toy_crypto(), rng_, control::BuildInfo{.version = "sim"}, now);
  config::Diagnostics diags;
  control::Effects effects;
  if (!controller_->configure(spec_.configuration(), diags, now, effects)) {
    hooks_.plane.fault("configuration: " + diags.text());
  }
  carry_out(std::move(effects), now);
  drain(now);
}

void Node::crash() {
  engine_.reset();
  controller_.reset();
  plane_.reset();
  inputs_.clear();
}

void Node::receive(const Packet& packet, Instant now) {
  plane_->set_time(now);
  notice_sleep(now);
  if (packet.esp) {
    plane_->receive(packet);
  } else {
    ike::Actions out;
    engine_->handle(ike::Datagram{packet.destination, packet.source, packet.bytes}, now, out);
    carry_out(std::move(out), now);
  }
  drain(now);
}

void Node::tick(Instant now) {
  plane_->set_time(now);
  notice_sleep(now);
  ike::Actions out;
  engine_->tick(now, out);
  carry_out(std::move(out), now);
  control::Effects effects;
  controller_->tick(now, effects);
  carry_out(std::move(effects), now);
  drain(now);
}

void Node::notice_sleep(Instant now) {
  if (!sleep_watch_.slept(now)) return;
  sleep_watch_.expect(std::nullopt);
  inputs_.emplace_back(ike::command::Awake{});
  network_changed(now);
}

bool Node::send(const Inner& inner, Instant now) {
  plane_->set_time(now);
  const bool taken = plane_->send(inner);
  drain(now);
  return taken;
}

void Node::command(ike::Command command, Instant now) {
  inputs_.emplace_back(std::move(command));
  drain(now);
}

void Node::network_changed(Instant now) {
  control::Effects effects;
  controller_->network_changed(now, effects);
  carry_out(std::move(effects), now);
  drain(now);
}

void Node::move(const IpAddress& address, std::optional<std::size_t> nat, Instant now) {
  spec_.address = address;
  spec_.nat = nat;
  if (!runs()) return;
  for (const ike::IkeStatus& sa : status().sas) {
    inputs_.emplace_back(ike::command::Readdress{.sa = sa.id, .local = address});
  }
  network_changed(now);
}

std::optional<Instant> Node::deadline() const {
  std::optional<Instant> out = controller_->deadline();
  if (const auto own = engine_->deadline(); own && (!out || own->at < *out)) out = own->at;
  return out;
}

void Node::drain(Instant now) {
  if (draining_) return;
  draining_ = true;
  for (;;) {
    for (model::PlaneEvent& event : plane_->take_events()) inputs_.emplace_back(std::move(event));
    if (inputs_.empty()) break;
    auto input = std::move(inputs_.front());
    inputs_.pop_front();
    ike::Actions out;
    std::visit([&](auto& one) { engine_->handle(std::move(one), now, out); }, input);
    carry_out(std::move(out), now);
  }
  draining_ = false;
  sleep_watch_.expect(deadline());
}

ike::Answer Node::answer(const ike::Ask& ask) {
  ike::Answer out = controller_->answer(ask, *this, kWall);
  const auto* proof = std::get_if<ike::ask::SharedKeyMac>(&ask.what);
  if (broken() == Rule::authentication && proof != nullptr &&
      std::holds_alternative<ike::answer::Mac>(out.result)) {
    // As if nobody looked at AUTH: both ends expect what a guessed key gives.
    const auto& crypto = test::toy_crypto();
    const auto pad = crypto.prf(proof->prf, as_bytes(kGuessedKey), {as_bytes("Key Pad for IKEv2")});
    out.result = ike::answer::Mac{*crypto.prf(proof->prf, pad->reveal(), {proof->octets})};
  }
  if (broken() == Rule::leases && std::holds_alternative<ike::answer::Leased>(out.result)) {
    auto& addresses = std::get<ike::answer::Leased>(out.result).addresses;
    if (rng_.below(2) == 0) addresses.front() = IpAddress::v4(0x0a090001);
  }
  return out;
}

void Node::carry_out(ike::Actions actions, Instant now) {
  for (ike::Action& action : actions) {
    if (auto* send = std::get_if<ike::action::Send>(&action)) {
      hooks_.plane.send({send->local, send->remote, std::move(send->bytes)});
    } else if (auto* keepalive = std::get_if<ike::action::Keepalive>(&action)) {
      hooks_.plane.send({keepalive->local, keepalive->remote, {0xff}, true});
    } else if (auto* install = std::get_if<ike::action::Install>(&action)) {
      static_cast<void>(plane_->install(install->child));
    } else if (auto* activate = std::get_if<ike::action::Activate>(&action)) {
      if (!plane_->activate(activate->child, activate->outbound)) {
        hooks_.plane.fault("activated a child that is not installed");
      }
    } else if (auto* relocate = std::get_if<ike::action::Relocate>(&action)) {
      if (!plane_->relocate(relocate->child, relocate->local, relocate->remote)) {
        hooks_.plane.fault("relocated a child that is not installed");
      }
    } else if (auto* remove = std::get_if<ike::action::Remove>(&action)) {
      static_cast<void>(plane_->remove(remove->child));
    } else if (auto* ask = std::get_if<ike::Ask>(&action)) {
      inputs_.emplace_back(answer(*ask));
    } else if (auto* release = std::get_if<ike::ask::Release>(&action)) {
      controller_->release(*release);
    } else if (auto* event = std::get_if<ike::Event>(&action)) {
      hooks_.event(*event);
      control::Effects effects;
      controller_->handle(*event, now, effects);
      carry_out(std::move(effects), now);
    }
  }
}

void Node::carry_out(control::Effects effects, Instant now) {
  for (control::Effect& effect : effects) {
    if (auto* tell = std::get_if<control::effect::Tell>(&effect)) {
      inputs_.emplace_back(std::move(tell->command));
    } else if (auto* resolve = std::get_if<control::effect::Resolve>(&effect)) {
      const auto* range = std::get_if<IpRange>(&resolve->target.remote);
      Result<control::Route> route = fail("resolve", "no address");
      if (range != nullptr) {
        route = control::Route{.local = {spec_.address, resolve->target.local_port},
                               .remote = {range->first, resolve->target.remote_port}};
      }
      control::Effects more;
      controller_->resolved(resolve->request, route, more, now);
      carry_out(std::move(more), now);
    } else if (auto* log = std::get_if<control::effect::Log>(&effect)) {
      hooks_.log(log->text);
    }
  }
}

}  // namespace cygnet::sim
