// IKE_SAs that come up before their first child.                   RFC 6023
#include <gtest/gtest.h>

#include "pair.hpp"

namespace cygnet::test {
namespace {

using model::Childless;

Pair::Options with(Childless initiator, Childless responder) {
  return {.initiator = [initiator](model::Connection& c) { c.childless = initiator; },
          .responder = [responder](model::Connection& c) { c.childless = responder; }};
}

std::vector<ike::event::CommandDone> brought_up(Pair& pair) {
  pair.initiate();
  pair.settle();
  return pair.a.events_of<ike::event::CommandDone>();
}

TEST(Childless, Preferred_MakesTheChildAfterwards) {
  Pair pair(with(Childless::prefer, Childless::allow));
  const auto done = brought_up(pair);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_TRUE(done[0].success);
  const std::string all = pair.transcript();
  EXPECT_NE(all.find("N(CHILDLESS_IKEV2_SUPPORTED)"), std::string::npos);
  EXPECT_NE(all.find("a IKE_AUTH #1 request IDi N(INITIAL_CONTACT) IDr AUTH\n"), std::string::npos)
      << all;
  EXPECT_NE(all.find("a CREATE_CHILD_SA #2 request SA Ni"), std::string::npos) << all;
  EXPECT_EQ(pair.a.installed.size(), 1U);
  EXPECT_TRUE(pair.mirrored());
}

// The address comes with IKE_AUTH all the same, and the child uses it.
TEST(Childless, VirtualIp_ComesWithIkeAuth) {
  Pair::Options options = with(Childless::force, Childless::force);
  options.initiator = [](model::Connection& c) {
    c.childless = Childless::force;
    c.vips = {IpAddress::any(IpFamily::v4)};
  };
  options.responder = [](model::Connection& c) {
    c.childless = Childless::force;
    c.pools = {"pool"};
  };
  const IpAddress given = IpAddress::v4(0x0a090001);
  options.nodes = [given](Node&, Node& b) { b.pool = {given}; };
  Pair pair(options);
  brought_up(pair);
  ASSERT_EQ(pair.a.installed.size(), 1U) << pair.transcript();
  EXPECT_EQ(pair.a.installed.begin()->second.spec.local_ts[0].range.first, given);
}

//= RFC6023#3 "The initiator MUST NOT send the modified IKE_AUTH request if the notification was
//=            not present."
TEST(Childless, PreferredButNotOffered_TheChildComesWithIkeAuth) {
  Pair pair(with(Childless::prefer, Childless::never));
  brought_up(pair);
  EXPECT_EQ(pair.transcript().find("CHILDLESS"), std::string::npos);
  EXPECT_EQ(pair.transcript().find("CREATE_CHILD_SA"), std::string::npos) << pair.transcript();
  EXPECT_EQ(pair.a.installed.size(), 1U);
}

TEST(Childless, ForcedButNotOffered_SaysSo) {
  Pair pair(with(Childless::force, Childless::never));
  const auto done = brought_up(pair);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_FALSE(done[0].success);
  EXPECT_NE(done[0].error.find("childless"), std::string::npos) << done[0].error;
  EXPECT_TRUE(pair.a.status().sas.empty());
}

//= RFC6023#3 test "The initiator MUST NOT send the modified IKE_AUTH request if the notification
//=                 was not present."
TEST(Childless, NoChildAndNotOffered_SaysSo) {
  auto options = with(Childless::prefer, Childless::never);
  const auto before = options.initiator;
  options.initiator = [before](model::Connection& c) {
    before(c);
    c.children.clear();
  };
  Pair pair(options);
  pair.initiate_from(pair.a, "");
  pair.settle();
  EXPECT_EQ(pair.transcript().find("IKE_AUTH"), std::string::npos) << pair.transcript();
  ASSERT_EQ(pair.a.events_of<ike::event::CommandDone>().size(), 1U);
  EXPECT_FALSE(pair.a.events_of<ike::event::CommandDone>()[0].success);
}

// The responder wants no child in IKE_AUTH and gets one: the IKE_SA is made, the child is not.
TEST(Childless, ForcedByTheResponder_RefusesTheFirstChild) {
  Pair pair(with(Childless::allow, Childless::force));
  const auto done = brought_up(pair);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_FALSE(done[0].success);
  EXPECT_NE(done[0].error.find("NO_ADDITIONAL_SAS"), std::string::npos) << done[0].error;
  EXPECT_EQ(pair.b.failures(ike::Reason::childless_only), 1U);
  EXPECT_TRUE(pair.a.installed.empty());
}

//= RFC6023#3 "it SHOULD reply with an INVALID_SYNTAX Notify payload if the client sends an IKE_AUTH
//=            request that is modified"
TEST(Childless, NotAllowed_IsInvalidSyntax) {
  Pair pair(with(Childless::force, Childless::allow));
  // b changes its mind between the two exchanges.
  pair.initiate();
  ASSERT_TRUE(pair.deliver_from(pair.a));
  model::Connection strict = basic_connection(false);
  strict.childless = Childless::never;
  pair.b.command(ike::command::PutConnection{strict});
  pair.settle();
  EXPECT_NE(pair.transcript().find("b IKE_AUTH #1 response N(INVALID_SYNTAX)"), std::string::npos)
      << pair.transcript();
  EXPECT_TRUE(pair.b.status().sas.empty());
  EXPECT_TRUE(pair.a.status().sas.empty());
}

// A connection without children can be brought up as an IKE_SA alone.
TEST(Childless, NoChildren_TheIkeSaAlone) {
  Pair::Options options = with(Childless::prefer, Childless::allow);
  options.initiator = [](model::Connection& c) {
    c.childless = Childless::prefer;
    c.children.clear();
  };
  Pair pair(options);
  pair.initiate_from(pair.a, "");
  pair.settle();
  const auto done = pair.a.events_of<ike::event::CommandDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_TRUE(done[0].success) << done[0].error;
  EXPECT_EQ(pair.a.status().sas.size(), 1U);
  EXPECT_TRUE(pair.a.installed.empty());
}

}  // namespace
}  // namespace cygnet::test
