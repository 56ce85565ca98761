// What `cygnet why` prints.
#include "cli/why.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tree.hpp"

namespace cygnet::cli {
namespace {

vici::Message record(std::uint64_t id, const char* connection) {
  vici::Message out;
  out.add("id", id).add("age", std::uint64_t{12}).add("reason", "no_common_proposal");
  out.add("role", "responder").add("phase", "IKE_SA_INIT");
  out.add("local", "192.0.2.1[500]").add("remote", "192.0.2.2[500]");
  if (*connection != 0) out.add("connection", connection);
  out.add("remote-id", "cl\xff.example").add("field", "proposals").add("ours", "A");
  out.add("theirs", "B").add("advice", "add B to proposals");
  out.section("candidates")
      .section("0")
      .add("connection", "rw")
      .add("field", "remote_addrs")
      .add("ours", "10.0.0.1")
      .add("theirs", "192.0.2.2");
  return out;
}

TEST(Why, Text) {
  EXPECT_EQ(why_text({record(1, "home")}),
            "12 s ago, refused 192.0.2.2[500]: no_common_proposal\n"
            "  during      IKE_SA_INIT\n"
            "  connection  home\n"
            "  peer        cl\xff.example\n"
            "  field       proposals\n"
            "  ours        A\n"
            "  theirs      B\n"
            "  not 'rw', its remote_addrs does not fit: ours 10.0.0.1, theirs 192.0.2.2\n"
            "  what to do  add B to proposals\n");
}

// docs/why-json.md
TEST(Why, Json) {
  const auto json = nlohmann::json::parse(why_json({record(7, "")}));
  EXPECT_EQ(json["version"], 1);
  ASSERT_EQ(json["failures"].size(), 1u);
  const auto& one = json["failures"][0];
  EXPECT_EQ(one["id"], 7);
  EXPECT_EQ(one["age_s"], 12);
  EXPECT_EQ(one["initiator"], false);
  EXPECT_EQ(one["reason"], "no_common_proposal");
  EXPECT_EQ(one["connection"], nullptr);
  EXPECT_EQ(one["remote_id"], "cl\xef\xbf\xbd.example");
  EXPECT_EQ(one["advice"], "add B to proposals");
  EXPECT_EQ(one["candidates"][0]["field"], "remote_addrs");
  EXPECT_EQ(one["times"], 1);
  EXPECT_EQ(one["product"], nullptr);
  EXPECT_EQ(one.size(), 16u);
  EXPECT_EQ(nlohmann::json::parse(why_json({}))["failures"].size(), 0u);
}

TEST(Why, Records_AreThoseAboutAPeer_EachOnce) {
  const std::vector<vici::Message> all{record(1, "home"), record(2, "office"), record(2, "office"),
                                       record(3, "")};
  EXPECT_EQ(records_about(all, "").size(), 3u);
  EXPECT_EQ(records_about(all, "office").size(), 1u);
  EXPECT_EQ(records_about(all, "192.0.2.2").size(), 3u);
  EXPECT_EQ(records_about(all, "nobody").size(), 0u);
}

// Peers choose what their identity is called; the terminal is ours.
TEST(Printable, NoControlCharacterReachesTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\r\x7f\n c\xc3\xa9"), "a?[2Jb??\n c\xc3\xa9");
}

}  // namespace
}  // namespace cygnet::cli
