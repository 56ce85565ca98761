// Two engines that talk while the input decides what happens: what is delivered, lost, doubled,
// changed behind SK with the right keys, how time passes and what operators ask for. They must
// neither abort nor loop, hold no more than their limits, and never believe in a child that is
// not installed.                                          RFC 7296 §2.1, §2.8, §2.21, §2.25
// Modules: ike toys
#include "engine_pair.hpp"
#include "fuzz_target.hpp"

namespace cygnet {
namespace {

constexpr std::size_t kStepsMax = 200;

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
      FuzzNode& node = (what & 0x80) != 0 ? b_ : a_;
      step(node, what & 0x7f);
      a_.check();
      b_.check();
    }
  }

 private:
  void tell(FuzzNode& node, ike::Command command) { node.tell(std::move(command), now_); }
  void deliver(FuzzNode& from, ByteView bytes) {
    FuzzNode& to = &from == &a_ ? b_ : a_;
    to.take(from.address, bytes, now_);
  }
  void pass(Duration time) {
    now_ = now_ + time;
    for (FuzzNode* node : {&a_, &b_}) node->tick(now_);
  }

  void step(FuzzNode& node, std::uint8_t what) {
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
        const std::size_t at = (script_.next16()) % bytes.size();
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

  FuzzScript script_;
  FuzzNode a_{true, 1};
  FuzzNode b_{false, 2};
  Instant now_{std::chrono::hours{1}};
};

}  // namespace

void fuzz_two_engines(ByteView input) { Play{input}.run(); }

}  // namespace cygnet
