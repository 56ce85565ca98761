// A hostile peer: sends malformed datagrams of one class to a gateway, in the clear or behind SK
// of an IKE_SA that it shares with it.     bad_peer LOCAL REMOTE CLASS COUNT SECRET [CERT.der KEY]
//
// The class "identity" is one IKE_AUTH that is right in all but one: its IDi is not in its
// certificate.
//
// After a tenth of them it prints "tenth" and waits for a line on stdin, so that the gateway's
// memory can be read. The last line says how many were sent and how many IKE_SAs it took.
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <random>
#include <string>

#include "base/check.hpp"
#include "ike/auth.hpp"
#include "ike/keys.hpp"
#include "ike/seal.hpp"
#include "io/udp.hpp"
#include "model/proposal.hpp"
#include "program.hpp"
#include "wire/message.hpp"

namespace {

using namespace cygnet;  // a program of its own: nothing includes it
using program::die;
using program::need;

constexpr int kAnswerMs = 300;

/// Deterministic: a run can be repeated.
std::mt19937_64 dice{20261124};
std::size_t roll(std::size_t sides) { return static_cast<std::size_t>(dice() % sides); }

model::Identity key_id() { return {.type = IdType::fqdn, .data = to_bytes("bad.example")}; }

/// A chain of payloads as octets, and the type of its first.
struct Raw {
  PayloadType first = PayloadType::none;
  Bytes bytes;
};
Raw raw(const std::vector<wire::Payload>& payloads) {
  wire::Chain chain = wire::write_payloads(payloads);
  return {chain.first, std::move(chain.bytes)};
}
bool parses(const Raw& chain) { return wire::parse_payloads(chain.first, chain.bytes).has_value(); }

/// One change of the kinds that break parsers: lengths, ends, counts, repetitions.
void mutate(Bytes& bytes) {
  static constexpr std::uint8_t kNasty[] = {0, 1, 2, 3, 4, 7, 8, 127, 128, 254, 255};
  if (bytes.empty()) return bytes.push_back(static_cast<std::uint8_t>(roll(256)));
  const std::size_t at = roll(bytes.size());
  switch (roll(6)) {
    case 0:
      bytes[at] = kNasty[roll(std::size(kNasty))];
      break;
    case 1:
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << roll(8)));
      break;
    case 2:
      bytes.resize(at);
      break;
    case 3:
      bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), 1 + roll(8), 0xff);
      break;
    case 4: {
      const Bytes slice(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
      append(bytes, slice);
      break;
    }
    default:
      bytes[at] = 0xff;
      if (at + 1 < bytes.size()) bytes[at + 1] = 0xff;
  }
}

/// Mutates until nothing reads it any more.
Raw broken(const Raw& good) {
  for (;;) {
    Raw out = good;
    for (std::size_t i = 0; i <= roll(3); ++i) mutate(out.bytes);
    if (!parses(out)) return out;
  }
}

/// Payload bodies of any type, framed correctly.
wire::Payload body(PayloadType type, Bytes data) {
  return wire::UnknownPayload{.type = type, .critical = false, .data = std::move(data)};
}
Bytes random_bytes(std::size_t count) {
  Bytes out(count);
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(roll(256));
  return out;
}

class Peer {
 public:
  Peer(IpAddress local, IpAddress remote, std::string secret)
      : local_(local), remote_(remote), secret_(std::move(secret)) {
    for (const std::uint16_t port : {std::uint16_t{500}, std::uint16_t{4500}}) {
      sockets_.push_back(need(io::UdpSocket::open({.port = port})));
    }
  }

  /// Says to be `identity`, with a certificate and a signature by its key. True: it was believed.
  bool claim(const model::Identity& identity, const Bytes& cert, const Bytes& key) {
    init();
    const Bytes octets = need(ike::signed_octets(
        crypto_, sa_.suite.prf,
        {.own_message = request_, .other_nonce = nonce_r_, .sk_p = sa_.pi, .id = identity}));
    const auto signer = need(crypto::load_private_key(key));
    const crypto::Signature signature = need(signer->sign(octets, {}));
    std::vector<wire::Payload> payloads{
        wire::IdPayload{.initiator = true, .id = identity}, wire::CertPayload{.data = cert},
        wire::AuthPayload{.method = signature.method, .data = signature.auth_data}};
    for (wire::Payload& payload : child_request()) payloads.push_back(std::move(payload));
    const auto answer = exchange_sealed(ExchangeType::ike_auth, raw(payloads));
    return answer && has_auth(*answer);
  }

  /// As it is, to 500 or 4500; without waiting.
  void send_plain(ByteView datagram, bool natt) {
    const std::uint16_t port = natt ? 4500 : 500;
    // What the kernel does not take (an empty datagram is fine) is one less that was sent.
    if (sockets_[natt ? 1 : 0].send_one({{local_, port}, {remote_, port}, datagram})) ++sent;
  }

  /// IKE_SA_INIT, until keys are there.
  void init() {
    sa_ = {};
    spi_i_ = IkeSpi{dice() | 1};
    nonce_i_ = random_bytes(32);
    auto exchange = need(crypto_.begin(KeId::curve25519, nullptr));
    wire::SaPayload offer;
    offer.proposals.push_back({.number = 1, .spi = {}, .proposal = suite().front()});
    std::vector<wire::Payload> payloads{
        offer,
        wire::KePayload{.group = KeId::curve25519, .data = to_bytes(exchange->public_value())},
        wire::NoncePayload{.data = nonce_i_}};
    for (int attempt = 0; attempt < 10; ++attempt) {
      request_ = wire::write_message({.spi_i = spi_i_, .initiator = true}, payloads);
      const auto reply = exchange_plain(request_);
      if (!reply) continue;
      const wire::KePayload* ke = nullptr;
      const wire::NoncePayload* nonce = nullptr;
      for (const wire::Payload& payload : reply->payloads) {
        if (const auto* one = std::get_if<wire::KePayload>(&payload)) ke = one;
        if (const auto* one = std::get_if<wire::NoncePayload>(&payload)) nonce = one;
        const auto* notify = std::get_if<wire::NotifyPayload>(&payload);
        if (notify != nullptr && notify->type == NotifyType::cookie) {
          payloads.insert(payloads.begin(), *notify);
        }
      }
      if (ke == nullptr || nonce == nullptr) continue;
      const Secret shared = need(exchange->finish(ke->data));
      spi_r_ = reply->header.spi_r;
      nonce_r_ = nonce->data;
      const auto choice = model::choose(suite(), suite());
      sa_ = need(ike::derive_keys(crypto_, choice->suite,
                                  {.shared = shared.reveal(),
                                   .nonce_i = nonce_i_,
                                   .nonce_r = nonce_r_,
                                   .spi_i = spi_i_,
                                   .spi_r = spi_r_}));
      next_id_ = 1;
      ++sas;
      return;
    }
    die("the gateway answers no IKE_SA_INIT");
  }

  /// The payloads of an IKE_AUTH request that proves the shared secret.
  std::vector<wire::Payload> good_auth() {
    const Bytes octets = need(ike::signed_octets(
        crypto_, sa_.suite.prf,
        {.own_message = request_, .other_nonce = nonce_r_, .sk_p = sa_.pi, .id = key_id()}));
    const Secret pad =
        need(crypto_.prf(sa_.suite.prf, as_bytes(secret_), {as_bytes("Key Pad for IKEv2")}));
    const Secret mac = need(crypto_.prf(sa_.suite.prf, pad.reveal(), {octets}));
    std::vector<wire::Payload> out{
        wire::IdPayload{.initiator = true, .id = key_id()},
        wire::NotifyPayload{.type = NotifyType::initial_contact},
        wire::AuthPayload{.method = AuthMethod::shared_key, .data = to_bytes(mac.reveal())}};
    for (wire::Payload& payload : child_request()) out.push_back(std::move(payload));
    return out;
  }
  static std::vector<wire::Payload> child_request() {
    const auto esp = need(model::parse_proposals("aes128gcm16", ProtocolId::esp));
    wire::SaPayload offer;
    const std::size_t spi = roll(1U << 31);
    offer.proposals.push_back(
        {.number = 1,
         .spi = {1, static_cast<std::uint8_t>(spi >> 16), static_cast<std::uint8_t>(spi >> 8),
                 static_cast<std::uint8_t>(spi)},
         .proposal = esp.front()});
    const auto any = model::TrafficSelector::any(IpFamily::v4);
    return {offer, wire::TsPayload{.initiator = true, .selectors = {any}},
            wire::TsPayload{.initiator = false, .selectors = {any}}};
  }
  void establish() {
    for (int attempt = 0; attempt < 3; ++attempt) {
      init();
      const auto answer = exchange_sealed(ExchangeType::ike_auth, raw(good_auth()));
      established_ = answer && has_auth(*answer);
      if (established_) return;
    }
    die("the gateway does not authenticate us");
  }

  /// Seals a chain as it is, sends it and waits for the answer. The IKE_SA is taken for dead when
  /// there is none or it is INVALID_SYNTAX.
  void attack(ExchangeType exchange, const Raw& chain) {
    if (exchange == ExchangeType::ike_auth) {
      init();
    } else if (!established_) {
      establish();
    }
    const auto answer = exchange_sealed(exchange, chain);
    ++sent;
    established_ = established_ && answer && !has_notify(*answer, NotifyType::invalid_syntax);
    if (exchange == ExchangeType::ike_auth) established_ = false;
  }

  std::size_t sent = 0;
  std::size_t sas = 0;

 private:
  static std::vector<model::Proposal> suite() {
    return need(model::parse_proposals("aes128gcm16-prfsha256-x25519", ProtocolId::ike));
  }
  static bool has_notify(const std::vector<wire::Payload>& payloads, NotifyType type) {
    for (const wire::Payload& payload : payloads) {
      const auto* notify = std::get_if<wire::NotifyPayload>(&payload);
      if (notify != nullptr && notify->type == type) return true;
    }
    return false;
  }
  static bool has_auth(const std::vector<wire::Payload>& payloads) {
    for (const wire::Payload& payload : payloads) {
      if (std::holds_alternative<wire::AuthPayload>(payload)) return true;
    }
    return false;
  }
  /// The next datagram at port 500; empty when none comes.
  Bytes receive() {
    pollfd waiting{.fd = sockets_[0].fd(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kAnswerMs) <= 0) return {};
    Bytes room(io::kUdpDatagramMax);
    const auto got = sockets_[0].receive_one(room);
    if (!got) return {};
    room.resize(got->size);
    return room;
  }
  std::optional<wire::Message> exchange_plain(const Bytes& request) {
    if (!sockets_[0].send_one({{local_, 500}, {remote_, 500}, request})) return std::nullopt;
    for (;;) {
      const Bytes answer = receive();
      if (answer.empty()) return std::nullopt;
      auto reply = wire::parse_message(answer);
      // Others are answers to what was malformed before.
      if (reply && reply->header.response && reply->header.spi_i == spi_i_) {
        return *std::move(reply);
      }
    }
  }
  std::optional<std::vector<wire::Payload>> exchange_sealed(ExchangeType exchange,
                                                            const Raw& chain) {
    const wire::Header header{.spi_i = spi_i_,
                              .spi_r = spi_r_,
                              .exchange = exchange,
                              .initiator = true,
                              .id = MessageId{next_id_++}};
    auto sealer = need(
        crypto_.sealer(sa_.suite.encr, sa_.suite.key_bits, sa_.ei.reveal(), IntegId::none, {}));
    Bytes text = chain.bytes;
    text.push_back(0);  // Pad Length
    Bytes iv(8);
    for (std::size_t i = 0; i < 8; ++i)
      iv[7 - i] = static_cast<std::uint8_t>(header.id.value() >> (8 * i) % 32);
    Bytes datagram = wire::write_sk_head(header, chain.first, iv.size() + text.size() + 16);
    Bytes icv(16);
    if (!sealer->seal(datagram, iv, text, icv)) die("cannot seal");
    append(datagram, iv);
    append(datagram, text);
    append(datagram, icv);
    if (!sockets_[0].send_one({{local_, 500}, {remote_, 500}, datagram})) return std::nullopt;
    for (;;) {
      const Bytes answer = receive();
      if (answer.empty()) return std::nullopt;
      const auto reply = wire::parse_message(answer);
      const bool ours = reply && reply->sealed && reply->header.response &&
                        reply->header.spi_i == spi_i_ && reply->header.id == header.id;
      if (!ours) continue;  // a late answer
      const auto opened = ike::open_sealed(crypto_, sa_, reply->header, *reply->sealed);
      if (!opened) continue;
      auto payloads = wire::parse_payloads(reply->sealed->first_inner, *opened);
      if (!payloads) die("the gateway's answer does not parse: " + payloads.error().text());
      return *std::move(payloads);
    }
  }

  const crypto::Provider& crypto_ = crypto::openssl();
  IpAddress local_;
  IpAddress remote_;
  std::string secret_;
  std::vector<io::UdpSocket> sockets_;
  IkeSpi spi_i_;
  IkeSpi spi_r_;
  Bytes nonce_i_;
  Bytes nonce_r_;
  Bytes request_;
  ike::SkKeys sa_;
  std::uint32_t next_id_ = 1;
  bool established_ = false;
};

// --- the classes ---------------------------------------------------------------------------------

/// An IKE_SA_INIT request that a gateway would answer.
std::vector<wire::Payload> good_init() {
  const auto proposals =
      need(model::parse_proposals("aes128gcm16-prfsha256-x25519", ProtocolId::ike));
  wire::SaPayload offer;
  offer.proposals.push_back({.number = 1, .spi = {}, .proposal = proposals.front()});
  return {offer, wire::KePayload{.group = KeId::curve25519, .data = random_bytes(32)},
          wire::NoncePayload{.data = random_bytes(32)}};
}

Bytes plain(const Raw& chain) {
  Bytes out = wire::write_message({.spi_i = IkeSpi{dice() | 1}, .initiator = true}, {});
  out[16] = static_cast<std::uint8_t>(chain.first);
  append(out, chain.bytes);
  for (std::size_t i = 0; i < 4; ++i)
    out[24 + i] = static_cast<std::uint8_t>(out.size() >> (24 - 8 * i));
  return out;
}

Bytes marked(Bytes datagram) {
  datagram.insert(datagram.begin(), 4, 0);
  return datagram;
}

void attack_header(Peer& peer) {
  Bytes datagram = plain(raw(good_init()));
  switch (roll(5)) {
    case 0:
      datagram.resize(roll(28));
      break;
    case 1:
      datagram[24 + roll(4)] = static_cast<std::uint8_t>(1 + roll(255));
      break;
    case 2:
      datagram[17] = static_cast<std::uint8_t>(roll(256) & ~0x20U);
      break;  // version
    case 3:
      datagram[18] = static_cast<std::uint8_t>(roll(256));  // exchange type
      datagram[19] = static_cast<std::uint8_t>(roll(256));  // flags
      datagram[23] = static_cast<std::uint8_t>(1 + roll(255));
      break;
    default:  // ESP of reserved SPIs, markers missing or doubled
      datagram = roll(2) == 0 ? marked(marked(std::move(datagram)))
                              : Bytes{0, 0, 0, static_cast<std::uint8_t>(roll(256)), 0, 0, 0, 1};
  }
  const bool natt = roll(2) == 0;
  peer.send_plain(natt && roll(2) == 0 ? marked(datagram) : datagram, natt);
}

/// Chains that frame well and are wrong all the same.
Raw odd_chain() {
  switch (roll(4)) {
    case 0:
      return raw(std::vector<wire::Payload>(512, body(PayloadType::vendor_id, {})));
    case 1:
      return raw({wire::UnknownPayload{
          .type = static_cast<PayloadType>(200), .critical = true, .data = random_bytes(8)}});
    case 2: {
      auto twice = good_init();
      twice.push_back(twice.front());
      return raw(twice);
    }
    default:
      return raw({body(static_cast<PayloadType>(1 + roll(32)), random_bytes(roll(40)))});
  }
}

void attack_chain(Peer& peer) {
  const Raw chain = roll(2) == 0 ? odd_chain() : broken(raw(good_init()));
  if (roll(2) == 0) {
    peer.send_plain(roll(2) == 0 ? plain(chain) : marked(plain(chain)), roll(2) == 0);
  } else {
    peer.attack(ExchangeType::informational, chain);
  }
}

/// A chain with one payload's body replaced by a mutation that no longer reads.
Raw with_broken(std::vector<wire::Payload> payloads, std::size_t index) {
  const PayloadType type = wire::type_of(payloads[index]);
  const Bytes good = wire::write_payloads({payloads[index]}).bytes;
  for (;;) {
    Bytes data(good.begin() + 4, good.end());
    for (std::size_t i = 0; i <= roll(3); ++i) mutate(data);
    if (data.size() > 60'000) continue;
    payloads[index] = body(type, std::move(data));
    Raw out = raw(payloads);
    if (!parses(out)) return out;
  }
}

void attack_sa(Peer& peer) {
  if (roll(2) == 0) {
    auto payloads = good_init();
    peer.send_plain(plain(with_broken(payloads, 0)), false);
  } else {
    auto payloads = Peer::child_request();
    payloads.insert(payloads.begin() + 1, wire::NoncePayload{.data = random_bytes(32)});
    if (roll(3) == 0) {  // reads well, offers nonsense: AEAD with INTEG, unknown numbers, no ESN
      auto& offer = std::get<wire::SaPayload>(payloads[0]);
      offer.proposals[0].proposal =
          need(model::parse_proposals(roll(2) == 0 ? "aes256-sha1" : "chacha20poly1305-x25519",
                                      ProtocolId::esp))
              .front();
      return peer.attack(ExchangeType::create_child_sa, raw(payloads));
    }
    peer.attack(ExchangeType::create_child_sa, with_broken(payloads, 0));
  }
}

void attack_ke_nonce(Peer& peer) {
  static constexpr std::size_t kSizes[] = {0, 1, 15, 31, 33, 96, 255, 256, 257, 384};
  const auto bad_ke = [] {
    static constexpr KeId kGroups[] = {KeId::curve25519, KeId::ecp_384, KeId::modp_3072, KeId::none,
                                       static_cast<KeId>(999)};
    const KeId group = kGroups[roll(std::size(kGroups))];
    Bytes value(kSizes[roll(std::size(kSizes))],
                roll(2) == 0 ? std::uint8_t{0} : std::uint8_t{255});
    if (roll(3) == 0) value.assign(32, 0);  // X25519's all-zero result
    return wire::KePayload{.group = group, .data = std::move(value)};
  };
  if (roll(2) == 0) {
    auto payloads = good_init();
    if (roll(2) == 0) {
      payloads[1] = bad_ke();
      peer.send_plain(plain(raw(payloads)), false);
    } else {
      peer.send_plain(plain(with_broken(payloads, 1 + roll(2))), false);
    }
    return;
  }
  auto payloads = Peer::child_request();
  payloads.insert(payloads.begin() + 1, wire::NoncePayload{.data = random_bytes(32)});
  auto& offer = std::get<wire::SaPayload>(payloads[0]);
  offer.proposals[0].proposal =
      need(model::parse_proposals("aes128gcm16-x25519", ProtocolId::esp)).front();
  payloads.insert(payloads.begin() + 2, bad_ke());
  if (roll(2) == 0) {
    peer.attack(ExchangeType::create_child_sa, raw(payloads));
  } else {
    peer.attack(ExchangeType::create_child_sa, with_broken(payloads, 1));
  }
}

std::vector<wire::Payload> certificate_auth(const Bytes& cert) {
  std::vector<wire::Payload> out{
      wire::IdPayload{.initiator = true,
                      .id = {.type = IdType::fqdn, .data = to_bytes("cl.example")}},
      wire::CertPayload{.data = cert},
      wire::CertReqPayload{.encoding = CertEncoding::x509_signature,
                           .authorities = random_bytes(20)},
      wire::AuthPayload{.method = AuthMethod::digital_signature, .data = random_bytes(120)}};
  for (wire::Payload& payload : Peer::child_request()) out.push_back(std::move(payload));
  return out;
}

void attack_id_cert(Peer& peer, const Bytes& cert) {
  auto payloads = certificate_auth(cert);
  const std::size_t which = roll(4);
  if (which == 0) return peer.attack(ExchangeType::ike_auth, with_broken(payloads, 0));
  if (which == 1) {
    static constexpr std::size_t kSizes[] = {0, 1, 3, 5, 15, 17, 1000, 60'000};
    payloads[0] = wire::IdPayload{.initiator = true,
                                  .id = {.type = static_cast<IdType>(roll(13)),
                                         .data = random_bytes(kSizes[roll(std::size(kSizes))])}};
  } else if (which == 2) {
    Bytes der = cert;
    for (std::size_t i = 0; i <= roll(4); ++i) mutate(der);
    if (der.size() < 40'000) payloads[1] = wire::CertPayload{.data = std::move(der)};
  } else {
    payloads[1] = wire::CertPayload{.encoding = static_cast<CertEncoding>(roll(16)),
                                    .data = random_bytes(roll(64))};
    payloads[2] = body(PayloadType::cert_req, random_bytes(roll(64)));
  }
  peer.attack(ExchangeType::ike_auth, raw(payloads));
}

void attack_auth(Peer& peer, const Bytes& cert) {
  auto payloads = certificate_auth(cert);
  static constexpr std::uint8_t kMethods[] = {0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 15, 255};
  // RFC 7427 §3: the AlgorithmIdentifier's length, then DER, then the signature.
  static const Bytes kPss{67,   0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48,
                          0x86, 0xf7, 0x0d, 1,    1,    10,   0x30, 0x34};
  Bytes data = random_bytes(roll(160));
  if (roll(3) == 0) data = concat({kPss, data});
  if (roll(4) == 0 && !data.empty()) data[0] = static_cast<std::uint8_t>(data.size() - 1);
  payloads[3] =
      wire::AuthPayload{.method = static_cast<AuthMethod>(kMethods[roll(std::size(kMethods))]),
                        .data = std::move(data)};
  if (roll(4) == 0) payloads[3] = body(PayloadType::eap, random_bytes(roll(64)));
  peer.attack(ExchangeType::ike_auth, raw(payloads));
}

void attack_notify_delete(Peer& peer) {
  const std::vector<wire::Payload> good{
      wire::NotifyPayload{.protocol = ProtocolId::esp,
                          .spi = random_bytes(4),
                          .type = static_cast<NotifyType>(roll(65536)),
                          .data = random_bytes(roll(80))},
      wire::DeletePayload{.protocol = ProtocolId::esp,
                          .spis = {EspSpi{static_cast<std::uint32_t>(dice())},
                                   EspSpi{static_cast<std::uint32_t>(dice())}}}};
  switch (roll(4)) {
    case 0:
      return peer.attack(ExchangeType::informational, with_broken(good, roll(2)));
    case 1:
      return peer.attack(ExchangeType::informational, raw(good));  // nobody's SPIs
    case 2: {
      Bytes many{3, 4, 0x3a, 0x98};  // 15 000 SPIs
      append(many, random_bytes(60'000));
      return peer.attack(ExchangeType::informational, raw({body(PayloadType::del, many)}));
    }
    default: {
      auto payloads = Peer::child_request();
      payloads.insert(payloads.begin() + 1, wire::NoncePayload{.data = random_bytes(32)});
      payloads.insert(payloads.begin(),
                      wire::NotifyPayload{.protocol = static_cast<ProtocolId>(roll(4)),
                                          .spi = random_bytes(4),
                                          .type = NotifyType::rekey_sa});
      return peer.attack(ExchangeType::create_child_sa, raw(payloads));
    }
  }
}

void attack_ts_cp(Peer& peer) {
  auto payloads = Peer::child_request();
  payloads.insert(payloads.begin() + 1, wire::NoncePayload{.data = random_bytes(32)});
  payloads.push_back(
      wire::CpPayload{.type = CfgType::request,
                      .attributes = {{CfgAttributeType::internal_ip4_address, {}},
                                     {CfgAttributeType::internal_ip6_address, random_bytes(17)}}});
  switch (roll(3)) {
    case 0:
      return peer.attack(ExchangeType::create_child_sa, with_broken(payloads, 2 + roll(3)));
    case 1: {
      // Nothing that overlaps, or the families of both sides differ.
      const auto lone = model::TrafficSelector::of(
          need(Prefix::parse(roll(2) == 0 ? "2001:db8::/128" : "203.0.113.7/32")));
      payloads[3] = wire::TsPayload{.initiator = false, .selectors = {lone}};
      return peer.attack(ExchangeType::create_child_sa, raw(payloads));
    }
    default: {
      payloads.back() = body(PayloadType::cp, random_bytes(4 + roll(60)));
      return peer.attack(ExchangeType::informational, raw({payloads.back()}));
    }
  }
}

}  // namespace

Bytes content(const char* path) {
  std::ifstream file{path, std::ios::binary};
  Bytes out(std::istreambuf_iterator<char>{file}, {});
  if (out.empty()) die(std::string{"nothing in "} + path);
  return out;
}

int main(int argc, char** argv) {
  program::name = "bad_peer";
  if (argc < 6) die("usage: bad_peer LOCAL REMOTE CLASS COUNT SECRET [CERT.der KEY]");
  const std::string kind = argv[3];
  const std::size_t count = std::stoul(argv[4]);
  const Bytes cert = argc > 6 ? content(argv[6]) : Bytes{};
  Peer peer{need(IpAddress::parse(argv[1])), need(IpAddress::parse(argv[2])), argv[5]};
  if (kind == "identity") {
    const model::Identity boss{.type = IdType::fqdn, .data = to_bytes("boss.example")};
    const bool believed = peer.claim(boss, cert, content(argv[7]));
    std::cout << (believed ? "believed" : "refused") << std::endl;
    return believed ? 1 : 0;
  }
  bool tenth = false;
  while (peer.sent < count) {
    if (kind == "header")
      attack_header(peer);
    else if (kind == "chain")
      attack_chain(peer);
    else if (kind == "sa")
      attack_sa(peer);
    else if (kind == "ke_nonce")
      attack_ke_nonce(peer);
    else if (kind == "id_cert")
      attack_id_cert(peer, cert);
    else if (kind == "auth")
      attack_auth(peer, cert);
    else if (kind == "notify_delete")
      attack_notify_delete(peer);
    else if (kind == "ts_cp")
      attack_ts_cp(peer);
    else
      die("unknown class " + kind);
    if (!tenth && peer.sent >= count / 10) {
      tenth = true;
      std::cout << "tenth" << std::endl;
      std::string line;
      if (!std::getline(std::cin, line)) die("nobody reads our memory");
    }
  }
  std::cout << "sent " << peer.sent << " with " << peer.sas << " IKE_SAs" << std::endl;
  return 0;
}
