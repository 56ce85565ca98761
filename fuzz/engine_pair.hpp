// Two ends with real engines, toy cryptography and one shared key, for targets that drive them.
#pragma once

#include <deque>
#include <map>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "ike/engine.hpp"
#include "toys/rng.hpp"
#include "toys/toy_crypto.hpp"

namespace cygnet {

inline constexpr std::size_t kQueueMax = 64;

inline model::Identity fuzz_identity(std::string_view text) {
  return {.type = IdType::fqdn, .data = to_bytes(text)};
}

/// Two children, "net" and "more", which the initiator reaches behind the responder.
inline model::Connection fuzz_connection(bool initiator) {
  model::Connection out{.name = "home"};
  out.proposals = *model::parse_proposals("aes128gcm16-prfsha256-x25519", ProtocolId::ike);
  out.local = {.method = model::AuthClass::psk, .id = fuzz_identity(initiator ? "a" : "b")};
  out.remote = {.method = model::AuthClass::psk, .id = fuzz_identity(initiator ? "b" : "a")};
  out.dpd_delay = std::chrono::seconds{30};
  for (const char* child_name : {"net", "more"}) {
    model::ChildTemplate child{.name = child_name};
    child.esp_proposals = *model::parse_proposals("aes128gcm16-x25519", ProtocolId::esp);
    const auto far = model::parse_selector(child_name[0] == 'n' ? "10.1.0.0/24" : "10.2.0.0/24");
    (initiator ? child.remote_ts : child.local_ts) = {*far};
    child.inactivity = std::chrono::minutes{5};
    out.children.push_back(std::move(child));
  }
  return out;
}

/// One end. Aborts when the engine installs a child twice, removes what is not installed, or
/// believes in what is not.
struct FuzzNode {
  FuzzNode(bool initiator, std::uint64_t seed)
      : rng(seed), engine(ike::EngineConfig{}, test::toy_crypto(), rng) {
    address = {.address = IpAddress::v4(initiator ? 0xc0000201 : 0xc0000202), .port = 500};
    ike::Actions out;
    engine.handle(ike::command::SetConnections{.connections = {fuzz_connection(initiator)},
                                               .authorities = {}},
                  {}, out);
  }

  void carry_out(ike::Actions actions, Instant now) {
    for (ike::Action& action : actions) {
      if (auto* send = std::get_if<ike::action::Send>(&action)) {
        if (outbox.size() < kQueueMax) outbox.push_back(std::move(*send));
      } else if (const auto* install = std::get_if<ike::action::Install>(&action)) {
        const model::ChildSpec& spec = install->child;
        CYG_CHECK(installed.emplace(spec.id, spec.inbound->spi).second);
      } else if (const auto* remove = std::get_if<ike::action::Remove>(&action)) {
        CYG_CHECK(installed.erase(remove->child) == 1);
      } else if (const auto* ask = std::get_if<ike::Ask>(&action)) {
        ike::Actions more;
        engine.handle(answer(*ask), now, more);
        carry_out(std::move(more), now);
      }
    }
  }
  void tell(ike::Command command, Instant now) {
    ike::Actions out;
    engine.handle(std::move(command), now, out);
    carry_out(std::move(out), now);
  }
  void take(const Endpoint& from, ByteView bytes, Instant now) {
    ike::Actions out;
    engine.handle(ike::Datagram{address, from, bytes}, now, out);
    carry_out(std::move(out), now);
  }
  void tick(Instant now) {
    ike::Actions out;
    engine.tick(now, out);
    carry_out(std::move(out), now);
  }

  void check() const {
    const ike::Status status = engine.status();
    CYG_CHECK(status.half_open <= ike::EngineConfig{}.half_open_max);
    for (const ike::IkeStatus& sa : status.sas) {
      for (const ike::ChildStatus& child : sa.children) CYG_CHECK(installed.contains(child.id));
    }
  }

  test::SeededRng rng;
  ike::Engine engine;
  Endpoint address;
  std::deque<ike::action::Send> outbox;
  std::map<model::ChildId, EspSpi> installed;  ///< with their inbound SPIs

 private:
  static ike::Answer answer(const ike::Ask& ask) {
    ike::Answer out{.id = ask.id, .result = ike::answer::Refused{}};
    if (const auto* mac = std::get_if<ike::ask::SharedKeyMac>(&ask.what)) {
      out.result =
          ike::answer::Mac{*test::toy_crypto().prf(mac->prf, as_bytes("key"), {mac->octets})};
    } else if (std::holds_alternative<ike::ask::ChildUse>(ask.what)) {
      out.result = ike::answer::ChildUse{.idle = std::chrono::minutes{2}};
    } else if (const auto* paths = std::get_if<ike::ask::Paths>(&ask.what)) {
      ike::answer::Paths result;
      for (const IpAddress& remote : paths->remotes) {
        result.paths.push_back({IpAddress::v4(0xc0000201), remote});
      }
      out.result = std::move(result);
    }
    return out;
  }
};

/// Takes numbers from the input; zeros once it is used up.
class FuzzScript {
 public:
  explicit FuzzScript(ByteView input) : input_(input) {}
  [[nodiscard]] bool over() const { return at_ >= input_.size(); }
  std::uint8_t next() { return over() ? std::uint8_t{0} : input_[at_++]; }
  std::uint16_t next16() {
    const std::uint8_t high = next();
    return static_cast<std::uint16_t>(high << 8 | next());
  }
  ByteView take(std::size_t size) {
    const ByteView out = input_.subspan(at_, std::min(size, input_.size() - at_));
    at_ += out.size();
    return out;
  }

 private:
  ByteView input_;
  std::size_t at_ = 0;
};

}  // namespace cygnet
