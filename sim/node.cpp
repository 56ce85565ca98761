#include "sim/node.hpp"

#include <algorithm>

#include "sim/breakage/broken.hpp"
#include "toys/toy_crypto.hpp"
#include "wire/message.hpp"

namespace cygnet::sim {
namespace {

using std::chrono::milliseconds;

/// All simulations happen on one day.
constexpr WallTime kWall{std::chrono::seconds{1'800'000'000}};
// As in the daemon.
constexpr Duration kShutdownMax = milliseconds{1500};
constexpr Duration kChangesPause = milliseconds{200};

}  // namespace

Node::Node(NodeSpec spec, Hooks hooks, std::uint64_t seed, bool trace)
    : spec_(std::move(spec)), hooks_(std::move(hooks)), rng_(seed), trace_(trace) {}

// --- start and end -------------------------------------------------------------------------------

void Node::start(Instant now) {
  ++boots_;
  now_ = now;
  plane_ = std::make_unique<Plane>(
      hooks_.plane, model::PlaneTraits{.name = "sim", .udp_encap_only = spec_.udp_encap_only});
  ike::EngineConfig config = spec_.engine;
  config.force_udp_encap = plane_->traits().udp_encap_only;
  config.trace_messages = trace_;
  if (broken() == Rule::half_open) config.half_open_max = 1'000'000;
  engine_.emplace(config, test::toy_crypto(), rng_);
  controller_.emplace(test::toy_crypto(), rng_, control::BuildInfo{.version = "sim"}, now);
  carrier_.emplace(*engine_, *plane_, outside());
  begin(now);
  load();
  tell_addresses();
  end();
}

Carrier::Outside Node::outside() {
  return {
      .send =
          [this](ike::action::Send send) {
            hooks_.plane.send({send.local, send.remote, std::move(send.bytes)});
          },
      .keepalive =
          [this](const ike::action::Keepalive& keepalive) {
            hooks_.plane.send({keepalive.local, keepalive.remote, {0xff}, Packet::Kind::keepalive});
          },
      .answer = [this](const ike::Ask& ask) { return answer(ask); },
      .release = [this](const ike::ask::Release& release) { controller_->release(release); },
      .event = [this](const ike::Event& event) { on_event(event); }};
}

void Node::crash() {
  carrier_.reset();
  engine_.reset();
  controller_.reset();
  plane_.reset();
  clients_.clear();
  follow_at_.reset();
  give_up_at_.reset();
  sleep_watch_.expect(std::nullopt);
  quiet_ = false;
}

void Node::shut_down(Instant now) {
  begin(now);
  give_up_at_ = now + kShutdownMax;
  carrier_->put(ike::Command{ike::command::Shutdown{}});
  end();
}

void Node::load() {
  config::Diagnostics diags;
  control::Effects effects;
  config::Loaded loaded = spec_.configuration(edition_);
  for (const model::Connection& one : loaded.connections) {
    if (one.unique == model::Uniqueness::never) of_many_.insert(one.name);
  }
  if (!controller_->configure(std::move(loaded), diags, now_, effects)) {
    hooks_.plane.fault("configuration: " + diags.text());
  }
  carry_out(std::move(effects));
}

void Node::begin(Instant now) {
  now_ = now;
  plane_->set_time(now);
}

void Node::end() {
  {
    const Gullible enemies_believe_everything{spec_.hostile()};
    carrier_->drain(now_);
  }
  if (carrier_->halted() || quiet_) return crash();
  sleep_watch_.expect(deadline());
}

// --- what happens --------------------------------------------------------------------------------

void Node::notice_sleep() {
  if (!sleep_watch_.slept(now_)) return;
  sleep_watch_.expect(std::nullopt);
  carrier_->tell(ike::command::Awake{}, now_);
  follow_network();
}

void Node::receive(const Packet& packet, Instant now) {
  begin(now);
  if (packet.kind == Packet::Kind::ike) {
    notice_sleep();
    if (broken() == Rule::denial) believe_denial(packet.bytes);
    carrier_->take(ike::Datagram{packet.destination, packet.source, packet.bytes}, now);
  } else {
    plane_->receive(packet);
  }
  end();
}

/// Breaks a rule: nothing proves who said that the IKE_SA is not known.
void Node::believe_denial(ByteView datagram) {
  const auto message = wire::parse_message(datagram);
  if (!message || message->sealed || message->payloads.size() != 1) return;
  const auto* notify = std::get_if<wire::NotifyPayload>(&message->payloads.front());
  if (notify == nullptr || notify->type != NotifyType::invalid_ike_spi) return;
  for (const ike::IkeStatus& sa : status().sas) {
    if (sa.spi_i != message->header.spi_i || sa.spi_r != message->header.spi_r) continue;
    carrier_->put(ike::Command{ike::command::Terminate{.filter = {.ike_id = sa.id}}});
  }
}

void Node::tick(Instant now) {
  begin(now);
  notice_sleep();
  if (give_up_at_ && now >= *give_up_at_) return crash();  // some peers did not answer the farewell
  if (follow_at_ && now >= *follow_at_) follow_network();
  carrier_->tick(now);
  control::Effects effects;
  controller_->tick(now, effects);
  carry_out(std::move(effects));
  end();
}

Fate Node::send(const Inner& inner, Instant now) {
  begin(now);
  const Fate fate = plane_->send(inner);
  end();
  return fate;
}

void Node::request(const vici::Request& command, Instant now) {
  begin(now);
  const control::ClientId client{++last_client_};
  clients_.insert(client);
  control::Effects effects;
  controller_->handle(client, command, *this, now, effects);
  carry_out(std::move(effects));
  end();
}

void Node::reload(unsigned edition, Instant now) {
  edition_ = edition;
  begin(now);
  load();
  end();
}

std::optional<Instant> Node::deadline() const {
  std::optional<Instant> out = controller_->deadline();
  const auto earlier = [&out](const std::optional<Instant>& other) {
    if (other && (!out || *other < *out)) out = other;
  };
  if (const auto own = engine_->deadline()) earlier(own->at);
  earlier(follow_at_);
  earlier(give_up_at_);
  return out;
}

// --- the network around --------------------------------------------------------------------------

bool Node::has(const IpAddress& address) const {
  return std::ranges::find(spec_.addresses, address) != spec_.addresses.end();
}

void Node::set_link(const IpAddress& address, bool up, Instant now) {
  if (up) {
    down_.erase(address);
  } else {
    down_.insert(address);
  }
  if (runs() && !follow_at_) follow_at_ = now + kChangesPause;
}

void Node::move(const IpAddress& address, std::optional<std::size_t> nat, Instant now) {
  spec_.addresses = {address};
  spec_.nat = nat;
  set_link(address, true, now);
}

std::optional<IpAddress> Node::source_for(const IpAddress& remote) const {
  const auto at = std::ranges::find_if(spec_.addresses, [&](const IpAddress& own) {
    return own.family() == remote.family() && !down_.contains(own);
  });
  return at == spec_.addresses.end() ? std::nullopt : std::optional{*at};
}

std::vector<ike::Path> Node::paths(const std::vector<IpAddress>& remotes) {
  std::vector<ike::Path> out;
  for (const IpAddress& remote : remotes) {
    if (const auto source = source_for(remote)) out.push_back({*source, remote});
  }
  return out;
}

void Node::follow_network() {
  follow_at_.reset();
  tell_addresses();
  for (const ike::IkeStatus& sa : status().sas) {
    if (!sa.first_initiator || sa.state == ike::IkeStatus::State::deleting) continue;
    // An address that is still ours is kept as long as the peer answers there.
    const bool stays = has(sa.local.address) && !down_.contains(sa.local.address);
    ike::command::Readdress readdress{.sa = sa.id, .local = source_for(sa.remote.address)};
    if (readdress.local && stays) readdress.local = sa.local.address;
    carrier_->put(ike::Command{std::move(readdress)});
  }
  control::Effects effects;
  controller_->network_changed(now_, effects);
  carry_out(std::move(effects));
}

void Node::tell_addresses() {
  ike::command::SetAddresses set;
  for (const IpAddress& own : spec_.addresses) {
    if (!down_.contains(own)) set.addresses.push_back(own);
  }
  carrier_->put(ike::Command{std::move(set)});
}

void Node::looked_up(const control::effect::Resolve& question,
                     const Result<std::vector<IpAddress>>& remotes, Instant now) {
  begin(now);
  resolved(question, remotes);
  end();
}

void Node::resolved(const control::effect::Resolve& question,
                    const Result<std::vector<IpAddress>>& remotes) {
  Result<control::Route> route = fail("call", "no way to any address");
  if (!remotes) route = std::unexpected(remotes.error());
  for (const IpAddress& remote : remotes.value_or(std::vector<IpAddress>{})) {
    const auto source = source_for(remote);
    if (!source) continue;
    route = control::Route{.local = {*source, question.target.local_port},
                           .remote = {remote, question.target.remote_port}};
    break;
  }
  control::Effects effects;
  controller_->resolved(question.request, route, effects, now_);
  carry_out(std::move(effects));
}

// --- carrying out --------------------------------------------------------------------------------

void Node::on_event(const ike::Event& event) {
  hooks_.event(event);
  if (std::holds_alternative<ike::event::Quiet>(event)) quiet_ = true;
  control::Effects effects;
  controller_->handle(event, *this, now_, effects);
  carry_out(std::move(effects));
}

ike::Answer Node::answer(const ike::Ask& ask) {
  ike::Answer out = controller_->answer(ask, *this, kWall);
  if (broken() == Rule::leases && std::holds_alternative<ike::answer::Leased>(out.result)) {
    auto& addresses = std::get<ike::answer::Leased>(out.result).addresses;
    if (rng_.below(2) == 0) addresses.front() = IpAddress::v4(0x0a090001);
  }
  return out;
}

void Node::carry_out(control::Effects effects) {
  for (control::Effect& effect : effects) {
    std::visit([this](auto& one) { this->act(one); }, effect);
  }
}

void Node::act(control::effect::Tell& tell) {
  auto* initiate = std::get_if<ike::command::Initiate>(&tell.command);
  if (broken() == Rule::reauthentication && initiate != nullptr &&
      initiate->instead_of != ike::SaId{}) {
    carrier_->put(ike::Command{
        ike::command::Terminate{.filter = {.ike_id = std::exchange(initiate->instead_of, {})}}});
  }
  carrier_->put(std::move(tell.command));
}

void Node::act(const control::effect::Resolve& resolve) {
  if (std::holds_alternative<model::HostName>(resolve.target.remote))
    return hooks_.look_up(resolve);
  const auto* range = std::get_if<IpRange>(&resolve.target.remote);
  resolved(resolve, range == nullptr ? Result<std::vector<IpAddress>>{fail("call", "no address")}
                                     : std::vector{range->first});
}

void Node::act(const control::effect::Respond& respond) {
  if (clients_.erase(respond.client) == 0) hooks_.plane.fault("an operator is answered twice");
}

}  // namespace cygnet::sim
