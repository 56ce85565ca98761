// What an authenticated peer may say: one end of an established IKE_SA is hostile and has the keys,
// so whatever the input makes up stands behind a right SK. It sends requests and answers those of
// the other end: known messages with octets changed, or octets alone. The other end must neither
// abort nor loop, answer a request more than once, or hold more than its limits.
//                                                         RFC 7296 §2.21, §3.14, threats.md B3
// Modules: ike stage
#include "base/writer.hpp"
#include "engine_pair.hpp"
#include "fuzz_target.hpp"
#include "ike/keys.hpp"
#include "ike/limits.hpp"
#include "wire/message.hpp"

namespace cygnet {
namespace {

constexpr std::size_t kStepsMax = 64;
/// A request and what it makes the other end begin by itself, with room for fragments.
constexpr std::size_t kDatagramsMax = 8;
constexpr std::size_t kChainMax = 1024;

/// What both see of IKE_SA_INIT, for the keys.
struct Seen {
  Bytes nonce_i, nonce_r, ke_i, ke_r;
  IkeSpi spi_i, spi_r;
};

const Bytes* body_of(const wire::Message& message, PayloadType type) {
  for (const wire::Payload& payload : message.payloads) {
    if (const auto* nonce = std::get_if<wire::NoncePayload>(&payload);
        nonce != nullptr && type == PayloadType::nonce) {
      return &nonce->data;
    }
    if (const auto* ke = std::get_if<wire::KePayload>(&payload);
        ke != nullptr && type == PayloadType::ke) {
      return &ke->data;
    }
  }
  return nullptr;
}

class Play {
 public:
  explicit Play(ByteView input) : script_(input) {
    set_bugs_fatal(true);
    test::seed_toy_crypto(1);
    connect();
    // From here on one of them is ours.
    hostile_initiates_ = script_.next() % 2 == 0;
    next_id_ = hostile_initiates_ ? 2 : 0;
    victim().outbox.clear();
  }

  void run() {
    for (std::size_t i = 0; i < kStepsMax && !script_.over(); ++i) {
      step(script_.next());
      victim().check();
      for (const ike::IkeStatus& sa : victim().engine.status().sas) {
        CYG_CHECK(sa.children.size() <= ike::kChildrenMax);
      }
    }
  }

 private:
  FuzzNode& victim() { return hostile_initiates_ ? b_ : a_; }
  FuzzNode& hostile() { return hostile_initiates_ ? a_ : b_; }

  void connect() {
    a_.tell(
        ike::command::Initiate{
            .connection = "home", .child = "net", .local = a_.address, .remote = b_.address},
        now_);
    Seen seen;
    for (FuzzNode* from = &a_; !from->outbox.empty(); from = from == &a_ ? &b_ : &a_) {
      const Bytes bytes = std::move(from->outbox.front().bytes);
      from->outbox.pop_front();
      const auto message = wire::parse_message(bytes);
      if (message->header.exchange == ExchangeType::ike_sa_init) {
        (from == &a_ ? seen.nonce_i : seen.nonce_r) = *body_of(*message, PayloadType::nonce);
        (from == &a_ ? seen.ke_i : seen.ke_r) = *body_of(*message, PayloadType::ke);
        seen.spi_i = message->header.spi_i;
        seen.spi_r = message->header.spi_r;
      }
      (from == &a_ ? b_ : a_).take(from->address, bytes, now_);
    }
    CYG_CHECK(a_.plane.children().size() == 1 && b_.plane.children().size() == 1);
    // The toy's secret is the sum of the public values.
    Bytes shared = seen.ke_i;
    for (std::size_t i = 0; i < shared.size(); ++i) {
      shared[i] = static_cast<std::uint8_t>(shared[i] + seen.ke_r[i]);
    }
    const model::Suite suite{.encr = EncrId::aes_gcm_16,
                             .key_bits = 128,
                             .prf = PrfId::hmac_sha2_256,
                             .ke = KeId::curve25519};
    keys_ = *ike::derive_keys(test::toy_crypto(), suite,
                              {.shared = shared,
                               .nonce_i = seen.nonce_i,
                               .nonce_r = seen.nonce_r,
                               .spi_i = seen.spi_i,
                               .spi_r = seen.spi_r});
    header_ = {.spi_i = seen.spi_i, .spi_r = seen.spi_r};
  }

  void step(std::uint8_t what) {
    switch (what % 8) {
      case 0:
      case 1:
      case 2:
        return request();
      case 3:
      case 4:
        return respond();
      case 5:
        now_ = now_ + std::chrono::milliseconds{700} * (1 + script_.next());
        return victim().tick(now_);
      case 6:
        return command();
      default:
        now_ = now_ + std::chrono::minutes{1} * (1 + script_.next());
        return victim().tick(now_);
    }
  }

  void command() {
    const ike::command::Filter net{.child = "net"};
    switch (script_.next() % 6) {
      case 0:
        return victim().tell(ike::command::Rekey{.filter = net}, now_);
      case 1:
        return victim().tell(ike::command::Rekey{}, now_);
      case 2:
        return victim().tell(ike::command::Terminate{.filter = net}, now_);
      case 3:
        return victim().tell(ike::command::Terminate{}, now_);
      case 4:
        return victim().tell(ike::command::Initiate{.connection = "home",
                                                    .child = "more",
                                                    .local = victim().address,
                                                    .remote = hostile().address},
                             now_);
      default:
        for (const ike::IkeStatus& sa : victim().engine.status().sas) {
          victim().tell(ike::command::Readdress{.sa = sa.id, .local = victim().address.address},
                        now_);
        }
    }
  }

  // --- what the hostile end says ---------------------------------------------------------------

  [[nodiscard]] wire::Payload offer(ProtocolId protocol) {
    const bool esp = protocol == ProtocolId::esp;
    wire::SaPayload out;
    out.proposals.push_back(
        {.number = 1,
         .spi =
             esp ? Bytes{0xc0, 0, 1, script_.next()} : Bytes{1, 2, 3, 4, 5, 6, 7, script_.next()},
         .proposal = model::parse_proposals(
                         esp ? "aes128gcm16-x25519" : "aes128gcm16-prfsha256-x25519", protocol)
                         ->front()});
    if (!esp) return out;
    out.proposals[0].proposal.transforms.push_back(
        {.type = TransformType::esn, .id = static_cast<std::uint16_t>(EsnId::none)});
    return out;
  }
  [[nodiscard]] std::vector<wire::Payload> child(bool more) {
    const model::TrafficSelector far =
        model::parse_selector(more ? "10.2.0.0/24" : "10.1.0.0/24")->selector;
    const model::TrafficSelector near =
        model::parse_selector(a_.address.address.text() + "/32")->selector;
    // Of an exchange that the victim's peer starts or answers, the initiator of the exchange is
    // "i".
    const bool from_a = hostile_initiates_ == !responding_;
    return {offer(ProtocolId::esp), wire::NoncePayload{.data = Bytes(32, script_.next())},
            wire::KePayload{.group = KeId::curve25519, .data = Bytes(32, 9)},
            wire::TsPayload{.initiator = true, .selectors = {from_a ? near : far}},
            wire::TsPayload{.initiator = false, .selectors = {from_a ? far : near}}};
  }
  /// The SPI that the hostile end receives the victim's child with, as far as it can be guessed.
  [[nodiscard]] EspSpi spi() {
    const auto theirs = hostile().plane.children();
    if (theirs.empty()) return EspSpi{0xc0000100U + script_.next()};
    return theirs.front().spi_in;
  }

  [[nodiscard]] std::vector<wire::Payload> known_message() {
    switch (script_.next() % 14) {
      case 0:
        return {};
      case 1:
        return child(true);
      case 2: {
        auto out = child(false);
        out.insert(out.begin(), wire::NotifyPayload{.protocol = ProtocolId::esp,
                                                    .spi = to_wire(spi()),
                                                    .type = NotifyType::rekey_sa});
        return out;
      }
      case 3:
        return {offer(ProtocolId::ike), wire::NoncePayload{.data = Bytes(32, script_.next())},
                wire::KePayload{.group = KeId::curve25519, .data = Bytes(32, 9)}};
      case 4:
        return {wire::DeletePayload{.protocol = ProtocolId::esp, .spis = {spi()}}};
      case 5:
        return {wire::DeletePayload{.protocol = ProtocolId::ike}};
      case 6:
        return {
            wire::NotifyPayload{.type = NotifyType::update_sa_addresses},
            wire::NotifyPayload{.type = NotifyType::nat_detection_source_ip, .data = Bytes(20, 1)},
            wire::NotifyPayload{.type = NotifyType::nat_detection_destination_ip,
                                .data = Bytes(20, 2)}};
      case 7:
        return {wire::NotifyPayload{.type = NotifyType::cookie2, .data = Bytes(16, 3)}};
      case 8:
        return {wire::NotifyPayload{.type = NotifyType::additional_ip4_address,
                                    .data = {198, 51, 100, script_.next()}}};
      case 9:
        return {wire::NotifyPayload{.type = NotifyType::temporary_failure}};
      case 10:
        return {wire::NotifyPayload{.type = NotifyType::child_sa_not_found}};
      case 11:
        return {wire::NotifyPayload{.type = NotifyType::invalid_ke_payload,
                                    .data = {0, script_.next()}}};
      case 12:
        return {wire::NotifyPayload{.type = NotifyType::authentication_failed}};
      default:
        return {wire::NotifyPayload{.type = NotifyType::no_additional_sas}};
    }
  }

  /// A known message with some octets changed, or octets of the input alone.
  [[nodiscard]] wire::Chain made_up() {
    if (script_.next() % 8 == 0) {
      const auto first = static_cast<PayloadType>(script_.next());
      return {.first = first, .bytes = to_bytes(script_.take(script_.next16() % kChainMax))};
    }
    wire::Chain out = wire::write_payloads(known_message());
    for (int changes = script_.next() % 4; changes > 0 && !out.bytes.empty(); --changes) {
      const std::size_t at = script_.next16() % out.bytes.size();
      out.bytes[at] = script_.next();
    }
    return out;
  }

  void request() {
    static constexpr ExchangeType kExchanges[] = {
        ExchangeType::create_child_sa, ExchangeType::create_child_sa, ExchangeType::informational,
        ExchangeType::informational, ExchangeType::ike_auth};
    const std::uint8_t what = script_.next();
    responding_ = false;
    say(kExchanges[what % std::size(kExchanges)], false, MessageId{next_id_}, made_up());
    if (what < 0xe0) ++next_id_;  // else the next one has the same Message ID
  }

  /// Answers the newest request of the victim.
  void respond() {
    std::optional<wire::Header> asked;
    for (const ike::action::Send& send : victim().outbox) {
      const auto header = wire::parse_header(send.bytes);
      if (header && !header->response) asked = *header;
    }
    if (!asked) return;
    responding_ = true;
    say(asked->exchange, true, asked->id, made_up());
  }

  void say(ExchangeType exchange, bool response, MessageId id, const wire::Chain& chain) {
    wire::Header header = header_;
    header.exchange = exchange;
    header.initiator = hostile_initiates_;
    header.response = response;
    header.id = id;
    const Secret& key = hostile_initiates_ ? keys_.ei : keys_.er;
    const auto sealer =
        *test::toy_crypto().sealer(EncrId::aes_gcm_16, 128, key.reveal(), IntegId::none, {});
    Bytes text = chain.bytes;
    text.push_back(0);  // no padding
    const Bytes iv(sealer->iv_size(), static_cast<std::uint8_t>(++sealed_));
    Bytes icv(sealer->icv_size());
    Bytes out = wire::write_sk_head(header, chain.first, iv.size() + text.size() + icv.size());
    CYG_CHECK(sealer->seal(out, iv, text, icv, {}).has_value());
    append(out, iv);
    append(out, text);
    append(out, icv);
    const std::size_t before = victim().outbox.size();
    victim().take(hostile().address, out, now_);
    CYG_CHECK(victim().outbox.size() <= before + kDatagramsMax);
    while (victim().outbox.size() > kQueueMax / 2) victim().outbox.pop_front();
  }

  FuzzScript script_;
  FuzzNode a_{true, 1};
  FuzzNode b_{false, 2};
  Instant now_{std::chrono::hours{1}};
  ike::SkKeys keys_;
  wire::Header header_;
  bool hostile_initiates_ = true;
  bool responding_ = false;
  std::uint32_t next_id_ = 0;
  std::uint64_t sealed_ = 0;
};

}  // namespace

void fuzz_sealed(ByteView input) { Play{input}.run(); }

}  // namespace cygnet
