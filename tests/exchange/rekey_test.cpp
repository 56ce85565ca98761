// Rekeys and deletes of both kinds, from both sides, alone and crossing.   RFC 7296 §1.3, §1.4,
// §2.8
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "pair.hpp"

namespace cygnet::test {
namespace {

/// A pair with one child up and an empty transcript.
struct Up {
  explicit Up(const Pair::Options& options = {}) : pair(options) {
    pair.initiate();
    pair.settle();
    EXPECT_EQ(pair.a.installed.size(), 1U);
    pair.forget();
  }
  /// The packets that were under way have arrived: replaced SAs are gone.
  void linger() {
    pair.pass(std::chrono::seconds{6});
    pair.settle();
  }
  Pair pair;
};

// RFC 7296 §1.3.3, §2.8. The requester sends on the new SA at once and deletes the old one; the
// answerer's new SA gets its outbound half when the old one is deleted.
TEST(RekeyChild, ByInitiator_ReplacesWithoutGap) {
  Up up;
  Pair& pair = up.pair;
  pair.a.rekey_child();
  ASSERT_TRUE(pair.deliver_from(pair.a));
  ASSERT_EQ(pair.b.installed.size(), 2U);
  EXPECT_FALSE(pair.b.installed.rbegin()->second.outbound) << "must still send on the old SA";
  pair.settle();

  EXPECT_EQ(pair.transcript(),
            "a CREATE_CHILD_SA #2 request N(REKEY_SA) SA Ni KE TSi TSr\n"
            "b CREATE_CHILD_SA #2 response SA Nr KE TSi TSr\n" +
                pair.transcript().substr(pair.transcript().find("a INFORMATIONAL")));
  EXPECT_NE(pair.transcript().find("a INFORMATIONAL #3 request D(esp"), std::string::npos);
  EXPECT_NE(pair.transcript().find("b INFORMATIONAL #3 response D(esp"), std::string::npos);
  EXPECT_TRUE(pair.b.installed.rbegin()->second.outbound);
  EXPECT_EQ(pair.a.installed.size(), 2U) << "the old SA still receives what is under way";
  up.linger();
  EXPECT_EQ(pair.a.installed.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
  EXPECT_EQ(pair.a.events_of<ike::event::ChildRekeyed>().size(), 1U);
  EXPECT_TRUE(pair.a.events_of<ike::event::ChildDown>().empty());
}

// The same from the gateway's side.
TEST(RekeyChild, ByResponder_Replaces) {
  Up up;
  up.pair.b.rekey_child();
  up.pair.settle();
  up.linger();
  EXPECT_EQ(up.pair.a.installed.size(), 1U);
  EXPECT_TRUE(up.pair.mirrored());
}

// The answerer may send on the new SA as soon as it has received on it.
TEST(RekeyChild, FirstInbound_ActivatesBeforeTheDelete) {
  Up up;
  Pair& pair = up.pair;
  pair.a.rekey_child();
  ASSERT_TRUE(pair.deliver_from(pair.a));
  const model::ChildId fresh = pair.b.installed.rbegin()->first;
  pair.b.plane(model::plane::FirstInbound{fresh});
  EXPECT_TRUE(pair.b.installed.at(fresh).outbound);
  pair.settle();
  up.linger();
  EXPECT_TRUE(pair.mirrored());
}

// RFC 7296 §2.8.1. Both ends rekey the same child and the requests cross: one new SA survives,
// and both ends agree which. Tried over many seeds, so that either nonce is the lowest.
TEST(RekeyChild, Crossing_BothKeepTheSame) {
  for (std::uint64_t seed = 1; seed <= 32; ++seed) {
    Up up({.nodes = [seed](Node& a, Node& b) {
      a.rng = SeededRng{seed};
      b.rng = SeededRng{seed + 1000};
    }});
    up.pair.a.rekey_child();
    up.pair.b.rekey_child();
    up.pair.settle();
    up.linger();
    EXPECT_EQ(up.pair.a.installed.size(), 1U) << "seed " << seed << "\n" << up.pair.transcript();
    EXPECT_EQ(up.pair.b.installed.size(), 1U) << "seed " << seed << "\n" << up.pair.transcript();
    EXPECT_TRUE(up.pair.mirrored()) << "seed " << seed << "\n" << up.pair.transcript();
  }
}

// RFC 7296 §1.3.2, §2.18. The new IKE_SA inherits the child; the requester deletes the old one.
TEST(RekeyIke, ByEitherSide_KeepsTheChild) {
  for (const bool by_initiator : {true, false}) {
    Up up;
    Pair& pair = up.pair;
    const auto before = pair.a.spis_in();
    const IkeSpi old = pair.a.status().sas[0].spi_i;
    (by_initiator ? pair.a : pair.b).rekey_ike();
    pair.settle();
    ASSERT_EQ(pair.a.status().sas.size(), 1U);
    ASSERT_EQ(pair.b.status().sas.size(), 1U);
    EXPECT_NE(pair.a.status().sas[0].spi_i, old);
    EXPECT_EQ(pair.a.status().sas[0].spi_i, pair.b.status().sas[0].spi_i);
    EXPECT_EQ(pair.a.spis_in(), before);
    EXPECT_EQ(pair.a.status().sas[0].children.size(), 1U);
    EXPECT_TRUE(pair.a.events_of<ike::event::IkeDown>().empty());
    // The new IKE_SA works: both ends can use it.
    pair.a.rekey_child();
    pair.settle();
    pair.b.rekey_child();
    pair.settle();
    up.linger();
    EXPECT_TRUE(pair.mirrored());
    EXPECT_EQ(pair.a.installed.size(), 1U);
  }
}

// Crossing IKE rekeys dissolve: both answer TEMPORARY_FAILURE and try again apart.
TEST(RekeyIke, Crossing_Converges) {
  Up up;
  up.pair.a.rekey_ike();
  up.pair.b.rekey_ike();
  up.pair.settle();
  for (int second = 0; second < 15; ++second) {
    up.pair.pass(std::chrono::seconds{1});
    up.pair.settle();
  }
  EXPECT_EQ(up.pair.a.status().sas.size(), 1U);
  EXPECT_EQ(up.pair.b.status().sas.size(), 1U);
  EXPECT_TRUE(up.pair.mirrored());
}

// RFC 7296 §1.4.1. Deleting the IKE_SA takes its children along, on both ends.
TEST(Delete, OfIkeSa_EndsEverythingOnBothEnds) {
  for (const bool by_initiator : {true, false}) {
    Up up;
    (by_initiator ? up.pair.a : up.pair.b).terminate();
    up.pair.settle();
    EXPECT_TRUE(up.pair.a.status().sas.empty());
    EXPECT_TRUE(up.pair.b.status().sas.empty());
    EXPECT_TRUE(up.pair.a.installed.empty() && up.pair.b.installed.empty());
    EXPECT_EQ(up.pair.transcript(), by_initiator ? "a INFORMATIONAL #2 request D(ike)\n"
                                                   "b INFORMATIONAL #2 response\n"
                                                 : "b INFORMATIONAL #0 request D(ike)\n"
                                                   "a INFORMATIONAL #0 response\n");
  }
}

// Both ends delete the same child at once: the answers carry no Delete, both are rid of it.
TEST(Delete, CrossingChildDeletes_LeaveNothing) {
  Up up;
  for (Node* node : {&up.pair.a, &up.pair.b}) {
    node->command(ike::command::Terminate{.filter = {.child = "net"}});
  }
  up.pair.settle();
  EXPECT_TRUE(up.pair.a.installed.empty() && up.pair.b.installed.empty());
  EXPECT_EQ(up.pair.a.status().sas.size(), 1U);
}

// RFC 7296 §2.4. Liveness is asked after silence, and its answer counts as a sign of life.
TEST(Liveness, AfterSilence_IsAskedAndAnswered) {
  Up up({.initiator = [](model::Connection& c) { c.dpd_delay = std::chrono::seconds{30}; }});
  up.pair.pass(std::chrono::seconds{29});
  EXPECT_EQ(up.pair.transcript(), "");
  up.pair.pass(std::chrono::seconds{1});
  up.pair.settle();
  EXPECT_EQ(up.pair.transcript(),
            "a INFORMATIONAL #2 request\n"
            "b INFORMATIONAL #2 response\n");
}

// The peer is gone: the SA ends with a record, and dpd_action = start asks for it again.
TEST(Liveness, DeadPeer_EndsTheSaAndActs) {
  Up up({.initiator = [](model::Connection& c) {
    c.dpd_delay = std::chrono::seconds{10};
    c.children[0].dpd_action = model::ChildAction::start;
  }});
  up.pair.lose = [](const ike::action::Send&) { return true; };
  for (int second = 0; second < 180; ++second) {
    up.pair.pass(std::chrono::seconds{1});
    up.pair.settle();
  }
  EXPECT_EQ(up.pair.a.failures(ike::Reason::no_response), 1U);
  EXPECT_TRUE(up.pair.a.installed.empty());
  const auto wanted = up.pair.a.events_of<ike::event::WantUp>();
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_EQ(wanted[0].child, "net");
}

// The soft lifetime rekeys by itself, before the hard one: the child never goes.
TEST(Lifetime, SoftLimit_RekeysByItself) {
  Up up({.initiator = [](model::Connection& c) {
    c.children[0].lifetime = {.rekey = std::chrono::minutes{10},
                              .life = std::chrono::minutes{11},
                              .jitter = std::chrono::minutes{1}};
  }});
  for (int minute = 0; minute < 35; ++minute) {
    up.pair.pass(std::chrono::minutes{1});
    up.pair.settle();
  }
  EXPECT_GE(up.pair.a.events_of<ike::event::ChildRekeyed>().size(), 3U);
  EXPECT_TRUE(up.pair.a.events_of<ike::event::ChildDown>().empty());
  EXPECT_TRUE(up.pair.mirrored());
}

// A certificate chain longer than a packet goes in fragments, both ways (RFC 7383).
TEST(Fragmentation, LongChain_GoesInPieces) {
  const auto with_keys = [](Node& a, Node& b) {
    for (Node* node : {&a, &b}) {
      const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"),
                                                                    EVP_PKEY_free};
      unsigned char* der = nullptr;
      const int size = i2d_PrivateKey(key.get(), &der);
      node->key = *crypto::load_private_key(ByteView{der, static_cast<std::size_t>(size)});
      OPENSSL_free(der);
      node->padding_certificates = 4;
    }
    a.trusted = {to_bytes(b.key->public_key())};
    b.trusted = {to_bytes(a.key->public_key())};
  };
  const auto pubkey = [](model::Connection& c) {
    c.local.method = model::AuthClass::pubkey;
    c.remote.method = model::AuthClass::pubkey;
    c.send_cert = model::SendCert::always;
  };
  Pair pair({.initiator = pubkey, .responder = pubkey, .nodes = with_keys});
  std::size_t largest = 0;
  std::size_t count = 0;
  pair.lose = [&](const ike::action::Send& send) {
    largest = std::max(largest, send.bytes.size());
    ++count;
    return false;
  };
  pair.initiate();
  pair.settle();
  EXPECT_EQ(pair.a.installed.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
  EXPECT_LE(largest + 28 + 4, 1280U);
  EXPECT_GE(count, 2U + 4U + 4U);
}

}  // namespace
}  // namespace cygnet::test
