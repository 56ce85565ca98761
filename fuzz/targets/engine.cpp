// A responder without any SA, fed with datagrams: u16 length, octets, again.   threats.md B3
// Modules: ike
#include "ike/engine.hpp"
#include "base/reader.hpp"
#include "fuzz_target.hpp"

namespace cygnet {
namespace {

/// The same octets on every run.
class CountingRng final : public Rng {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(next_++ * 167 + 13);
  }

 private:
  unsigned next_ = 1;
};

model::Connection any_psk() {
  model::Connection out;
  out.name = "any";
  out.proposals = *model::parse_proposals("aes128gcm16-prfsha256-x25519", ProtocolId::ike);
  out.local.method = model::AuthClass::psk;
  out.remote.method = model::AuthClass::psk;
  model::ChildTemplate child;
  child.name = "net";
  child.esp_proposals = *model::parse_proposals("aes128gcm16", ProtocolId::esp);
  out.children.push_back(std::move(child));
  return out;
}

/// Towards an address that is not proven little more goes out than came in: a stateless answer,
/// which is a Notify, no more at all; a full IKE_SA_INIT answer, which begins with the SA, 256
/// octets.
void check_answer(ByteView request, ByteView answer) {
  constexpr std::size_t kNextPayloadAt = 16;
  CYG_CHECK(answer.size() > kNextPayloadAt);
  const PayloadType first{answer[kNextPayloadAt]};
  CYG_CHECK(first == PayloadType::notify || first == PayloadType::sa);
  CYG_CHECK(answer.size() <= request.size() + (first == PayloadType::sa ? 256 : 0));
}

}  // namespace

void fuzz_engine(ByteView input) {
  CountingRng rng;
  ike::Engine engine{{}, crypto::openssl(), rng};
  ike::Actions actions;
  Instant now{};
  engine.handle(ike::Command{ike::command::PutConnection{any_psk()}}, now, actions);
  const Endpoint local{IpAddress::v4(0xc0000201), 500};
  const Endpoint remote{IpAddress::v4(0xc0000202), 500};
  Reader in{input, "fuzz input"};
  for (int i = 0; i < 32 && !in.empty(); ++i) {
    const std::size_t size = in.be<std::uint16_t>();
    const ByteView datagram = in.take(std::min(size, in.remaining()));
    now = now + std::chrono::milliseconds{10};
    const std::size_t before = actions.size();
    engine.handle(ike::Datagram{local, remote, datagram}, now, actions);
    for (std::size_t at = before; at < actions.size(); ++at) {
      const auto* send = std::get_if<ike::action::Send>(&actions[at]);
      if (send != nullptr) check_answer(datagram, send->bytes);
    }
  }
  engine.tick(now + std::chrono::seconds{60}, actions);
  CYG_CHECK(engine.status().sas.empty());  // half-open ones are forgotten
}

}  // namespace cygnet
