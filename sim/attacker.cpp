#include "sim/attacker.hpp"

#include <fmt/format.h>

#include <utility>

#include "ike/engine.hpp"
#include "wire/message.hpp"

namespace cygnet::sim {
namespace {

constexpr std::size_t kSeenMax = 64;
constexpr std::uint64_t kSeenPart = 3;  // one of so many
constexpr std::size_t kValueSize = 32;  // of the toy's public values, and of nonces

/// The request, if this is the first message of an IKE_SA.
std::optional<wire::Message> init_request(const Packet& packet) {
  if (packet.kind != Packet::Kind::ike || !ike::opens_ike_sa(packet.bytes)) return std::nullopt;
  auto message = wire::parse_message(packet.bytes);
  return message ? std::optional{*std::move(message)} : std::nullopt;
}

template <class P>
const P* first_of(const wire::Message& message) {
  for (const wire::Payload& payload : message.payloads) {
    if (const P* found = std::get_if<P>(&payload)) return found;
  }
  return nullptr;
}

wire::NotifyPayload notify(NotifyType type, Bytes data = {}) {
  return {.type = type, .data = std::move(data)};
}

}  // namespace

void Attacker::see(const Packet& packet) {
  if (packet.kind == Packet::Kind::keepalive) return;
  if (++count_ % kSeenPart != 0) return;
  if (packet.kind == Packet::Kind::ike && ike::opens_ike_sa(packet.bytes)) init_request_ = packet;
  seen_.push_back(packet);
  if (seen_.size() > kSeenMax) seen_.pop_front();
}

Endpoint Attacker::somewhere(IpFamily family) {
  const auto number = static_cast<std::uint32_t>(rng_.below(0x20000));
  const auto port = static_cast<std::uint16_t>(1 + rng_.below(65535));
  if (family == IpFamily::v4) return {IpAddress::v4(0xc6120000 + number), port};  // 198.18.0.0/15
  return {*IpAddress::parse(fmt::format("2001:db8:{:x}:1::1", 0x1000 + number % 0xe000)), port};
}

const Packet* Attacker::any_seen(bool ike) {
  if (seen_.empty()) return nullptr;
  const std::size_t start = rng_.below(seen_.size());
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const Packet& packet = seen_[(start + i) % seen_.size()];
    if (!ike || packet.kind == Packet::Kind::ike) return &packet;
  }
  return nullptr;
}

std::optional<Packet> Attacker::replay() {
  const Packet* seen = any_seen(false);
  if (seen == nullptr) return std::nullopt;
  Packet packet = *seen;
  switch (rng_.below(4)) {
    case 0:
      break;
    case 1:
      packet.source = somewhere(packet.source.address.family());
      break;
    case 2:
      packet.bytes[rng_.below(packet.bytes.size())] ^= 0x40;
      break;
    default:
      for (std::size_t i = wire::kHeaderSize; i < packet.bytes.size(); ++i) {
        packet.bytes[i] = static_cast<std::uint8_t>(rng_.below(256));
      }
  }
  return packet;
}

std::optional<Packet> Attacker::lie() {
  const Packet* seen = any_seen(true);
  const auto header =
      seen == nullptr ? std::nullopt : std::optional{wire::parse_header(seen->bytes)};
  if (!header || !*header) return std::nullopt;
  wire::Header about = **header;
  Packet out{.source = seen->destination, .destination = seen->source, .bytes = {}};
  about.initiator = !about.initiator;
  about.response = !about.response;
  if (rng_.below(2) == 0) {  // on behalf of the sender instead
    about.initiator = !about.initiator;
    std::swap(out.source, out.destination);
    about.response = rng_.below(2) == 0;
    about.id = MessageId{static_cast<std::uint32_t>(about.id.value() + rng_.below(2))};
  }
  const wire::Payload claims[] = {
      notify(NotifyType::invalid_ike_spi),
      notify(NotifyType::invalid_major_version),
      notify(NotifyType::authentication_failed),
      notify(NotifyType::no_proposal_chosen),
      wire::DeletePayload{.protocol = ProtocolId::ike},
      notify(NotifyType::cookie, rng_.bytes(kValueSize)),
      notify(NotifyType::invalid_ke_payload, {0, 19}),
  };
  const std::size_t claim = rng_.below(std::size(claims));
  out.bytes = wire::write_message(about, {claims[claim]});
  return out;
}

std::optional<Packet> Attacker::forestall(const Packet& packet) {
  const auto request = init_request(packet);
  if (!request) return std::nullopt;
  wire::Header header = request->header;
  header.initiator = false;
  header.response = true;
  std::vector<wire::Payload> payloads;
  const auto* offer = first_of<wire::SaPayload>(*request);
  const auto* ke = first_of<wire::KePayload>(*request);
  switch (rng_.below(4)) {
    case 0:
      payloads.emplace_back(notify(NotifyType::no_proposal_chosen));
      break;
    case 1:
      payloads.emplace_back(notify(NotifyType::cookie, rng_.bytes(kValueSize)));
      break;
    case 2:
      payloads.emplace_back(notify(NotifyType::invalid_ke_payload, {0, 19}));
      break;
    default:
      if (offer == nullptr || ke == nullptr) return std::nullopt;
      // As if we were the responder: the key that comes of it is ours.
      header.spi_r = IkeSpi{rng_.u64() | 1};
      payloads.emplace_back(*offer);
      payloads.emplace_back(
          wire::KePayload{.group = ke->group, .data = rng_.bytes(ke->data.size())});
      payloads.emplace_back(wire::NoncePayload{.data = rng_.bytes(kValueSize)});
  }
  return Packet{.source = packet.destination,
                .destination = packet.source,
                .bytes = wire::write_message(header, payloads)};
}

std::vector<Packet> Attacker::flood(std::size_t count) {
  std::vector<Packet> out;
  const auto known = init_request_ ? init_request(*init_request_) : std::nullopt;
  for (std::size_t i = 0; known && i < count; ++i) {
    wire::Header header = known->header;
    header.spi_i = IkeSpi{rng_.u64() | 1};
    Endpoint source = somewhere(init_request_->source.address.family());
    source.port = init_request_->source.port;
    out.push_back({.source = source,
                   .destination = init_request_->destination,
                   .bytes = wire::write_message(header, known->payloads)});
  }
  return out;
}

}  // namespace cygnet::sim
