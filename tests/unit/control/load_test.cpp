// The configuration as clients of the vici socket bring it, item by item.
#include "config/swanctl_parser.hpp"
#include "config/values.hpp"
#include "support/test_pki.hpp"
#include "unit/control/bench.hpp"

namespace cygnet::control::test {
namespace {

using cygnet::test::CertMaker;
using cygnet::test::Issued;

vici::Message connection(const char* remote, const char* action = "none") {
  vici::Message out;
  vici::Message& home = out.section("home");
  home.add("remote_addrs", vici::List{remote});
  home.section("local").add("auth", "psk").add("id", "a.example");
  home.section("remote").add("auth", "psk");
  home.section("children").section("net").add("start_action", action);
  return out;
}

vici::Message certificate(const Issued& one, const char* flag = "NONE") {
  vici::Message out;
  out.add("type", "X509").add("flag", flag).add("data", ByteView{one.cert});
  return out;
}

vici::Message key(const Issued& one) {
  vici::Message out;
  out.add("type", "any").add("data", ByteView{one.key});
  return out;
}

vici::Message shared(const char* id, const char* type, vici::List owners) {
  vici::Message out;
  out.add("id", id).add("type", type).add("data", "swordfish").add("owners", std::move(owners));
  return out;
}

vici::Message pool(const char* addrs) {
  vici::Message out;
  out.section("p").add("addrs", addrs);
  return out;
}

std::string list_text(const vici::Message& answer, std::string_view name) {
  const vici::List* list = answer.list(name);
  return list == nullptr ? "no list" : fmt::format("{}", fmt::join(*list, " "));
}

// --- connections ---------------------------------------------------------------------------------

TEST(LoadConn, NewOne_IsPutAndListed) {
  Bench b;
  b.request("load-conn", connection("192.0.2.1"));
  EXPECT_EQ(b.taken(), "answer 1 yes, put home");
  b.request("get-conns", {});
  EXPECT_EQ(b.taken(), "answer 1 ");
  EXPECT_EQ(list_text(b.answer, "conns"), "home");
}

TEST(LoadConn, StartAction_IsCarriedOut) {
  Bench b;
  b.request("load-conn", connection("192.0.2.1", "start"));
  EXPECT_EQ(b.taken(), "answer 1 yes, put home, resolve 192.0.2.1");
}

// The same once more, as `swanctl --load-conns` sends it after every edit: nothing happens.
TEST(LoadConn, Unchanged_StaysUp) {
  Bench b;
  b.request("load-conn", connection("192.0.2.1", "start"));
  b.taken();
  b.request("load-conn", connection("192.0.2.1", "start"));
  EXPECT_EQ(b.taken(), "answer 1 yes");
}

TEST(LoadConn, Changed_TakesThePlaceOfTheOld) {
  Bench b;
  b.request("load-conn", connection("192.0.2.1", "start"));
  b.taken();
  b.request("load-conn", connection("192.0.2.2", "start"));
  EXPECT_EQ(b.taken(), "answer 1 yes, terminate home/, put home, resolve 192.0.2.2");
}

TEST(LoadConn, TakesThePlaceOfTheFilesOne) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.taken();
  b.request("load-conn", connection("192.0.2.7"));
  EXPECT_EQ(b.taken(), "answer 1 yes, put home");
  b.request("initiate", message({{"child", "net"}}));
  EXPECT_EQ(b.taken(), "resolve 192.0.2.7");
}

// Reading the file again does not take away what clients have brought.
TEST(LoadConn, OutlivesTheFile) {
  Bench b;
  b.request("load-conn", connection("192.0.2.1"));
  b.taken();
  EXPECT_EQ(b.configure(psk("other : auth { children { net { } } }")), "");
  EXPECT_EQ(b.taken(), "put other, arrange other home") << "the file's stand first";
  EXPECT_EQ(b.configure("connections { }"), "");
  EXPECT_EQ(b.taken(), "drop other, reset other");
  b.request("get-conns", {});
  b.taken();
  EXPECT_EQ(list_text(b.answer, "conns"), "home");
}

TEST(LoadConn, Faults_AreToldTogetherAndNothingChanges) {
  Bench b;
  vici::Message bad;
  vici::Message& home = bad.section("home");
  home.add("encap", "maybe").add("versoin", "2");
  b.request("load-conn", std::move(bad));
  const std::string taken = b.taken();
  EXPECT_EQ(taken.substr(0, 12), "answer 1 no:");
  EXPECT_NE(taken.find("maybe"), std::string::npos) << taken;
  EXPECT_NE(taken.find("versoin"), std::string::npos) << taken;
  EXPECT_NE(taken.find("connection 'home'"), std::string::npos) << taken;
  EXPECT_EQ(taken.find("put"), std::string::npos) << taken;
}

TEST(LoadConn, FileNames_AreRefused) {
  Bench b;
  vici::Message message = connection("192.0.2.1");
  vici::Message with;
  vici::Message home = *message.find("home");
  home.section("remote-2").add("auth", "pubkey").add("cacerts", vici::List{"../../etc/passwd"});
  with.add("home", std::move(home));
  b.request("load-conn", std::move(with));
  EXPECT_EQ(b.taken().substr(0, 12), "answer 1 no:");
}

// Octets of any kind come through vici; none of these is taken for something else, or repeated as
// it is.
TEST(LoadConn, HostileValues_AreRefused) {
  const std::string mark = "\xef\xbb\xbf";
  const std::string nul{"192.0.2.1\0", 10};
  for (const std::string& address :
       {nul, mark + "192.0.2.1", std::string{"192.0.2.1\r\n"}, std::string(60'000, 'x'),
        std::string{"include /etc/passwd"}}) {
    Bench b;
    vici::Message message = connection("192.0.2.1");
    vici::Message home = *message.find("home");
    home.add("local_addrs", vici::List{address});
    vici::Message with;
    with.add("home", std::move(home));
    b.request("load-conn", std::move(with));
    const std::string taken = b.taken();
    EXPECT_EQ(taken.substr(0, 12), "answer 1 no:") << taken.substr(0, 200);
    EXPECT_LT(taken.size(), 2000U);
    EXPECT_TRUE(std::ranges::none_of(taken, [](char one) { return one >= 0 && one < ' '; }))
        << taken;
  }
}

TEST(LoadConn, HostileNames_AreRefused) {
  for (const std::string& name : {std::string{"a\0b", 3}, std::string{"a\r\n"}, std::string{},
                                  std::string(config::kNameOctetsMax + 1, 'x')}) {
    for (const bool child : {false, true}) {
      Bench b;
      vici::Message message;
      vici::Message& home = message.section(child ? "home" : name);
      home.section("local").add("auth", "psk").add("id", "a.example");
      home.section("remote").add("auth", "psk");
      home.section("children").section(child ? name : "net");
      b.request("load-conn", std::move(message));
      EXPECT_EQ(b.taken().substr(0, 12), "answer 1 no:") << name;
    }
  }
}

TEST(UnloadConn, TakesItsTunnelsDown) {
  Bench b;
  b.request("load-conn", connection("192.0.2.1", "start"));
  b.taken();
  b.request("unload-conn", message({{"name", "home"}}));
  EXPECT_EQ(b.taken(), "answer 1 yes, terminate home/, drop home, reset home");
  b.request("unload-conn", message({{"name", "home"}}));
  EXPECT_EQ(b.taken(), "answer 1 no: no connection 'home'");
}

// --- what ipsec.conf brings is not swanctl's
// ------------------------------------------------------

/// A file's configuration, as ipsec.conf's.
std::string configure_ipsec(Bench& b, const std::string& text) {
  cygnet::test::MemoryFiles files;
  config::Diagnostics diags;
  const config::Section root = config::parse_swanctl_text(text, "c", files, diags);
  config::Loaded loaded = config::load_swanctl(root, files, "/d", diags);
  for (const model::Connection& one : loaded.connections) loaded.ipsec_connections.insert(one.name);
  for (const model::Pool& one : loaded.pools) loaded.ipsec_pools.insert(one.name);
  for (config::SharedSecret& one : loaded.shared_secrets) one.origin = config::Origin::ipsec;
  EXPECT_TRUE(b.controller.configure(std::move(loaded), diags, b.at, b.effects));
  return diags.text();
}

// `swanctl --load-all` takes away what it is told of and does not find in its own file.
TEST(OfIpsecConf, IsNotToldToSwanctl) {
  Bench b;
  EXPECT_EQ(configure_ipsec(b, kHome + "pools { p { addrs = 10.9.0.0/24 } }\n"), "");
  b.taken();
  b.request("get-conns", {});
  b.taken();
  EXPECT_EQ(list_text(b.answer, "conns"), "");
  b.request("get-shared", {});
  b.taken();
  EXPECT_EQ(list_text(b.answer, "keys"), "");
  b.request("get-pools", {});
  b.taken();
  EXPECT_TRUE(b.answer.empty());
  b.request("get-pools", message({{"all", "yes"}}));
  b.taken();
  EXPECT_NE(b.answer.find("p"), nullptr);
  b.request("list-conns", {});
  EXPECT_EQ(b.taken(), "stream list-conn, answer 1 ");
}

TEST(OfIpsecConf, IsNotSwanctlsToTakeAway) {
  Bench b;
  EXPECT_EQ(configure_ipsec(b, kHome + "pools { p { addrs = 10.9.0.0/24 } }\n"), "");
  b.taken();
  b.request("unload-conn", message({{"name", "home"}}));
  EXPECT_EQ(b.taken(),
            "answer 1 no: connection 'home' is ipsec.conf's: take it out there and reload");
  b.request("unload-pool", message({{"name", "p"}}));
  EXPECT_EQ(b.taken(), "answer 1 no: pool 'p' is ipsec.conf's: take it out there and reload");
  b.request("unload-shared", message({{"id", "ike"}}));
  EXPECT_EQ(b.taken(), "answer 1 no: no secret 'ike'");
}

TEST(OfIpsecConf, WhatAClientBringsInItsPlace_IsItsOwn) {
  Bench b;
  EXPECT_EQ(configure_ipsec(b, kHome + "pools { p { addrs = 10.9.0.0/24 } }\n"), "");
  b.request("load-conn", connection("192.0.2.7"));
  b.request("load-pool", pool("10.8.0.0/24"));
  b.taken();
  b.request("get-conns", {});
  b.taken();
  EXPECT_EQ(list_text(b.answer, "conns"), "home");
  b.request("get-pools", {});
  b.taken();
  EXPECT_NE(b.answer.find("p"), nullptr);
  b.request("unload-conn", message({{"name", "home"}}));
  EXPECT_EQ(b.taken(), "answer 1 yes, drop home, reset home");
}

// --- credentials ---------------------------------------------------------------------------------

// `swanctl --load-all` sends credentials first, scripts in any order: the connection becomes usable
// when its certificate and key are there.
TEST(LoadCert, CompletesAConnectionThatCameBefore) {
  Bench b;
  const Issued ca = CertMaker::ca("root").self_signed();
  const Issued own = CertMaker::leaf("gw").san("DNS:a.example").issued_by(ca);
  vici::Message one;
  vici::Message& home = one.section("home");
  home.section("local").add("auth", "pubkey").add("id", "a.example");
  home.section("children").section("net");
  b.request("load-conn", std::move(one));
  EXPECT_EQ(b.taken(), "answer 1 yes, put home");
  b.request("load-key", key(own));
  EXPECT_EQ(b.taken(), "answer 1 yes");
  b.request("load-cert", certificate(own));
  EXPECT_EQ(b.taken(), "answer 1 yes, put home");
  b.request("load-cert", certificate(ca, "CA"));
  EXPECT_EQ(b.taken(), "answer 1 yes, authorities 1");
}

vici::Message started(vici::List certs) {
  vici::Message out;
  vici::Message& home = out.section("home");
  home.add("remote_addrs", vici::List{"192.0.2.1"});
  vici::Message& local = home.section("local");
  local.add("auth", "pubkey").add("id", "a.example");
  if (!certs.empty()) local.add("certs", std::move(certs));
  home.section("children").section("net").add("start_action", "start");
  return out;
}

void bring_up(Bench& b) {
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.taken();
  b.event(ike::event::CommandDone{b.last_request, true, ""});
  b.taken();
}

// `swanctl --load-creds --clear` after every edit: a tunnel stays up while the connection is
// written the same, whatever certificates completion chooses for the next IKE_SA.
TEST(Credentials, ComeGoAndGrow_NoTunnelEnds) {
  Bench b;
  const Issued ca = CertMaker::ca("root").self_signed();
  const Issued own = CertMaker::leaf("gw").san("DNS:a.example").issued_by(ca);
  const Issued renewed = CertMaker::leaf("gw").san("DNS:a.example").issued_by(ca);
  const Issued unrelated = CertMaker::leaf("other").san("DNS:b.example").issued_by(ca);
  b.request("load-key", key(own));
  b.request("load-cert", certificate(own));
  b.request("load-conn", started({}));
  b.taken();
  bring_up(b);
  b.request("clear-creds", {});
  EXPECT_EQ(b.taken(), "answer 1 yes, put home");
  b.request("load-key", key(own));
  EXPECT_EQ(b.taken(), "answer 1 yes");
  b.request("load-cert", certificate(own));
  EXPECT_EQ(b.taken(), "answer 1 yes, put home");
  b.request("load-key", key(unrelated));
  b.request("load-cert", certificate(unrelated));
  EXPECT_EQ(b.taken(), "answer 1 yes, answer 1 yes");
  b.request("load-key", key(renewed));
  b.request("load-cert", certificate(renewed));
  EXPECT_EQ(b.taken(), "answer 1 yes, answer 1 yes, put home");
  b.request("load-conn", started({to_string(renewed.cert)}));
  EXPECT_EQ(b.taken(), "answer 1 yes, terminate home/, put home, resolve 192.0.2.1")
      << "another is named";
}

// Without any id even that comes from the certificate.
TEST(Credentials, AnUnrelatedPair_ChangesNoIdOfATunnel) {
  Bench b;
  const Issued own = CertMaker::leaf("gw").self_signed();
  const Issued unrelated = CertMaker::leaf("other").self_signed();
  vici::Message one;
  vici::Message& home = one.section("home");
  home.add("remote_addrs", vici::List{"192.0.2.1"}).section("local").add("auth", "pubkey");
  home.section("children").section("net").add("start_action", "start");
  b.request("load-key", key(own));
  b.request("load-cert", certificate(own));
  b.request("load-conn", std::move(one));
  b.taken();
  bring_up(b);
  b.request("clear-creds", {});
  b.request("load-key", key(unrelated));
  b.request("load-cert", certificate(unrelated));
  EXPECT_EQ(b.taken(), "answer 1 yes, put home, answer 1 yes, answer 1 yes, put home");
}

// What an attempt has lacked has come: it does not wait for its pause to end.
TEST(Credentials, ThatAnAttemptLacks_EndItsPause) {
  Bench b;
  const Issued own = CertMaker::leaf("gw").san("DNS:a.example").self_signed();
  b.request("load-conn", started({}));
  b.taken();
  b.controller.resolved(b.last_request, kRoute, b.effects, b.at);
  b.taken();
  b.event(ike::event::CommandDone{b.last_request, false, "no certificate"});
  b.request("load-key", key(own));
  b.taken();
  b.request("load-cert", certificate(own));
  EXPECT_EQ(b.taken(), "answer 1 yes, put home, resolve 192.0.2.1");
}

// The same once more: nothing follows, for connections or for CERTREQs.
TEST(Credentials, ThatWereThere_ChangeNothing) {
  Bench b;
  const Issued ca = CertMaker::ca("root").self_signed();
  const Issued own = CertMaker::leaf("gw").san("DNS:a.example").issued_by(ca);
  vici::Message authority;
  authority.section("corp").add("cacert", ByteView{ca.cert});
  b.request("load-authority", authority);
  b.request("load-key", key(own));
  b.request("load-cert", certificate(own));
  b.request("load-conn", started({}));
  b.taken();
  b.request("load-authority", authority);
  b.request("load-key", key(own));
  b.request("load-cert", certificate(own));
  EXPECT_EQ(b.taken(), "answer 1 yes, answer 1 yes, answer 1 yes");
}

TEST(LoadCert, WhatIsNoCertificate_IsRefused) {
  Bench b;
  b.request("load-cert", message({{"type", "X509"}, {"flag", "NONE"}, {"data", "rubbish"}}));
  EXPECT_EQ(b.taken().substr(0, 12), "answer 1 no:");
  const Issued leaf = CertMaker::leaf("gw").self_signed();
  b.request("load-cert", certificate(leaf, "CA"));
  EXPECT_EQ(b.taken().substr(0, 50), "answer 1 no: not a certificate of a CA: C=CH, O=te");
  b.request("load-cert", message({{"type", "X509_AC"}, {"data", "x"}}));
  EXPECT_EQ(b.taken(), "answer 1 no: certificates of type 'X509_AC' are not supported");
}

TEST(ListCerts, FiltersByFlagAndSubject) {
  Bench b;
  const Issued ca = CertMaker::ca("root").self_signed();
  const Issued own = CertMaker::leaf("gw").san("DNS:a.example").issued_by(ca);
  b.request("load-cert", certificate(ca, "CA"));
  b.request("load-cert", certificate(own));
  b.request("load-key", key(own));
  b.taken();
  b.request("list-certs", {});
  EXPECT_EQ(b.taken(), "stream list-cert, stream list-cert, answer 1 ");
  b.streamed.clear();
  b.request("list-certs", message({{"flag", "ca"}, {"type", "x509"}}));
  EXPECT_EQ(b.taken(), "stream list-cert, answer 1 ");
  EXPECT_EQ(b.streamed.back().text("flag"), "CA");
  EXPECT_EQ(b.streamed.back().text("has_privkey", "absent"), "absent");
  b.request("list-certs", message({{"subject", "a.example"}}));
  EXPECT_EQ(b.taken(), "stream list-cert, answer 1 ");
  EXPECT_EQ(b.streamed.back().text("has_privkey"), "yes");
  EXPECT_EQ(b.streamed.back().text("data"), to_string(own.cert));
}

// swanctl and ipsec.conf name a certificate in the connection: it is ours, and listed once.
TEST(ListCerts, HoldsThoseOfConnections) {
  Bench b;
  const Issued own = CertMaker::leaf("gw").san("DNS:a.example").self_signed();
  b.request("load-key", key(own));
  for (const char* name : {"one", "two"}) {
    vici::Message message;
    vici::Message& local = message.section(name).section("local");
    local.add("auth", "pubkey").add("id", "a.example");
    local.add("certs", vici::List{to_string(own.cert)});
    b.request("load-conn", std::move(message));
  }
  b.taken();
  b.request("list-certs", {});
  EXPECT_EQ(b.taken(), "stream list-cert, answer 1 ");
  EXPECT_EQ(b.streamed.back().text("has_privkey"), "yes");
}

TEST(LoadKey, IsNamedListedAndTakenAway) {
  Bench b;
  const Issued own = CertMaker::leaf("gw").self_signed();
  b.request("load-key", key(own));
  EXPECT_EQ(b.taken(), "answer 1 yes");
  const std::string id{b.answer.text("id")};
  EXPECT_EQ(id.size(), 40u) << "SHA-1 of the key";
  b.request("get-keys", {});
  b.taken();
  EXPECT_EQ(list_text(b.answer, "keys"), id);
  b.request("unload-key", message({{"id", id.c_str()}}));
  EXPECT_EQ(b.taken(), "answer 1 yes");
  b.request("unload-key", message({{"id", id.c_str()}}));
  EXPECT_EQ(b.taken(), "answer 1 no: no key '" + id + "'");
}

TEST(LoadShared, IsListedByItsIdAndNeverShown) {
  Bench b;
  b.request("load-shared", shared("home", "IKE", {"a.example", "b.example"}));
  b.request("load-shared", shared("eap-1", "EAP", {"bob"}));
  EXPECT_EQ(b.taken(), "answer 1 yes, answer 1 yes");
  ASSERT_EQ(b.logged.size(), 1u);
  EXPECT_EQ(b.logged[0], "secret 'eap-1' of type EAP is kept and not used yet");
  b.request("get-shared", {});
  b.taken();
  EXPECT_EQ(list_text(b.answer, "keys"), "home eap-1");
  EXPECT_EQ(vici::to_text(b.answer).find("swordfish"), std::string::npos);
  b.request("unload-shared", message({{"id", "home"}}));
  b.request("unload-shared", message({{"id", "home"}}));
  EXPECT_EQ(b.taken(), "answer 1 yes, answer 1 no: no secret 'home'");
  b.request("load-shared", shared("home", "ike", {}));  // as swanctl writes it
  EXPECT_EQ(b.taken(), "answer 1 yes");
  b.request("load-shared", shared("x", "IKEE", {}));
  EXPECT_EQ(b.taken(), "answer 1 no: secrets of type 'IKEE' are unknown");
}

/// Whether the two ends' secret is this one.
bool has_secret(Bench& b, const char* remote, const char* secret) {
  const auto mac = [&](std::string_view octets) {
    const ike::Ask ask{ike::AskId{1},
                       ike::ask::SharedKeyMac{.connection = "home",
                                              .local = *config::parse_id("a.example"),
                                              .remote = *config::parse_id(remote),
                                              .octets = to_bytes(as_bytes(octets))}};
    return b.controller.answer(ask, b.view, {}).result;
  };
  const auto got = mac("octets");
  if (!std::holds_alternative<ike::answer::Mac>(got)) return false;
  const auto pad = crypto::openssl().prf(PrfId::hmac_sha2_256, as_bytes(std::string_view{secret}),
                                         {as_bytes("Key Pad for IKEv2")});
  const auto value =
      crypto::openssl().prf(PrfId::hmac_sha2_256, pad->reveal(), {as_bytes("octets")});
  return equal(std::get<ike::answer::Mac>(got).value.reveal(), value->reveal());
}

vici::Message nameless(const char* data, const char* owner) {
  return vici::Message{}.add("type", "IKE").add("data", data).add("owners", vici::List{owner});
}

// `load-shared` without an id, as libvici's examples do it: one for each peer.
TEST(LoadShared, WithoutId_AddsUp) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.request("load-shared", nameless("one", "b.example"));
  b.request("load-shared", nameless("two", "c.example"));
  EXPECT_EQ(b.taken(), "put home, answer 1 yes, answer 1 yes");
  EXPECT_TRUE(has_secret(b, "b.example", "one"));
  EXPECT_TRUE(has_secret(b, "c.example", "two"));
  EXPECT_TRUE(has_secret(b, "d.example", "x")) << "the file's";
  b.request("load-shared", nameless("three", "b.example"));
  EXPECT_TRUE(has_secret(b, "b.example", "three")) << "the same owner's is corrected";
  b.request("get-shared", {});
  b.taken();
  EXPECT_EQ(list_text(b.answer, "keys"), "ike");
  b.request("unload-shared", {});
  EXPECT_EQ(b.taken(), "answer 1 no: no secret ''");
}

TEST(LoadShared, Empty_IsRefused) {
  Bench b;
  b.request("load-shared", nameless("", "b.example"));
  EXPECT_EQ(b.taken(), "answer 1 no: 'data' is empty");
}

// Reading the file again brings back what it says.
TEST(Reload, TheFileWinsAgain) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.request("load-shared", shared("ike", "IKE", {}));
  b.request("load-shared", shared("more", "IKE", {"c.example"}));
  EXPECT_TRUE(has_secret(b, "b.example", "swordfish"));
  EXPECT_NE(b.configure("connections { c { encap = maybe } }"), "");
  EXPECT_TRUE(has_secret(b, "b.example", "swordfish")) << "a bad file changes nothing";
  EXPECT_EQ(b.configure(kHome), "");
  EXPECT_TRUE(has_secret(b, "b.example", "x"));
  EXPECT_TRUE(has_secret(b, "c.example", "swordfish")) << "the file has none of that name";
}

// What would be dropped in silence, or could not be told any more.
TEST(Load, WhatCannotBeKept_IsRefused) {
  Bench b;
  for (const char* command : {"load-conn", "load-pool", "load-authority"}) {
    vici::Message two;
    two.section("a");
    two.section("b");
    b.request(command, std::move(two));
    EXPECT_NE(b.taken().find("more than one"), std::string::npos) << command;
    for (const std::string& name : {std::string{}, std::string{"a\nb"}, std::string(241, 'a')}) {
      vici::Message bad;
      bad.section(name);
      b.request(command, std::move(bad));
      EXPECT_NE(b.taken().find("name"), std::string::npos) << command << " " << name;
    }
  }
  for (const std::size_t octets : {240U, 241U}) {
    vici::Message child;
    vici::Message& home = child.section(std::string(240, 'c'));
    home.section("local").add("auth", "psk");
    home.section("remote").add("auth", "psk");
    home.section("children").section(std::string(octets, 'n'));
    b.request("load-conn", std::move(child));
    EXPECT_EQ(b.taken().starts_with("answer 1 yes"), octets == 240U);
  }
  const Issued leaf = CertMaker::leaf("gw").self_signed();
  vici::Message authority;
  authority.section("corp").add("cacert", ByteView{leaf.cert});
  b.request("load-authority", std::move(authority));
  EXPECT_EQ(b.taken().substr(0, 58), "answer 1 no: authority 'corp': not a certificate of a CA: ");
}

TEST(ClearCreds, LeavesWhatTheFileHas) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.request("load-shared", shared("more", "IKE", {"b.example"}));
  b.taken();
  b.request("clear-creds", {});
  EXPECT_EQ(b.taken(), "answer 1 yes");
  b.request("get-shared", {});
  b.taken();
  EXPECT_EQ(list_text(b.answer, "keys"), "ike");
}

TEST(Authorities, ComeAndGo) {
  Bench b;
  const Issued ca = CertMaker::ca("root").self_signed();
  vici::Message one;
  one.section("corp").add("cacert", ByteView{ca.cert}).add("crl_uris", vici::List{"http://c/crl"});
  b.request("load-authority", std::move(one));
  EXPECT_EQ(b.taken(), "answer 1 yes, authorities 1");
  b.request("list-authorities", {});
  EXPECT_EQ(b.taken(), "stream list-authority, answer 1 ");
  const vici::Message* corp = b.streamed.back().find("corp");
  ASSERT_NE(corp, nullptr);
  EXPECT_EQ(corp->text("cacert"), "C=CH, O=test, CN=root");
  EXPECT_EQ(list_text(*corp, "crl_uris"), "http://c/crl");
  b.request("get-authorities", {});
  b.taken();
  EXPECT_EQ(list_text(b.answer, "authorities"), "corp");
  b.request("unload-authority", message({{"name", "corp"}}));
  EXPECT_EQ(b.taken(), "answer 1 yes, authorities 0");
  b.request("unload-authority", message({{"name", "corp"}}));
  EXPECT_EQ(b.taken(), "answer 1 no: no authority 'corp'");
}

// --- pools ---------------------------------------------------------------------------------------

TEST(LoadPool, IsShownAndNotTakenAwayWhileItIsInUse) {
  Bench b;
  b.request("load-pool", pool("10.9.0.0/30"));
  EXPECT_EQ(b.taken(), "answer 1 yes");
  vici::Message with_pool = connection("192.0.2.1");
  vici::Message home = *with_pool.find("home");
  vici::Message whole;
  whole.add("home", std::move(home.add("pools", vici::List{"p"})));
  b.request("load-conn", std::move(whole));
  EXPECT_EQ(b.taken(), "answer 1 yes, put home");
  const ike::Ask ask{
      ike::AskId{1},
      ike::ask::Lease{.connection = "home", .sa = ike::SaId{4}, .requested = {IpAddress::v4(0)}}};
  const auto leased = b.controller.answer(ask, b.view, {}).result;
  ASSERT_TRUE(std::holds_alternative<ike::answer::Leased>(leased));
  b.request("get-pools", message({{"leases", "yes"}}));
  b.taken();
  const vici::Message* shown = b.answer.find("p");
  ASSERT_NE(shown, nullptr);
  EXPECT_EQ(shown->text("online"), "1");
  EXPECT_NE(shown->find("leases"), nullptr);
  b.request("unload-pool", message({{"name", "p"}}));
  EXPECT_EQ(b.taken().substr(0, 12), "answer 1 no:");
  b.controller.release({ike::SaId{4}});
  b.request("unload-pool", message({{"name", "p"}}));
  EXPECT_EQ(b.taken(), "answer 1 yes");
}

// Routes for its clients, and addresses that no peer should be told, are the daemon's to know.
TEST(LoadPool, ItsRangeIsKnown) {
  Bench b;
  EXPECT_EQ(b.configure("pools { f { addrs = 10.8.0.0/30 } }"), "");
  b.request("load-pool", pool("10.9.0.0/30"));
  std::vector<std::string> ranges;
  for (const IpRange& one : b.controller.pool_ranges()) ranges.push_back(one.text());
  EXPECT_EQ(fmt::format("{}", fmt::join(ranges, ", ")), "10.8.0.1..10.8.0.2, 10.9.0.1..10.9.0.2");
}

TEST(LoadPool, BadAddresses_AreRefused) {
  Bench b;
  b.request("load-pool", pool("10.9.0.0/33"));
  EXPECT_EQ(b.taken().substr(0, 12), "answer 1 no:");
  b.request("get-pools", {});
  b.taken();
  EXPECT_TRUE(b.answer.empty());
}

// --- numbers -------------------------------------------------------------------------------------

TEST(Counters, AreOneForAllAndOneForEachConnection) {
  Bench b;
  b.view.book.add("home", ike::Counter::ike_init_out_req);
  b.view.book.add("", ike::Counter::invalid);
  b.request("get-counters", {});
  EXPECT_EQ(b.taken(), "answer 1 yes");
  const vici::Message* all = b.answer.find("counters")->find("");
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(all->text("ike-init-out-req"), "1");
  EXPECT_EQ(all->text("invalid"), "1");
  b.request("get-counters", message({{"all", "yes"}}));
  b.taken();
  EXPECT_EQ(b.answer.find("counters")->find("home")->text("invalid"), "0");
  b.request("get-counters", message({{"name", "nobody"}}));
  EXPECT_EQ(b.taken(), "answer 1 no: no counters of a connection 'nobody'");
  b.request("reset-counters", message({{"name", "home"}}));
  EXPECT_EQ(b.taken(), "reset home, answer 1 yes");
  b.request("reset-counters", message({{"all", "yes"}}));
  EXPECT_EQ(b.taken(), "reset each, answer 1 yes");
}

TEST(Stats, AreOfTheProcess) {
  Bench b;
  b.view.now.half_open = 2;
  b.at = b.at + std::chrono::seconds{5};
  b.request("stats", {});
  b.taken();
  EXPECT_EQ(b.answer.find("uptime")->text("running"), "105 seconds");
  EXPECT_EQ(b.answer.find("workers")->text("total"), "3");
  EXPECT_EQ(b.answer.find("ikesas")->text("half-open"), "2");
  EXPECT_EQ(b.answer.find("mallinfo")->text("used"), "4096");
}

// STYLE habit 9: every wake-up and every limit has a name, and is counted.
TEST(Stats, TellWhyTheEngineWakes) {
  Bench b;
  b.view.book.add(ike::WakeReason::rekey_child);
  b.view.book.add(ike::WakeReason::rekey_child);
  b.view.book.add(ike::Limit::cookie);
  b.request("stats", {});
  b.taken();
  EXPECT_EQ(b.answer.find("cygnet-wakes")->text("rekey-child"), "2");
  EXPECT_EQ(b.answer.find("cygnet-wakes")->text("retry"), "0");
  EXPECT_EQ(b.answer.find("cygnet-limits")->text("cookie"), "1");
  EXPECT_EQ(b.answer.find("cygnet-limits")->text("peer-requests"), "0");
}

TEST(Algorithms, SayWhoseTheyAre) {
  Bench b;
  b.request("get-algorithms", {});
  b.taken();
  EXPECT_EQ(b.answer.find("ke")->text("ECP_384"), "openssl");
  EXPECT_EQ(b.answer.find("aead")->text("AES_GCM_16"), "openssl");
}

TEST(Policies, AreFilteredByKind) {
  Bench b;
  EXPECT_EQ(
      b.configure(psk("lan : auth { children { out { mode = pass\n start_action = trap } } }")),
      "");
  b.taken();
  b.view.now.routed.push_back({.connection = "lan", .name = "out"});
  b.request("list-policies", message({{"pass", "yes"}}));
  EXPECT_EQ(b.taken(), "stream list-policy, answer 1 ");
  EXPECT_EQ(b.streamed.back().find("lan/out")->text("mode"), "PASS");
  b.request("list-policies", message({{"trap", "yes"}}));
  EXPECT_EQ(b.taken(), "answer 1 ");
}

// Names may have slashes, on either side.
TEST(Policies, AreNamedByConnectionAndChild) {
  Bench b;
  b.view.now.routed.push_back({.connection = "a/b", .name = "c/d"});
  b.request("list-policies", message({{"ike", "a/b"}, {"child", "c/d"}}));
  EXPECT_EQ(b.taken(), "stream list-policy, answer 1 ");
  const vici::Message* policy = b.streamed.back().find("a/b/c/d");
  ASSERT_NE(policy, nullptr);
  EXPECT_EQ(policy->text("ike"), "a/b");
  EXPECT_EQ(policy->text("child"), "c/d");
}

TEST(Reload, ReadsTheFileOrTheSettings) {
  Bench b;
  b.request("cygnet-reload", {});
  EXPECT_EQ(b.taken(), "reload");
  b.request("cygnet-plan", {});
  EXPECT_EQ(b.taken(), "plan");
  b.request("reload-settings", {});
  EXPECT_EQ(b.taken(), "reload settings");
}

// --- events --------------------------------------------------------------------------------------

TEST(Events, AreForWhoeverListens) {
  Bench b;
  EXPECT_EQ(b.configure(kHome), "");
  b.event(ike::event::IkeUp{.sa = ike::SaId{1}, .connection = "home"});
  b.event(ike::event::ChildUp{.sa = ike::SaId{1}, .connection = "home", .name = "net"});
  b.event(ike::event::Failed{
      .record = {.phase = "IKE_SA_INIT", .reason = ike::Reason::no_common_proposal}});
  b.taken();
  EXPECT_EQ(fmt::format("{}", fmt::join(b.published, " ")),
            "ike-updown child-updown alert cygnet-failure");

  b.published.clear();
  b.view.heard = false;
  b.event(ike::event::IkeUp{.sa = ike::SaId{1}, .connection = "home"});
  b.taken();
  EXPECT_TRUE(b.published.empty());
}

}  // namespace
}  // namespace cygnet::control::test
