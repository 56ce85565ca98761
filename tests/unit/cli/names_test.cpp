// What people call their tunnels.
#include "cli/names.hpp"

#include <gtest/gtest.h>

namespace cygnet::cli {
namespace {

std::vector<vici::Message> connections() {
  vici::Message a;
  vici::Message& children = a.section("home").section("children");
  children.section("net");
  children.section("lan");
  vici::Message b;
  b.section("work").section("children").section("net");
  return {a, b};
}
std::string found(std::string_view text) {
  const auto name = find_name(text, connections());
  return name ? name->connection + "/" + name->child : name.error().text();
}

TEST(Name, ConnectionChildOrBoth) {
  EXPECT_EQ(found("home"), "home/");
  EXPECT_EQ(found("lan"), "home/lan");
  EXPECT_EQ(found("work/net"), "work/net");
}

TEST(Name, Ambiguous_NamesTheChoices) {
  EXPECT_NE(found("net").find("home/net, work/net"), std::string::npos) << found("net");
}

TEST(Name, Unknown_NamesWhatThereIs) {
  EXPECT_NE(found("hom").find("connections are: home, work"), std::string::npos) << found("hom");
  EXPECT_NE(find_name("x", {}).error().text().find("no connection is configured"),
            std::string::npos);
}

}  // namespace
}  // namespace cygnet::cli
