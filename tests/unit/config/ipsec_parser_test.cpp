// The grammar of ipsec.conf, and what its sections inherit.
#include "config/ipsec_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/ipsec_keywords.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::config {
namespace {

constexpr const char* kFile = "/etc/ipsec.conf";

using Others = std::map<std::string, std::string>;

struct Parsed {
  IpsecConf conf;
  std::string faults;
};
Parsed parse(const std::string& text, Others others = {}) {
  others[kFile] = text;
  test::MemoryFiles files{std::move(others)};
  Diagnostics diags;
  IpsecConf conf = parse_ipsec(kFile, files, diags);
  return {std::move(conf), diags.text()};
}

std::string shown(const Section& section) {
  std::string out;
  for (const Key& key : section.keys) out += key.name + "=" + key.value + ";";
  return section.name + "{" + out + "}";
}
std::string shown(const std::vector<Section>& sections) {
  std::string out;
  for (const Section& section : sections) out += shown(section);
  return out;
}
/// The conns of a file that must be without fault.
std::string conns(const std::string& text, Others others = {}) {
  const Parsed out = parse(text, std::move(others));
  EXPECT_EQ(out.faults, "");
  return shown(out.conf.conns);
}
/// The value of `leftid` in a conn that has nothing else.
std::string value(const std::string& written) {
  const Parsed out = parse("conn a\n leftid=" + written + "\n");
  EXPECT_EQ(out.faults, "");
  if (out.conf.conns.size() != 1 || out.conf.conns[0].keys.size() != 1) return "?";
  return out.conf.conns[0].keys[0].value;
}
std::string faults(const std::string& text, Others others = {}) {
  return parse(text, std::move(others)).faults;
}

TEST(IpsecParser, ThreeKindsOfSections) {
  const Parsed out = parse(
      "# a comment\nversion 2\nconfig setup\n\tuniqueids=no\n\nconn a\n  left=%any\nca b\n"
      "  cacert=c.pem\n");
  EXPECT_EQ(out.faults, "");
  EXPECT_EQ(shown(out.conf.setup), "setup{uniqueids=no;}");
  EXPECT_EQ(shown(out.conf.conns), "a{left=%any;}");
  EXPECT_EQ(shown(out.conf.cas), "b{cacert=c.pem;}");
}

TEST(IpsecParser, EmptyFile_HasNothing) {
  const Parsed out = parse("");
  EXPECT_EQ(out.faults, "");
  EXPECT_TRUE(out.conf.conns.empty());
  EXPECT_EQ(out.conf.setup.place.text(), kFile);
}

TEST(IpsecParser, BlanksAroundTheEqualSign_DoNotCount) {
  EXPECT_EQ(conns("conn a\n\tleft \t = \t 10.0.0.1 \t \n"), "a{left=10.0.0.1;}");
}

TEST(IpsecParser, CommentsAndEmptyLines_StandAnywhere) {
  EXPECT_EQ(conns("conn a # one\n# at the margin\n\n  # indented\n  left=%any # behind\n \n"),
            "a{left=%any;}");
}

TEST(IpsecParser, LinesEndAsOnWindows) {
  EXPECT_EQ(conns("conn a\r\n  left=%any\r\n\r\n  leftid=\"x y\"\r\n"), "a{left=%any;leftid=x y;}");
}

TEST(IpsecParser, LastLine_NeedsNoEnd) { EXPECT_EQ(conns("conn a\n left=%any"), "a{left=%any;}"); }

TEST(IpsecParser, WordsOfAValue_AreJoinedByOneSpace) {
  EXPECT_EQ(value("C=DE,   O=Example \t CN=x"), "C=DE, O=Example CN=x");
}

TEST(IpsecParser, Quotes_KeepBlanksAndHashes) {
  EXPECT_EQ(value("\"C=DE,  O=a # b\""), "C=DE,  O=a # b");
  EXPECT_EQ(value("\"\""), "");
}

// As strongSwan has it: only an '@' that starts a word takes the '#' with it.
TEST(IpsecParser, KeyId_NeedsNoQuotes) {
  EXPECT_EQ(value("@#0a0b"), "@#0a0b");
  EXPECT_EQ(value("a @#0a0b # comment"), "a @#0a0b");
  EXPECT_EQ(value("x@ #0a0b"), "x@");
}

TEST(IpsecParser, Quotes_HaveEscapes) {
  EXPECT_EQ(value(R"("a\"b\\c\nd\re\tf\bg\fh\i")"), "a\"b\\c\nd\re\tf\bg\fhi");
}

TEST(IpsecParser, BackslashAtTheEnd_JoinsQuotedLines) {
  EXPECT_EQ(value("\"one \\\ntwo \\\r\nthree\""), "one two three");
}

TEST(IpsecParser, LinesAreCountedThroughJoinedOnes) {
  EXPECT_EQ(faults("conn a\n leftid=\"x\\\ny\"\n rigth=%any\n"),
            "/etc/ipsec.conf:4:2: error: unknown keyword 'rigth', did you mean 'right'?\n");
}

TEST(IpsecParser, EmptyValue_StaysToHideWhatIsInherited) {
  EXPECT_EQ(conns("conn %default\n left=10.0.0.1\nconn a\n left=\n"), "a{left=;}");
}

TEST(IpsecParser, SectionAgain_GoesOn) {
  const Parsed out = parse("conn a\n left=%any\nconn b\nconn a\n right=%any\n");
  EXPECT_EQ(shown(out.conf.conns), "a{left=%any;right=%any;}b{}");
  EXPECT_EQ(out.faults, "/etc/ipsec.conf:4:6: warning: section 'a' continues the one in line 1\n");
}

TEST(IpsecParser, ParameterAgain_Replaces) {
  const Parsed out = parse("conn a\n keylife=1h\n lifetime=2h\n");
  EXPECT_EQ(shown(out.conf.conns), "a{lifetime=2h;}");
  EXPECT_EQ(out.faults,
            "/etc/ipsec.conf:3:2: warning: 'lifetime' is set again, its value in line 2 is lost; "
            "remove one\n");
}

TEST(IpsecParser, Synonyms_HaveOneName) {
  const Parsed out = parse("conn a\n rekeymargin=1m\n rightsubnetwithin=10.0.0.0/8\n");
  ASSERT_EQ(shown(out.conf.conns), "a{margintime=1m;rightsubnet=10.0.0.0/8;}");
  EXPECT_EQ(out.conf.conns[0].keys[0].shown(), "rekeymargin");
  EXPECT_EQ(out.conf.conns[0].keys[1].shown(), "rightsubnetwithin");
}

TEST(IpsecParser, Places_AreThoseOfNameAndValue) {
  const Parsed out = parse("conn  a\n\tleft =  10.0.0.1\n  leftid=\"x\"\n");
  ASSERT_EQ(out.conf.conns.size(), 1u);
  const Section& conn = out.conf.conns[0];
  EXPECT_EQ(conn.place.text(), "/etc/ipsec.conf:1:7");
  EXPECT_EQ(conn.keys[0].place.text(), "/etc/ipsec.conf:2:2");
  EXPECT_EQ(conn.keys[0].value_place.text(), "/etc/ipsec.conf:2:10");
  EXPECT_TRUE(conn.keys[0].verbatim);
  EXPECT_EQ(conn.keys[1].value_place.text(), "/etc/ipsec.conf:3:11");
}

TEST(IpsecParser, ValueThatWasChanged_IsNotVerbatim) {
  const Parsed out = parse("conn a\n leftid=a  b\n rightid=\"a\\\"b\"\n");
  ASSERT_EQ(out.conf.conns.size(), 1u);
  EXPECT_FALSE(out.conf.conns[0].keys[0].verbatim);
  EXPECT_FALSE(out.conf.conns[0].keys[1].verbatim);
}

// --- inheritance
// -----------------------------------------------------------------------------------

TEST(IpsecInherit, Default_FillsEverySection) {
  EXPECT_EQ(conns("conn a\n left=%any\nconn %default\n left=10.0.0.1\n auto=add\nconn b\n"),
            "a{left=%any;auto=add;}b{left=10.0.0.1;auto=add;}");
}

TEST(IpsecInherit, Default_IsOfItsKind) {
  const Parsed out = parse("ca %default\n auto=add\nconn a\nca b\n");
  EXPECT_EQ(shown(out.conf.conns), "a{}");
  EXPECT_EQ(shown(out.conf.cas), "b{auto=add;}");
}

TEST(IpsecInherit, Own_WinAlsoBeforeAnAlso) {
  EXPECT_EQ(conns("conn a\n left=10.0.0.1\n also=b\nconn b\n left=10.0.0.2\n right=10.0.0.3\n"),
            "a{left=10.0.0.1;right=10.0.0.3;}b{left=10.0.0.2;right=10.0.0.3;}");
}

TEST(IpsecInherit, LastAlso_WinsOverTheOnesBefore) {
  EXPECT_EQ(conns("conn a\n also=b\n also=c\nconn b\n left=10.0.0.2\n right=%any\nconn c\n "
                  "left=10.0.0.3\n"),
            "a{left=10.0.0.3;right=%any;}b{left=10.0.0.2;right=%any;}c{left=10.0.0.3;}");
}

TEST(IpsecInherit, NearestWins) {
  EXPECT_EQ(conns("conn a\n also=b\nconn b\n also=c\n left=10.0.0.2\nconn c\n left=10.0.0.3\n "
                  "right=10.0.0.4\n"),
            "a{left=10.0.0.2;right=10.0.0.4;}b{left=10.0.0.2;right=10.0.0.4;}"
            "c{left=10.0.0.3;right=10.0.0.4;}");
}

TEST(IpsecInherit, Also_WinsOverDefault) {
  EXPECT_EQ(conns("conn %default\n left=10.0.0.1\nconn a\n also=b\nconn b\n left=10.0.0.2\n"),
            "a{left=10.0.0.2;}b{left=10.0.0.2;}");
}

TEST(IpsecInherit, AlsoOfDefault_DoesNotCount) {
  const Parsed out = parse("conn %default\n also=b\nconn a\nconn b\n left=10.0.0.2\n");
  EXPECT_EQ(shown(out.conf.conns), "a{}b{left=10.0.0.2;}");
  EXPECT_EQ(out.faults,
            "/etc/ipsec.conf:2:2: warning: 'also' has no effect in %default; write it into the "
            "sections\n");
}

TEST(IpsecInherit, WhoIsInheritedFrom_IsMarked) {
  const Parsed out = parse("conn a\n also=b\nconn b\n");
  ASSERT_EQ(out.conf.conns.size(), 2u);
  EXPECT_FALSE(out.conf.conns[0].referenced);
  EXPECT_TRUE(out.conf.conns[1].referenced);
}

TEST(IpsecInherit, MissingSection_IsNamedAndTheNearestSuggested) {
  EXPECT_EQ(faults("conn a\n also=bass\nconn base\n"),
            "/etc/ipsec.conf:2:7: error: also: there is no section 'conn bass', did you mean "
            "'base'?\n");
}

TEST(IpsecInherit, Circle_NamesBothPlaces) {
  EXPECT_EQ(faults("conn a\n also=b\nconn b\n also=a\n"),
            "/etc/ipsec.conf:4:7: error: also goes in a circle: 'a' -> 'b' (at "
            "/etc/ipsec.conf:2:7) -> 'a'\n");
}

TEST(IpsecInherit, SectionWithinItself_IsACircle) {
  EXPECT_EQ(faults("conn a\n also=a\n"),
            "/etc/ipsec.conf:2:7: error: also goes in a circle: 'a' -> 'a'\n");
}

TEST(IpsecInherit, RowOfSections_IsBounded) {
  const auto row = [](std::size_t length) {
    std::string text = "conn a0\n left=%any\n";
    for (std::size_t i = 1; i <= length; ++i) {
      text = "conn a" + std::to_string(i) + "\n also=a" + std::to_string(i - 1) + "\n" + text;
    }
    return text;
  };
  EXPECT_EQ(faults(row(kAlsoDepthMax)), "");
  EXPECT_NE(faults(row(kAlsoDepthMax + 1)).find("error: also: more than 32 sections in a row"),
            std::string::npos);
}

TEST(IpsecInherit, AlsoOfOneSection_AreBounded) {
  std::string text = "conn b\nconn a\n";
  for (std::size_t i = 0; i < kAlsoMax; ++i) text += " also=b\n";
  EXPECT_EQ(faults(text), "");
  EXPECT_EQ(faults(text + " also=b\n"), "/etc/ipsec.conf:67:2: error: more than 64 'also'\n");
}

TEST(IpsecInherit, AlsoInSetup_IsAnError) {
  EXPECT_EQ(faults("config setup\n also=a\n"),
            "/etc/ipsec.conf:2:2: error: 'also' has no place in 'config setup'\n");
}

// --- include
// ---------------------------------------------------------------------------------------

TEST(IpsecInclude, PatternStartsAtTheFile) {
  EXPECT_EQ(conns("include conf.d/*.conf\n", {{"/etc/conf.d/a.conf", "conn a\n left=%any\n"},
                                              {"/etc/conf.d/b.conf", "conn b\n"},
                                              {"/etc/conf.d/c.txt", "conn c\n"}}),
            "a{left=%any;}b{}");
}

TEST(IpsecInclude, QuotedAndAbsolute) {
  EXPECT_EQ(conns("include \"/srv/x y.conf\"\n", {{"/srv/x y.conf", "conn a\n"}}), "a{}");
}

TEST(IpsecInclude, LinesStandInPlaceOfTheStatement) {
  EXPECT_EQ(conns("conn a\n include more\n right=%any\n",
                  {{"/etc/more", "  left=%any\nconn b\n auto=add\n"}}),
            "a{left=%any;}b{auto=add;right=%any;}");
}

TEST(IpsecInclude, PlacesNameTheIncludedFile) {
  EXPECT_EQ(faults("include more\n", {{"/etc/more", "conn a\n lef=%any\n"}}),
            "/etc/more:2:2: error: unknown keyword 'lef', did you mean 'left'?\n");
}

TEST(IpsecInclude, NothingThatFits_IsNoFault) { EXPECT_EQ(faults("include none.d/*.conf\n"), ""); }

// A package that has gone leaves such a line behind.
TEST(IpsecInclude, MissingFile_IsAWarningWhereItIsAskedFor) {
  EXPECT_EQ(faults("include  more\n"),
            "/etc/ipsec.conf:1:10: warning: there is no file /etc/more\n");
}

TEST(IpsecInclude, Circle_NamesBothPlaces) {
  EXPECT_EQ(faults("include a\n", {{"/etc/a", "\ninclude b\n"}, {"/etc/b", "include a\n"}}),
            "/etc/b:1:9: error: include goes in a circle: /etc/a is being read already (included "
            "at /etc/ipsec.conf:1:9)\n");
}

TEST(IpsecInclude, RootWithinItself_IsACircle) {
  EXPECT_EQ(faults("include ipsec.conf\n"),
            "/etc/ipsec.conf:1:9: error: include goes in a circle: /etc/ipsec.conf is being read "
            "already\n");
}

TEST(IpsecInclude, DepthIsBounded) {
  Others others;
  for (int i = 1; i < 15; ++i) {
    others["/etc/" + std::to_string(i)] = "include " + std::to_string(i + 1) + "\n";
  }
  EXPECT_EQ(faults("include 1\n", others), "/etc/10:1:9: error: includes nest deeper than 10\n");
}

// --- faults
// ----------------------------------------------------------------------------------------

TEST(IpsecFault, UnindentedParameter) {
  EXPECT_EQ(faults("conn a\nleft=%any\n right=%any\n"),
            "/etc/ipsec.conf:2:1: error: 'left' must be indented: parameters stand behind a space "
            "or a tab below their section\n");
}

TEST(IpsecFault, UnknownStatement_HidesWhatBelongsToIt) {
  EXPECT_EQ(faults("con a\n left=%any\n rigth=%any\nconn b\n"),
            "/etc/ipsec.conf:1:1: error: expected 'config setup', 'conn NAME', 'ca NAME' or "
            "'include FILE', found 'con', did you mean 'conn'?\n");
}

TEST(IpsecFault, IndentedSection) {
  EXPECT_EQ(faults("conn a\n conn b\n"),
            "/etc/ipsec.conf:2:7: error: expected '=' behind 'conn'; the line of a section must "
            "not be indented\n");
}

TEST(IpsecFault, ParameterBeforeAnySection_IsSaidOnce) {
  EXPECT_EQ(faults(" left=%any\n right=%any\n"),
            "/etc/ipsec.conf:1:2: error: a parameter before any section\n");
}

TEST(IpsecFault, KeywordWithoutValue) {
  EXPECT_EQ(faults("conn a\n left %any\n"),
            "/etc/ipsec.conf:2:7: error: expected '=' behind 'left'\n");
}

TEST(IpsecFault, ValueWithoutKeyword) {
  EXPECT_EQ(faults("conn a\n =x\n"), "/etc/ipsec.conf:2:2: error: expected a keyword\n");
}

TEST(IpsecFault, SectionsNeedNames) {
  EXPECT_EQ(faults("conn\n"), "/etc/ipsec.conf:1:5: error: a section needs a name\n");
  EXPECT_EQ(faults("conn a b\n"), "/etc/ipsec.conf:1:8: error: unexpected text behind 'a'\n");
  EXPECT_EQ(faults("config\n"), "/etc/ipsec.conf:1:7: error: expected 'config setup'\n");
  EXPECT_EQ(faults("conn a{b\n"),
            "/etc/ipsec.conf:1:6: error: a name cannot hold any of {}=\", or control "
            "characters\n");
  EXPECT_EQ(faults("conn " + std::string(241, 'x') + "\n"),
            "/etc/ipsec.conf:1:6: error: name longer than 240 octets\n");
}

TEST(IpsecFault, UnclosedQuote) {
  EXPECT_EQ(faults("conn a\n leftid=\"x\n left=%any\n"),
            "/etc/ipsec.conf:2:9: error: quote is not closed; '\\' at its end continues a line\n");
  EXPECT_EQ(faults("conn a\n leftid=\"x\\"),
            "/etc/ipsec.conf:2:9: error: quote is not closed; '\\' at its end continues a line\n");
}

TEST(IpsecFault, QuotesInTheMiddle) {
  EXPECT_EQ(faults("conn a\n leftid=C=\"x\"\n"),
            "/etc/ipsec.conf:2:11: error: quotes must enclose the whole value\n");
  EXPECT_EQ(faults("conn a\n leftid=\"x\" y\n"),
            "/etc/ipsec.conf:2:13: error: quotes must enclose the whole value\n");
}

TEST(IpsecFault, HashThatTouchesTheValue_IsPointedAt) {
  EXPECT_EQ(faults("conn a\n leftid=keyid:#0a0b\n"),
            "/etc/ipsec.conf:2:15: warning: the value ends at this '#'; quote it if '#' belongs "
            "to it\n");
}

TEST(IpsecFault, ControlCharacters) {
  EXPECT_EQ(faults("conn a\n leftid=x\x01y\n"),
            "/etc/ipsec.conf:2:10: error: control character in a value\n");
  EXPECT_EQ(faults("conn a\n le\x01=y\n"), "/etc/ipsec.conf:2:2: error: expected a keyword\n");
}

TEST(IpsecFault, Nul_IsNoText) {
  const Parsed out = parse(std::string{"conn a\n left=\0x\n", 16});
  EXPECT_EQ(out.faults, "/etc/ipsec.conf:2:7: error: NUL octet: this is not a text file\n");
  EXPECT_TRUE(out.conf.conns.empty());
}

TEST(IpsecFault, ByteOrderMark_IsTakenWithAWarning) {
  const Parsed out = parse(
      "\xef\xbb\xbf"
      "conn a\n left=%any\n");
  EXPECT_EQ(shown(out.conf.conns), "a{left=%any;}");
  EXPECT_EQ(out.faults,
            "/etc/ipsec.conf:1:1: warning: byte order mark: strongSwan does not take it; remove "
            "it\n");
}

TEST(IpsecFault, OtherVersion) {
  EXPECT_EQ(faults("version 2.0\n"), "");
  EXPECT_EQ(faults("version  1\n"),
            "/etc/ipsec.conf:1:10: warning: only version 2 of ipsec.conf is known; remove the "
            "line\n");
}

TEST(IpsecFault, MissingFile) {
  test::MemoryFiles files;
  Diagnostics diags;
  static_cast<void>(parse_ipsec(kFile, files, diags));
  EXPECT_EQ(diags.text(), "/etc/ipsec.conf: error: open /etc/ipsec.conf: no such file\n");
}

// --- limits
// ----------------------------------------------------------------------------------------

TEST(IpsecLimit, LongLine_IsPassedOver) {
  const std::string longest(kIpsecLineOctetsMax - 8, 'x');  // " leftid=" and it
  EXPECT_EQ(faults("conn a\n leftid=" + longest + "\n left=%any\n"), "");
  EXPECT_EQ(faults("conn a\n leftid=" + longest + "x\n lef=%any\n"),
            "/etc/ipsec.conf:2:1: error: line longer than 65535 octets\n"
            "/etc/ipsec.conf:3:2: error: unknown keyword 'lef', did you mean 'left'?\n");
  EXPECT_EQ(faults(std::string(1'000'000, 'x')),
            "/etc/ipsec.conf:1:1: error: line longer than 65535 octets\n");
}

TEST(IpsecLimit, LongJoinedValue) {
  std::string text = "conn a\n leftid=\"";
  for (int i = 0; i < 3; ++i) text += std::string(30'000, 'x') + "\\\n";
  EXPECT_EQ(faults(text + "\"\n"), "/etc/ipsec.conf:2:10: error: value longer than 65535 octets\n");
}

TEST(IpsecLimit, LargeFile) {
  EXPECT_EQ(faults(std::string(4 * 1024 * 1024 + 1, '\n')),
            "/etc/ipsec.conf: error: file larger than 4194304 octets\n");
}

TEST(IpsecLimit, FilesTogether) {
  Others others;
  for (int i = 1; i <= 5; ++i) others["/etc/d/" + std::to_string(i)] = std::string(4'000'000, '\n');
  EXPECT_EQ(faults("include d/*\n", others),
            "/etc/ipsec.conf:1:9: error: all files together exceed 16777216 octets\n");
}

TEST(IpsecLimit, Sections) {
  std::string text;
  for (std::size_t i = 0; i < kIpsecSectionsMax; ++i) text += "conn " + std::to_string(i) + "\n";
  EXPECT_EQ(faults(text), "");
  const Parsed out = parse(text + "ca one\n");
  EXPECT_EQ(out.faults, "/etc/ipsec.conf:10001:4: error: more than 10000 sections\n");
  EXPECT_TRUE(out.conf.conns.empty());
}

TEST(IpsecLimit, InheritedParameters) {
  std::string text = "conn %default\n";
  for (const std::string_view word : all_keywords(IpsecKind::conn, KeywordUse::used)) {
    text += " " + std::string{word} + "=x\n";
  }
  for (std::size_t i = 0; i < kIpsecSectionsMax - 1; ++i) {
    text += "conn " + std::to_string(i) + "\n";
  }
  EXPECT_NE(faults(text).find("error: more than 500000 parameters with inherited ones"),
            std::string::npos);
}

// --- whose words
// -------------------------------------------------------------------------------------

TEST(IpsecKeyword, Unknown_IsNamedAndTheNearestSuggested) {
  EXPECT_EQ(faults("conn a\n rightsorceip=10.0.0.1\n"),
            "/etc/ipsec.conf:2:2: error: unknown keyword 'rightsorceip', did you mean "
            "'rightsourceip'?\n");
  EXPECT_EQ(faults("conn a\n xyzzy=1\n"), "/etc/ipsec.conf:2:2: error: unknown keyword 'xyzzy'\n");
}

TEST(IpsecKeyword, OfAnotherSection_IsTold) {
  EXPECT_EQ(faults("conn a\n uniqueids=no\n"),
            "/etc/ipsec.conf:2:2: error: unknown keyword 'uniqueids', which belongs into a "
            "section 'config setup'\n");
  EXPECT_EQ(faults("config setup\n crluri=http://a/b\n"),
            "/etc/ipsec.conf:2:2: error: unknown keyword 'crluri', which belongs into a section "
            "'ca'\n");
}

TEST(IpsecKeyword, WithoutEffect_SaysWhatToDo) {
  EXPECT_EQ(faults("conn a\n pfs=yes\n rightnexthop=%direct\n"),
            "/etc/ipsec.conf:2:2: warning: 'pfs' has no effect: name a key exchange in esp, as "
            "esp=aes256gcm16-ecp384\n"
            "/etc/ipsec.conf:3:2: warning: 'rightnexthop' has no effect: routes need no next "
            "hop; remove it\n");
}

TEST(IpsecKeyword, ThousandsOfUnknownOnes_AreNotAllLookedUp) {
  std::string text = "conn a\n";
  for (int i = 0; i < 100'000; ++i) text += " leftsubnett=x\n";
  const std::string found = faults(text);
  EXPECT_EQ(std::ranges::count(found, '\n'), 1000);
}

// Each word that libreswan has alone gives its file away, and one line says all.
TEST(IpsecKeyword, Libreswan_IsAnsweredOnce) {
  const std::string answer =
      "/etc/ipsec.conf:2:2: error: this is libreswan's ipsec.conf ('ikev2' is its word): there the "
      "same keywords mean other things. Write the connections in swanctl.conf, or as strongSwan's "
      "ipsec.conf has them\n";
  const Parsed out = parse("conn a\n ikev2=insist\n narrowing=yes\n someword=1\n");
  EXPECT_EQ(out.faults, answer);
  EXPECT_TRUE(out.conf.foreign);
  EXPECT_TRUE(out.conf.conns.empty());
}

TEST(IpsecKeyword, LibreswansWords) {
  for (const char* line :
       {"leftmodecfgclient=yes", "rightaddresspool=10.0.0.1-10.0.0.9", "narrowing=yes",
        "phase2alg=aes256", "authby=rsa-sha2_512", "authby=rsasig,secret", "authby=null",
        "auto=ondemand", "leftid=%fromcert", "right=%opportunisticgroup"}) {
    EXPECT_TRUE(parse(std::string{"conn a\n "} + line + "\n").conf.foreign) << line;
  }
  EXPECT_TRUE(parse("config setup\n protostack=netkey\n").conf.foreign);
  EXPECT_FALSE(parse("conn a\n authby=rsasig\n auto=add\n leftid=%any\n").conf.foreign);
}

}  // namespace
}  // namespace cygnet::config
