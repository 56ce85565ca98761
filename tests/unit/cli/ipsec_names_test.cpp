// What the names given to `ipsec` mean.
#include "cli/ipsec_names.hpp"

#include <gtest/gtest.h>

namespace cygnet::cli {
namespace {

using vici::List;
using vici::Message;
using Messages = std::vector<Message>;

/// list-conn: two conns of ipsec.conf that share an IKE_SA, and a connection of swanctl.conf.
Messages connections() {
  Message shared;
  Message& children = shared.section("lap").section("children");
  children.section("lap").add("mode", "TUNNEL");
  children.section("lap2").add("mode", "PASS");
  Message plain;
  Message& nets = plain.section("home").section("children");
  nets.section("net").add("mode", "TUNNEL");
  nets.section("lan").add("mode", "DROP");
  return {shared, plain};
}

std::string text(const std::optional<Conn>& conn) {
  return conn ? conn->connection + "/" + conn->child + " " + conn->mode : "none";
}

TEST(IpsecConn, ChildOfItsNameThenConnectionThenAnyChild) {
  EXPECT_EQ(text(find_conn("lap", connections())), "lap/lap TUNNEL");
  EXPECT_EQ(text(find_conn("lap2", connections())), "lap/lap2 PASS");
  EXPECT_EQ(text(find_conn("home", connections())), "home/ ");
  EXPECT_EQ(text(find_conn("net", connections())), "home/net TUNNEL");
  EXPECT_EQ(text(find_conn("nosuch", connections())), "none");
}

TEST(IpsecConn, RoutesAllChildrenOfAConnection) {
  const auto children = find_children("home", connections());
  ASSERT_EQ(children.size(), 2u);
  EXPECT_EQ(text(children[0]), "home/net TUNNEL");
  EXPECT_EQ(text(children[1]), "home/lan DROP");
  EXPECT_TRUE(children[1].is_shunt());
  EXPECT_EQ(find_children("lap", connections()).size(), 1u);
  EXPECT_TRUE(find_children("nosuch", connections()).empty());
}

TEST(IpsecConn, PolicyByItsChild) {
  Message event;
  event.section("lap/lap2").add("child", "lap2").add("ike", "lap").add("mode", "PASS");
  EXPECT_EQ(text(find_policy("lap2", {event})), "lap/lap2 PASS");
  EXPECT_EQ(text(find_policy("lap", {event})), "none");
}

/// list-sa: an IKE_SA `name` with a child, which has the number ten times as high.
Message sa(const std::string& name, const std::string& id, const std::string& child,
           const char* state = "ESTABLISHED") {
  Message out;
  Message& body = out.section(name);
  body.add("uniqueid", id).add("state", state).add("remote-vips", List{"10.9.1." + id});
  Message& children = body.section("child-sas");
  if (!child.empty()) children.section(child + "-1").add("name", child).add("uniqueid", id + "0");
  return out;
}

/// "IKE_SA [1] ike=lap; ..."
std::string text(const std::vector<Closing>& closings) {
  std::string out;
  for (const Closing& one : closings) {
    out += one.what + ":";
    for (const vici::Item& item : one.request.items()) {
      out += " " + item.name + "=" + std::get<std::string>(item.content);
    }
    out += ";";
  }
  return out;
}

const Messages kSas{sa("lap", "1", "lap2"), sa("rw", "2", "rw"), sa("rw", "3", "rw"),
                    sa("idle", "4", ""), sa("calling", "5", "", "CONNECTING")};

// One of its kind is closed by its name, so that it is not called again.
TEST(IpsecDown, TheOnlyOneByName) {
  EXPECT_EQ(text(find_closings("lap", kSas)), "IKE_SA [1]: ike=lap;");
  EXPECT_EQ(text(find_closings("lap2", kSas)), "CHILD_SA {10}: ike=lap child=lap2;");
}

TEST(IpsecDown, TheFirstOfSeveral) {
  EXPECT_EQ(text(find_closings("rw", kSas)), "IKE_SA [2]: ike=rw ike-id=2;");
}

TEST(IpsecDown, WhatIsNotUpIsNotWantedAnyMore) {
  EXPECT_EQ(text(find_closings("home", kSas)), ": ike=home;: child=home;");
}

TEST(IpsecDown, All) {
  EXPECT_EQ(text(find_closings("rw[*]", kSas)),
            "IKE_SA [2]: ike=rw ike-id=2;IKE_SA [3]: ike=rw ike-id=3;");
  EXPECT_EQ(text(find_closings("rw{*}", kSas)),
            "CHILD_SA {20}: ike=rw child-id=20;CHILD_SA {30}: ike=rw child-id=30;");
  EXPECT_EQ(text(find_closings("rw{}", kSas)), text(find_closings("rw{*}", kSas)));
  EXPECT_EQ(text(find_closings("nosuch[*]", kSas)), "");
}

TEST(IpsecDown, ByNumber_WhateverTheName) {
  EXPECT_EQ(text(find_closings("rw[3]", kSas)), "IKE_SA [3]: ike=rw ike-id=3;");
  EXPECT_EQ(text(find_closings("[1]", kSas)), "IKE_SA [1]: ike=lap ike-id=1;");
  EXPECT_EQ(text(find_closings("x{10}", kSas)), "CHILD_SA {10}: ike=lap child-id=10;");
  EXPECT_EQ(text(find_closings("{77}", kSas)), "CHILD_SA {77}: child-id=77;");
}

TEST(IpsecDown, OddNames) {
  EXPECT_EQ(text(find_closings("]", kSas)), ": ike=];: child=];");
  EXPECT_EQ(text(find_closings("", kSas)), ": ike=;: child=;");
}

TEST(IpsecDown, ByVirtualAddress) {
  const auto at = [](const char* address) { return *IpAddress::parse(address); };
  EXPECT_EQ(text(find_clients({at("10.9.1.2"), at("10.9.1.3")}, kSas)),
            "IKE_SA [2]: ike=rw ike-id=2;IKE_SA [3]: ike=rw ike-id=3;");
  EXPECT_EQ(text(find_clients({at("10.9.9.1"), at("10.9.9.9")}, kSas)), "");
}

TEST(IpsecPurgeIke, OnlyWhatStandsAndIsEmpty) {
  EXPECT_EQ(text(find_idle(kSas)), "IKE_SA [4]: ike=idle ike-id=4;");
}

}  // namespace
}  // namespace cygnet::cli
