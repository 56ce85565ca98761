// Every way in which an exchange of one end can meet one of the other, each of the first datagrams
// delivered or lost: they all converge.                         RFC 7296 §2.1, §2.8, §2.25
//
// A run is fixed by its choices: at which of a node's inputs its own exchange starts, and which
// datagrams are lost. Deliveries in opposite directions touch different nodes, so their order
// among each other changes nothing and is not enumerated. Time passes when nothing is under way.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "pair.hpp"
#include "support/figures.hpp"
#include "toys/toy_crypto.hpp"

namespace cygnet::test {
namespace {

enum class Op : std::uint8_t {
  rekey_child,
  rekey_ike,
  delete_child,
  delete_ike,
  new_child,
  liveness
};
constexpr Op kOps[] = {Op::rekey_child, Op::rekey_ike, Op::delete_child,
                       Op::delete_ike,  Op::new_child, Op::liveness};
std::string_view name_of(Op op) {
  constexpr std::string_view kNames[] = {"rekey CHILD", "rekey IKE", "delete CHILD",
                                         "delete IKE",  "new CHILD", "liveness"};
  return kNames[static_cast<std::size_t>(op)];
}

/// Of so many distinct datagrams the first copy may be lost: two crossing rekeys and their Deletes
/// are eight messages. CYGNET_FULL=1 goes as far as the same done anew when both ends were busy.
std::size_t losses_among() {
  const char* full = std::getenv("CYGNET_FULL");
  return full != nullptr && std::string_view{full} == "1" ? 14 : 10;
}
const std::size_t kLossesAmong = losses_among();
constexpr Duration kDpdDelay = std::chrono::seconds{50};

/// The choices of one run, and the way to the next run.
class Choices {
 public:
  bool take() {
    if (at_ == taken_.size()) taken_.push_back(false);
    return taken_[at_++];
  }
  /// False when every run has been made.
  bool next() {
    at_ = 0;
    while (!taken_.empty() && taken_.back()) taken_.pop_back();
    if (taken_.empty()) return false;
    taken_.back() = true;
    return true;
  }
  void rewind() { at_ = 0; }
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const bool one : taken_) out += one ? '1' : '0';
    return out;
  }

 private:
  std::vector<bool> taken_;
  std::size_t at_ = 0;
};

class World {
 public:
  World(Op op_a, Op op_b, bool trace) : ops_{op_a, op_b}, pair_(options(op_a, op_b, trace)) {
    seed_toy_crypto(7);
    pair_.initiate();
    pair_.settle();
    pair_.forget();
  }

  void run(Choices& choices) {
    for (int rounds = 0; rounds < 400; ++rounds) {
      if (step(choices)) continue;
      if (!started_[0] || !started_[1]) {
        start(!started_[0] && (started_[1] || !choices.take()) ? 0 : 1);
      } else if (!wait()) {
        return;
      }
    }
    FAIL() << "never quiet";
  }

  /// Both ends agree, nothing was given up, nothing is left over.
  [[nodiscard]] std::string fault() {
    if (pair_.a.failures(ike::Reason::no_response) + pair_.b.failures(ike::Reason::no_response) >
        0) {
      return "gave the peer up";
    }
    const ike::Status a = pair_.a.status();
    const ike::Status b = pair_.b.status();
    if (a.sas.size() != b.sas.size()) return "different numbers of IKE_SAs";
    if (a.sas.size() > 1) return "more than one IKE_SA";
    if (!pair_.mirrored()) return "different Child SAs";
    const bool deletes_ike = has(Op::delete_ike);
    if (a.sas.empty()) {
      if (!deletes_ike) return "no IKE_SA is left";
      return pair_.a.installed.empty() ? "" : "children without an IKE_SA";
    }
    // Whoever wants a child when the IKE_SA has gone makes another for it.
    if (deletes_ike && !has(Op::new_child)) return "the IKE_SA has outlived its end";
    if (a.sas[0].spi_i != b.sas[0].spi_i) return "different IKE_SAs";
    for (const Node* node : {&pair_.a, &pair_.b}) {
      const auto children = node->status().sas[0].children;
      if (children.size() != node->installed.size()) return "believed and installed SAs differ";
      std::multiset<std::string> names;
      for (const auto& child : children) names.insert(child.name);
      const bool may_lack = has(Op::delete_child) || deletes_ike;
      if (names.count("net") != 1 && !(may_lack && names.count("net") == 0)) return "child net";
      const std::size_t more = has(Op::new_child) ? 1 : 0;
      if (names.count("more") != more && !(deletes_ike && names.count("more") == 0)) {
        return "child more";
      }
    }
    return "";
  }
  [[nodiscard]] std::string transcript() const { return pair_.transcript(); }

 private:
  static Pair::Options options(Op op_a, Op op_b, bool trace) {
    const auto common = [](model::Connection& connection, Op op) {
      connection.proposals =
          *model::parse_proposals("aes128gcm16-prfsha256-x25519", ProtocolId::ike);
      connection.children[0].esp_proposals =
          *model::parse_proposals("aes128gcm16-x25519", ProtocolId::esp);
      model::ChildTemplate more = connection.children[0];
      more.name = "more";
      const auto far = model::parse_selector("10.2.0.0/24");
      (connection.local.id->data.front() == 'a' ? more.remote_ts : more.local_ts) = {*far};
      connection.children.push_back(std::move(more));
      if (op == Op::liveness) connection.dpd_delay = kDpdDelay;
    };
    return {.initiator = [common, op_a](model::Connection& c) { common(c, op_a); },
            .responder = [common, op_b](model::Connection& c) { common(c, op_b); },
            .nodes = {},
            .crypto = toy_crypto(),
            .trace = trace};
  }
  [[nodiscard]] bool has(Op op) const { return ops_[0] == op || ops_[1] == op; }
  Node& node(std::size_t index) { return index == 0 ? pair_.a : pair_.b; }

  void start(std::size_t index) {
    started_[index] = true;
    Node& one = node(index);
    const ike::command::Filter net{.child = "net"};
    switch (ops_[index]) {
      case Op::rekey_child:
        return one.rekey_child();
      case Op::rekey_ike:
        return one.rekey_ike();
      case Op::delete_child:
        return one.command(ike::command::Terminate{.request = ike::RequestId{9}, .filter = net});
      case Op::delete_ike:
        return one.command(ike::command::Terminate{.request = ike::RequestId{9}});
      case Op::new_child:
        return one.command(ike::command::Initiate{.request = ike::RequestId{9},
                                                  .connection = "home",
                                                  .child = "more",
                                                  .local = one.address,
                                                  .remote = node(1 - index).address});
      case Op::liveness:
        return pair_.pass(one, kDpdDelay);
    }
  }

  /// Handles the next datagram under way, if there is one.
  bool step(Choices& choices) {
    for (const std::size_t from : {0U, 1U}) {
      std::deque<ike::action::Send>& queue = node(from).outbox;
      if (queue.empty()) continue;
      const std::size_t to = 1 - from;
      // While one end has not started, its exchange may begin before this input.
      if (!started_[to] && choices.take()) {
        start(to);
        return true;
      }
      const bool fresh = seen_.insert(queue.front().bytes).second;
      if (fresh && seen_.size() <= kLossesAmong && choices.take()) {
        queue.pop_front();
      } else {
        (void)pair_.deliver_from(node(from));
      }
      return true;
    }
    return false;
  }

  /// Lets time pass until something is sent; false when all has long been quiet.
  bool wait() {
    for (int quiet = 0; quiet < 40; ++quiet) {
      pair_.pass(std::chrono::seconds{1});
      if (!pair_.a.outbox.empty() || !pair_.b.outbox.empty()) return true;
    }
    // What lingers is over.
    pair_.pass(std::chrono::minutes{4});
    pair_.settle();
    return false;
  }

  Op ops_[2];
  Pair pair_;
  bool started_[2] = {false, false};
  std::set<Bytes> seen_;  ///< datagrams of which one copy has been delivered or lost
};

class Interleavings : public testing::TestWithParam<std::tuple<Op, Op>> {
 protected:
  static void TearDownTestSuite() {
    tell_figure(
        fmt::format("interleavings: {} of {} pairs of exchanges, {} runs; the first copy of the "
                    "first {} datagrams delivered or lost",
                    pairs, std::size(kOps) * std::size(kOps), runs, kLossesAmong));
  }
  static inline std::size_t pairs = 0;
  static inline std::size_t runs = 0;
};

TEST_P(Interleavings, AllConverge) {
  const auto [op_a, op_b] = GetParam();
  Choices choices;
  std::size_t count = 0;
  std::size_t bad = 0;
  do {
    World world(op_a, op_b, false);
    world.run(choices);
    ++count;
    const std::string fault = world.fault();
    if (fault.empty()) continue;
    if (++bad > 3) break;
    choices.rewind();
    World again(op_a, op_b, true);
    again.run(choices);
    ADD_FAILURE() << fault << ", choices " << choices.text() << "\n" << again.transcript();
  } while (choices.next());
  fmt::print("{} / {}: {} interleavings\n", name_of(op_a), name_of(op_b), count);
  ++pairs;
  runs += count;
}

INSTANTIATE_TEST_SUITE_P(All, Interleavings,
                         testing::Combine(testing::ValuesIn(kOps), testing::ValuesIn(kOps)),
                         [](const auto& one) {
                           std::string out = fmt::format("{}_{}", name_of(std::get<0>(one.param)),
                                                         name_of(std::get<1>(one.param)));
                           std::ranges::replace(out, ' ', '_');
                           return out;
                         });

}  // namespace
}  // namespace cygnet::test
