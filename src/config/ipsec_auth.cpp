// Who proves what, and how: leftauth, leftid, leftcert and their like.
#include <fmt/format.h>

#include <algorithm>

#include "config/ipsec_conversion.hpp"
#include "config/ipsec_values.hpp"
#include "config/text_file.hpp"
#include "pki/certificate.hpp"
#include "pki/identity.hpp"

namespace cygnet::config {
namespace {

/// One round of one end. The words of the second round end with '2'.
struct Round {
  const Conn& conn;
  const Side& side;
  const Side& other;
  bool remote = false;
  bool second = false;

  [[nodiscard]] const Key* find(std::string_view word) const { return find_at(side, word); }
  [[nodiscard]] const Key* find_at(const Side& at, std::string_view word) const {
    return conn.find(at, second ? std::string{word} + "2" : std::string{word});
  }
};

bool is_eap(const Key* auth) { return auth != nullptr && auth->value.starts_with("eap"); }

void add_method(const Round& round, Section& to) {
  if (const Key* auth = round.find("auth")) return copy_key(to, "auth", *auth);
  const auto both = round.conn.fields.maybe("authby", kAuthBy);
  make_key(to, "auth", std::string{both.value_or("pubkey")},
           round.second ? nullptr : round.conn.fields.find("authby"));
}

/// Absolute names of files that lie in ipsec.d/certs. Cards are left out, with an error.
std::vector<std::string> certificate_files(const Conn& conn, const Key& key) {
  std::vector<std::string> out;
  for (const std::string_view name : split_list(key.value)) {
    if (name.starts_with("%smartcard")) {
      conn.cx.diags.error(key.value_place, fmt::format("{}: '{}': there is no PKCS#11; name a file",
                                                       key.shown(), name));
    } else if (name.starts_with('/')) {
      out.emplace_back(name);
    } else {
      out.push_back(fmt::format("{}/certs/{}", conn.cx.folder, name));
    }
  }
  return out;
}

/// The subject of the peer's certificate is whom it must be.
std::optional<std::string> subject_of(Conversion& cx, const std::string& path) {
  const auto text = cx.files.read(path);  // whoever loads the tree reports what is wrong with it
  if (!text) return std::nullopt;
  const auto certificate = pki::Certificate::parse(as_bytes(*text));
  if (!certificate) return std::nullopt;
  return pki::to_text(certificate->subject());
}

/// The default is the certificate's subject, else the address.
void add_default_id(const Round& round, Section& to, const std::vector<std::string>& certs) {
  if (round.second) return;
  const Key* cert = round.find("cert");
  if (cert != nullptr) {
    if (!round.remote || certs.size() != 1) return;  // of our own the daemon takes the subject
    if (auto subject = subject_of(round.conn.cx, certs.front())) {
      make_key(to, "id", *std::move(subject), cert);
    }
    return;
  }
  if (auto address = round.side.lone()) {
    make_list(to, "id", {*std::move(address)}, *round.side.host);
  } else if (round.remote && !round.side.is_anybody()) {
    // strongSwan takes the list for a name, which no peer has: nobody is let in by mistake.
    round.conn.cx.diags.error(round.side.host->value_place,
                              fmt::format("'{0}' is no single address: write {1}id, or "
                                          "{1}id=%any to accept whoever can authenticate",
                                          round.side.host->value, round.side.prefix));
  }
}

void add_id(const Round& round, Section& to, const std::vector<std::string>& certs) {
  const Key* id = round.find("id");
  if (id == nullptr) return add_default_id(round, to, certs);
  std::string_view value = id->value;
  const auto pattern = pki::parse_identity_pattern(value);
  if (value == "%any4" || value == "%any6" || (pattern && !pattern->has_value())) {
    if (round.remote) make_key(to, "id", "%any", id);
    return;
  }
  if (!value.starts_with('%')) return copy_key(to, "id", *id);
  value.remove_prefix(1);
  make_key(to, "id", std::string{value}, id);
  if (round.remote) {
    round.conn.cx.warn(id->place, fmt::format("the '%' before '{}' kept its name out of the "
                                              "request (IDr); it is sent now, and the peer must "
                                              "have it",
                                              value));
  }
}

/// rightca names an issuer, swanctl.conf its file.
void add_authority(const Round& round, Section& to) {
  const Key* ca = round.find("ca");
  const Key* named = ca;
  if (ca != nullptr && ca->value == "%same") named = round.find_at(round.other, "ca");
  if (ca == nullptr || named == nullptr || named->value == "%any") return;
  Conversion& cx = round.conn.cx;
  const auto wanted = pki::parse_identity_pattern(named->value);
  if (!wanted) {
    return cx.diags.error(named->value_place,
                          fmt::format("{}: {}", named->shown(), wanted.error().text()));
  }
  std::vector<std::string> files;
  for (const CaFile& file : cx.ca_files) {
    if (pki::match_identity(*wanted, file.subject)) files.push_back(file.path);
  }
  if (files.empty()) {
    return cx.diags.error(ca->value_place,
                          fmt::format("{}: no certificate in {}/cacerts has the subject '{}'",
                                      ca->shown(), cx.folder, named->value));
  }
  make_list(to, "cacerts", files, *ca);
}

void add_public_key(const Round& round, Section& to) {
  const Key* key = round.find("sigkey");
  if (key == nullptr || round.second || key->value == "%cert" || key->value == "%none") return;
  copy_key(to, "pubkeys", *key);
}

/// The identities of EAP, at the end that uses it.
void add_eap(const Round& round, Section& to) {
  const Conn& conn = round.conn;
  if (round.second) return;
  const bool local_eap = is_eap(conn.find(conn.local, "auth"));
  const bool remote_eap = is_eap(conn.find(conn.remote, "auth"));
  const Key* identity = conn.fields.find("eap_identity");
  const Key* server = conn.fields.find("aaa_identity");
  if (identity != nullptr && (round.remote ? remote_eap && !local_eap : local_eap)) {
    make_key(to, "eap_id", identity->value == "%identity" ? "%any" : identity->value, identity);
  }
  if (round.remote) return;
  if (server != nullptr && local_eap) copy_key(to, "aaa_id", *server);
  if (const Key* id = conn.fields.find("xauth_identity")) copy_key(to, "xauth_id", *id);
  for (const Key* key : {identity, server}) {
    if (key == nullptr || local_eap || remote_eap) continue;
    conn.cx.inform(key->place, fmt::format("'{}' has no effect: nobody uses EAP", key->shown()));
  }
}

void add_round(const Round& round, Section& connection) {
  const std::string name = round.remote ? "remote" : "local";
  Section out{.name = round.second ? name + "-2" : name,
              .place = connection.place,
              .keys = {},
              .sections = {}};
  add_method(round, out);
  const Key* cert = round.find("cert");
  const std::vector<std::string> certs =
      cert == nullptr ? std::vector<std::string>{} : certificate_files(round.conn, *cert);
  add_id(round, out, certs);
  if (!certs.empty()) make_list(out, "certs", certs, *cert);
  add_public_key(round, out);
  add_eap(round, out);
  if (round.remote) {
    add_authority(round, out);
    if (const Key* groups = round.find("groups")) copy_key(out, "groups", *groups);
    const Key* policy = round.second ? nullptr : round.find("certpolicy");
    if (policy != nullptr) copy_key(out, "cert_policy", *policy);
    if (round.conn.cx.revocation) out.keys.push_back(*round.conn.cx.revocation);
  } else if (const Key* ca = round.find("ca"); ca != nullptr && ca->value != "%same") {
    round.conn.cx.inform(ca->place,
                         fmt::format("'{}' of our own end has no effect: our certificate is the "
                                     "one that is named, or that has our id",
                                     ca->shown()));
  }
  connection.sections.push_back(std::move(out));
}

/// Words of a second round that is not asked for.
void report_rest(const Round& round) {
  for (const std::string_view word : {"id", "cert", "ca", "groups"}) {
    const Key* key = round.find(word);
    if (key == nullptr) continue;
    round.conn.cx.inform(key->place, fmt::format("'{}' has no effect without {}auth2", key->shown(),
                                                 round.side.prefix));
  }
}

}  // namespace

void add_rounds(const Conn& conn, Section& connection) {
  for (const bool second : {false, true}) {
    for (const bool remote : {false, true}) {
      const Round round{.conn = conn,
                        .side = remote ? conn.remote : conn.local,
                        .other = remote ? conn.local : conn.remote,
                        .remote = remote,
                        .second = second};
      if (!second || round.find("auth") != nullptr) {
        add_round(round, connection);
      } else {
        report_rest(round);
      }
    }
  }
}

}  // namespace cygnet::config
