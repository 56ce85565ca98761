// Path validation with the IKE profile: one test for each way to be refused.   RFC 5280, RFC 4945
#include "pki/trust.hpp"

#include <gtest/gtest.h>

#include "pki/identity.hpp"
#include "support/test_pki.hpp"

namespace cygnet::pki {
namespace {

using std::chrono::hours;
using test::CertMaker;
using test::Issued;
using test::kTestNow;
using test::TestKey;

struct Question {
  std::vector<Issued> anchors;
  std::vector<Issued> sent;  ///< end certificate first
  std::string identity = "gw.example";
  std::vector<Issued> intermediates;
  std::vector<Issued> required_cas;
  std::vector<Issued> required_certs;
  bool peer_is_server = false;
  WallTime now = kTestNow;
  std::string rule = "pubkey";
};

std::vector<Certificate> parsed(const std::vector<Issued>& all) {
  std::vector<Certificate> out;
  for (const Issued& one : all) out.push_back(one.certificate());
  return out;
}

Result<ValidPath, PathError> ask(const Question& question) {
  const TrustStore store{.anchors = parsed(question.anchors),
                         .intermediates = parsed(question.intermediates)};
  const auto chain = parsed(question.sent);
  const auto cas = parsed(question.required_cas);
  const auto certs = parsed(question.required_certs);
  const model::Identity identity = *parse_identity(question.identity);
  return validate_path(store, {.chain = chain,
                               .identity = identity,
                               .required_cas = cas,
                               .required_certs = certs,
                               .now = question.now,
                               .peer_is_server = question.peer_is_server,
                               .rule = model::parse_signature_rules(question.rule)->certificates});
}
/// "good", or the fault; a refusal must say enough to act upon.
std::string verdict(const Question& question) {
  const auto path = ask(question);
  if (path) return "good";
  EXPECT_FALSE(path.error().text().empty());
  return std::string{to_string(path.error().fault)};
}

/// What an operator is told to do.
std::string advice(const Question& question) {
  const auto path = ask(question);
  return path ? "" : path.error().advice;
}

CertMaker gw() { return CertMaker::leaf("gw").san("DNS:gw.example"); }

// What lists of thousands of certificates tell.
TEST(Certificate, SubjectAlone_IsTheSame) {
  const cygnet::test::Issued ca = cygnet::test::CertMaker::ca("root").self_signed();
  for (const auto& one :
       {ca, cygnet::test::CertMaker::leaf("gw").san("DNS:x.example").issued_by(ca)}) {
    EXPECT_EQ(subject_of(one.cert), one.certificate().subject());
    for (std::size_t size = 0; size < one.cert.size(); ++size) {
      static_cast<void>(subject_of(ByteView{one.cert}.first(size)));  // no octet beyond is read
    }
  }
  EXPECT_FALSE(subject_of({}).has_value());
  EXPECT_FALSE(subject_of(ByteView{ca.key}).has_value());
}

TEST(Path, LeafUnderRoot_IsGood) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued leaf = gw().issued_by(root);
  const auto path = ask({.anchors = {root}, .sent = {leaf}});
  ASSERT_TRUE(path.has_value()) << path.error().text();
  EXPECT_EQ(path->end(), leaf.certificate());
  EXPECT_EQ(path->path.size(), 2u);
  EXPECT_EQ(path->valid_until, leaf.certificate().not_after());
}

TEST(Path, EveryKeyKindWeAccept) {
  for (const TestKey kind : {TestKey::p256, TestKey::p384, TestKey::p521, TestKey::rsa_2048,
                             TestKey::ed25519, TestKey::ed448}) {
    const Issued root = CertMaker::ca("root").key(kind).self_signed();
    EXPECT_EQ(verdict({.anchors = {root}, .sent = {gw().key(kind).issued_by(root)}}), "good")
        << static_cast<int>(kind);
  }
}

TEST(Path, Intermediates_FromThePeerOrOurStore) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued middle = CertMaker::ca("middle").issued_by(root);
  const Issued leaf = gw().issued_by(middle);
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {leaf, middle}}), "good");
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {leaf}, .intermediates = {middle}}), "good");
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {leaf}}), "untrusted");
  // An intermediate may be the anchor itself.
  EXPECT_EQ(verdict({.anchors = {middle}, .sent = {leaf}}), "good");
  // What the peer sends is trusted for nothing.
  EXPECT_EQ(verdict({.anchors = {}, .sent = {leaf, middle, root}}), "untrusted");
}

TEST(Refused, NoCertificate) { EXPECT_EQ(verdict({}), "missing"); }

TEST(Refused, Dates) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued old = gw().valid(kTestNow - hours{100}, kTestNow - hours{1}).issued_by(root);
  const Issued early = gw().valid(kTestNow + hours{1}, kTestNow + hours{100}).issued_by(root);
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {old}}), "expired");
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {early}}), "not_yet_valid");
  const Issued old_root =
      CertMaker::ca("old").valid(kTestNow - hours{100}, kTestNow - hours{1}).self_signed();
  EXPECT_EQ(verdict({.anchors = {old_root}, .sent = {gw().issued_by(old_root)}}), "expired");
  const auto path = ask({.anchors = {root}, .sent = {old}});
  EXPECT_NE(path.error().theirs.find("2025-12-31"), std::string::npos) << path.error().text();
}

TEST(Refused, AnotherCa) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued other = CertMaker::ca("other").self_signed();
  // The same name as ours makes no difference: the key does.
  const Issued twin = CertMaker::ca("root").self_signed();
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {gw().issued_by(other)}}), "untrusted");
  EXPECT_NE(verdict({.anchors = {root}, .sent = {gw().issued_by(twin), twin}}), "good");
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {gw().self_signed()}}), "untrusted");
}

// remote.auth = rsa-3072-sha384 and the like. Test certificates are signed with SHA-256.
TEST(Refused, KeyOrHashThatTheRuleDoesNotAllow) {
  const Issued root = CertMaker::ca("root").key(TestKey::p384).self_signed();
  const Issued leaf = gw().key(TestKey::p384).issued_by(root);
  const auto judge = [](const Issued& anchor, const Issued& sent, const char* rule) {
    return verdict({.anchors = {anchor}, .sent = {sent}, .rule = rule});
  };
  EXPECT_EQ(judge(root, leaf, "ecdsa-384-sha256"), "good");
  EXPECT_EQ(judge(root, leaf, "rsa-2048"), "rule");
  EXPECT_EQ(judge(root, leaf, "ecdsa-521"), "rule");
  EXPECT_EQ(judge(root, leaf, "ecdsa-384-sha384"), "rule");
  EXPECT_EQ(judge(root, leaf, "ike:ecdsa-384-sha384"), "good");
  // The CA's key counts too.
  const Issued small = CertMaker::ca("small").key(TestKey::p256).self_signed();
  EXPECT_EQ(judge(small, gw().key(TestKey::p384).issued_by(small), "ecdsa-384"), "rule");
  // An anchor's own signature is worth nothing either way; EdDSA is allowed with its key.
  const Issued eddsa = CertMaker::ca("eddsa").key(TestKey::ed25519).self_signed();
  EXPECT_EQ(judge(eddsa, gw().issued_by(eddsa), "ed25519-ecdsa-sha256"), "good");
  EXPECT_EQ(judge(eddsa, gw().issued_by(eddsa), "pubkey-sha256"), "rule");

  const auto path = ask({.anchors = {root}, .sent = {leaf}, .rule = "ecdsa-521"});
  EXPECT_NE(path.error().text().find("ecdsa-521"), std::string::npos) << path.error().text();
}

TEST(Refused, NotUnderTheConnectionsCa) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued other = CertMaker::ca("other").self_signed();
  const Issued leaf = gw().issued_by(root);
  EXPECT_EQ(verdict({.anchors = {root, other}, .sent = {leaf}, .required_cas = {other}}),
            "wrong_ca");
  EXPECT_EQ(verdict({.anchors = {other}, .sent = {leaf}, .required_cas = {root}}), "good");
}

TEST(Pinned, CertificateNeedsNoCa) {
  const Issued self = gw().self_signed();
  EXPECT_EQ(verdict({.sent = {self}, .required_certs = {self}}), "good");
  EXPECT_EQ(verdict({.sent = {}, .required_certs = {self}}), "good");
  const Issued old = gw().valid(kTestNow - hours{9}, kTestNow - hours{1}).self_signed();
  EXPECT_EQ(verdict({.sent = {old}, .required_certs = {old}}), "expired");
  const Issued root = CertMaker::ca("root").self_signed();
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {gw().issued_by(root)}, .required_certs = {self}}),
            "untrusted");
}

// CVE-2018-... and friends: an end certificate must not issue others.
TEST(Refused, IssuerThatIsNoCa) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued user =
      CertMaker::leaf("user").key_usage("digitalSignature,keyCertSign").issued_by(root);
  EXPECT_NE(verdict({.anchors = {root}, .sent = {gw().issued_by(user), user}}), "good");
  const Issued no_sign = CertMaker::ca("middle").key_usage("cRLSign").issued_by(root);
  EXPECT_NE(verdict({.anchors = {root}, .sent = {gw().issued_by(no_sign), no_sign}}), "good");
  const Issued no_ca = CertMaker::ca("own").basic_constraints("CA:FALSE").self_signed();
  EXPECT_NE(advice({.anchors = {no_ca}, .sent = {gw().issued_by(no_ca)}}).find("CA:TRUE"),
            std::string::npos);
}

TEST(Refused, PathLength) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued last = CertMaker::ca("last").basic_constraints("CA:TRUE,pathlen:0").issued_by(root);
  const Issued below = CertMaker::ca("below").issued_by(last);
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {gw().issued_by(last), last}}), "good");
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {gw().issued_by(below), below, last}}), "profile");
  EXPECT_NE(
      advice({.anchors = {root}, .sent = {gw().issued_by(below), below, last}}).find("pathlen"),
      std::string::npos);
}

TEST(Refused, NameConstraints) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued narrow =
      CertMaker::ca("narrow").name_constraints("permitted;DNS:other.org").issued_by(root);
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {gw().issued_by(narrow), narrow}}), "profile");
  EXPECT_NE(
      advice({.anchors = {root}, .sent = {gw().issued_by(narrow), narrow}}).find("a name that"),
      std::string::npos);
}

TEST(Refused, KeyUsageAndPurposes) {
  const Issued root = CertMaker::ca("root").self_signed();
  const auto with = [&root](CertMaker maker, bool server) {
    return verdict({.anchors = {root}, .sent = {maker.issued_by(root)}, .peer_is_server = server});
  };
  EXPECT_EQ(with(gw().key_usage("keyEncipherment"), false), "profile");
  EXPECT_EQ(with(gw().key_usage(""), true), "good");
  EXPECT_EQ(with(gw().eku("serverAuth"), true), "good");
  EXPECT_EQ(with(gw().eku("clientAuth"), false), "good");
  EXPECT_EQ(with(gw().eku("clientAuth"), true), "profile") << "a client is no gateway";
  EXPECT_EQ(with(gw().eku("emailProtection"), false), "profile");
  EXPECT_EQ(with(gw().eku("1.3.6.1.5.5.8.2.2"), true), "good") << "ikeIntermediate";
  EXPECT_EQ(with(gw().eku("1.3.6.1.5.5.7.3.17"), true), "good") << "ipsecIKE";
  EXPECT_EQ(with(gw().eku("anyExtendedKeyUsage"), true), "good");
}

TEST(Refused, IdentityNotInCertificate) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued leaf =
      CertMaker::leaf("gw").san("DNS:gw.example,email:a@b.example,IP:192.0.2.1").issued_by(root);
  const auto as = [&](const char* identity) {
    return verdict({.anchors = {root}, .sent = {leaf}, .identity = identity});
  };
  EXPECT_EQ(as("gw.example"), "good");
  EXPECT_EQ(as("GW.Example"), "good");
  EXPECT_EQ(as("a@b.example"), "good");
  EXPECT_EQ(as("192.0.2.1"), "good");
  EXPECT_EQ(as("C=CH, O=test, CN=gw"), "good");
  EXPECT_EQ(as("gw"), "identity_not_in_certificate") << "the CN is no FQDN";
  EXPECT_EQ(as("x.gw.example"), "identity_not_in_certificate");
  EXPECT_EQ(as("192.0.2.2"), "identity_not_in_certificate");
  EXPECT_EQ(as("C=CH, O=test, CN=gw2"), "identity_not_in_certificate");
  const auto path = ask({.anchors = {root}, .sent = {leaf}, .identity = "boss.example"});
  EXPECT_EQ(path.error().ours, "boss.example");
  EXPECT_NE(path.error().theirs.find("gw.example"), std::string::npos);
}

// A wildcard dNSName is for web servers: it confirms nobody's IKE identity.
TEST(Refused, WildcardNames) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued leaf = CertMaker::leaf("gw").san("DNS:*.example").issued_by(root);
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {leaf}}), "identity_not_in_certificate");
}

TEST(Refused, WeakKeysAndHashes) {
  const Issued root = CertMaker::ca("root").self_signed();
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {gw().key(TestKey::rsa_1024).issued_by(root)}}),
            "weak_key");
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {gw().key(TestKey::secp256k1).issued_by(root)}}),
            "weak_key");
  EXPECT_EQ(verdict({.anchors = {root}, .sent = {gw().sha1().issued_by(root)}}), "weak_key");
  const Issued weak = CertMaker::ca("weak").key(TestKey::rsa_1024).self_signed();
  EXPECT_EQ(verdict({.anchors = {weak}, .sent = {gw().issued_by(weak)}}), "weak_key");
}

TEST(Refused, BrokenSignature) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued leaf = gw().break_signature().issued_by(root);
  EXPECT_NE(verdict({.anchors = {root}, .sent = {leaf}}), "good");
}

// threats.md T: what a peer sends is bounded before it is looked at.
TEST(Refused, TooManyCertificates) {
  const Issued root = CertMaker::ca("root").self_signed();
  const Issued leaf = gw().issued_by(root);
  EXPECT_EQ(verdict({.anchors = {root}, .sent = std::vector<Issued>(kPeerCertificatesMax, leaf)}),
            "good");
  EXPECT_EQ(
      verdict({.anchors = {root}, .sent = std::vector<Issued>(kPeerCertificatesMax + 1, leaf)}),
      "limit");
}

TEST(Refused, DeepPath) {
  std::vector<Issued> line{CertMaker::ca("0").self_signed()};
  for (int i = 1; i <= kPathDepthMax + 1; ++i) {
    line.push_back(CertMaker::ca(std::to_string(i)).issued_by(line.back()));
  }
  const std::vector<Issued> middle(line.begin() + 1, line.end());
  EXPECT_NE(
      verdict(
          {.anchors = {line[0]}, .sent = {gw().issued_by(line.back())}, .intermediates = middle}),
      "good");
}

}  // namespace
}  // namespace cygnet::pki
