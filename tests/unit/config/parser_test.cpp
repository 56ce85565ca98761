// The grammar of swanctl.conf.
#include <gtest/gtest.h>

#include "config/swanctl_parser.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::config {
namespace {

constexpr const char* kFile = "/etc/swanctl/swanctl.conf";

/// The tree as text: "name{key=value;...}".
std::string shown(const Section& section) {
  std::string out;
  for (const Key& key : section.keys) out += key.name + "=" + key.value + ";";
  for (const Section& inner : section.sections) out += inner.name + "{" + shown(inner) + "}";
  return out;
}

struct Parsed {
  std::string tree;
  std::string faults;
};
Parsed parse(const std::string& text, std::map<std::string, std::string> files = {}) {
  test::MemoryFiles memory{std::move(files)};
  Diagnostics diags;
  const Section root = parse_swanctl_text(text, kFile, memory, diags);
  return {shown(root), diags.text()};
}
std::string tree(const std::string& text) {
  const Parsed out = parse(text);
  EXPECT_EQ(out.faults, "");
  return out.tree;
}

TEST(Parser, SectionsAndKeys) {
  EXPECT_EQ(tree("a { b = 1\n c { d = 2 } }\ne = 3\n"), "e=3;a{b=1;c{d=2;}}");
  EXPECT_EQ(tree("a{b=1}\n"), "a{b=1;}");
  EXPECT_EQ(tree(""), "");
  EXPECT_EQ(tree("a {\r\n  b = x\r\n}\r\n"), "a{b=x;}");
}

TEST(Parser, Values_EndAtLineCommentOrBrace) {
  EXPECT_EQ(tree("a { b = some text # comment\n c = x }"), "a{b=some text;c=x;}");
  EXPECT_EQ(tree("# only a comment"), "");
  EXPECT_EQ(tree("a { b = \n c = 1 }"), "a{b=;c=1;}");
}

TEST(Parser, Quotes_KeepWhatIsSpecial) {
  EXPECT_EQ(tree("a = \"C=DE, O=x # y { }\""), "a=C=DE, O=x # y { };");
  EXPECT_EQ(tree("a = \"tab\\tquote\\\"backslash\\\\\""), "a=tab\tquote\"backslash\\;");
  EXPECT_EQ(tree("a = \"one \\\ntwo\""), "a=one two;");
  EXPECT_EQ(tree("a = \"one\ntwo\""), "a=one\ntwo;");
}

TEST(Parser, SectionAgain_ExtendsAndKeyAgain_Replaces) {
  const Parsed out = parse("a { b = 1\n c = 2 }\na { b = 3 }");
  EXPECT_EQ(out.tree, "a{b=3;c=2;}");
  EXPECT_EQ(out.faults,
            std::string{kFile} +
                ":3:5: warning: 'b' is set again, its value in line 1 is lost; remove one\n");
}

TEST(Parser, References_InheritWhatIsMissing) {
  EXPECT_EQ(tree("base { x = 1\n y = 2\n in { z = 3 } }\na : base { y = 9 }"),
            "base{x=1;y=2;in{z=3;}}a{y=9;x=1;in{z=3;}}");
  // The leftmost reference wins; a reference may come before what it refers to.
  EXPECT_EQ(tree("a : one, two { }\none { k = 1 }\ntwo { k = 2\n l = 3 }"),
            "a{k=1;l=3;}one{k=1;}two{k=2;l=3;}");
  EXPECT_EQ(tree("g { base { k = 1 } }\na { c : g.base { } }"), "g{base{k=1;}}a{c{k=1;}}");
}

TEST(Parser, EmptyValue_HidesTheInheritedOne) {
  EXPECT_EQ(tree("base { k = 1 }\na : base { k = }"), "base{k=1;}a{k=;}");
}

TEST(Parser, Include_ExtendsTheSectionItStandsIn) {
  const Parsed out = parse("connections {\n include conf.d/*.conf\n}\n",
                           {{"/etc/swanctl/conf.d/a.conf", "a { k = 1 }\n"},
                            {"/etc/swanctl/conf.d/b.conf", "b { k = 2 }\n"},
                            {"/etc/swanctl/conf.d/c.txt", "c { }\n"}});
  EXPECT_EQ(out.faults, "");
  EXPECT_EQ(out.tree, "connections{a{k=1;}b{k=2;}}");
}

// --- what is wrong is said, at its place -------------------------------------------------------

std::string faults(const std::string& text, std::map<std::string, std::string> files = {}) {
  return parse(text, std::move(files)).faults;
}
void expect_at(const std::string& text, const std::string& place, const std::string& word) {
  const std::string found = faults(text);
  EXPECT_NE(found.find(std::string{kFile} + ":" + place + ": error: "), std::string::npos) << found;
  EXPECT_NE(found.find(word), std::string::npos) << found;
}

TEST(ParserFault, BracesThatDoNotMatch) {
  expect_at("a {\n b = 1\n", "1:1", "a");
  expect_at("a { }\n}\n", "2:1", "}");
}

TEST(ParserFault, QuoteThatNeverEnds) {
  expect_at("a = 1\nb = \"x\n", "2:5", "quote");
  EXPECT_EQ(faults("a { b = \"x }\n").find("is not closed, '}'"), std::string::npos)
      << "it has taken the brace";
}

TEST(ParserFault, NameWithoutValue) { expect_at("a {\n  bcd\n}\n", "2:3", "bcd"); }

TEST(ParserFault, UnknownReference_SuggestsTheNearest) {
  expect_at("defaults { }\na : default { }\n", "2:5", "defaults");
}

TEST(ParserFault, ReferenceCircle) { expect_at("a : b { }\nb : a { }\n", "1:5", "itself"); }

TEST(ParserFault, IncludeCircleEnds) {
  const std::string found =
      faults("include x.conf\n", {{"/etc/swanctl/x.conf", "include x.conf\n"}});
  EXPECT_NE(found.find("/etc/swanctl/x.conf:1:9: error: include"), std::string::npos) << found;
}

TEST(ParserFault, NulOctet_IsNoText) {
  EXPECT_EQ(faults(std::string{"a = 1\n\0b = 2\n", 13}),
            std::string{kFile} + ":2:1: error: NUL octet: this is not a text file\n");
}

TEST(ParserFault, ByteOrderMark_IsTakenWithAWarning) {
  const Parsed out = parse(
      "\xef\xbb\xbf"
      "a { b = 1 }\n");
  EXPECT_EQ(out.tree, "a{b=1;}");
  EXPECT_EQ(out.faults, std::string{kFile} +
                            ":1:1: warning: byte order mark: strongSwan does not take it; remove "
                            "it\n");
}

// Whatever the line is, what follows it is read.
TEST(ParserFault, LineOfAMegabyte) {
  const std::string long_text(1'000'000, 'x');
  const std::string place = std::string{kFile} + ":2:";
  for (const auto& [line, fault] :
       {std::pair{"b = " + long_text, "5: error: value longer than 65535 octets\n"},
        std::pair{"b = \"" + long_text + "\"", "6: error: value longer than 65535 octets\n"},
        std::pair{long_text + " = 1", "1: error: name longer than 240 characters\n"},
        std::pair{long_text + " { c = 1 }", "1: error: name longer than 240 characters\n"}}) {
    const Parsed out = parse("a = 1\n" + line + "\nd = 2\n");
    EXPECT_EQ(out.faults, place + fault) << line.substr(0, 20);
    EXPECT_NE(out.tree.find("d=2;"), std::string::npos) << out.tree.substr(0, 100);
  }
  EXPECT_EQ(tree("a = 1 # " + long_text + "\nd = 2\n"), "a=1;d=2;");
}

TEST(ParserFault, NestingIsBounded) {
  std::string deep;
  for (std::size_t i = 0; i < kSectionDepthMax + 5; ++i) deep += "a { ";
  EXPECT_NE(faults(deep), "");
}

TEST(ParserFault, InheritanceIsBounded) {
  // Each level doubles: 2^40 entries if nobody counted.
  std::string text = "l0 { k = v }\n";
  for (int i = 1; i <= 40; ++i) {
    const std::string below = "l" + std::to_string(i - 1);
    text += "l" + std::to_string(i) + " { a : " + below + " { }\n b : " + below + " { } }\n";
  }
  EXPECT_NE(faults(text), "");
}

TEST(ParserFault, LongValue_IsRefused) {
  EXPECT_NE(faults("a = " + std::string(kValueOctetsMax + 1, 'x') + "\n"), "");
  EXPECT_EQ(faults("a = " + std::string(kValueOctetsMax, 'x') + "\n"), "");
}

}  // namespace
}  // namespace cygnet::config
