// Two engines and their planes that talk while the input decides what happens: what is delivered,
// lost, doubled or changed on the way, how time passes, what operators ask for, what applications
// send and what the planes report. What must hold after each step is what the simulator holds
// against its nodes: sim/stage. In the end everything is delivered for ten minutes, and both ends
// must agree.                                              RFC 7296 §2.1, §2.8, §2.21, §2.25
// Modules: ike stage
#include <algorithm>

#include "engine_pair.hpp"
#include "fuzz_target.hpp"

namespace cygnet {
namespace {

constexpr std::size_t kStepsMax = 200;
/// Longer than a silent peer is waited for, and than a new tunnel takes after that.
constexpr Duration kSettleTime = std::chrono::minutes{10};
/// A rekey may be under way just when one looks.
constexpr int kLooks = 6;
constexpr Duration kLookInterval = std::chrono::seconds{7};
/// Wake-ups and datagrams at one instant before it counts as a loop without progress.
constexpr int kAtOnceMax = 2000;

/// The SPIs of the IKE_SAs that are up, and those of their children as the initiator of the play
/// sends and receives on them.
using Tunnels = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

Tunnels tunnels_of(const ike::Status& status, bool of_a) {
  Tunnels out;
  for (const ike::IkeStatus& sa : status.sas) {
    if (sa.state != ike::IkeStatus::State::established) continue;
    out.emplace_back(sa.spi_i.value(), sa.spi_r.value());
    for (const ike::ChildStatus& child : sa.children) {
      if (child.state == ike::ChildStatus::State::deleting) continue;
      const EspSpi to_a = of_a ? child.spi_in : child.spi_out;
      const EspSpi to_b = of_a ? child.spi_out : child.spi_in;
      out.emplace_back(to_a.value(), to_b.value());
    }
  }
  std::ranges::sort(out);
  return out;
}

class Play {
 public:
  explicit Play(ByteView input) : script_(input) {
    set_bugs_fatal(true);
    test::seed_toy_crypto(1);
    a_.deliver = [this](const sim::Inner& inner) { monitor_.inner_delivered(inner.number, "a"); };
    b_.deliver = [this](const sim::Inner& inner) { monitor_.inner_delivered(inner.number, "b"); };
    initiate(a_, "net");
  }

  void run() {
    for (std::size_t i = 0; i < kStepsMax && !script_.over(); ++i) {
      const std::uint8_t what = script_.next();
      FuzzNode& node = (what & 0x80) != 0 ? b_ : a_;
      step(node, what & 0x7f);
      check();
    }
    settle(kSettleTime);
    for (int look = 0; look < kLooks && !agree(); ++look) settle(kLookInterval);
    if (!agree()) fuzz_fault("in the end both ends have the same tunnels");
  }

 private:
  FuzzNode& other(const FuzzNode& node) { return &node == &a_ ? b_ : a_; }
  void tell(FuzzNode& node, ike::Command command) { node.tell(std::move(command), now_); }
  void initiate(FuzzNode& node, const char* child) {
    tell(node, ike::command::Initiate{.request = ike::RequestId{1},
                                      .connection = "home",
                                      .child = child,
                                      .local = node.address,
                                      .remote = other(node).address});
  }
  void deliver(FuzzNode& from, ByteView bytes) { other(from).take(from.address, bytes, now_); }
  bool deliver_next(FuzzNode& from) {
    if (from.outbox.empty()) return false;
    const ike::action::Send send = std::move(from.outbox.front());
    from.outbox.pop_front();
    deliver(from, send.bytes);
    return true;
  }
  bool deliver_packet(FuzzNode& from) {
    if (from.packets.empty()) return false;
    const sim::Packet packet = std::move(from.packets.front());
    from.packets.pop_front();
    other(from).take(packet, now_);
    return true;
  }
  void pass(Duration time) {
    now_ = now_ + time;
    for (FuzzNode* node : {&a_, &b_}) node->tick(now_);
  }

  void check() const {
    a_.check();
    b_.check();
    if (!sim::same_keys(a_.plane, b_.plane)) fuzz_fault("both ends hold the same keys");
  }
  [[nodiscard]] bool agree() const {
    return tunnels_of(a_.engine.status(), true) == tunnels_of(b_.engine.status(), false);
  }

  /// Nothing gets lost any more.
  void settle(Duration time) {
    const Instant end = now_ + time;
    for (int at_once = 0; now_ < end;) {
      while (deliver_next(a_) || deliver_next(b_) || deliver_packet(a_) || deliver_packet(b_)) {
        if (++at_once > kAtOnceMax) fuzz_fault("two engines come to rest");
      }
      Instant next = end;
      for (const FuzzNode* node : {&a_, &b_}) {
        if (const auto due = node->engine.deadline()) next = std::min(next, due->at);
      }
      at_once = next > now_ ? 0 : at_once + 1;
      if (at_once > kAtOnceMax) fuzz_fault("two engines come to rest");
      pass(std::max(next - now_, Duration{0}));
      check();
    }
  }

  // --- what the input decides ------------------------------------------------------------------

  void step(FuzzNode& node, std::uint8_t what) {
    switch (what % 20) {
      case 0:
      case 1:
      case 2:
        static_cast<void>(deliver_next(node));
        return;
      case 3:
        if (!node.outbox.empty()) node.outbox.pop_front();
        return;
      case 4:
        if (!node.outbox.empty()) deliver(node, Bytes{node.outbox.front().bytes});
        return;
      case 5: {  // damaged, or made up by somebody without the keys
        if (node.outbox.empty()) return;
        Bytes bytes = node.outbox.front().bytes;
        const std::size_t at = script_.next16() % bytes.size();
        bytes[at] = script_.next();
        return deliver(node, bytes);
      }
      case 6:
        return pass(std::chrono::milliseconds{500} * (1 + script_.next()));
      case 7:
        return pass(std::chrono::minutes{1} * (1 + script_.next()));
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
      case 13:
        return operate(node, what % 20);
      case 14:
        return send(node);
      case 15:
      case 16:
        static_cast<void>(deliver_packet(node));
        return;
      case 17:
        if (!node.packets.empty()) node.packets.push_back(node.packets.front());
        return;
      case 18:
        return report(node);
      default:
        node.plane.refuse_installs(1);
    }
  }

  void operate(FuzzNode& node, std::uint8_t what) {
    const ike::command::Filter net{.child = "net"};
    const char* child = script_.next() % 2 == 0 ? "net" : "more";
    switch (what) {
      case 8:
        return tell(node, ike::command::Rekey{.filter = net});
      case 9:
        return tell(node, ike::command::Rekey{});
      case 10:
        return tell(node, ike::command::Terminate{.filter = {.child = child}});
      case 11:
        return tell(node, ike::command::Terminate{});
      case 12:
        return initiate(node, child);
      default:
        break;
    }
    switch (script_.next() % 4) {
      case 0:
        return tell(node, ike::command::Route{.connection = "home",
                                              .child = child,
                                              .local = node.address,
                                              .remote = other(node).address});
      case 1:
        return tell(node, ike::command::Unroute{.connection = "home", .child = child});
      case 2:
        return tell(node, ike::command::SetAddresses{
                              .addresses = {node.address.address,
                                            IpAddress::v4(0xc6336500 + script_.next())}});
      default:
        node.address.address = IpAddress::v4(0xc6336400 + script_.next());
        for (const ike::IkeStatus& sa : node.engine.status().sas) {
          tell(node, ike::command::Readdress{.sa = sa.id, .local = node.address.address});
        }
    }
  }

  /// A packet of an application, through whatever the plane has.
  void send(FuzzNode& node) {
    const IpAddress far = IpAddress::v4(script_.next() % 2 == 0 ? 0x0a010001 : 0x0a020001);
    const IpAddress near = a_.plane.own_address().value_or(a_.address.address);
    const bool of_a = &node == &a_;
    monitor_.inner_sent(++inner_, of_a ? "b" : "a");
    node.send({inner_, of_a ? near : far, of_a ? far : near}, now_);
  }

  /// What a plane may say of one of its children.
  void report(FuzzNode& node) {
    const auto children = node.plane.children();
    if (children.empty()) return;
    const model::ChildId id = children[script_.next() % children.size()].id;
    switch (script_.next() % 4) {
      case 0:
        return node.tell(model::plane::Expire{.child = id, .hard = false}, now_);
      case 1:
        return node.tell(model::plane::Expire{.child = id, .hard = true}, now_);
      case 2:
        return node.tell(model::plane::FirstInbound{id}, now_);
      default:
        return node.tell(model::plane::MappingChange{id, {other(node).address.address, 4501}},
                         now_);
    }
  }

  FuzzScript script_;
  sim::Monitor monitor_{[](const std::string& text) { fuzz_fault(text); }};
  FuzzNode a_{true, 1, &monitor_};
  FuzzNode b_{false, 2, &monitor_};
  Instant now_{std::chrono::hours{1}};
  std::uint64_t inner_ = 0;
};

}  // namespace

void fuzz_two_engines(ByteView input) { Play{input}.run(); }

}  // namespace cygnet
