// CREATE_CHILD_SA for further children, authentication by certificate, traps, and what an
// established peer may say that is wrong.                          RFC 7296 §1.3, §2.21
#include <gtest/gtest.h>

#include "ike/limits.hpp"
#include "pair.hpp"
#include "support/test_pki.hpp"

namespace cygnet::test {
namespace {

model::ChildTemplate second_child(bool initiator) {
  model::ChildTemplate out = basic_connection(initiator).children[0];
  out.name = "more";
  const auto far = *model::parse_selector("10.2.0.0/24");
  (initiator ? out.remote_ts : out.local_ts) = {far};
  return out;
}

/// Both ends know the child "more"; `adjust` changes the responder's.
Pair::Options two_children(std::function<void(model::ChildTemplate&)> adjust = {}) {
  return {.initiator = [](model::Connection& c) { c.children.push_back(second_child(true)); },
          .responder =
              [adjust](model::Connection& c) {
                c.children.push_back(second_child(false));
                if (adjust) adjust(c.children.back());
              }};
}
void bring_up_more(Pair& pair) {
  pair.initiate();
  pair.settle();
  pair.forget();
  pair.initiate_from(pair.a, "more");
  pair.settle();
}
bool command_succeeded(const Node& node, std::uint64_t request) {
  for (const auto& done : node.events_of<ike::event::CommandDone>()) {
    if (done.request == ike::RequestId{request}) return done.success;
  }
  ADD_FAILURE() << "command " << request << " was never answered";
  return false;
}

// RFC 7296 §1.3.1: a second child on the same IKE_SA.
TEST(CreateChild, SecondChild_SharesTheIkeSa) {
  Pair pair(two_children());
  bring_up_more(pair);
  EXPECT_EQ(pair.transcript(),
            "a CREATE_CHILD_SA #2 request SA Ni KE TSi TSr\n"
            "b CREATE_CHILD_SA #2 response SA Nr KE TSi TSr\n");
  EXPECT_TRUE(command_succeeded(pair.a, 5));
  EXPECT_EQ(pair.a.installed.size(), 2U);
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
}

// With a group of its own the child has forward secrecy: KE payloads both ways.
TEST(CreateChild, WithKeyExchange_BringsIt) {
  Pair::Options options = two_children([](model::ChildTemplate& child) {
    child.esp_proposals = *model::parse_proposals("aes128gcm16-ecp256", ProtocolId::esp);
  });
  const auto initiator = options.initiator;
  options.initiator = [initiator](model::Connection& c) {
    initiator(c);
    c.children.back().esp_proposals =
        *model::parse_proposals("aes128gcm16-x25519-ecp256", ProtocolId::esp);
  };
  Pair pair(options);
  bring_up_more(pair);
  // The first guess is X25519; the responder wants its own.
  EXPECT_EQ(pair.transcript(),
            "a CREATE_CHILD_SA #2 request SA Ni KE TSi TSr\n"
            "b CREATE_CHILD_SA #2 response N(INVALID_KE_PAYLOAD)\n"
            "a CREATE_CHILD_SA #3 request SA Ni KE TSi TSr\n"
            "b CREATE_CHILD_SA #3 response SA Nr KE TSi TSr\n");
  EXPECT_TRUE(command_succeeded(pair.a, 5));
  EXPECT_TRUE(pair.mirrored());
}

TEST(CreateChild, NoCommonProposal_LeavesTheRest) {
  Pair pair(two_children([](model::ChildTemplate& child) {
    child.esp_proposals = *model::parse_proposals("aes256-sha512", ProtocolId::esp);
  }));
  bring_up_more(pair);
  EXPECT_FALSE(command_succeeded(pair.a, 5));
  EXPECT_EQ(pair.b.failures(ike::Reason::no_common_proposal), 1U);
  const auto failed = pair.a.events_of<ike::event::Failed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].record.field, "esp_proposals");
  EXPECT_EQ(failed[0].record.phase, "CREATE_CHILD_SA");
  EXPECT_EQ(pair.a.installed.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
}

TEST(CreateChild, NoCommonSelectors_LeavesTheRest) {
  Pair pair(two_children([](model::ChildTemplate& child) {
    child.local_ts = {*model::parse_selector("10.77.0.0/24")};
  }));
  bring_up_more(pair);
  EXPECT_FALSE(command_succeeded(pair.a, 5));
  EXPECT_EQ(pair.b.failures(ike::Reason::no_common_selectors), 1U);
  EXPECT_EQ(pair.a.failures(ike::Reason::no_common_selectors), 1U);
  EXPECT_EQ(pair.a.installed.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
}

// The same child again is no second one.
TEST(CreateChild, ChildThatIsUp_IsNotDoubled) {
  Pair pair;
  pair.initiate();
  pair.settle();
  pair.forget();
  pair.initiate();
  pair.settle();
  EXPECT_EQ(pair.transcript(), "");
  EXPECT_EQ(pair.a.installed.size(), 1U);
}

// RFC 7296 §1.4.1: one child goes, the IKE_SA stays.
TEST(Delete, OfOneChild_LeavesTheOther) {
  Pair pair(two_children());
  bring_up_more(pair);
  pair.forget();
  pair.a.command(
      ike::command::Terminate{.request = ike::RequestId{6}, .filter = {.child = "more"}});
  pair.settle();
  EXPECT_TRUE(command_succeeded(pair.a, 6));
  EXPECT_EQ(pair.a.installed.size(), 1U);
  EXPECT_EQ(pair.b.installed.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
}

// A trap: the first packet brings the tunnel up, with the packet's own selectors first
// (RFC 7296 §2.9).
TEST(Trap, FirstPacket_WantsTheTunnel) {
  Pair pair;
  pair.a.command(ike::command::Route{.request = ike::RequestId{3},
                                     .connection = "home",
                                     .child = "net",
                                     .local = pair.a.address,
                                     .remote = pair.b.address});
  ASSERT_TRUE(command_succeeded(pair.a, 3));
  ASSERT_EQ(pair.a.installed.size(), 1U);
  const auto& trap = pair.a.installed.begin()->second.spec;
  EXPECT_EQ(trap.action, model::PolicyAction::trap);
  pair.a.plane(model::plane::Acquire{.trap = trap.id,
                                     .packet = {.source = *IpAddress::parse("10.0.0.1"),
                                                .destination = *IpAddress::parse("10.1.0.7"),
                                                .protocol = 17}});
  const auto wanted = pair.a.events_of<ike::event::WantUp>();
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_EQ(wanted[0].child, "net");
  pair.a.command(
      ike::command::Unroute{.request = ike::RequestId{4}, .connection = "home", .child = "net"});
  EXPECT_TRUE(command_succeeded(pair.a, 4));
  EXPECT_TRUE(pair.a.installed.empty());
}

/// Certificates in both directions: keys stand for them (see Node).
Pair::Options certificates(TestKey kind, bool trust = true) {
  return {.initiator =
              [](model::Connection& c) {
                c.local.method = c.remote.method = model::AuthClass::pubkey;
                c.send_cert = model::SendCert::always;
              },
          .responder =
              [](model::Connection& c) {
                c.local.method = c.remote.method = model::AuthClass::pubkey;
                c.send_cert = model::SendCert::always;
              },
          .nodes =
              [kind, trust](Node& a, Node& b) {
                a.key = *crypto::load_private_key(CertMaker::leaf("a").key(kind).self_signed().key);
                b.key = *crypto::load_private_key(CertMaker::leaf("b").key(kind).self_signed().key);
                a.trusted = {to_bytes(b.key->public_key())};
                if (trust) b.trusted = {to_bytes(a.key->public_key())};
              }};
}

TEST(Certificates, EveryKeyKind_Establishes) {
  for (const TestKey kind : {TestKey::p256, TestKey::p384, TestKey::p521, TestKey::rsa_2048,
                             TestKey::ed25519, TestKey::ed448}) {
    Pair pair(certificates(kind));
    pair.initiate();
    pair.settle();
    EXPECT_EQ(pair.a.installed.size(), 1U) << static_cast<int>(kind);
    EXPECT_TRUE(pair.mirrored());
  }
}

// Certificates are public: whoever shows a trusted one but has another key is nobody.
TEST(Certificates, StolenCertificate_IsRefusedByEitherEnd) {
  for (const TestKey kind : {TestKey::p256, TestKey::p384, TestKey::p521, TestKey::rsa_2048,
                             TestKey::ed25519, TestKey::ed448}) {
    for (const bool initiator : {true, false}) {
      Pair pair(certificates(kind));
      Node& thief = initiator ? pair.a : pair.b;
      const Node& victim = initiator ? pair.b : pair.a;
      thief.stolen = to_bytes(thief.key->public_key());
      thief.key = *crypto::load_private_key(CertMaker::leaf("thief").key(kind).self_signed().key);
      pair.initiate();
      pair.settle();
      EXPECT_EQ(victim.failures(ike::Reason::signature_wrong), 1U)
          << static_cast<int>(kind) << " initiator: " << initiator << "\n"
          << pair.transcript();
      EXPECT_TRUE(victim.installed.empty());
      EXPECT_TRUE(victim.events_of<ike::event::IkeUp>().empty());
    }
  }
}

TEST(Certificates, UntrustedPeer_IsRefused) {
  Pair pair(certificates(TestKey::p256, false));
  pair.initiate();
  pair.settle();
  EXPECT_TRUE(pair.b.installed.empty());
  EXPECT_EQ(pair.b.failures(ike::Reason::certificate_untrusted), 1U);
  EXPECT_EQ(pair.a.failures(ike::Reason::peer_refused), 1U);
  EXPECT_TRUE(pair.a.status().sas.empty() && pair.b.status().sas.empty());
}

// The initiator asks for a hash that it will take; the gateway's rule is the client's to meet.
TEST(Certificates, RuleForAuth_IsKeptByEitherEnd) {
  const auto with_rule = [](const std::function<void(model::Connection&)>& before) {
    return [before](model::Connection& c) {
      before(c);
      c.remote.rules = *model::parse_signature_rules("ike:ecdsa-sha512");
    };
  };
  Pair::Options of_initiator = certificates(TestKey::p256);
  of_initiator.initiator = with_rule(of_initiator.initiator);
  Pair asked(of_initiator);
  asked.initiate();
  asked.settle();
  EXPECT_EQ(asked.a.installed.size(), 1U) << asked.transcript();

  // P-256 signs with SHA-256 unless it is asked not to.
  Pair::Options of_responder = certificates(TestKey::p256);
  of_responder.responder = with_rule(of_responder.responder);
  Pair refused(of_responder);
  refused.initiate();
  refused.settle();
  EXPECT_EQ(refused.b.failures(ike::Reason::auth_rule), 1U) << refused.transcript();
  EXPECT_TRUE(refused.b.installed.empty());
}

// kCertificatesMax, with the peer's own.
TEST(Certificates, OfOnePeer_AreLimited) {
  for (const std::size_t beyond : {0U, 1U}) {
    Pair pair(certificates(TestKey::p256));
    pair.a.padding_certificates = ike::kCertificatesMax - 1 + beyond;
    pair.initiate();
    pair.settle();
    EXPECT_EQ(pair.b.installed.size(), 1U - beyond);
    EXPECT_EQ(pair.b.failures(ike::Reason::limit), beyond);
  }
}

// A certificate where a shared key is wanted, and the reverse: neither lowers the other.
TEST(Certificates, OtherMethod_IsRefused) {
  Pair::Options options = certificates(TestKey::p256);
  options.responder = {};
  Pair pair(options);
  pair.initiate();
  pair.settle();
  EXPECT_TRUE(pair.a.installed.empty() && pair.b.installed.empty());
  EXPECT_EQ(pair.b.events_of<ike::event::IkeUp>().size(), 0U);
  EXPECT_FALSE(pair.b.events_of<ike::event::Failed>().empty());
}

// The plane cannot install: the child goes on both ends, with a record.
TEST(InstallFailed, ChildIsDeletedTowardsThePeer) {
  Pair pair;
  pair.initiate();
  pair.settle();
  const model::ChildId child = pair.a.installed.begin()->first;
  pair.a.plane(model::plane::InstallFailed{.child = child, .error = make_error("no memory")});
  pair.settle();
  EXPECT_EQ(pair.a.failures(ike::Reason::install_failed), 1U);
  EXPECT_TRUE(pair.a.installed.empty() && pair.b.installed.empty());
}

}  // namespace
}  // namespace cygnet::test
