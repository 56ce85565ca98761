// The whole esp engine in one thread.                                           RFC 4303
#include "esp/engine.hpp"

#include <algorithm>
#include <utility>

namespace cygnet::esp {
namespace {

MasterOptions single(MasterOptions options) {
  options.workers = 1;
  return options;
}

}  // namespace

OwnedPacket::OwnedPacket(ByteView bytes) : storage(kHeadroom + bytes.size() + kTailroom) {
  std::ranges::copy(bytes, storage.begin() + static_cast<std::ptrdiff_t>(kHeadroom));
  packet.buffer = storage;
  packet.offset = kHeadroom;
  packet.size = bytes.size();
}

Engine::Engine(MasterOptions options, Rng& rng) : master_(single(options)), worker_(0, rng) {}

model::PlaneTraits Engine::traits() const {
  return {.name = "esp", .udp_encap_only = true, .transport_mode = false, .esn = true};
}

void Engine::apply(const std::vector<Change>& changes) {
  for (const Change& change : changes) tables_.apply(change);
  master_.collect();
  for (const Bytes& bytes : master_.release(tables_, now_)) {
    OwnedPacket owned{bytes};
    worker_.outbound(tables_, {&owned.packet, 1}, now_);
    if (owned.packet.verdict == Verdict::send) released_.push_back(std::move(owned));
  }
}

Result<void> Engine::install(const model::ChildSpec& child) {
  CYG_TRY(const auto changes, master_.install(child));
  apply(changes);
  return {};
}

Result<void> Engine::activate(model::ChildId child, const model::SaSpec& outbound) {
  CYG_TRY(const auto changes, master_.activate(child, outbound));
  apply(changes);
  return {};
}

Result<void> Engine::relocate(model::ChildId child, const Endpoint& local, const Endpoint& remote) {
  CYG_TRY_DO(master_.relocate(child, local, remote));
  master_.collect();
  return {};
}

Result<void> Engine::remove(model::ChildId child) {
  apply(master_.remove(child));
  return {};
}

Result<model::SaStats> Engine::stats(model::ChildId child) const {
  return master_.stats(child, now_);
}

std::vector<model::PlaneEvent> Engine::take_events() { return worker_.take_events(); }

void Engine::outbound(std::span<Packet> batch, Instant now) {
  now_ = now;
  worker_.outbound(tables_, batch, now);
}

void Engine::inbound(std::span<Packet> batch, Instant now) {
  now_ = now;
  worker_.inbound(tables_, batch, now);
}

std::vector<OwnedPacket> Engine::take_released() { return std::exchange(released_, {}); }

DropCounts Engine::drops() const {
  DropCounts out = master_.drops();
  worker_.add_drops(out);
  return out;
}

}  // namespace cygnet::esp
