// What `cygnet plan` and `cygnet apply` print.
#include "cli/plan.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cygnet::cli {
namespace {

vici::Message change(const char* kind, const char* what, const char* name) {
  vici::Message out;
  out.add("change", kind).add("what", what).add("name", name);
  return out;
}

PlanInput some() {
  PlanInput out{.changes = {change("added", "pool", "p"), change("changed", "connection", "home"),
                            change("removed", "secret", "ike-a")},
                .warnings = {"c:1:2: warning: odd"}};
  vici::Message& home = out.changes[1];
  home.section("options")
      .section("0")
      .add("option", "dpd_delay")
      .add("before", "30s")
      .add("after", "");
  home.add("goes-down", vici::List{"net"}).add("unrouted", vici::List{"lan"});
  return out;
}

TEST(PlanText, SaysWhatChanges) {
  EXPECT_EQ(plan_text(some()),
            "c:1:2: warning: odd\n"
            "+ pool p\n"
            "~ connection home\n"
            "    dpd_delay: 30s -> (none)\n"
            "    goes down: net\n"
            "    no longer waits for traffic: lan\n"
            "- secret ike-a\n"
            "plan: 1 added, 1 changed, 1 removed; 1 tunnel goes down\n");
}

TEST(PlanText, NothingToDo) {
  EXPECT_EQ(plan_text({}), "nothing would change\n");
  EXPECT_EQ(plan_text({.applied = true}), "nothing has changed\n");
}

// docs/plan-json.md
TEST(PlanJson, Document) {
  const auto json = nlohmann::json::parse(plan_json(some()));
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["applied"], false);
  EXPECT_EQ(json["warnings"][0], "c:1:2: warning: odd");
  const auto& home = json["changes"][1];
  EXPECT_EQ(home["change"], "changed");
  EXPECT_EQ(home["what"], "connection");
  EXPECT_EQ(home["options"][0]["option"], "dpd_delay");
  EXPECT_EQ(home["options"][0]["after"], "");
  EXPECT_EQ(home["goes_down"], nlohmann::json::array({"net"}));
  EXPECT_EQ(home["unrouted"], nlohmann::json::array({"lan"}));
  EXPECT_EQ(home.size(), 6u);
}

}  // namespace
}  // namespace cygnet::cli
