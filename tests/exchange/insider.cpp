#include "insider.hpp"

#include <gtest/gtest.h>

#include "base/writer.hpp"
#include "ike/seal.hpp"
#include "toys/toy_crypto.hpp"

namespace cygnet::test {
namespace {

/// Suites of the toy crypto, before what the test wants.
Pair::Options with_toys(Pair::Options options) {
  const auto toys = [](auto rest) {
    return [rest](model::Connection& c) {
      c.proposals = *model::parse_proposals("aes128gcm16-prfsha256-x25519", ProtocolId::ike);
      for (model::ChildTemplate& child : c.children) {
        child.esp_proposals = *model::parse_proposals("aes128gcm16-x25519", ProtocolId::esp);
      }
      if (rest) rest(c);
    };
  };
  options.initiator = toys(options.initiator);
  options.responder = toys(options.responder);
  return options;
}

template <class P>
const P& the(const wire::Message& message) {
  for (const wire::Payload& payload : message.payloads) {
    if (const P* found = std::get_if<P>(&payload)) return *found;
  }
  throw std::logic_error("no such payload");
}

Pair::Options with_provider(Pair::Options options) {
  return {.initiator = options.initiator,
          .responder = options.responder,
          .nodes = options.nodes,
          .config_a = options.config_a,
          .config_b = options.config_b,
          .crypto = toy_crypto(),
          .trace = options.trace};
}

}  // namespace

Insider::Insider(Pair::Options options, const std::function<void(Pair&)>& start)
    : pair(with_provider(with_toys(std::move(options)))) {
  connect(start);
}

void Insider::connect(const std::function<void(Pair&)>& start) {
  start(pair);
  const auto request = *wire::parse_message(pair.a.outbox.front().bytes);
  pair.deliver_from(pair.a);
  const auto response = *wire::parse_message(pair.b.outbox.front().bytes);
  pair.deliver_from(pair.b);
  auth_request_ = pair.a.outbox.front().bytes;
  pair.settle();
  EXPECT_EQ(pair.b.installed.size(), 1U);
  pair.forget();
  // The toy's secret is the sum of the public values.
  Bytes shared = the<wire::KePayload>(request).data;
  const Bytes& other = the<wire::KePayload>(response).data;
  for (std::size_t i = 0; i < shared.size(); ++i) {
    shared[i] = static_cast<std::uint8_t>(shared[i] + other[i]);
  }
  const model::Suite suite{.encr = EncrId::aes_gcm_16,
                           .key_bits = 128,
                           .prf = PrfId::hmac_sha2_256,
                           .ke = KeId::curve25519};
  keys_ = *ike::derive_keys(toy_crypto(), suite,
                            {.shared = shared,
                             .nonce_i = the<wire::NoncePayload>(request).data,
                             .nonce_r = the<wire::NoncePayload>(response).data,
                             .spi_i = response.header.spi_i,
                             .spi_r = response.header.spi_r});
  header_ = {.spi_i = response.header.spi_i, .spi_r = response.header.spi_r, .initiator = true};
}

Bytes Insider::seal(const wire::Header& header, const wire::Chain& chain) {
  const auto sealer =
      *toy_crypto().sealer(EncrId::aes_gcm_16, 128, keys_.ei.reveal(), IntegId::none, {});
  Bytes text = chain.bytes;
  text.push_back(0);  // no padding
  Writer iv;
  iv.be(++sealed_);
  Bytes icv(sealer->icv_size());
  Bytes out = wire::write_sk_head(header, chain.first, iv.view().size() + text.size() + icv.size());
  EXPECT_TRUE(sealer->seal(out, iv.view(), text, icv, {}));
  append(out, iv.view());
  append(out, text);
  append(out, icv);
  return out;
}

std::vector<wire::Payload> Insider::ask(ExchangeType exchange,
                                        const std::vector<wire::Payload>& payloads) {
  return ask(exchange, wire::write_payloads(payloads));
}

std::vector<wire::Payload> Insider::ask(ExchangeType exchange, const wire::Chain& chain) {
  wire::Header header = header_;
  header.exchange = exchange;
  header.id = MessageId{next_id_++};
  pair.b.outbox.clear();
  ike::Actions out;
  pair.b.engine.handle(
      ike::Datagram{
          .local = pair.b.address, .remote = pair.a.address, .bytes = seal(header, chain)},
      pair.b.now, out);
  pair.b.carry_out(std::move(out));
  for (const ike::action::Send& sent : pair.b.outbox) {
    const auto answered = wire::parse_header(sent.bytes);
    if (answered && answered->response) return read(sent.bytes);
  }
  return {};
}

std::vector<wire::Payload> Insider::read(const Bytes& datagram) const {
  const auto message = wire::parse_message(datagram);
  EXPECT_TRUE(message && message->sealed);
  const auto text = ike::open_sealed(toy_crypto(), keys_, message->header, *message->sealed);
  EXPECT_TRUE(text.has_value());
  return text ? *wire::parse_payloads(message->sealed->first_inner, *text)
              : std::vector<wire::Payload>{};
}

std::pair<model::TrafficSelector, model::TrafficSelector> Insider::first_selectors() const {
  std::pair<model::TrafficSelector, model::TrafficSelector> out;
  for (const wire::Payload& payload : read(auth_request_)) {
    const auto* ts = std::get_if<wire::TsPayload>(&payload);
    if (ts != nullptr) (ts->initiator ? out.first : out.second) = ts->selectors.front();
  }
  return out;
}

void Insider::answer(const std::vector<wire::Payload>& payloads) {
  std::optional<wire::Header> asked;
  for (const ike::action::Send& sent : pair.b.outbox) {
    const auto header = wire::parse_header(sent.bytes);
    if (header && !header->response) asked = *header;
  }
  ASSERT_TRUE(asked.has_value()) << "b has asked nothing";
  wire::Header header = header_;
  header.exchange = asked->exchange;
  header.id = asked->id;
  header.response = true;
  pair.b.outbox.clear();
  ike::Actions out;
  pair.b.engine.handle(ike::Datagram{.local = pair.b.address,
                                     .remote = pair.a.address,
                                     .bytes = seal(header, wire::write_payloads(payloads))},
                       pair.b.now, out);
  pair.b.carry_out(std::move(out));
}

}  // namespace cygnet::test
