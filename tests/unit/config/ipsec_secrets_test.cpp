// The grammar of ipsec.secrets, and what its entries become.
#include "config/ipsec_secrets.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/load.hpp"
#include "pki/identity.hpp"
#include "unit/config/memory_files.hpp"

namespace cygnet::config {
namespace {

constexpr const char* kFile = "/etc/ipsec.secrets";

using Others = std::map<std::string, std::string>;

struct Parsed {
  Section secrets;
  std::string faults;
  std::string notes;
};
Parsed parse(const std::string& text, Others others = {}) {
  others[kFile] = text;
  test::MemoryFiles files{std::move(others)};
  Diagnostics diags;
  std::vector<ConversionNote> notes;
  Parsed out;
  out.secrets = parse_ipsec_secrets(kFile, "/etc/ipsec.d/private", files, diags, notes);
  out.faults = diags.text();
  for (const ConversionNote& note : notes) out.notes += note.line() + "\n";
  return out;
}

/// "rsa-1{file=...;}".
std::string shown(const Section& secrets) {
  std::string out;
  for (const Section& section : secrets.sections) {
    out += section.name + "{";
    for (const Key& key : section.keys) out += key.name + "=" + key.value + ";";
    out += "}";
  }
  return out;
}
std::string entries(const std::string& text, Others others = {}) {
  const Parsed out = parse(text, std::move(others));
  EXPECT_EQ(out.faults, "");
  return shown(out.secrets);
}
std::string faults(const std::string& text, Others others = {}) {
  return parse(text, std::move(others)).faults;
}

TEST(IpsecSecrets, PreSharedKeyWithSelectors) {
  EXPECT_EQ(entries("192.0.2.1 @gw.example : PSK \"two words\"\n"),
            "ike-1{id-1=192.0.2.1;id-2=@gw.example;secret=two words;}");
}

TEST(IpsecSecrets, NoSelector_IsForEverybody) {
  EXPECT_EQ(entries(": PSK \"x\"\n"), "ike-1{secret=x;}");
}

TEST(IpsecSecrets, SelectorsForAnybody_HaveOneName) {
  EXPECT_EQ(entries("%any %any6 0::0 : PSK \"x\"\n"),
            "ike-1{id-1=%any;id-2=%any;id-3=%any;secret=x;}");
}

TEST(IpsecSecrets, SelectorsCanBeQuoted) {
  EXPECT_EQ(entries("\"C=DE, CN=x y\" : PSK 'x'\n"), "ike-1{id-1=C=DE, CN=x y;secret=x;}");
}

TEST(IpsecSecrets, EncodedSecrets_StayAsTheyAre) {
  EXPECT_EQ(entries(": PSK 0x0102ff\n: PSK 0sAQL/\n"),
            "ike-1{secret=0x0102ff;}ike-2{secret=0sAQL/;}");
}

// swanctl.conf would decode the value; in ipsec.secrets the quotes say that it is text.
TEST(IpsecSecrets, QuotedTextThatLooksEncoded_StaysText) {
  EXPECT_EQ(entries(": PSK \"0xab\"\n: PSK \"0sAQ\"\n"),
            "ike-1{secret=0x30786162;}ike-2{secret=0x30734151;}");
}

TEST(IpsecSecrets, PlainWord_IsText) { EXPECT_EQ(entries(": PSK abc\n"), "ike-1{secret=abc;}"); }

TEST(IpsecSecrets, KeyFiles_LieInPrivate) {
  EXPECT_EQ(entries(": RSA a.pem\n: ECDSA b.der \"pass\"\n: PKCS8 /keys/c\n: P12 d.p12 \"p w\"\n"),
            "rsa-1{file=/etc/ipsec.d/private/a.pem;}"
            "ecdsa-1{file=/etc/ipsec.d/private/b.der;secret=pass;}"
            "pkcs8-1{file=/keys/c;}"
            "pkcs12-1{file=/etc/ipsec.d/private/d.p12;secret=p w;}");
}

TEST(IpsecSecrets, FileNamesCanBeQuoted) {
  EXPECT_EQ(entries(": RSA \"my key.pem\"\n"), "rsa-1{file=/etc/ipsec.d/private/my key.pem;}");
}

TEST(IpsecSecrets, SelectorsOfAKey_DoNotMatter) {
  EXPECT_EQ(entries("@gw : RSA a.pem\n"), "rsa-1{file=/etc/ipsec.d/private/a.pem;}");
}

TEST(IpsecSecrets, UserSecrets) {
  EXPECT_EQ(
      entries("carol : EAP \"a\"\ndave : XAUTH \"b\"\nerin : NTLM 0x00\n"),
      "eap-1{id-1=carol;secret=a;}xauth-1{id-1=dave;secret=b;}ntlm-1{id-1=erin;secret=0x00;}");
}

TEST(IpsecSecrets, Smartcards) {
  EXPECT_EQ(entries(": PIN %smartcard:50 1234\n: PIN %smartcard1@opensc:51 %prompt\n"),
            "token-1{handle=50;pin=1234;}token-2{handle=51;slot=1;module=opensc;}");
}

TEST(IpsecSecrets, Prompt_LeavesThePassphraseOutAndSaysSo) {
  const Parsed out = parse(": RSA a.pem %prompt\n");
  EXPECT_EQ(shown(out.secrets), "rsa-1{file=/etc/ipsec.d/private/a.pem;}");
  EXPECT_EQ(out.notes,
            "/etc/ipsec.secrets:1:13: warning: %prompt asked for the passphrase; nobody is asked "
            "now: write it here, or store the key without one\n");
}

TEST(IpsecSecrets, IndentedLines_GoOn) {
  EXPECT_EQ(entries("192.0.2.1\n  192.0.2.2 # peer\n\n\t: PSK\n  \"x\"\n"),
            "ike-1{id-1=192.0.2.1;id-2=192.0.2.2;secret=x;}");
}

TEST(IpsecSecrets, EntriesThatAreAllIndented_StayApart) {
  EXPECT_EQ(entries("  : PSK \"x\"\n  : PSK \"y\"\n"), "ike-1{secret=x;}ike-2{secret=y;}");
}

TEST(IpsecSecrets, CommentsStartWords) {
  EXPECT_EQ(entries("# one\n: PSK a#b # two\n"), "ike-1{secret=a#b;}");
}

TEST(IpsecSecrets, LinesEndAsOnWindows) {
  EXPECT_EQ(entries(": PSK abc\r\n: PSK \"x\"\r\n"), "ike-1{secret=abc;}ike-2{secret=x;}");
}

TEST(IpsecSecrets, Include) {
  EXPECT_EQ(entries("include secrets.d/*\n: PSK \"z\"\n",
                    {{"/etc/secrets.d/a", ": PSK \"x\"\n"}, {"/etc/secrets.d/b", ": PSK \"y\"\n"}}),
            "ike-1{secret=x;}ike-2{secret=y;}ike-3{secret=z;}");
}

TEST(IpsecSecrets, Places) {
  const Parsed out = parse("\n@gw : PSK \"x\"\n");
  ASSERT_EQ(out.secrets.sections.size(), 1u);
  const Section& entry = out.secrets.sections[0];
  EXPECT_EQ(entry.place.text(), "/etc/ipsec.secrets:2:1");
  EXPECT_EQ(entry.keys[0].value_place.text(), "/etc/ipsec.secrets:2:1");
  EXPECT_EQ(entry.keys[1].value_place.text(), "/etc/ipsec.secrets:2:12");
}

// --- faults
// ----------------------------------------------------------------------------------------

TEST(IpsecSecretsFault, NoColon) {
  const std::string expected =
      "/etc/ipsec.secrets:1:1: error: expected 'selectors : TYPE secret', with blanks around the "
      "':'\n";
  EXPECT_EQ(faults("@gw PSK \"x\"\n"), expected);
  EXPECT_EQ(faults("@gw: PSK \"x\"\n"), expected);
  EXPECT_EQ(faults(":PSK \"x\"\n"), expected);
}

TEST(IpsecSecretsFault, NoType) {
  EXPECT_EQ(faults("@gw :\n"),
            "/etc/ipsec.secrets:1:5: error: the type of the secret is missing\n");
}

TEST(IpsecSecretsFault, UnknownType) {
  EXPECT_EQ(faults(": PKS \"x\"\n"),
            "/etc/ipsec.secrets:1:3: error: unknown type of secret, did you mean 'PSK'? (known are "
            "PSK, RSA, ECDSA, PKCS8, P12, EAP, NTLM, XAUTH, PIN)\n");
}

TEST(IpsecSecretsFault, NoValue) {
  EXPECT_EQ(faults(": PSK\n"), "/etc/ipsec.secrets:1:3: error: PSK needs a secret\n");
  EXPECT_EQ(faults(": RSA\n"), "/etc/ipsec.secrets:1:3: error: RSA needs a file name\n");
  EXPECT_EQ(faults(": PSK \"\"\n"), "/etc/ipsec.secrets:1:8: error: the secret is empty\n");
  EXPECT_EQ(faults(": RSA \"\"\n"), "/etc/ipsec.secrets:1:8: error: the file name is empty\n");
}

TEST(IpsecSecretsFault, EmptySelector) {
  EXPECT_EQ(faults("\"\" : PSK \"x\"\n"), "/etc/ipsec.secrets:1:2: error: the selector is empty\n");
}

TEST(IpsecSecretsFault, TextAtTheEnd) {
  EXPECT_EQ(faults(": PSK two words\n"),
            "/etc/ipsec.secrets:1:11: error: unexpected text at the end; quote a secret that has "
            "blanks\n");
}

TEST(IpsecSecretsFault, UnclosedQuote_HidesTheEntry) {
  EXPECT_EQ(faults(": PSK \"x\n more\n: PSK \"y\"\n"),
            "/etc/ipsec.secrets:1:7: error: quote is not closed\n");
}

TEST(IpsecSecretsFault, KeyWrittenOut) {
  EXPECT_EQ(faults(": RSA {\n  Modulus: 0x00112233\n  PrivateExponent: 0x44556677\n  }\n"),
            "/etc/ipsec.secrets:1:7: error: a key written out in ipsec.secrets is not supported; "
            "put it into a file and name that\n");
}

TEST(IpsecSecretsFault, PromptForASharedKey) {
  EXPECT_EQ(faults(": PSK %prompt\n"),
            "/etc/ipsec.secrets:1:7: error: nobody can be asked for this secret; write it here\n");
}

TEST(IpsecSecretsFault, NoSmartcard) {
  EXPECT_EQ(faults(": PIN 1234\n"), "/etc/ipsec.secrets:1:7: error: expected %smartcard:KEYID\n");
}

TEST(IpsecSecretsFault, Include) {
  EXPECT_EQ(faults("include\n"), "/etc/ipsec.secrets:1:1: error: include needs one file name\n");
  EXPECT_EQ(faults("include x\n"), "/etc/ipsec.secrets:1:9: warning: there is no file /etc/x\n");
  EXPECT_EQ(
      faults("include x\n", {{"/etc/x", "\ninclude x\n"}}),
      "/etc/x:2:9: error: include goes in a circle: /etc/x is being read already (included at "
      "/etc/ipsec.secrets:1:9)\n");
}

TEST(IpsecSecretsFault, IncludeDepth) {
  Others others;
  for (int i = 1; i < 15; ++i) {
    others["/etc/" + std::to_string(i)] = "include " + std::to_string(i + 1) + "\n";
  }
  EXPECT_EQ(faults("include 1\n", others), "/etc/10:1:9: error: includes nest deeper than 10\n");
}

// Only a file that somebody has named, or that is there, is read.
TEST(IpsecSecretsFault, MissingFile_IsAnError) {
  test::MemoryFiles files;
  Diagnostics diags;
  std::vector<ConversionNote> notes;
  EXPECT_TRUE(parse_ipsec_secrets(kFile, "/p", files, diags, notes).sections.empty());
  EXPECT_EQ(diags.text(), "/etc/ipsec.secrets: error: open /etc/ipsec.secrets: no such file\n");
}

TEST(IpsecSecretsFault, NotText) {
  EXPECT_EQ(faults(std::string{": PSK \"a\0b\"\n", 12}),
            "/etc/ipsec.secrets:1:9: error: NUL octet: this is not a text file\n");
  EXPECT_EQ(faults("\xef\xbb\xbf: PSK \"x\"\n"),
            "/etc/ipsec.secrets:1:1: warning: byte order mark: strongSwan does not take it; remove "
            "it\n");
}

TEST(IpsecSecretsLimit, LongLine_HidesTheEntry) {
  EXPECT_EQ(faults(": PSK\n  " + std::string(kIpsecLineOctetsMax, 'x') + "\n: PSK \"y\"\n"),
            "/etc/ipsec.secrets:2:1: error: line longer than 65535 octets\n");
}

TEST(IpsecSecretsLimit, WordsOfAnEntry) {
  std::string text;
  for (std::size_t i = 0; i < kSecretWordsMax - 3; ++i) text += "a ";
  EXPECT_EQ(faults(text + ": PSK x\n"), "");
  EXPECT_EQ(faults(text + "a : PSK x\n"),
            "/etc/ipsec.secrets:1:1: error: more than 256 words in an entry\n");
}

TEST(IpsecSecretsLimit, LongWord_HidesTheEntry) {
  const std::string longest(kSecretWordOctetsMax, 'x');
  EXPECT_EQ(faults(": PSK \"0x" + longest.substr(2) + "\"\n"), "");
  EXPECT_EQ(faults(": PSK " + longest + "x\n"),
            "/etc/ipsec.secrets:1:7: error: word longer than 16384 octets\n");
}

TEST(IpsecSecretsLimit, Entries) {
  std::string text;
  for (std::size_t i = 0; i < kIpsecSecretsMax; ++i) text += ": PSK x\n";
  EXPECT_EQ(faults(text), "");
  EXPECT_EQ(faults(text + ": PSK x\n: PSK x\n"),
            "/etc/ipsec.secrets:10001:1: error: more than 10000 entries\n");
}

// Whatever is wrong with an entry, no word that may be a secret is repeated.
TEST(IpsecSecretsFault, NothingIsRepeated) {
  for (const char* entry :
       {": hunter2\n", ": \"hunter2\"\n", ": PSK hunter2 hunter2\n", ": PSK \"hunter2\n",
        "PSK hunter2\n", ": RSA a.pem hunter2 hunter2\n", ": PIN hunter2\n", ": hunter2 PSK\n",
        ": EAP x \"hunter2\"\n", ": RSA a.pem \"hunter2\n", "hunter2\n"}) {
    const Parsed out = parse(entry);
    EXPECT_NE(out.faults, "") << entry;
    EXPECT_EQ(out.faults.find("hunter2"), std::string::npos) << out.faults;
    EXPECT_EQ(out.notes.find("hunter2"), std::string::npos) << out.notes;
  }
}

// The loader takes what the parser makes, and points at faults in ipsec.secrets.
TEST(IpsecSecrets, LoadFromTheTree) {
  test::MemoryFiles files{{{kFile,
                            "@gw 192.0.2.7 : PSK \"0xnot hex\"\n"
                            ": RSA a.pem \"pass\"\n"
                            ": P12 b.p12\n"},
                           {"/etc/ipsec.d/private/a.pem", "A"},
                           {"/etc/ipsec.d/private/b.p12", "B"}}};
  Diagnostics diags;
  std::vector<ConversionNote> notes;
  Section root;
  root.sections.push_back(parse_ipsec_secrets(kFile, "/etc/ipsec.d/private", files, diags, notes));
  const Loaded loaded = load_sections(root, files, "/etc/ipsec.d", diags);
  EXPECT_EQ(diags.text(), "");
  ASSERT_EQ(loaded.shared_secrets.size(), 1u);
  EXPECT_EQ(cygnet::to_string(loaded.shared_secrets[0].value.reveal()), "0xnot hex");
  ASSERT_EQ(loaded.shared_secrets[0].owners.size(), 2u);
  EXPECT_EQ(pki::to_text(loaded.shared_secrets[0].owners[1]), "192.0.2.7");
  ASSERT_EQ(loaded.keys.size(), 2u);
  EXPECT_EQ(loaded.keys[0].kind, KeyFileKind::rsa);
  EXPECT_EQ(cygnet::to_string(loaded.keys[0].password.reveal()), "pass");
  EXPECT_EQ(loaded.keys[1].kind, KeyFileKind::pkcs12);
  EXPECT_EQ(loaded.keys[1].place.text(), "/etc/ipsec.secrets:3:1");
}

TEST(IpsecSecrets, FaultsThatTheLoaderFinds_HaveTheirPlace) {
  test::MemoryFiles files{
      {{kFile, "C=DE,CN : PSK x\n: PSK 0xZZ\n: RSA gone.pem\nxy : EAP \"p\"\n"}}};
  Diagnostics diags;
  std::vector<ConversionNote> notes;
  Section root;
  root.sections.push_back(parse_ipsec_secrets(kFile, "/p", files, diags, notes));
  static_cast<void>(load_sections(root, files, "/etc/ipsec.d", diags));
  const std::string found = diags.text();
  for (const char* line : {"/etc/ipsec.secrets:1:6: error: selector: ",
                           "/etc/ipsec.secrets:2:7: error: secret: not hexadecimal",
                           "/etc/ipsec.secrets:3:7: error: open /p/gone.pem",
                           "/etc/ipsec.secrets:4:1: warning: 'eap-1' is not supported yet"}) {
    EXPECT_NE(found.find(line), std::string::npos) << line << "\nin " << found;
  }
}

}  // namespace
}  // namespace cygnet::config
