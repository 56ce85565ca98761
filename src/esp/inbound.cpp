// From the network to the host.                          RFC 4301 §5.2, RFC 4303 §3.4
#include <algorithm>
#include <optional>

#include "base/reader.hpp"
#include "esp/worker.hpp"

namespace cygnet::esp {
namespace {

constexpr std::size_t kEspHeader = 8;

// RFC 4303 §2.4: the octets of padding are 1, 2, 3, ...
bool padding_is_monotonic(ByteView pad) {
  for (std::size_t i = 0; i < pad.size(); ++i) {
    if (pad[i] != i + 1) return false;
  }
  return true;
}

//= RFC4301#5.2 "the packet's selectors MUST match" the SA's; remote is the source here
bool selected(const Child& child, const Inner& inner) {
  for (const auto& remote : child.remote_ts) {
    for (const auto& local : child.local_ts) {
      if (match(remote, local, inner) == Match::yes) return true;
    }
  }
  return false;
}

}  // namespace

void Worker::inbound(const Tables& tables, std::span<Packet> batch, Instant now) {
  for (Packet& packet : batch) inbound_one(tables, packet, now);
}

void Worker::inbound_one(const Tables& tables, Packet& packet, Instant now) {
  packet.verdict = Verdict::drop;
  packet.reason = Drop::none;
  if (packet.size < kEspHeader) return drop(packet, Drop::runt);
  Reader reader{packet.data()};
  Child* child = tables.find_inbound(reader.be<EspSpi>());
  if (child == nullptr) return drop(packet, Drop::unknown_spi);
  packet.child = child->id;
  if (child->stopped.load(std::memory_order_relaxed)) return drop(packet, Drop::expired);

  ReplayWindow::Verdict freshness = ReplayWindow::Verdict::replayed;
  if (const Drop failed = open(*child, packet, freshness); failed != Drop::none) {
    if (failed == Drop::replayed) child->replayed.fetch_add(1, std::memory_order_relaxed);
    if (failed == Drop::bad_icv) child->bad_icv.fetch_add(1, std::memory_order_relaxed);
    return drop(packet, failed);
  }
  authenticated(*child, packet, freshness == ReplayWindow::Verdict::newest, now);
  if (const Drop failed = unwrap(*child, packet); failed != Drop::none) {
    if (failed == Drop::selector_mismatch) {
      child->policy_drops.fetch_add(1, std::memory_order_relaxed);
    }
    return drop(packet, failed);
  }

  const model::Lifetime& life = child->lifetime;
  const std::uint64_t packets = child->packets_in.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::uint64_t octets =
      child->bytes_in.fetch_add(packet.size, std::memory_order_relaxed) + packet.size;
  if ((life.rekey_packets != 0 && packets >= life.rekey_packets) ||
      (life.rekey_bytes != 0 && octets >= life.rekey_bytes)) {
    tell_soft(*child);
  }
  // The packet that reaches the limit is the last one.
  if ((life.life_packets != 0 && packets >= life.life_packets) ||
      (life.life_bytes != 0 && octets >= life.life_bytes)) {
    stop(*child);
  }
  packet.verdict = Verdict::deliver;
}

// Checks sequence number and ICV and decrypts; then data is the text, trailer included.
Drop Worker::open(Child& child, Packet& packet, ReplayWindow::Verdict& freshness) {
  InboundSa& sa = *child.inbound;
  const SaShape& shape = sa.keys.shape;
  const MutableBytes esp = packet.data();
  if (esp.size() < kEspHeader + shape.iv + shape.align + shape.icv) return Drop::runt;
  const std::size_t text_size = esp.size() - kEspHeader - shape.iv - shape.icv;
  if (text_size % shape.align != 0) return Drop::bad_alignment;

  Reader reader{esp.subspan(4)};
  const auto low = reader.be<std::uint32_t>();
  std::optional<std::uint64_t> sequence;
  {
    const TinyGuard guard{sa.lock};
    sequence = sa.window.expand(low);
    if (!sequence || !sa.window.fresh(*sequence)) return Drop::replayed;
  }
  std::array<std::uint8_t, 12> extended;
  std::ranges::copy(esp.first(4), extended.begin());
  for (std::size_t i = 0; i < 8; ++i) {
    extended[4 + i] = static_cast<std::uint8_t>(*sequence >> (56 - 8 * i));
  }
  const bool wide = sa.keys.esn && shape.aead;
  const ByteView associated = wide ? ByteView{extended} : ByteView{esp.first(kEspHeader)};
  const ByteView extra = sa.keys.esn && !shape.aead ? ByteView{extended}.subspan(4, 4) : ByteView{};
  packet.offset += kEspHeader + shape.iv;
  packet.size = text_size;
  if (!sa.keys.sealers[index_]->open(associated, esp.subspan(kEspHeader, shape.iv), packet.data(),
                                     esp.last(shape.icv), extra)) {
    return Drop::bad_icv;
  }
  // Another worker may have accepted the same packet meanwhile.
  const TinyGuard guard{sa.lock};
  freshness = sa.window.accept(*sequence);
  return freshness == ReplayWindow::Verdict::replayed ? Drop::replayed : Drop::none;
}

// The peer is proven: report its first packet and its present address.
void Worker::authenticated(Child& child, const Packet& packet, bool newest, Instant now) {
  const std::int64_t ticks = now.since_start.count();
  child.last_in.store(ticks, std::memory_order_relaxed);
  if (!child.first_told.load(std::memory_order_relaxed) &&
      !child.first_told.exchange(true, std::memory_order_relaxed)) {
    events_.push_back(model::plane::FirstInbound{.child = child.id});
  }
  // Only the newest packet moves a mapping: a replayed or delayed one shows an old address.
  if (!newest || !child.udp_encap) return;
  if (packet.remote == child.path.load(std::memory_order_acquire)->remote) return;
  std::int64_t due = child.mapping_at.load(std::memory_order_relaxed);
  const std::int64_t later = (now + kMappingInterval).since_start.count();
  if (ticks >= due &&
      child.mapping_at.compare_exchange_strong(due, later, std::memory_order_relaxed)) {
    events_.push_back(model::plane::MappingChange{.child = child.id, .remote = packet.remote});
  }
}

// Takes the trailer off and checks what is inside; then data is the inner packet.
Drop Worker::unwrap(Child& child, Packet& packet) {
  const MutableBytes text = packet.data();
  const std::size_t pad = text[text.size() - 2];
  const std::uint8_t next = text[text.size() - 1];
  if (pad + 2 > text.size()) return Drop::bad_padding;
  const std::size_t payload = text.size() - 2 - pad;
  if (!padding_is_monotonic(text.subspan(payload, pad))) return Drop::bad_padding;
  if (next == kNoNextHeader) return Drop::dummy;  // RFC 4303 §2.6
  if (next != kIpv4 && next != kIpv6) return Drop::bad_next_header;

  const std::optional<Inner> inner = parse_inner(text.first(payload));
  if (!inner || inner->is_v4() != (next == kIpv4)) return Drop::bad_inner;
  packet.size = inner->size;  // the rest is TFC padding (RFC 4303 §2.7)
  if (!selected(child, *inner)) return Drop::selector_mismatch;

  std::uint8_t tos = inner->tos;
  if (child.copy_dscp == model::CopyDscp::in || child.copy_dscp == model::CopyDscp::yes) {
    tos = static_cast<std::uint8_t>((packet.tos & 0xfcU) | (tos & 0x03U));
  }
  if (child.copy_ecn) {
    const std::optional<std::uint8_t> ecn = decapsulate_ecn(inner->tos, packet.tos);
    if (!ecn) return Drop::ecn_illegal;
    tos = static_cast<std::uint8_t>((tos & 0xfcU) | *ecn);
  }
  if (tos != inner->tos) set_tos(packet.data(), tos);
  return Drop::none;
}

}  // namespace cygnet::esp
