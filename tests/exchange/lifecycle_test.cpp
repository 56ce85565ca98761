// How IKE_SAs end, and what is said to those who have not noticed.   RFC 7296 §1.4.1, §2.1, §2.21.4
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "ike/limits.hpp"
#include "pair.hpp"
#include "toys/toy_crypto.hpp"
#include "wire/message.hpp"

namespace cygnet::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void up(Pair& pair) {
  pair.initiate();
  pair.settle();
  ASSERT_EQ(pair.a.installed.size(), 1U);
  pair.forget();
}

void wait(Pair& pair, Duration time) {
  for (Duration passed{0}; passed < time; passed += milliseconds{100}) {
    pair.pass(milliseconds{100});
    pair.settle();
  }
}

/// Suites of the toy crypto, for many handshakes.
void with_toys(model::Connection& connection) {
  connection.proposals = *model::parse_proposals("aes128gcm16-prfsha256-x25519", ProtocolId::ike);
  connection.children[0].esp_proposals =
      *model::parse_proposals("aes128gcm16-x25519", ProtocolId::esp);
}

/// The fewest children that a had at any moment while time passes.
std::size_t least_children(Pair& pair, Duration time) {
  std::size_t least = pair.a.installed.size();
  for (Duration passed{0}; passed < time; passed += milliseconds{100}) {
    pair.pass(milliseconds{100});
    do {
      least = std::min(least, pair.a.installed.size());
    } while (pair.deliver_from(pair.a) || pair.deliver_from(pair.b));
  }
  return least;
}

// The answer to a Delete is lost: its repeat is answered though the IKE_SA is gone.
TEST(Delete, LostAnswer_IsGivenAgain) {
  Pair pair;
  up(pair);
  int lost = 0;
  pair.lose = [&](const ike::action::Send& send) {
    return send.local.address == pair.b.address.address && lost++ == 0;
  };
  pair.a.terminate();
  pair.settle();
  EXPECT_TRUE(pair.b.status().sas.empty());
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  wait(pair, seconds{5});
  EXPECT_TRUE(pair.a.status().sas.empty());
  EXPECT_EQ(pair.a.failures(ike::Reason::no_response), 0U);
  EXPECT_EQ(pair.transcript(),
            "a INFORMATIONAL #2 request D(ike)\n"
            "b INFORMATIONAL #2 response\n");
}

// The refusal of a wrong key is lost: the initiator learns the reason all the same.
TEST(IkeAuth, LostRefusal_IsGivenAgain) {
  Pair pair({.nodes = [](Node&, Node& b) { b.shared_key = {1, 2, 3}; }});
  int answers = 0;
  pair.lose = [&](const ike::action::Send& send) {
    return send.local.address == pair.b.address.address && ++answers == 2;
  };
  pair.initiate();
  pair.settle();
  wait(pair, seconds{2});
  EXPECT_EQ(pair.a.failures(ike::Reason::peer_refused), 1U);
  EXPECT_EQ(pair.a.failures(ike::Reason::no_response), 0U);
}

// Whoever is refused again and again holds no more of the engine than a few lingering IKE_SAs, and
// does not use up the half-open places of its address.
TEST(IkeAuth, ManyRefusals_DoNotBlockTheAddress) {
  Pair pair({.nodes = [](Node&, Node& b) { b.shared_key = {1, 2, 3}; }});
  for (int i = 0; i < 100; ++i) {
    pair.initiate();
    pair.settle();
  }
  EXPECT_EQ(pair.a.failures(ike::Reason::peer_refused), 100U);
  EXPECT_EQ(pair.b.status().half_open, 0U);
}

// kClosedLingerMax: beyond it the oldest refusal is not repeated any more.
TEST(IkeAuth, RefusalsThatCanBeRepeated_AreLimited) {
  Pair pair({.nodes = [](Node&, Node& b) { b.shared_key = {1, 2, 3}; }});
  std::vector<ike::action::Send> requests;
  pair.lose = [&](const ike::action::Send& sent) {
    const auto header = wire::parse_header(sent.bytes);
    if (!header->response && header->exchange == ExchangeType::ike_auth) requests.push_back(sent);
    return false;
  };
  for (std::size_t i = 0; i <= ike::kClosedLingerMax; ++i) {
    pair.initiate();
    pair.settle();
  }
  ASSERT_EQ(requests.size(), ike::kClosedLingerMax + 1);
  const auto is_refused_again = [&pair](const ike::action::Send& request) {
    pair.a.outbox = {request};
    EXPECT_TRUE(pair.deliver_from(pair.a));
    const ike::action::Send answer = std::move(pair.b.outbox.at(0));
    pair.b.outbox.clear();
    return wire::parse_message(answer.bytes)->sealed.has_value();
  };
  EXPECT_FALSE(is_refused_again(requests[0])) << "INVALID_IKE_SPI";
  EXPECT_TRUE(is_refused_again(requests[1]));
  EXPECT_TRUE(is_refused_again(requests.back()));
}

/// b forgets everything, as after a crash.
void restart(Node& b) {
  b.engine = ike::Engine({}, b.crypto, b.rng);
  b.installed.clear();
}

// RFC 7296 §2.21.4. A peer that has restarted says that it does not know the IKE_SA; a few quick
// repeats later it counts as dead, long before the schedule is over.
TEST(InvalidIkeSpi, RestartedPeer_IsNoticedQuickly) {
  Pair pair({.initiator = [](model::Connection& c) { c.dpd_delay = seconds{10}; }});
  up(pair);
  restart(pair.b);
  wait(pair, seconds{9});
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  wait(pair, seconds{4});
  EXPECT_TRUE(pair.a.status().sas.empty());
  EXPECT_EQ(pair.a.failures(ike::Reason::no_response), 1U);
}

// The same words, forged, while the peer is well: it answers the repeats, the tunnel stays.
TEST(InvalidIkeSpi, Forged_ChangesNothing) {
  Pair pair({.initiator = [](model::Connection& c) { c.dpd_delay = seconds{10}; }});
  up(pair);
  Bytes forged;
  pair.lose = [&](const ike::action::Send& send) {
    if (!forged.empty()) return false;
    wire::Header header = *wire::parse_header(send.bytes);
    header.response = true;
    header.initiator = false;
    forged =
        wire::write_message(header, {wire::NotifyPayload{.type = NotifyType::invalid_ike_spi}});
    return true;
  };
  wait(pair, seconds{10});
  ASSERT_FALSE(forged.empty());
  ike::Actions out;
  pair.a.engine.handle(
      ike::Datagram{.local = pair.a.address, .remote = pair.b.address, .bytes = forged}, pair.a.now,
      out);
  pair.a.carry_out(std::move(out));
  wait(pair, seconds{20});
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  EXPECT_EQ(pair.a.installed.size(), 1U);
}

// Those who guess SPIs get twenty answers a second, none larger than the question.
TEST(InvalidIkeSpi, AnswersAreFew) {
  Pair pair;
  const wire::Header header{.spi_i = IkeSpi{7},
                            .spi_r = IkeSpi{8},
                            .exchange = ExchangeType::informational,
                            .initiator = true,
                            .id = MessageId{3}};
  Bytes question = wire::write_message(header, {});
  question[16] = 46;  // next payload: SK
  question.insert(question.end(), {0, 0, 0, 40});
  question.resize(question.size() + 36);
  question[27] = static_cast<std::uint8_t>(question.size());
  ike::Actions out;
  for (int i = 0; i < 1000; ++i) {
    pair.b.engine.handle(
        ike::Datagram{.local = pair.b.address, .remote = pair.a.address, .bytes = question},
        pair.b.now, out);
  }
  std::size_t answers = 0;
  for (const ike::Action& action : out) {
    const auto* send = std::get_if<ike::action::Send>(&action);
    ASSERT_NE(send, nullptr);
    EXPECT_LE(send->bytes.size(), question.size());
    ++answers;
  }
  EXPECT_EQ(answers, 20U);
  EXPECT_EQ(pair.b.engine.counters().of(ike::Limit::denial_rate), 980U);
}

TEST(WakeUps, AreCountedByTheirReason) {
  Pair pair({.initiator = [](model::Connection& c) { c.dpd_delay = seconds{10}; }});
  up(pair);
  const ike::CounterBook& counts = pair.a.engine.counters();
  wait(pair, seconds{25});
  EXPECT_EQ(counts.of(ike::WakeReason::liveness), 2U);
  EXPECT_EQ(counts.of(ike::WakeReason::retransmit), 0U);
  pair.lose = [](const auto&) { return true; };
  wait(pair, seconds{15});
  EXPECT_EQ(counts.of(ike::WakeReason::liveness), 3U);
  EXPECT_EQ(counts.of(ike::WakeReason::retransmit), 1U);
}

// A hard limit does not leave a hole where the child is to stay: the new one comes first.
TEST(Lifetime, HardLimit_MakesAnewBeforeItDeletes) {
  Pair pair({.initiator = [](model::Connection& c) {
    c.children[0].keep_up = true;
    c.children[0].lifetime = {.rekey = Duration{0}, .life = seconds{60}, .jitter = Duration{0}};
  }});
  up(pair);
  EXPECT_EQ(least_children(pair, seconds{70}), 1U);
  EXPECT_EQ(pair.a.installed.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
}

// The old child's hard limit comes when it has been rekeyed and its Delete still waits for another
// exchange: the peer hears of its end all the same.
TEST(Lifetime, HardLimitBeforeTheDeleteOfARekeyedChild_ThePeerIsTold) {
  const auto second_child = [](bool initiator) {
    return [initiator](model::Connection& c) {
      c.children.push_back(c.children[0]);
      c.children[1].name = "more";
      auto& far = initiator ? c.children[1].remote_ts : c.children[1].local_ts;
      far = {*model::parse_selector("10.2.0.0/24")};
      c.children[1].lifetime = {.rekey = Duration{0}, .life = seconds{100}, .jitter = Duration{0}};
    };
  };
  Pair pair({.initiator = second_child(true), .responder = second_child(false)});
  up(pair);
  pair.initiate_from(pair.a, "more");
  pair.settle();
  wait(pair, seconds{50});
  pair.a.rekey_child();
  pair.a.command(ike::command::Rekey{.filter = {.child = "more"}});
  // Until both are rekeyed and only the Delete of "net" is under way.
  while (pair.a.events_of<ike::event::ChildRekeyed>().size() < 2 && !pair.a.outbox.empty()) {
    ASSERT_TRUE(pair.deliver_from(pair.a));
    ASSERT_TRUE(pair.deliver_from(pair.b));
  }
  pair.pass(pair.a, seconds{51});
  pair.settle();
  wait(pair, seconds{10});
  EXPECT_EQ(pair.b.status().sas.at(0).children.size(), 2U) << pair.transcript();
  EXPECT_TRUE(pair.mirrored());
}

// The machine slept for an hour while a request was under way: nobody is given up for that.
TEST(Awake, RequestUnderWay_StartsOver) {
  Pair pair({.initiator = [](model::Connection& c) { c.dpd_delay = seconds{30}; }});
  up(pair);
  pair.lose = [](const auto&) { return true; };
  wait(pair, minutes{2});  // several repeats of a life sign
  pair.lose = {};
  pair.a.now = pair.a.now + std::chrono::hours{1};
  pair.a.command(ike::command::Awake{});
  pair.pass(pair.a, Duration{0});
  pair.settle();
  EXPECT_EQ(pair.a.events_of<ike::event::IkeDown>().size(), 0U);
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
}

TEST(Awake, NothingUnderWay_AsksForASignOfLife) {
  Pair pair;
  up(pair);
  pair.a.command(ike::command::Awake{});
  pair.settle();
  EXPECT_EQ(pair.transcript(),
            "a INFORMATIONAL #2 request\n"
            "b INFORMATIONAL #2 response\n");
}

/// Other nonces for each seed: they decide who wins when both ends act at once.
auto with_seed(std::uint64_t seed) {
  return [seed](Node& a, Node& b) {
    a.rng = SeededRng{seed};
    b.rng = SeededRng{seed + 1000};
  };
}

// RFC 7296 §2.8.1's rule, applied to children that both ends make at once.
TEST(CreateChild, BothMakeTheSameAtOnce_OneStays) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Pair pair({.nodes = with_seed(seed)});
    up(pair);
    for (Node* node : {&pair.a, &pair.b}) {
      node->command(ike::command::Terminate{.filter = {.child = "net"}});
    }
    pair.settle();
    for (Node* node : {&pair.a, &pair.b}) {
      pair.initiate_from(*node, "net");
    }
    pair.settle();
    wait(pair, seconds{6});
    EXPECT_EQ(pair.a.installed.size(), 1U) << "seed " << seed << "\n" << pair.transcript();
    EXPECT_TRUE(pair.mirrored());
  }
}

// One of the two has been rekeyed before the other end knows of its own: the nonces that made the
// first of a row decide, not those of its rekeys.
TEST(CreateChild, BothMakeTheSameAtOnce_AndOneIsRekeyed_OneStays) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Pair pair({.nodes = with_seed(seed)});
    up(pair);
    pair.a.command(ike::command::Terminate{.filter = {.child = "net"}});
    pair.settle();
    for (Node* node : {&pair.a, &pair.b}) pair.initiate_from(*node, "net");
    // b's request is answered, but the answer is late.
    ASSERT_TRUE(pair.deliver_from(pair.a));
    ASSERT_TRUE(pair.deliver_from(pair.b));
    ike::action::Send late = std::move(pair.a.outbox.back());
    pair.a.outbox.pop_back();
    pair.settle();
    pair.a.rekey_child();
    pair.settle();
    pair.a.outbox.push_back(std::move(late));
    wait(pair, seconds{20});
    EXPECT_EQ(pair.a.installed.size(), 1U) << "seed " << seed << "\n" << pair.transcript();
    EXPECT_TRUE(pair.mirrored());
  }
}

// Both ends connect at once: two IKE_SAs come up, one stays, with one child.
TEST(Uniqueness, BothConnectAtOnce_OneStays) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Pair pair({.nodes = with_seed(seed)});
    pair.initiate();
    pair.initiate_from(pair.b, "net");
    pair.settle();
    wait(pair, seconds{1});
    EXPECT_EQ(pair.a.status().sas.size(), 1U) << "seed " << seed << "\n" << pair.transcript();
    EXPECT_EQ(pair.b.status().sas.size(), 1U);
    EXPECT_EQ(pair.a.installed.size(), 1U);
    EXPECT_TRUE(pair.mirrored());
  }
}

// One of the two has been rekeyed before the other end knows of its own: as with children, the
// nonces that made the first of a row decide.
TEST(Uniqueness, BothConnectAtOnce_AndOneIsRekeyed_OneStays) {
  for (std::uint64_t seed = 1; seed <= 16; ++seed) {
    Pair pair({.nodes = with_seed(seed)});
    pair.initiate();
    pair.initiate_from(pair.b, "net");
    // b's IKE_AUTH is answered, but the answer is late.
    bool lost = false;
    pair.lose = [&](const ike::action::Send& sent) {
      const auto header = wire::parse_header(sent.bytes);
      const bool answer = sent.local.address == pair.a.address.address && header->response &&
                          header->exchange == ExchangeType::ike_auth;
      return answer && !std::exchange(lost, true);
    };
    pair.settle();
    for (const auto& sa : pair.a.status().sas) {
      if (sa.initiator) pair.a.command(ike::command::Rekey{.filter = {.ike_id = sa.id}});
    }
    pair.settle();
    wait(pair, seconds{20});
    EXPECT_EQ(pair.a.status().sas.size(), 1U) << "seed " << seed << "\n" << pair.transcript();
    EXPECT_EQ(pair.b.status().sas.size(), 1U);
    EXPECT_EQ(pair.a.installed.size(), 1U);
    EXPECT_TRUE(pair.mirrored());
  }
}

/// a has lost all it knew and calls anew, without INITIAL_CONTACT.
void come_again(Pair& pair, const model::Connection& connection) {
  restart(pair.a);
  pair.a.command(ike::command::PutConnection{connection});
  pair.initiate();
  pair.settle();
}

model::Connection never_unique(bool toys) {
  model::Connection out = basic_connection(true);
  out.unique = model::Uniqueness::never;
  if (toys) with_toys(out);
  return out;
}

// A peer that comes again and again gets one end for each IKE_SA that it leaves behind.
TEST(Uniqueness, Replace_EndsEachIkeSaOnce) {
  Pair pair({.responder = [](model::Connection& c) { c.unique = model::Uniqueness::replace; }});
  up(pair);
  for (int i = 0; i < 5; ++i) come_again(pair, never_unique(false));
  ASSERT_EQ(pair.b.status().sas.size(), 6U);
  for (const auto& sa : pair.b.status().sas) EXPECT_EQ(sa.waiting, 0U);
  pair.lose = [](const auto&) { return true; };
  wait(pair, ike::kReplacedGrace);
  std::size_t deleting = 0;
  for (const auto& sa : pair.b.status().sas) {
    deleting += sa.state == ike::IkeStatus::State::deleting ? 1U : 0U;
    EXPECT_EQ(sa.waiting, 0U);
  }
  EXPECT_EQ(deleting, 5U) << pair.transcript();
}

// kTwinsMax, while a never answers a Delete. Who says that it has started anew is let in.
TEST(Uniqueness, IkeSasOfOnePeer_AreLimited) {
  for (const auto rule : {model::Uniqueness::never, model::Uniqueness::replace}) {
    Pair pair({.initiator = with_toys,
               .responder =
                   [rule](model::Connection& c) {
                     with_toys(c);
                     c.unique = rule;
                   },
               .crypto = toy_crypto(),
               .trace = false});
    pair.lose = [&](const ike::action::Send& sent) {
      return sent.local.address == pair.b.address.address &&
             wire::parse_header(sent.bytes)->exchange == ExchangeType::informational;
    };
    const auto held = [&pair] { return pair.b.status().sas.size(); };
    for (std::size_t i = 0; i < ike::kTwinsMax; ++i) {
      come_again(pair, never_unique(true));
      pair.pass(milliseconds{20});  // 20 s: under `replace` the first ones are being deleted
    }
    EXPECT_EQ(held(), ike::kTwinsMax);
    EXPECT_EQ(pair.b.failures(ike::Reason::limit), 0U);
    come_again(pair, never_unique(true));
    EXPECT_EQ(held(), ike::kTwinsMax);
    EXPECT_EQ(pair.b.failures(ike::Reason::limit), 1U);
    EXPECT_TRUE(pair.a.installed.empty());
    if (rule == model::Uniqueness::never) continue;
    pair.pass(milliseconds{20});
    model::Connection anew = basic_connection(true);
    with_toys(anew);
    come_again(pair, anew);
    EXPECT_EQ(held(), 1U);
    EXPECT_EQ(pair.a.installed.size(), 1U);
  }
}

// A peer that rekeys, deletes only the newest and comes again leaves the others behind.
TEST(Uniqueness, OutlivedIkeSasOfOnePeer_AreLimitedToo) {
  const auto adjust = [](model::Connection& c) {
    with_toys(c);
    c.unique = model::Uniqueness::never;
  };
  Pair pair({.initiator = adjust, .responder = adjust, .crypto = toy_crypto(), .trace = false});
  bool keeps = false;
  pair.lose = [&](const ike::action::Send& sent) {
    return keeps && sent.local.address == pair.a.address.address &&
           wire::parse_header(sent.bytes)->exchange == ExchangeType::informational;
  };
  for (std::size_t i = 0; i < ike::kTwinsMax / ike::kAncestorsMax + 5; ++i) {
    come_again(pair, never_unique(true));
    keeps = true;
    for (std::size_t j = 0; j < ike::kAncestorsMax; ++j) {
      pair.a.rekey_ike();
      pair.settle();
    }
    keeps = false;
    pair.a.terminate();
    pair.settle();
  }
  EXPECT_EQ(pair.b.status().sas.size(), ike::kTwinsMax);
  EXPECT_EQ(pair.b.failures(ike::Reason::limit), 5U);
}

// RFC 7296 §2.8.3: the new IKE_SA is made with its children before the old one goes.
TEST(Reauthentication, MakesBeforeItBreaks) {
  Pair pair(
      {.initiator =
           [](model::Connection& c) {
             c.reauth_time = seconds{100};
             c.vips = {IpAddress::any(IpFamily::v4)};
           },
       .responder = [](model::Connection& c) { c.pools = {"pool"}; },
       .nodes = [](Node&,
                   Node& b) { b.pool = {IpAddress::v4(0x0a090001), IpAddress::v4(0x0a090002)}; }});
  up(pair);
  const auto old = pair.a.status().sas[0];
  wait(pair, seconds{101});
  ASSERT_EQ(pair.a.events_of<ike::event::WantReauth>().size(), 1U);
  EXPECT_EQ(pair.a.status().sas.size(), 1U) << "nothing happens before the caller has a route";
  pair.initiate_from(pair.a, "", old.id);
  EXPECT_EQ(least_children(pair, seconds{10}), 1U) << "never without a child";
  ASSERT_EQ(pair.a.status().sas.size(), 1U);
  EXPECT_NE(pair.a.status().sas[0].spi_i, old.spi_i);
  EXPECT_EQ(pair.b.status().sas.size(), 1U);
  EXPECT_EQ(pair.a.installed.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
  EXPECT_TRUE(pair.a.events_of<ike::event::ChildDown>().empty());
}

// The responder sends on the old child until the new one is known to work, or long enough.
TEST(Reauthentication, TheGatewayHoldsBackUntilTheNewChildIsUsed) {
  for (const bool used : {true, false}) {
    Pair pair({.initiator = [](model::Connection& c) { c.reauth_time = seconds{100}; }});
    up(pair);
    const auto old = pair.a.status().sas[0];
    pair.initiate_from(pair.a, "", old.id);
    pair.settle();
    ASSERT_EQ(pair.b.status().sas.size(), 2U) << pair.transcript();
    ASSERT_EQ(pair.b.installed.size(), 2U);
    const auto fresh = pair.b.installed.rbegin()->first;
    EXPECT_FALSE(pair.b.installed.at(fresh).outbound);
    if (used) {
      pair.b.plane(model::plane::FirstInbound{fresh});
    } else {
      wait(pair, seconds{6});
    }
    EXPECT_TRUE(pair.b.installed.at(fresh).outbound) << "used: " << used;
  }
}

// The same for each further child: the answer that tells of it may be lost, and its like on the old
// IKE_SA carries until it has been repeated.
TEST(Reauthentication, TheGatewayHoldsBackEveryChild) {
  const auto two = [](model::Connection& c) {
    c.children.push_back(c.children[0]);
    c.children[1].name = "second";
  };
  Pair pair({.initiator = two, .responder = two});
  up(pair);
  pair.initiate_from(pair.a, "second");
  pair.settle();
  const std::size_t before = pair.b.installed.size();
  bool lost = false;
  pair.lose = [&](const ike::action::Send& sent) {  // one answer to CREATE_CHILD_SA
    const bool is_it = sent.local.address == pair.b.address.address && sent.bytes[18] == 36;
    return is_it && !std::exchange(lost, true);
  };
  pair.initiate_from(pair.a, "", pair.a.status().sas[0].id);
  pair.settle();
  ASSERT_TRUE(lost);
  ASSERT_EQ(pair.b.installed.size(), before + 2) << pair.transcript();
  EXPECT_FALSE(pair.b.installed.rbegin()->second.outbound) << "a does not have it yet";
  wait(pair, seconds{20});
  EXPECT_EQ(pair.b.installed.size(), 2U);
  EXPECT_TRUE(pair.mirrored());
  for (const auto& [id, child] : pair.b.installed) EXPECT_TRUE(child.outbound);
}

// A peer that deletes the old IKE_SA before it has sent on the new child: from then on there is
// nothing else to send on, and no packet need come first.
TEST(Reauthentication, ThePeerEndsTheOldAtOnce_TheNewChildIsUsed) {
  Pair pair({.initiator = [](model::Connection& c) { c.reauth_time = seconds{100}; }});
  up(pair);
  const auto old = pair.a.status().sas[0];
  pair.initiate_from(pair.a, "", old.id);
  pair.settle();
  ASSERT_EQ(pair.b.installed.size(), 2U) << pair.transcript();
  pair.pass(pair.a, seconds{10});  // a's patience with the old one; b's clock stands still
  ASSERT_TRUE(pair.deliver_from(pair.a));
  ASSERT_EQ(pair.b.installed.size(), 1U) << pair.transcript();
  EXPECT_TRUE(pair.b.installed.begin()->second.outbound);
}

// A peer that says it has no other IKE_SA does not read what the old one's child would carry.
TEST(Reauthentication, InitialContact_SendsOnTheNewChildAtOnce) {
  Pair pair;
  up(pair);
  const auto old = pair.b.installed.rbegin()->first;
  restart(pair.a);
  pair.a.command(ike::command::PutConnection{basic_connection(true)});
  pair.initiate();
  pair.settle();
  const auto fresh = pair.b.installed.rbegin()->first;
  ASSERT_NE(fresh, old) << pair.transcript();
  EXPECT_TRUE(pair.b.installed.at(fresh).outbound);
}

// The old IKE_SA is being rekeyed when the new one is ready: it goes once that is over, and the
// gateway sends all the while.
TEST(Reauthentication, WhileTheOldOneIsRekeyed_LeavesNoGap) {
  Pair pair;
  up(pair);
  const auto old = pair.a.status().sas[0];
  pair.initiate_from(pair.a, "", old.id);
  const auto sends = [&pair] {
    return std::ranges::any_of(pair.b.installed,
                               [](const auto& one) { return one.second.outbound; });
  };
  // IKE_SA_INIT both ways, IKE_AUTH, and before its answer comes the rekey.
  for (Node* from : {&pair.a, &pair.b, &pair.a}) ASSERT_TRUE(pair.deliver_from(*from));
  pair.a.rekey_ike();
  for (int step = 0; step < 200; ++step) {
    if (!pair.deliver_from(pair.a) && !pair.deliver_from(pair.b)) pair.pass(milliseconds{100});
    ASSERT_TRUE(sends()) << pair.transcript();
  }
  EXPECT_EQ(pair.a.status().sas.size(), 1U) << pair.transcript();
  EXPECT_EQ(pair.b.status().sas.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
}

// The peer does not answer just then: the old IKE_SA stays as it is.
TEST(Reauthentication, Fails_TheOldStays) {
  Pair pair;
  up(pair);
  const auto old = pair.a.status().sas[0];
  pair.b.shared_key = {9, 9};
  pair.initiate_from(pair.a, "", old.id);
  pair.settle();
  wait(pair, seconds{10});
  ASSERT_EQ(pair.a.status().sas.size(), 1U);
  EXPECT_EQ(pair.a.status().sas[0].spi_i, old.spi_i);
  EXPECT_EQ(pair.a.installed.size(), 1U);
}

// The settings are read again: what waits for its time waits for another one.
TEST(Configure, CountsForIkeSasThatAreUp) {
  Pair pair({.initiator = [](model::Connection& c) {
    c.children[0].local_ts = {*model::parse_selector("203.0.113.1/32")};
  }});
  pair.nat = IpAddress::v4(0xcb007101);
  up(pair);
  const auto deadline = [&](Duration keepalive) {
    ike::EngineConfig config;
    config.keepalive = keepalive;
    ike::Actions actions;
    pair.a.engine.configure(config, pair.a.now, actions);
    EXPECT_TRUE(actions.empty());
    return pair.a.engine.deadline();
  };
  const auto without = deadline(seconds{0});
  ASSERT_TRUE(without.has_value());
  EXPECT_GT(without->at, pair.a.now + minutes{1});
  const auto with = deadline(seconds{7});
  ASSERT_TRUE(with.has_value());
  EXPECT_EQ(with->at, pair.a.now + seconds{7});
  pair.pass(seconds{7});
  EXPECT_GT(pair.a.engine.deadline()->at, pair.a.now);
}

}  // namespace
}  // namespace cygnet::test
