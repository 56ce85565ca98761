#include "sim/stage/plane.hpp"

#include <algorithm>
#include <utility>

#include "base/writer.hpp"
#include "sim/breakage/broken.hpp"
#include "toys/toy_crypto.hpp"

namespace cygnet::sim {
namespace {

constexpr std::size_t kHeldMax = 8;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kHeaderSize = 12;  // SPI and 64 bits of sequence number
constexpr std::size_t kInnerSize = 16;   // number, source, destination

std::uint64_t key_hash(const Secret& key) {
  std::uint64_t out = 0xcbf29ce484222325;
  for (const std::uint8_t byte : key.reveal()) out = (out ^ byte) * 0x100000001b3;
  return out;
}

bool matches(const std::vector<model::TrafficSelector>& selectors, const IpAddress& address) {
  return std::ranges::any_of(selectors,
                             [&](const auto& one) { return one.range.contains(address); });
}

std::uint64_t number_at(ByteView bytes, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < size; ++i) out = (out << 8) | bytes[at + i];
  return out;
}

std::unique_ptr<crypto::Sealer> sealer_of(const model::SaSpec& sa) {
  return *test::toy_crypto().sealer(sa.encr, sa.key_bits, sa.encr_key.reveal(), sa.integ, {});
}

model::ChildSpec copy_of(const model::ChildSpec& spec) {
  model::ChildSpec out{.id = spec.id,
                       .name = spec.name,
                       .action = spec.action,
                       .local_ts = spec.local_ts,
                       .remote_ts = spec.remote_ts,
                       .local = spec.local,
                       .remote = spec.remote,
                       .udp_encap = spec.udp_encap,
                       .local_vips = spec.local_vips,
                       .replaces = spec.replaces,
                       .lifetime = spec.lifetime,
                       .replay_window = spec.replay_window};
  if (spec.inbound) out.inbound = spec.inbound->clone();
  if (spec.outbound) out.outbound = spec.outbound->clone();
  return out;
}

}  // namespace

Result<void> Plane::install(const model::ChildSpec& child) {
  ++changes_;
  if (refusals_ > 0 && child.inbound) {
    --refusals_;
    refused_.insert(child.id);
    return fail("install", "the plane has no room");
  }
  Child made{.spec = copy_of(child), .view = {.id = child.id}, .age = ++clock_};
  if (broken() == Rule::gap && child.replaces && children_.contains(*child.replaces)) {
    children_.at(*child.replaces).view.spi_out.reset();
  }
  if (child.inbound) {
    if (broken() == Rule::keys && clock_ % 8 == 0) made.spec.inbound->encr_key.fill()[0] ^= 1;
    made.replay.emplace(child.replay_window, child.inbound->esn);
    made.view.spi_in = child.inbound->spi;
    made.view.key_in = key_hash(made.spec.inbound->encr_key);
    if (!by_spi_.emplace(child.inbound->spi, child.id).second) {
      hooks_.fault("two children with one inbound SPI");
    }
  }
  if (child.outbound) set_outbound(made, *child.outbound);
  if (!children_.emplace(child.id, std::move(made)).second) hooks_.fault("a child installed twice");
  if (child.outbound && child.action == model::PolicyAction::protect) serve_traps();
  return {};
}

void Plane::set_outbound(Child& child, const model::SaSpec& outbound) {
  child.spec.outbound = outbound.clone();
  child.view.spi_out = outbound.spi;
  child.view.key_out = key_hash(outbound.encr_key);
}

/// What traps hold goes, if somebody takes it now.
void Plane::serve_traps() {
  for (auto& [id, trap] : children_) {
    for (const Inner& inner : std::exchange(trap.held, {})) send(inner);
  }
}

Result<void> Plane::activate(model::ChildId id, const model::SaSpec& outbound) {
  ++changes_;
  const auto at = children_.find(id);
  if (at == children_.end()) {
    if (!refused(id)) hooks_.fault("a child activated that is not installed");
    return fail("activate", "no such child");
  }
  if (at->second.spec.outbound) hooks_.fault("a child activated twice");
  set_outbound(at->second, outbound);
  serve_traps();
  return {};
}

Result<void> Plane::relocate(model::ChildId id, const Endpoint& local, const Endpoint& remote) {
  const auto at = children_.find(id);
  if (at == children_.end()) {
    if (!refused(id)) hooks_.fault("a child relocated that is not installed");
    return fail("relocate", "no such child");
  }
  at->second.spec.local = local;
  at->second.spec.remote = remote;
  return {};
}

Result<void> Plane::remove(model::ChildId id) {
  ++changes_;
  if (refused_.erase(id) != 0) return {};
  const auto at = children_.find(id);
  if (at == children_.end()) {
    hooks_.fault("a child removed that is not there");
    return {};
  }
  if (at->second.spec.inbound) by_spi_.erase(at->second.spec.inbound->spi);
  children_.erase(at);
  return {};
}

Result<model::SaStats> Plane::stats(model::ChildId id) const {
  const auto at = children_.find(id);
  if (at == children_.end()) return fail("stats", "no such child");
  model::SaStats out = at->second.stats;
  if (at->second.last_in) out.idle_in = now_ - *at->second.last_in;
  if (at->second.last_out) out.idle_out = now_ - *at->second.last_out;
  return out;
}

void Plane::count(Child& child, std::uint64_t packets) {
  const model::Lifetime& life = child.spec.lifetime;
  if (life.rekey_packets != 0 && packets >= life.rekey_packets &&
      !std::exchange(child.soft, true)) {
    events_.emplace_back(model::plane::Expire{.child = child.spec.id, .hard = false});
  }
  if (life.life_packets != 0 && packets >= life.life_packets &&
      !std::exchange(child.stopped, true)) {
    events_.emplace_back(model::plane::Expire{.child = child.spec.id, .hard = true});
  }
}

std::vector<model::PlaneEvent> Plane::take_events() { return std::exchange(events_, {}); }

Plane::Match Plane::match(const IpAddress& source, const IpAddress& destination) const {
  Match out;
  for (const auto& [id, child] : children_) {
    if (!matches(child.spec.local_ts, source) || !matches(child.spec.remote_ts, destination)) {
      continue;
    }
    if (child.spec.action == model::PolicyAction::trap) out.trap = &child;
    const bool sends = child.view.spi_out.has_value();
    if (sends && (out.child == nullptr || child.age > out.child->age)) out.child = &child;
  }
  return out;
}

bool Plane::carries(const IpAddress& source, const IpAddress& destination) const {
  const Match found = match(source, destination);
  return found.child != nullptr && !found.child->stopped;
}

bool Plane::guards(const IpAddress& source, const IpAddress& destination) const {
  return match(source, destination).trap != nullptr;
}

Fate Plane::send(const Inner& inner) {
  const Match found = match(inner.source, inner.destination);
  if (found.child != nullptr) {
    Child& child = children_.at(found.child->spec.id);
    if (child.stopped) return Fate::dropped;
    seal(child, inner);
    child.last_out = now_;
    count(child, ++child.stats.packets_out);
    return Fate::sealed;
  }
  if (found.trap == nullptr || broken() == Rule::clear) return Fate::clear;
  Child& trap = children_.at(found.trap->spec.id);
  if (trap.held.size() < kHeldMax) trap.held.push_back(inner);
  events_.emplace_back(model::plane::Acquire{
      .trap = trap.spec.id, .packet = {.source = inner.source, .destination = inner.destination}});
  return Fate::held;
}

void Plane::seal(Child& child, const Inner& inner) {
  const model::SaSpec& sa = *child.spec.outbound;
  const bool reuse = broken() == Rule::ivs && child.sequence % 50 == 49;
  if (!reuse) ++child.sequence;
  hooks_.sealed(child.view.key_out, child.sequence);
  Writer header;
  header.be(sa.spi);
  header.be(child.sequence);
  Writer text;
  text.be(inner.number);
  text.put(inner.source.bytes());
  text.put(inner.destination.bytes());
  Bytes sealed = text.take();
  Bytes tag(kTagSize);
  Bytes out = header.take();
  const Bytes iv(out.begin() + 4, out.end());
  static_cast<void>(sealer_of(sa)->seal(out, iv, sealed, tag));
  append(out, sealed);
  append(out, tag);
  hooks_.send({.source = child.spec.local,
               .destination = child.spec.remote,
               .bytes = std::move(out),
               .kind = child.spec.udp_encap ? Packet::Kind::esp : Packet::Kind::raw_esp});
}

void Plane::receive(const Packet& packet) {
  if (packet.bytes.size() != kHeaderSize + kInnerSize + kTagSize) return;
  const ByteView bytes = packet.bytes;
  const EspSpi spi{static_cast<std::uint32_t>(number_at(bytes, 0, 4))};
  const std::uint64_t sequence = number_at(bytes, 4, 8);
  const auto known = by_spi_.find(spi);
  if (known == by_spi_.end()) return;
  Child& child = children_.at(known->second);
  if (broken() != Rule::replay && !child.replay->fresh(sequence)) return;
  Bytes text = to_bytes(bytes.subspan(kHeaderSize, kInnerSize));
  if (!sealer_of(*child.spec.inbound)
           ->open(bytes.first(kHeaderSize), bytes.subspan(4, 8), text, bytes.last(kTagSize))) {
    return;
  }
  if (child.replay->accept(sequence) == esp::ReplayWindow::Verdict::replayed &&
      broken() != Rule::replay) {
    return;
  }
  const Inner inner{.number = number_at(text, 0, 8),
                    .source = *IpAddress::from_bytes(ByteView{text}.subspan(8, 4)),
                    .destination = *IpAddress::from_bytes(ByteView{text}.subspan(12, 4))};
  if (!matches(child.spec.remote_ts, inner.source) ||
      !matches(child.spec.local_ts, inner.destination)) {
    return hooks_.fault("an inner packet outside its child's selectors");
  }
  if (child.stopped) return;
  child.last_in = now_;
  count(child, ++child.stats.packets_in);
  if (!std::exchange(child.received, true)) {
    events_.emplace_back(model::plane::FirstInbound{child.spec.id});
  }
  // Straight in IP there are no ports, and so no mappings.
  if (packet.kind == Packet::Kind::esp && packet.source != child.spec.remote) {
    events_.emplace_back(model::plane::MappingChange{child.spec.id, packet.source});
  }
  hooks_.deliver(inner);
}

std::vector<Plane::View> Plane::children() const {
  std::vector<View> out;
  for (const auto& [id, child] : children_) {
    if (child.spec.inbound) out.push_back(child.view);
  }
  return out;
}

std::optional<Plane::View> Plane::find(EspSpi spi_in) const {
  const auto at = by_spi_.find(spi_in);
  if (at == by_spi_.end()) return std::nullopt;
  return children_.at(at->second).view;
}

std::optional<Plane::View> Plane::find(model::ChildId id) const {
  const auto at = children_.find(id);
  if (at == children_.end()) return std::nullopt;
  return at->second.view;
}

std::vector<model::ChildId> Plane::traps() const {
  std::vector<model::ChildId> out;
  for (const auto& [id, child] : children_) {
    if (child.spec.action == model::PolicyAction::trap) out.push_back(id);
  }
  return out;
}

std::optional<IpAddress> Plane::own_address() const {
  std::optional<IpAddress> out;
  std::uint64_t age = 0;
  for (const auto& [id, child] : children_) {
    if (!child.spec.inbound || child.age < age || child.spec.local_ts.empty()) continue;
    age = child.age;
    out = child.spec.local_ts.front().range.first;
  }
  return out;
}

}  // namespace cygnet::sim
