// Which connection a peer gets.                                    docs/architecture.md
#include "ike/select.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "ike/identity_advice.hpp"
#include "pki/identity.hpp"

namespace cygnet::test {
namespace {

using ike::Reason;

const Endpoint kLocal{*IpAddress::parse("192.0.2.1"), 500};
const Endpoint kRemote{*IpAddress::parse("198.51.100.7"), 500};

std::vector<model::Proposal> proposals(std::string_view text) {
  return *model::parse_proposals(text, ProtocolId::ike);
}
model::Identity fqdn(std::string_view text) {
  return {.type = IdType::fqdn, .data = to_bytes(text)};
}
model::AddressPattern range(const char* text) {
  const Prefix prefix = *Prefix::parse(text);
  return IpRange{prefix.first(), prefix.last()};
}

model::Connection named(const char* name) {
  model::Connection out{.name = name};
  out.proposals = proposals("aes128gcm16-prfsha256-x25519");
  out.local.id = fqdn("gw.example");
  return out;
}
ike::AuthFacts facts() {
  ike::AuthFacts out{.local = kLocal, .remote = kRemote, .id_i = fqdn("a.example")};
  out.suite = model::choose(named("x").proposals, named("x").proposals)->suite;
  return out;
}
std::string chosen(const ike::Connections& all, const ike::AuthFacts& by) {
  const auto out = ike::select_for_auth(all, by);
  return out ? (*out)->name : "none";
}

TEST(Select, NarrowerAddresses_WinWhateverTheOrder) {
  model::Connection any = named("any");
  model::Connection name = named("name");
  name.remote_addrs = {model::HostName{"a.example"}};
  model::Connection net = named("net");
  net.remote_addrs = {range("198.51.100.0/24")};
  model::Connection host = named("host");
  host.remote_addrs = {range("198.51.100.7/32")};
  model::Connection other = named("other");
  other.remote_addrs = {range("203.0.113.0/24")};
  EXPECT_EQ(chosen({any, net, host, other}, facts()), "host");
  EXPECT_EQ(chosen({host, other, net, any}, facts()), "host");
  EXPECT_EQ(chosen({other, any, net}, facts()), "net");
  EXPECT_EQ(chosen({any, name}, facts()), "any") << "a name is no better: file order";
}

TEST(Select, TheMoreSpecificIdentity_Wins) {
  model::Connection wild = named("wild");
  wild.remote.id = fqdn("*.example");
  model::Connection exact = named("exact");
  exact.remote.id = fqdn("a.example");
  EXPECT_EQ(chosen({named("any"), wild, exact}, facts()), "exact");
  EXPECT_EQ(chosen({named("any"), wild}, facts()), "wild");
}

TEST(Select, TheIdentityThePeerAsksFor_Counts) {
  model::Connection second = named("second");
  second.local.id = fqdn("second.example");
  ike::AuthFacts asks = facts();
  asks.id_r = fqdn("second.example");
  EXPECT_EQ(chosen({named("first"), second}, asks), "second");
}

/// The record that names the field of the connection that came nearest.
ike::FailureRecord refusal(const ike::Connections& all, const ike::AuthFacts& by) {
  const auto out = ike::select_for_auth(all, by);
  EXPECT_FALSE(out.has_value());
  return out ? ike::FailureRecord{} : out.error();
}

TEST(Select, Refusals_NameTheFieldOfTheNearest) {
  model::Connection elsewhere = named("elsewhere");
  elsewhere.local_addrs = {range("10.0.0.1/32")};
  EXPECT_EQ(refusal({elsewhere}, facts()).field, "local_addrs");
  EXPECT_EQ(refusal({elsewhere}, facts()).reason, Reason::no_connection);

  model::Connection stricter = named("stricter");
  stricter.proposals = proposals("aes256gcm16-prfsha384-ecp384");
  EXPECT_EQ(refusal({elsewhere, stricter}, facts()).reason, Reason::no_common_proposal);

  ike::AuthFacts asks = facts();
  asks.id_r = fqdn("nobody.example");
  EXPECT_EQ(refusal({named("gw")}, asks).field, "local.id");

  model::Connection somebody = named("somebody");
  somebody.remote.id = fqdn("b.example");
  const auto record = refusal({elsewhere, somebody, stricter}, facts());
  EXPECT_EQ(record.reason, Reason::identity_mismatch);
  EXPECT_EQ(record.connection, "somebody");
  EXPECT_EQ(record.candidates.size(), 3U);

  ike::AuthFacts psk = facts();
  psk.method = model::AuthClass::psk;
  EXPECT_EQ(refusal({named("gw")}, psk).reason, Reason::auth_method_mismatch);
  EXPECT_EQ(refusal({}, facts()).reason, Reason::no_connection);
}

// A record is kept, logged and told in one message of vici: a gateway with thousands of connections
// names those that came nearest.
TEST(Select, Refusals_NameFewOfMany) {
  ike::Connections all;
  for (std::size_t i = 0; i < 3 * ike::kCandidatesMax; ++i) {
    model::Connection one = named("");
    one.name = fmt::format("c{}", i);
    one.remote.id = fqdn(one.name);
    if (i % 2 == 0) one.remote_addrs = {range("203.0.113.0/24")};
    all.put(std::move(one));
  }
  const auto record = refusal(all, facts());
  ASSERT_EQ(record.candidates.size(), ike::kCandidatesMax);
  EXPECT_EQ(record.connection, "c1");
  EXPECT_EQ(record.candidates.front().connection, "c1");
  EXPECT_TRUE(std::ranges::all_of(record.candidates,
                                  [](const auto& one) { return one.field == "remote.id"; }));

  const ike::InitFacts offer{
      .local = kLocal, .remote = kRemote, .offers = proposals("aes256gcm16-prfsha384-ecp384")};
  const auto none = ike::select_for_init(all, offer);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().candidates.size(), ike::kCandidatesMax);
  EXPECT_EQ(none.error().candidates.front().connection, "c1");
}

/// Connections in the index, and ways to find them: as many, or something is left over.
std::string indexed(const ike::Connections& connections) {
  std::size_t all = 0;
  std::size_t ways = 0;
  for (const auto& [terms, group] : connections.groups()) {
    all += group.all.size();
    ways += group.open.size();
    for (const auto& [id, members] : group.by_id) ways += members.size();
  }
  return fmt::format("{} {}", all, ways);
}

// What is found by the peer's identity is what is configured now.
TEST(Select, AChangedConnection_IsFoundByWhatItSaysNow) {
  model::Connection first = named("first");
  first.remote.id = fqdn("A.Example");
  model::Connection second = first;
  second.name = "second";
  ike::Connections all{first, second};
  EXPECT_EQ(chosen(all, facts()), "first");
  all.arrange({"second"});
  EXPECT_EQ(chosen(all, facts()), "second");
  second.remote.id = fqdn("b.example");
  all.put(second);
  EXPECT_EQ(chosen(all, facts()), "first");
  EXPECT_EQ(indexed(all), "2 2");
  second.remote.id.reset();
  second.proposals = proposals("aes256gcm16-prfsha384-ecp384");
  all.put(second);
  EXPECT_EQ(indexed(all), "2 2");
  EXPECT_TRUE(all.drop("first"));
  EXPECT_FALSE(all.drop("first"));
  EXPECT_EQ(chosen(all, facts()), "none");
  EXPECT_EQ(indexed(all), "1 1");
  all.put(first);
  EXPECT_EQ(chosen(all, facts()), "first");
}

TEST(Select, ForInit_AddressesThenProposals) {
  const ike::InitFacts offer{
      .local = kLocal, .remote = kRemote, .offers = proposals("aes128gcm16-prfsha256-x25519")};
  model::Connection other = named("other");
  other.remote_addrs = {range("203.0.113.0/24"), range("2001:db8::/32")};
  model::Connection stricter = named("stricter");
  stricter.remote_addrs = {range("198.51.100.0/24")};
  stricter.proposals = proposals("aes256gcm16-prfsha384-ecp384");
  const auto choice = ike::select_for_init({other, named("any"), stricter}, offer);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->connection->name, "any");

  const auto none = ike::select_for_init({other, stricter}, offer);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().reason, Reason::no_common_proposal);
  EXPECT_EQ(none.error().candidates.size(), 2U);
  const auto nobody = ike::select_for_init({other}, offer);
  EXPECT_EQ(nobody.error().reason, Reason::no_connection);
  EXPECT_NE(nobody.error().line().find("203.0.113.0"), std::string::npos);
  EXPECT_EQ(nobody.error().field, "remote_addrs");
  EXPECT_EQ(ike::select_for_init({}, offer).error().field, "connections");
}

TEST(Select, ForInit_TheAddressThatWasCalled_IsAFieldToo) {
  model::Connection elsewhere = named("elsewhere");
  elsewhere.local_addrs = {range("10.0.0.1/32")};
  const auto none = ike::select_for_init(
      {elsewhere}, {.local = kLocal, .remote = kRemote, .offers = elsewhere.proposals});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().field, "local_addrs");
  EXPECT_EQ(none.error().ours, "10.0.0.1/32");
  EXPECT_EQ(none.error().theirs, "192.0.2.1");
}

// Windows offers one broken group until it is told otherwise: the advice says how.
TEST(Select, ForInit_StockWindows_IsRecognised) {
  model::Proposal weak = proposals("aes256-sha256-modp2048").front();
  for (model::Transform& one : weak.transforms) {
    if (one.type == TransformType::ke) one.id = static_cast<std::uint16_t>(KeId::modp_1024);
  }
  const auto advice = [&](std::vector<model::Proposal> offers) {
    return ike::select_for_init({named("gw")},
                                {.local = kLocal, .remote = kRemote, .offers = std::move(offers)})
        .error()
        .advice;
  };
  EXPECT_NE(advice({weak}).find("Set-VpnConnectionIPsecConfiguration"), std::string::npos);
  EXPECT_EQ(advice({weak, proposals("aes256-sha256-modp2048").front()}).find("Windows"),
            std::string::npos);
}

// What people get wrong about identities, and what is said to each.
TEST(Select, IdentityAdvice_FitsTheMistake) {
  const auto advice = [](const char* ours, const char* theirs) {
    return ike::identity_advice(*pki::parse_identity_pattern(ours), *pki::parse_identity(theirs));
  };
  const auto has = [](const std::string& text, std::string_view word) {
    return text.find(word) != std::string::npos;
  };
  EXPECT_TRUE(has(advice("CN=a, O=x, C=CH", "C=CH, O=x, CN=a"), "another order"));
  EXPECT_FALSE(has(advice("CN=b, O=x, C=CH", "C=CH, O=x, CN=a"), "another order"));
  EXPECT_TRUE(has(advice("gw.example", "C=CH, O=x, CN=gw.example"), "subjectAltName gw.example"));
  EXPECT_TRUE(has(advice("a.example", "192.0.2.2"), "local.id = a.example there"));
  EXPECT_TRUE(has(advice("a.example", "keyid:a.example"), "ID_FQDN here and ID_KEY_ID there"));
  EXPECT_TRUE(has(advice("a.example", "b.example"), "set remote.id"));
  const auto asked = [](const char* ours, const char* theirs) {
    return ike::asked_identity_advice(*pki::parse_identity_pattern(ours),
                                      *pki::parse_identity(theirs));
  };
  EXPECT_TRUE(has(asked("C=CH, CN=gw", "gw.example"), "subjectAltName"));
  EXPECT_TRUE(has(asked("gw.example", "vpn.example"), "set local.id"));
}

}  // namespace
}  // namespace cygnet::test
