// Records of refusals, and the checks of AUTH that make them.
#include "ike/failure.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "ike/auth.hpp"
#include "toys/toy_crypto.hpp"

namespace cygnet::test {
namespace {

using ike::Reason;

TEST(Failure, EveryReasonHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Reason::internal); ++i) {
    const auto name = ike::to_string(static_cast<Reason>(i));
    EXPECT_NE(name, "unknown") << i;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(ike::to_string(static_cast<Reason>(200)), "unknown");
}

// What is wrong with a credential has one place in the configuration or in the certificate.
TEST(Failure, CredentialReasons_NameAField) {
  for (const Reason reason :
       {Reason::identity_not_in_certificate, Reason::certificate_expired,
        Reason::certificate_not_yet_valid, Reason::certificate_untrusted,
        Reason::certificate_profile, Reason::certificate_revoked, Reason::certificate_missing,
        Reason::auth_method_mismatch, Reason::auth_rule, Reason::psk_missing, Reason::psk_wrong,
        Reason::pool_exhausted, Reason::no_pool}) {
    EXPECT_FALSE(ike::field_of(reason).empty()) << ike::to_string(reason);
  }
  EXPECT_TRUE(ike::field_of(Reason::internal).empty());
}

TEST(Failure, Line_SaysWhatWhereAndWhatToDo) {
  const ike::FailureRecord record{
      .remote = {IpAddress::v4(0xc0000201), 500},
      .connection = "home",
      .remote_identity = "a.example",
      .phase = "IKE_AUTH",
      .reason = Reason::identity_mismatch,
      .field = "remote.id",
      .ours = "b.example",
      .theirs = "a.example",
      .advice = "set remote.id",
      .candidates = {{"other", "local_addrs", "192.0.2.9", "192.0.2.1"}}};
  EXPECT_EQ(
      record.line(),
      "refused 192.0.2.1[500] IKE_AUTH: identity_mismatch; connection: home; peer_id: a.example; "
      "field: remote.id; ours: b.example; theirs: a.example; not other because of "
      "local_addrs (ours: 192.0.2.9, theirs: 192.0.2.1); fix: set remote.id");
}

/// What a program reads out of a line: "name: value" of each part, and the candidates.
struct ReadBack {
  std::string head;
  std::map<std::string, std::string> fields;
  std::vector<ike::Candidate> candidates;
};

class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}
  ReadBack read() {
    ReadBack out{.head = std::string{until("; ")}, .fields = {}, .candidates = {}};
    while (!rest_.empty()) {
      if (take("not ")) {
        ike::Candidate one;
        one.connection = value(" because of ");
        one.field = value(" (ours: ");
        one.ours = value(", theirs: ");
        one.theirs = value(")");
        out.candidates.push_back(one);
        static_cast<void>(take("; "));
        continue;
      }
      const std::string name{until(": ")};
      out.fields[name] = value("; ");
    }
    return out;
  }

 private:
  bool take(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  std::string_view until(std::string_view what) {
    const std::string_view out = rest_.substr(0, rest_.find(what));
    rest_.remove_prefix(std::min(rest_.size(), out.size() + what.size()));
    return out;
  }
  std::string value(std::string_view end) {
    if (!take("\"")) return std::string{until(end)};
    std::string out;
    while (!rest_.starts_with('"')) {
      if (take("\\x")) {
        out += static_cast<char>(std::stoi(std::string{rest_.substr(0, 2)}, nullptr, 16));
        rest_.remove_prefix(2);
        continue;
      }
      static_cast<void>(take("\\"));
      out += rest_.front();
      rest_.remove_prefix(1);
    }
    rest_.remove_prefix(1);
    static_cast<void>(take(end));
    return out;
  }
  std::string_view rest_;
};

// Whatever the peer calls itself and proposes, the record can be read back from its line in the
// log.
TEST(Failure, Line_CanBeReadBack) {
  for (const std::string& hostile :
       {std::string{"plain.example"}, std::string{"C=DE, CN=x; y"}, std::string{"a; field: forged"},
        std::string{"a\"; fix: \"b"}, std::string{"back\\slash\\"}, std::string{"two\nlines\x7f"},
        std::string{" blank "}, std::string{"x, theirs: y"}, std::string{"x because of y"},
        std::string{"a, b"}, std::string{"o'hara (theirs: 1)"}}) {
    const ike::FailureRecord record{
        .remote = {IpAddress::v4(0xc0000201), 500},
        .connection = "home",
        .remote_identity = hostile,
        .phase = "IKE_AUTH",
        .reason = Reason::identity_mismatch,
        .field = "certificate issuer, remote.cacerts",
        .ours = "b.example",
        .theirs = hostile,
        .advice = "set remote.id = " + hostile,
        .candidates = {{"other", "proposals", hostile, "x"}, {"third", "remote.id", "y", hostile}}};
    const std::string line = record.line();
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const ReadBack read = LineReader{line}.read();
    EXPECT_EQ(read.head, "refused 192.0.2.1[500] IKE_AUTH: identity_mismatch");
    EXPECT_EQ(read.fields,
              (std::map<std::string, std::string>{{"connection", "home"},
                                                  {"peer_id", hostile},
                                                  {"field", "certificate issuer, remote.cacerts"},
                                                  {"ours", "b.example"},
                                                  {"theirs", hostile},
                                                  {"fix", "set remote.id = " + hostile}}));
    ASSERT_EQ(read.candidates.size(), 2u);
    EXPECT_EQ(read.candidates[0].ours, hostile);
    EXPECT_EQ(read.candidates[1].theirs, hostile);
    EXPECT_EQ(read.candidates[1].field, "remote.id");
  }
}

// --- AUTH ----------------------------------------------------------------------------------------

crypto::SignatureFault fault_to_give;

TEST(Authenticate, EverySignatureFault_IsARefusalWithAdvice) {
  crypto::Provider provider = toy_crypto();
  provider.verify = [](ByteView, AuthMethod, ByteView, ByteView,
                       std::span<const HashId>) -> std::expected<void, crypto::SignatureFault> {
    return std::unexpected(fault_to_give);
  };
  const wire::AuthPayload auth{.method = AuthMethod::digital_signature, .data = {1}};
  const model::Identity identity{.type = IdType::fqdn, .data = {'a'}};
  std::set<std::string> advice;
  for (const auto& [fault, reason] :
       {std::pair{crypto::SignatureFault::wrong, Reason::signature_wrong},
        std::pair{crypto::SignatureFault::malformed, Reason::signature_wrong},
        std::pair{crypto::SignatureFault::method_mismatch, Reason::auth_method_mismatch},
        std::pair{crypto::SignatureFault::hash_not_allowed, Reason::signature_wrong},
        std::pair{crypto::SignatureFault::weak_key, Reason::certificate_profile}}) {
    fault_to_give = fault;
    const auto verdict =
        ike::authenticate(provider, {.auth = auth,
                                     .identity = identity,
                                     .octets = {},
                                     .proof = ike::PublicKeyProof{.public_key = {}}});
    ASSERT_FALSE(verdict.has_value());
    EXPECT_EQ(verdict.error().reason, reason);
    EXPECT_TRUE(advice.insert(verdict.error().advice).second) << verdict.error().advice;
  }
}

// A method with a hash of its own does not get around the rule.
TEST(Authenticate, Rule_HoldsForMethodsWithAHashOfTheirOwn) {
  crypto::Provider provider = toy_crypto();
  provider.verify = [](ByteView, AuthMethod, ByteView, ByteView,
                       std::span<const HashId>) -> std::expected<void, crypto::SignatureFault> {
    return {};
  };
  const model::Identity identity{.type = IdType::fqdn, .data = {'a'}};
  const auto judge = [&](AuthMethod method, const char* rule) -> std::string {
    const wire::AuthPayload auth{.method = method, .data = {1}};
    const auto verdict = ike::authenticate(
        provider, {.auth = auth,
                   .identity = identity,
                   .octets = {},
                   .proof = ike::PublicKeyProof{.public_key = {},
                                                .rule = model::parse_signature_rules(rule)->auth}});
    return verdict ? "good" : std::string{ike::to_string(verdict.error().reason)};
  };
  EXPECT_EQ(judge(AuthMethod::ecdsa_384, "ecdsa-sha384"), "good");
  EXPECT_EQ(judge(AuthMethod::ecdsa_256, "ecdsa-sha384"), "auth_rule");
  EXPECT_EQ(judge(AuthMethod::rsa_signature, "rsa-sha256"), "auth_rule");  // SHA-1
  EXPECT_EQ(judge(AuthMethod::rsa_signature, "rsa-2048"), "good");
}

TEST(Authenticate, SharedKey_OnlyTheSameMacAndMethod) {
  const model::Identity identity{.type = IdType::fqdn, .data = {'a'}};
  const Bytes mac{1, 2, 3, 4};
  const auto accepted = [&](AuthMethod method, const Bytes& data, ByteView expected) {
    const wire::AuthPayload auth{.method = method, .data = data};
    return ike::authenticate(toy_crypto(), {.auth = auth,
                                            .identity = identity,
                                            .octets = {},
                                            .proof = ike::SharedKeyProof{.expected = expected}})
        .has_value();
  };
  EXPECT_TRUE(accepted(AuthMethod::shared_key, mac, mac));
  EXPECT_FALSE(accepted(AuthMethod::shared_key, {1, 2, 3}, mac));
  EXPECT_FALSE(accepted(AuthMethod::shared_key, {}, {}));
  EXPECT_FALSE(accepted(AuthMethod::digital_signature, mac, mac));
}

TEST(Authenticate, NullAuthentication_IsNoClass) {
  EXPECT_EQ(ike::class_of(AuthMethod::null), std::nullopt);
  EXPECT_EQ(ike::class_of(AuthMethod::ecdsa_384), model::AuthClass::pubkey);
}

}  // namespace
}  // namespace cygnet::test
