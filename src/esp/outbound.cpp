// From the host to the network.                          RFC 4301 §5.1, RFC 4303 §3.3
//
//    | SPI | sequence number | IV | inner packet, padding, pad length, next header | ICV |
//    |<-------- header ----->|    |<----------------- text ----------------------->|
#include <algorithm>
#include <optional>

#include "esp/worker.hpp"

namespace cygnet::esp {
namespace {

constexpr std::size_t kEspHeader = 8;

void put_be(MutableBytes out, std::uint64_t value) {
  for (std::size_t i = out.size(); i-- > 0; value >>= 8) out[i] = static_cast<std::uint8_t>(value);
}

std::uint8_t outer_tos(const Child& child, std::uint8_t inner) {
  std::uint8_t tos = 0;
  if (child.copy_dscp == model::CopyDscp::out || child.copy_dscp == model::CopyDscp::yes) {
    tos = inner & 0xfcU;
  }
  // RFC 6040 §4.1: normal mode copies, compatibility mode sends Not-ECT.
  if (child.copy_ecn) tos = static_cast<std::uint8_t>(tos | (inner & 0x03U));
  return tos;
}

}  // namespace

void Worker::outbound(const Tables& tables, std::span<Packet> batch, Instant now) {
  for (Packet& packet : batch) outbound_one(tables, packet, now);
}

void Worker::outbound_one(const Tables& tables, Packet& packet, Instant now) {
  packet.verdict = Verdict::drop;
  packet.reason = Drop::none;
  const std::optional<Inner> inner = parse_inner(packet.data());
  if (!inner) return drop(packet, Drop::inner_malformed);
  packet.size = inner->size;
  const Tables::Found found = tables.find_policy(*inner);
  if (found.child == nullptr) {
    return drop(packet, found.opaque_skipped ? Drop::fragment_opaque : Drop::no_policy);
  }
  Child& child = *found.child;
  packet.child = child.id;
  switch (child.action) {
    case model::PolicyAction::drop:
      return drop(packet, Drop::policy_drop);
    case model::PolicyAction::pass:
      // A later fragment of what a narrower policy protects must not leave in the clear.
      return drop(packet, found.opaque_skipped ? Drop::fragment_opaque : Drop::policy_pass);
    case model::PolicyAction::trap:
      return hold(child, packet, *inner, now);
    case model::PolicyAction::protect:
      break;
  }
  if (child.owner != index_) {
    packet.owner = child.owner;
    packet.verdict = Verdict::elsewhere;
    return;
  }
  if (!fits(child, packet, *inner, now)) return;
  if (const Drop refused = admit(child, inner->size); refused != Drop::none) {
    return drop(packet, refused);
  }
  if (const Drop failed = seal(child, packet, *inner); failed != Drop::none) {
    return drop(packet, failed);
  }
  child.last_out.store(now.since_start.count(), std::memory_order_relaxed);
  packet.verdict = Verdict::send;
}

// True: seal it. False: the packet has its verdict already.
bool Worker::fits(const Child& child, Packet& packet, const Inner& inner, Instant now) {
  const Path& path = *child.path.load(std::memory_order_acquire);
  const std::size_t room =
      child.outbound->keys.shape.inner_max(child.path_mtu.load(std::memory_order_relaxed),
                                           path.remote.address.family(), child.udp_encap);
  const std::size_t mtu = std::max(room, inner.is_v4() ? kMtuMin4 : kMtuMin6);
  // RFC 4301 §8.1: DF is copied; what may not be refused is fragmented outside.
  packet.dont_fragment = child.copy_df && inner.dont_fragment && inner.size <= room;
  if (!child.copy_df || !inner.dont_fragment || inner.size <= mtu) return true;
  if (!too_big_limit_.allow(now) || !make_too_big(packet, inner, mtu)) {
    drop(packet, Drop::too_big_quiet);
    return false;
  }
  drop(packet, Drop::too_big);
  packet.verdict = Verdict::deliver;
  return false;
}

// Counts the packet against the child's limits.
Drop Worker::admit(Child& child, std::size_t bytes) {
  if (child.stopped.load(std::memory_order_relaxed)) return Drop::expired;
  const std::uint64_t packets = child.packets_out.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::uint64_t octets = child.bytes_out.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  const model::Lifetime& life = child.lifetime;
  if ((life.life_packets != 0 && packets > life.life_packets) ||
      (life.life_bytes != 0 && octets > life.life_bytes)) {
    child.packets_out.fetch_sub(1, std::memory_order_relaxed);
    child.bytes_out.fetch_sub(bytes, std::memory_order_relaxed);
    stop(child);
    return Drop::expired;
  }
  if ((life.rekey_packets != 0 && packets >= life.rekey_packets) ||
      (life.rekey_bytes != 0 && octets >= life.rekey_bytes)) {
    tell_soft(child);
  }
  return Drop::none;
}

std::optional<std::uint64_t> Worker::next_sequence(Child& child) {
  OutboundSa& sa = *child.outbound;
  const std::uint64_t last = sa.last();
  std::uint64_t mine = sa.next.load(std::memory_order_relaxed);
  do {
    if (mine > last) {
      stop(child);
      return std::nullopt;
    }
  } while (!sa.next.compare_exchange_weak(mine, mine + 1, std::memory_order_relaxed));
  if (last - mine < kSequenceSoftMargin) tell_soft(child);
  return mine;
}

Drop Worker::seal(Child& child, Packet& packet, const Inner& inner) {
  SaKeys& keys = child.outbound->keys;
  const SaShape& shape = keys.shape;
  const std::size_t text_size = shape.esp_size(packet.size) - kEspHeader - shape.iv - shape.icv;
  const std::size_t pad = text_size - packet.size - 2;
  if (packet.offset < kEspHeader + shape.iv || packet.tailroom() < pad + 2 + shape.icv) {
    return Drop::no_room;
  }
  const std::optional<std::uint64_t> sequence = next_sequence(child);
  if (!sequence) return Drop::sequence_exhausted;

  packet.offset -= kEspHeader + shape.iv;
  packet.size = kEspHeader + shape.iv + text_size + shape.icv;
  const MutableBytes esp = packet.data();
  const MutableBytes header = esp.first(kEspHeader);
  const MutableBytes iv = esp.subspan(kEspHeader, shape.iv);
  const MutableBytes text = esp.subspan(kEspHeader + shape.iv, text_size);
  put_be(header.first(4), keys.spi.value());
  put_be(header.subspan(4), *sequence & 0xffffffffU);
  // Counter IVs never repeat under one key because the sequence number never does (RFC 4106 §3).
  shape.random_iv ? rng_.fill(iv) : put_be(iv, *sequence);
  for (std::size_t i = 0; i < pad; ++i) {
    text[text_size - 2 - pad + i] = static_cast<std::uint8_t>(i + 1);  // RFC 4303 §2.4
  }
  text[text_size - 2] = static_cast<std::uint8_t>(pad);
  text[text_size - 1] = inner.is_v4() ? kIpv4 : kIpv6;

  // With ESN an AEAD's associated data is SPI and all 64 bits (RFC 4106 §5); an HMAC instead
  // covers the high 32 bits after the ciphertext (RFC 4303 §2.2.1).
  std::array<std::uint8_t, 12> extended;
  put_be(std::span{extended}.first(4), keys.spi.value());
  put_be(std::span{extended}.subspan(4), *sequence);
  const bool wide = keys.esn && shape.aead;
  const ByteView associated = wide ? ByteView{extended} : ByteView{header};
  const ByteView extra = keys.esn && !shape.aead ? ByteView{extended}.subspan(4, 4) : ByteView{};
  if (!keys.sealers[index_]->seal(associated, iv, text, esp.last(shape.icv), extra)) {
    return Drop::crypto_failed;
  }
  const Path& path = *child.path.load(std::memory_order_acquire);
  packet.local = path.local;
  packet.remote = path.remote;
  packet.udp_encap = child.udp_encap;
  packet.tos = outer_tos(child, inner.tos);
  return Drop::none;
}

}  // namespace cygnet::esp
