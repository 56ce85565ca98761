// IKE_SA_INIT and IKE_AUTH between two engines, and every way they are refused. RFC 7296 §1.2
#include <gtest/gtest.h>

#include "pair.hpp"
#include "registry/vendor.hpp"
#include "wire/message.hpp"

namespace cygnet::test {
namespace {

// RFC 7296 §1.2. Four messages make an IKE_SA with its first child; both ends hold its keys.
TEST(IkeAuth, SharedKey_EstablishesWithOneChild) {
  Pair pair;
  pair.initiate();
  pair.settle();

  EXPECT_EQ(pair.transcript(),
            "a IKE_SA_INIT #0 request SA KE Ni N(NAT_DETECTION_SOURCE_IP) "
            "N(NAT_DETECTION_DESTINATION_IP) N(IKEV2_FRAGMENTATION_SUPPORTED) "
            "N(SIGNATURE_HASH_ALGORITHMS)\n"
            "b IKE_SA_INIT #0 response SA KE Nr N(NAT_DETECTION_SOURCE_IP) "
            "N(NAT_DETECTION_DESTINATION_IP) N(IKEV2_FRAGMENTATION_SUPPORTED) "
            "N(SIGNATURE_HASH_ALGORITHMS) N(CHILDLESS_IKEV2_SUPPORTED)\n"
            "a IKE_AUTH #1 request IDi N(INITIAL_CONTACT) IDr AUTH SA TSi TSr\n"
            "b IKE_AUTH #1 response IDr AUTH SA TSi TSr\n");
  ASSERT_EQ(pair.a.installed.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
  const auto& ours = pair.a.installed.begin()->second.spec;
  const auto& theirs = pair.b.installed.begin()->second.spec;
  EXPECT_TRUE(equal(ours.outbound->encr_key.reveal(), theirs.inbound->encr_key.reveal()));
  EXPECT_TRUE(equal(ours.inbound->encr_key.reveal(), theirs.outbound->encr_key.reveal()));
  EXPECT_FALSE(equal(ours.inbound->encr_key.reveal(), ours.outbound->encr_key.reveal()));
  EXPECT_EQ(model::text_of(ours.remote_ts), "10.1.0.0/24");
  const auto done = pair.a.events_of<ike::event::CommandDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_TRUE(done[0].success) << done[0].error;
}

// RFC 7296 §3.12. What the caller seems to be is told with the refusal: the first thing to know
// about a device of somebody else.
TEST(IkeAuth, VendorId_NamesTheProductOfWhoIsRefused) {
  Pair pair({.initiator = [](model::Connection& c) {
    c.proposals = *model::parse_proposals("aes128-sha256-modp2048", ProtocolId::ike);
  }});
  pair.initiate();
  ike::action::Send init = pair.a.outbox.front();
  auto message = wire::parse_message(init.bytes);
  ASSERT_TRUE(message.has_value());
  message->payloads.emplace_back(
      wire::VendorIdPayload{.data = *from_hex("1e2b516905991c7d7c96fcbfb587e46100000009")});
  const Bytes bytes = wire::write_message(message->header, message->payloads);
  ike::Actions out;
  pair.b.engine.handle(ike::Datagram{.local = init.remote, .remote = init.local, .bytes = bytes},
                       pair.b.now, out);
  pair.b.carry_out(std::move(out));
  const auto failed = pair.b.events_of<ike::event::Failed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].record.product, "Windows");
  EXPECT_EQ(product_of(as_bytes(std::string_view{"OE-Libreswan-5.4"})), "libreswan");
  EXPECT_EQ(product_of(as_bytes(std::string_view{"OE-Libre"})), "");
}

/// a's IKE_AUTH reaches b as if it came from there.
void authenticate_from(Pair& pair, const Endpoint& elsewhere) {
  pair.initiate();
  ASSERT_TRUE(pair.deliver_from(pair.a));
  ASSERT_TRUE(pair.deliver_from(pair.b));
  const ike::action::Send auth = pair.a.outbox.front();
  ike::Actions out;
  pair.b.engine.handle(
      ike::Datagram{.local = auth.remote, .remote = elsewhere, .bytes = auth.bytes}, pair.b.now,
      out);
  pair.b.carry_out(std::move(out));
}

// IKE_AUTH that comes from elsewhere: whoever has the keys could send it from any address. What
// counts is where its IKE_SA_INIT was answered.
TEST(IkeAuth, FromElsewhere_DoesNotMoveTheCaller) {
  const Endpoint elsewhere{IpAddress::v4(0xc6336409), 500};
  for (const bool nat : {false, true}) {
    Pair pair({.initiator = [](model::Connection& c) {
      c.children[0].local_ts = {*model::parse_selector("198.51.100.9/32")};
    }});
    if (nat) pair.nat = IpAddress::v4(0xcb007101);
    authenticate_from(pair, elsewhere);
    EXPECT_TRUE(pair.b.installed.empty()) << "dynamic meant the address that was claimed";
    EXPECT_EQ(pair.b.failures(ike::Reason::no_common_selectors), 1U);
  }
}

// Nor does it choose a connection that is meant for that address alone.
TEST(IkeAuth, FromElsewhere_DoesNotChooseTheConnection) {
  const IpAddress elsewhere = IpAddress::v4(0xc6336409);
  Pair pair({.responder = [&](model::Connection& c) {
    c.remote_addrs = {IpRange{elsewhere, elsewhere}};
  }});
  model::Connection anybody = basic_connection(false);
  anybody.name = "anybody";
  pair.b.command(ike::command::PutConnection{anybody});
  pair.nat = IpAddress::v4(0xcb007101);
  authenticate_from(pair, {elsewhere, 4500});
  ASSERT_EQ(pair.b.status().sas.size(), 1U);
  EXPECT_EQ(pair.b.status().sas[0].connection, "anybody");
}

// A wrong key: the responder answers with AUTHENTICATION_FAILED alone and keeps nothing.
TEST(IkeAuth, WrongSharedKey_IsRefusedAndRecorded) {
  Pair pair({.nodes = [](Node& a, Node&) { a.shared_key = {1, 2, 3}; }});
  pair.initiate();
  pair.settle();

  EXPECT_EQ(pair.b.failures(ike::Reason::psk_wrong), 1U);
  EXPECT_EQ(pair.a.failures(ike::Reason::peer_refused), 1U);
  EXPECT_TRUE(pair.a.status().sas.empty());
  EXPECT_TRUE(pair.b.status().sas.empty());
  EXPECT_TRUE(pair.a.installed.empty() && pair.b.installed.empty());
}

// No proposal in common: the record names the transform that differs, on the responder's side.
TEST(IkeSaInit, NoCommonProposal_IsExplained) {
  Pair pair({.responder = [](model::Connection& c) {
    c.proposals = *model::parse_proposals("aes256gcm16-prfsha256-ecp256", ProtocolId::ike);
  }});
  pair.initiate();
  pair.settle();
  for (int i = 0; i < 30; ++i) pair.pass(std::chrono::milliseconds{100});

  const auto failed = pair.b.events_of<ike::event::Failed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].record.reason, ike::Reason::no_common_proposal);
  EXPECT_EQ(failed[0].record.field, "proposals");
  EXPECT_NE(failed[0].record.line().find("ENCR"), std::string::npos) << failed[0].record.line();
  EXPECT_EQ(pair.a.failures(ike::Reason::no_common_proposal), 1U);
}

// RFC 7296 §1.3: the responder names the group it wants, the initiator starts anew with it.
// Which connection a caller gets is not known before it says who it is, and it may send its
// certificate only if it is asked for one.
TEST(IkeSaInit, ConnectionWithASharedKeyFirst_CertificatesAreAskedForAllTheSame) {
  Pair pair;
  model::Connection other = basic_connection(false);
  other.name = "certificates";
  other.remote.method = model::AuthClass::pubkey;
  pair.b.command(ike::command::SetAuthorities{{Bytes(20, 1)}});
  pair.initiate();
  pair.settle();
  EXPECT_EQ(pair.transcript().find("CERTREQ"), std::string::npos) << pair.transcript();
  pair.forget();
  pair.b.command(ike::command::PutConnection{other});
  pair.a.terminate();
  pair.settle();
  pair.initiate();
  pair.settle();
  EXPECT_NE(pair.transcript().find("CERTREQ"), std::string::npos) << pair.transcript();
  EXPECT_EQ(pair.a.installed.size(), 1U);
}

TEST(IkeSaInit, OtherGroup_IsRetriedWithIt) {
  Pair pair({.initiator = [](model::Connection& c) {
    c.proposals = *model::parse_proposals("aes128gcm16-prfsha256-x25519-ecp256", ProtocolId::ike);
  }});
  pair.initiate();
  pair.settle();
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
  EXPECT_EQ(pair.a.status().sas[0].suite.ke, KeId::ecp_256);
}

// RFC 7296 §2.6: above the threshold a COOKIE is asked for, and a real initiator brings it.
TEST(IkeSaInit, CookieAskedFor_IsBrought) {
  Pair pair({.config_b = {.cookie_threshold = 0}});
  pair.initiate();
  pair.settle();
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  EXPECT_EQ(pair.b.installed.size(), 1U);
}

// The initiator expects another gateway: it says AUTHENTICATION_FAILED and forgets.
TEST(IkeAuth, OtherResponderIdentity_IsRefusedByInitiator) {
  Pair pair({.responder =
                 [](model::Connection& c) {
                   c.local.id = model::Identity{.type = IdType::fqdn,
                                                .data = to_bytes(std::string_view{"x.example"})};
                 },
             .nodes = {}});
  pair.initiate();
  pair.settle();
  EXPECT_EQ(pair.b.failures(ike::Reason::identity_mismatch), 1U);
  EXPECT_TRUE(pair.a.installed.empty() && pair.b.installed.empty());
}

// Selectors that do not overlap: the IKE_SA stands, the child does not, both ends say why.
TEST(IkeAuth, NoCommonSelectors_IsExplained) {
  Pair pair({.initiator = [](model::Connection& c) {
    c.children[0].remote_ts = {*model::parse_selector("10.99.0.0/24")};
  }});
  pair.initiate();
  pair.settle();
  EXPECT_EQ(pair.b.failures(ike::Reason::no_common_selectors), 1U);
  EXPECT_EQ(pair.a.failures(ike::Reason::no_common_selectors), 1U);
  EXPECT_TRUE(pair.a.installed.empty() && pair.b.installed.empty());
  EXPECT_TRUE(pair.a.status().sas.empty()) << "an IKE_SA without use is deleted";
  EXPECT_TRUE(pair.b.status().sas.empty());
}

// RFC 7296 §2.19: the gateway leases an address, TSi is narrowed to it.
TEST(IkeAuth, VirtualAddress_IsLeasedAndUsed) {
  Pair pair({.initiator = [](model::Connection& c) { c.vips = {IpAddress::any(IpFamily::v4)}; },
             .responder = [](model::Connection& c) { c.pools = {"pool"}; },
             .nodes = [](Node&, Node& b) { b.pool = {IpAddress::v4(0x0a090001)}; }});
  pair.initiate();
  pair.settle();
  ASSERT_EQ(pair.a.installed.size(), 1U);
  EXPECT_EQ(model::text_of(pair.a.installed.begin()->second.spec.local_ts), "10.9.0.1/32");
  EXPECT_EQ(model::text_of(pair.b.installed.begin()->second.spec.remote_ts), "10.9.0.1/32");
  const auto vips = pair.a.events_of<ike::event::VirtualIps>();
  ASSERT_EQ(vips.size(), 1U);
  EXPECT_EQ(vips[0].dns[0].text(), "1.1.1.1");
}

// RFC 7296 §3.15.4: an empty pool is INTERNAL_ADDRESS_FAILURE, and said so on both sides.
TEST(IkeAuth, ExhaustedPool_IsExplained) {
  Pair pair({.initiator = [](model::Connection& c) { c.vips = {IpAddress::any(IpFamily::v4)}; },
             .responder = [](model::Connection& c) { c.pools = {"pool"}; }});
  pair.initiate();
  pair.settle();
  EXPECT_EQ(pair.b.failures(ike::Reason::pool_exhausted), 1U);
  EXPECT_EQ(pair.a.failures(ike::Reason::pool_exhausted), 1U);
  EXPECT_TRUE(pair.a.installed.empty() && pair.b.installed.empty());
}

// RFC 7296 §2.1: a lost message is repeated, and a repeated request gets the same answer.
TEST(IkeAuth, EachMessageLostOnce_StillEstablishes) {
  for (int lost = 0; lost < 4; ++lost) {
    Pair pair;
    int count = 0;
    pair.lose = [&](const ike::action::Send&) { return count++ == lost; };
    pair.initiate();
    pair.settle();
    pair.pass(std::chrono::seconds{4});
    pair.settle();
    EXPECT_EQ(pair.a.installed.size(), 1U) << "message " << lost << " lost";
    EXPECT_TRUE(pair.mirrored());
  }
}

// RFC 7296 §2.4: nobody answers. After 12 transmissions in 69 s the attempt ends with a record.
TEST(IkeSaInit, NoAnswer_GivesUpAfterTheSchedule) {
  Pair pair;
  int sent = 0;
  pair.lose = [&sent](const ike::action::Send&) {
    ++sent;
    return true;
  };
  pair.initiate();
  pair.settle();
  const auto wait = [&pair](Duration time) {
    for (Duration passed{0}; passed < time; passed += std::chrono::milliseconds{100}) {
      pair.pass(std::chrono::milliseconds{100});
      pair.settle();
    }
  };
  wait(std::chrono::seconds{68});
  EXPECT_EQ(pair.a.failures(ike::Reason::no_response), 0U);
  EXPECT_EQ(sent, 12);
  wait(std::chrono::seconds{3});
  EXPECT_EQ(pair.a.failures(ike::Reason::no_response), 1U);
  EXPECT_TRUE(pair.a.status().sas.empty());
}

// RFC 7296 §2.23: when a plane can do nothing but UDP, both ends believe in a NAT and float.
TEST(NatDetection, ForcedEncapsulation_FloatsToPort4500) {
  Pair pair({.config_a = {.force_udp_encap = true}});
  pair.initiate();
  pair.settle();
  ASSERT_EQ(pair.a.installed.size(), 1U);
  EXPECT_EQ(pair.b.installed.begin()->second.spec.remote.port, 4500);
  EXPECT_TRUE(pair.b.installed.begin()->second.spec.udp_encap);
}

}  // namespace
}  // namespace cygnet::test
