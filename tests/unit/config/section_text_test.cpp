// A tree as the text of swanctl.conf, and back.
#include "config/section_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "config/swanctl_parser.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::config {
namespace {

struct Parsed {
  Section root;
  std::string faults;
};
Parsed parse(const std::string& text) {
  test::MemoryFiles files;
  Diagnostics diags;
  Section root = parse_swanctl_text(text, "c", files, diags);
  return {std::move(root), diags.text()};
}

Section root_with(const std::string& name, const std::string& value) {
  Section root;
  root.keys.push_back({.name = name, .value = value});
  return root;
}
std::string printed(const Section& root, Secrets secrets = Secrets::written) {
  const auto text = section_text(root, secrets);
  EXPECT_TRUE(text) << text.error().text();
  return text.value_or("");
}

TEST(SectionText, IsTidy) {
  const std::string text =
      "connections {\n"
      "  a {\n"
      "    version = 2\n"
      "    local {\n"
      "      id = \"C=DE, O=\\\"x\\\"\"\n"
      "    }\n"
      "  }\n"
      "\n"
      "  b {\n"
      "    encap =\n"
      "  }\n"
      "}\n"
      "\n"
      "pools {\n"
      "  10.0.0.0/24 {\n"
      "    addrs = 10.0.0.0/24\n"
      "  }\n"
      "}\n";
  EXPECT_EQ(printed(parse(text).root), text);
}

TEST(SectionText, ValuesAreQuotedWhereTheyMustBe) {
  EXPECT_EQ(printed(root_with("a", "two words")), "a = two words\n");
  EXPECT_EQ(printed(root_with("a", "two  words")), "a = \"two  words\"\n");
  EXPECT_EQ(printed(root_with("a", "x#y")), "a = \"x#y\"\n");
  EXPECT_EQ(printed(root_with("a", "x}")), "a = \"x}\"\n");
  EXPECT_EQ(printed(root_with("a", "{")), "a = \"{\"\n");
  EXPECT_EQ(printed(root_with("a", "back\\slash")), "a = \"back\\\\slash\"\n");
  EXPECT_EQ(printed(root_with("a", "1\n2\r3\t4")), "a = \"1\\n2\\r3\\t4\"\n");
}

TEST(SectionText, ColonInAName_IsDoubled) {
  Section root;
  root.sections.push_back({.name = "fec0::/64"});
  EXPECT_EQ(printed(root), "fec0::::/64 {\n}\n");
}

TEST(SectionText, ListsOfItems_BecomeOneValue) {
  Section root;
  root.keys.push_back({.name = "vips", .value = {}, .items = {"0.0.0.0", "::"}});
  EXPECT_EQ(printed(root), "vips = 0.0.0.0, ::\n");
}

TEST(SectionText, SecretsCanBeLeftOut) {
  const Section root =
      parse(
          "secrets { ike { id = a\n secret = \"s3cret\" }\n token { pin = 1234 } }\n"
          "connections { secret { secret = kept } }")
          .root;
  const std::string text = printed(root, Secrets::left_out);
  EXPECT_EQ(text.find("s3cret"), std::string::npos) << text;
  EXPECT_EQ(text.find("1234"), std::string::npos) << text;
  EXPECT_NE(text.find("    # secret is left out\n"), std::string::npos) << text;
  EXPECT_NE(text.find("secret = kept"), std::string::npos) << text;
  EXPECT_EQ(parse(text).faults, "");
}

TEST(SectionText, WhatTheSyntaxCannotSay_IsAnError) {
  EXPECT_FALSE(section_text(root_with("", "x"), Secrets::written));
  EXPECT_FALSE(section_text(root_with("a b", "x"), Secrets::written));
  EXPECT_FALSE(section_text(root_with("a.b", "x"), Secrets::written));
  EXPECT_FALSE(section_text(root_with("a", std::string{"x\0y", 3}), Secrets::written));
  EXPECT_FALSE(
      section_text(root_with("a", std::string(kValueOctetsMax + 1, 'x')), Secrets::written));
  Section list;
  list.keys.push_back({.name = "a", .value = {}, .items = {"x,y"}});
  EXPECT_FALSE(section_text(list, Secrets::written));
  Section deep;
  Section* at = &deep;
  for (std::size_t i = 0; i < kSectionDepthMax + 1; ++i) {
    at->sections.push_back({.name = "s"});
    at = &at->sections.front();
  }
  EXPECT_FALSE(section_text(deep, Secrets::written));
}

// --- the property: whatever tree there is, its text reads back as that tree
// -----------------------

rc::Gen<std::string> any_name() {
  const auto letter = rc::gen::oneOf(rc::gen::elementOf(std::string{"aZ09-_/*%@:!$[];'\\"}),
                                     rc::gen::inRange('\x21', '\x7e'));
  return rc::gen::suchThat(
      rc::gen::nonEmpty(rc::gen::container<std::string>(letter)), [](const std::string& name) {
        return name.size() <= kNameOctetsMax && name.find_first_of("{}=#\",.") == std::string::npos;
      });
}

rc::Gen<std::string> any_value() {
  const auto special = rc::gen::elementOf(std::string{" \t\r\n\"\\#{}=,:;n"});
  const auto octet = rc::gen::map(rc::gen::inRange(1, 256), [](int c) {
    return static_cast<char>(static_cast<unsigned char>(c));
  });
  return rc::gen::container<std::string>(rc::gen::oneOf(special, octet));
}

Section any_section(const std::string& name, int depth) {
  Section out{.name = name, .place = {}, .keys = {}, .sections = {}};
  for (const std::string& key : *rc::gen::container<std::set<std::string>>(any_name())) {
    out.keys.push_back({.name = key, .value = *any_value()});
  }
  if (depth == 0) return out;
  for (const std::string& inner :
       *rc::gen::resize(4, rc::gen::container<std::set<std::string>>(any_name()))) {
    out.sections.push_back(any_section(inner, depth - 1));
  }
  return out;
}

RC_GTEST_PROP(SectionText, ReadsBackAsTheSameTree, ()) {
  const Section tree = any_section("", 2);
  const auto text = section_text(tree, Secrets::written);
  RC_ASSERT(text.has_value());
  const Parsed back = parse(*text);
  RC_ASSERT(back.faults.empty());
  RC_ASSERT(same_values(back.root, tree));
}

}  // namespace
}  // namespace cygnet::config
