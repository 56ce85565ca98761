// Two engines that talk while the input decides what happens: what is delivered, lost, doubled,
// changed behind SK with the right keys, how time passes and what operators ask for. They must
// neither abort nor loop, hold no more than their limits, and never believe in a child that is
// not installed.                                          RFC 7296 §2.1, §2.8, §2.21, §2.25
// Modules: ike toys
#include <deque>
#include <set>

#include "base/check.hpp"
#include "fuzz_target.hpp"
#include "ike/engine.hpp"
#include "toys/rng.hpp"
#include "toys/toy_crypto.hpp"
#include "wire/message.hpp"

namespace cygnet {
namespace {

constexpr std::size_t kStepsMax = 200;
constexpr std::size_t kQueueMax = 64;

model::Identity name(std::string_view text) {
  return {.type = IdType::fqdn, .data = to_bytes(text)};
}

model::Connection connection(bool caller) {
  model::Connection out{.name = "home"};
  out.proposals = *model::parse_proposals("aes128gcm16-prfsha256-x25519", ProtocolId::ike);
  out.local = {.method = model::AuthClass::psk, .id = name(caller ? "a" : "b")};
  out.remote = {.method = model::AuthClass::psk, .id = name(caller ? "b" : "a")};
  out.dpd_delay = std::chrono::seconds{30};
  for (const char* child_name : {"net", "more"}) {
    model::ChildTemplate child{.name = child_name};
    child.esp_proposals = *model::parse_proposals("aes128gcm16-x25519", ProtocolId::esp);
    const auto far = model::parse_selector(child_name[0] == 'n' ? "10.1.0.0/24" : "10.2.0.0/24");
    (caller ? child.remote_ts : child.local_ts) = {*far};
    out.children.push_back(std::move(child));
  }
  return out;
}

struct Node {
  Node(bool caller, std::uint64_t seed)
      : rng(seed), engine(ike::EngineConfig{}, test::toy_crypto(), rng) {
    address = {.address = IpAddress::v4(caller ? 0xc0000201 : 0xc0000202), .port = 500};
    ike::Actions out;
    engine.handle(
        ike::command::SetConnections{.connections = {connection(caller)}, .authorities = {}}, {},
        out);
  }

  void carry_out(ike::Actions actions, Instant now) {
    for (ike::Action& action : actions) {
      if (auto* send = std::get_if<ike::action::Send>(&action)) {
        if (outbox.size() < kQueueMax) outbox.push_back(std::move(*send));
      } else if (const auto* install = std::get_if<ike::action::Install>(&action)) {
        CYG_CHECK(installed.insert(install->child.id).second);
      } else if (const auto* remove = std::get_if<ike::action::Remove>(&action)) {
        CYG_CHECK(installed.erase(remove->child) == 1);
      } else if (const auto* ask = std::get_if<ike::Ask>(&action)) {
        ike::Answer answer{.id = ask->id, .result = ike::answer::Refused{}};
        if (const auto* mac = std::get_if<ike::ask::SharedKeyMac>(&ask->what)) {
          answer.result =
              ike::answer::Mac{*test::toy_crypto().prf(mac->prf, as_bytes("key"), {mac->octets})};
        }
        ike::Actions more;
        engine.handle(std::move(answer), now, more);
        carry_out(std::move(more), now);
      }
    }
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
  std::set<model::ChildId> installed;
};

/// Takes numbers from the input; zeros once it is used up.
class Script {
 public:
  explicit Script(ByteView input) : input_(input) {}
  [[nodiscard]] bool over() const { return at_ >= input_.size(); }
  std::uint8_t next() { return over() ? std::uint8_t{0} : input_[at_++]; }

 private:
  ByteView input_;
  std::size_t at_ = 0;
};

class Play {
 public:
  explicit Play(ByteView input) : script_(input) {
    set_bugs_fatal(true);
    test::seed_toy_crypto(1);
    tell(a_, ike::command::Initiate{.request = ike::RequestId{1},
                                    .connection = "home",
                                    .child = "net",
                                    .local = a_.address,
                                    .remote = b_.address});
  }

  void run() {
    for (std::size_t i = 0; i < kStepsMax && !script_.over(); ++i) {
      const std::uint8_t what = script_.next();
      Node& node = (what & 0x80) != 0 ? b_ : a_;
      step(node, what & 0x7f);
      a_.check();
      b_.check();
    }
  }

 private:
  void tell(Node& node, ike::Command command) {
    ike::Actions out;
    node.engine.handle(std::move(command), now_, out);
    node.carry_out(std::move(out), now_);
  }
  void deliver(Node& from, ByteView bytes) {
    Node& to = &from == &a_ ? b_ : a_;
    ike::Actions out;
    to.engine.handle(ike::Datagram{to.address, from.address, bytes}, now_, out);
    to.carry_out(std::move(out), now_);
  }
  void pass(Duration time) {
    now_ = now_ + time;
    for (Node* node : {&a_, &b_}) {
      ike::Actions out;
      node->engine.tick(now_, out);
      node->carry_out(std::move(out), now_);
    }
  }

  void step(Node& node, std::uint8_t what) {
    const ike::command::Filter net{.child = "net"};
    switch (what % 14) {
      case 0:
      case 1:
      case 2: {
        if (node.outbox.empty()) return;
        const ike::action::Send send = std::move(node.outbox.front());
        node.outbox.pop_front();
        return deliver(node, send.bytes);
      }
      case 3:
        if (!node.outbox.empty()) node.outbox.pop_front();
        return;
      case 4:
        if (!node.outbox.empty()) deliver(node, Bytes{node.outbox.front().bytes});
        return;
      case 5: {  // changed on the way
        if (node.outbox.empty()) return;
        Bytes bytes = node.outbox.front().bytes;
        const std::size_t at = (script_.next() * 256U + script_.next()) % bytes.size();
        bytes[at] = script_.next();
        return deliver(node, bytes);
      }
      case 6:
        return pass(std::chrono::milliseconds{500} * (1 + script_.next()));
      case 7:
        return pass(std::chrono::minutes{1} * (1 + script_.next()));
      case 8:
        return tell(node, ike::command::Rekey{.filter = net});
      case 9:
        return tell(node, ike::command::Rekey{});
      case 10:
        return tell(node, ike::command::Terminate{.filter = net});
      case 11:
        return tell(node, ike::command::Terminate{});
      case 12:
        return tell(node, ike::command::Initiate{.request = ike::RequestId{2},
                                                 .connection = "home",
                                                 .child = script_.next() % 2 == 0 ? "net" : "more",
                                                 .local = node.address,
                                                 .remote = (&node == &a_ ? b_ : a_).address});
      default: {
        node.address.address = IpAddress::v4(0xc6336400 + script_.next());
        for (const ike::IkeStatus& sa : node.engine.status().sas) {
          tell(node, ike::command::Readdress{.sa = sa.id, .local = node.address.address});
        }
      }
    }
  }

  Script script_;
  Node a_{true, 1};
  Node b_{false, 2};
  Instant now_{std::chrono::hours{1}};
};

}  // namespace

void fuzz_two_engines(ByteView input) { Play{input}.run(); }

}  // namespace cygnet
