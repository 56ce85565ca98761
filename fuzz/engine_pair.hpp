// Two ends with real engines, toy cryptography and one shared key, for targets that drive them.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "ike/engine.hpp"
#include "sim/stage/beliefs.hpp"
#include "sim/stage/carrier.hpp"
#include "sim/stage/monitor.hpp"
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

/// What must hold does not.
[[noreturn]] inline void fuzz_fault(const std::string& text) {
  check_failed(text.c_str(), "what must hold of engines", 0);
}

/// One end: an engine and a plane, joined as the daemon joins them. Aborts when a command to the
/// plane does not fit, and when one believes other things than the other.
class FuzzNode {
 public:
  /// With a monitor, which must outlive it, everything that is sent goes past it.
  FuzzNode(bool initiator, std::uint64_t seed, sim::Monitor* monitor = nullptr)
      : rng(seed),
        address{.address = IpAddress::v4(initiator ? 0xc0000201 : 0xc0000202), .port = 500},
        engine(ike::EngineConfig{.force_udp_encap = true}, test::toy_crypto(), rng),
        plane(plane_hooks()),
        index_(initiator ? 0 : 1),
        monitor_(monitor),
        carrier_(engine, plane, outside()) {
    tell(ike::command::PutConnection{fuzz_connection(initiator)}, {});
  }
  FuzzNode(const FuzzNode&) = delete;
  FuzzNode& operator=(const FuzzNode&) = delete;

  void tell(ike::Command command, Instant now) { put(std::move(command), now); }
  void tell(model::PlaneEvent event, Instant now) { put(std::move(event), now); }
  void take(const Endpoint& from, ByteView bytes, Instant now) {
    if (monitor_ != nullptr) monitor_->ike_received(index_, bytes);
    plane.set_time(now);
    carrier_.take(ike::Datagram{address, from, bytes}, now);
    carrier_.drain(now);
  }
  void take(const sim::Packet& packet, Instant now) {
    plane.set_time(now);
    plane.receive(packet);
    carrier_.drain(now);
  }
  void send(const sim::Inner& inner, Instant now) {
    plane.set_time(now);
    static_cast<void>(plane.send(inner));
    carrier_.drain(now);
  }
  void tick(Instant now) {
    plane.set_time(now);
    carrier_.tick(now);
    carrier_.drain(now);
  }

  void check() const {
    const ike::Status status = engine.status();
    CYG_CHECK(status.half_open <= ike::EngineConfig{}.half_open_max);
    const std::string wrong = sim::misbelief(status, plane);
    if (!wrong.empty()) fuzz_fault(wrong);
  }

  test::SeededRng rng;
  Endpoint address;
  ike::Engine engine;
  sim::Plane plane;
  std::deque<ike::action::Send> outbox;
  std::deque<sim::Packet> packets;  ///< ESP that has left
  std::function<void(const sim::Inner&)> deliver = [](const sim::Inner&) {};

 private:
  void put(sim::Carrier::Input input, Instant now) {
    plane.set_time(now);
    carrier_.put(std::move(input));
    carrier_.drain(now);
  }
  sim::Plane::Hooks plane_hooks() {
    return {.send =
                [this](sim::Packet packet) {
                  if (packets.size() < kQueueMax) packets.push_back(std::move(packet));
                },
            .deliver = [this](const sim::Inner& inner) { deliver(inner); },
            .sealed =
                [this](std::uint64_t key, std::uint64_t sequence) {
                  if (monitor_ != nullptr) monitor_->sealed(key, sequence);
                },
            .fault = [](const std::string& text) { fuzz_fault(text); }};
  }
  sim::Carrier::Outside outside() {
    return {.send =
                [this](ike::action::Send send) {
                  if (monitor_ != nullptr) monitor_->ike_sent(index_, send.bytes);
                  if (outbox.size() < kQueueMax) outbox.push_back(std::move(send));
                },
            .keepalive = [](const ike::action::Keepalive&) {},
            .answer = answer,
            .release = [](const ike::ask::Release&) {},
            .event = [](const ike::Event&) {}};
  }
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

  std::size_t index_;
  sim::Monitor* monitor_;
  sim::Carrier carrier_;
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
