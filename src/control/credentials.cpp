#include "control/credentials.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "ike/auth.hpp"
#include "pki/credentials_file.hpp"
#include "pki/identity.hpp"

namespace cygnet::control {
namespace {

/// Most owners of secrets that a refusal names.
constexpr std::size_t kOwnersShownMax = 8;

ike::Reason reason_of(pki::PathFault fault) {
  switch (fault) {
    case pki::PathFault::missing:
      return ike::Reason::certificate_missing;
    case pki::PathFault::malformed:
      return ike::Reason::malformed;
    case pki::PathFault::limit:
      return ike::Reason::limit;
    case pki::PathFault::expired:
      return ike::Reason::certificate_expired;
    case pki::PathFault::not_yet_valid:
      return ike::Reason::certificate_not_yet_valid;
    case pki::PathFault::untrusted:
    case pki::PathFault::wrong_ca:
      return ike::Reason::certificate_untrusted;
    case pki::PathFault::rule:
      return ike::Reason::auth_rule;
    case pki::PathFault::profile:
    case pki::PathFault::weak_key:
      return ike::Reason::certificate_profile;
    case pki::PathFault::revoked:
      return ike::Reason::certificate_revoked;
    case pki::PathFault::identity_not_in_certificate:
      return ike::Reason::identity_not_in_certificate;
    case pki::PathFault::internal:
      break;
  }
  return ike::Reason::internal;
}

bool allows(const model::SignatureRule& rule, const pki::Certificate& certificate) {
  const auto kind = certificate.key_kind();
  return kind && rule.allows(pki::type_of(*kind), certificate.key_bits());
}

ike::answer::Refused refused(ike::Reason reason, std::string ours, std::string theirs,
                             std::string advice) {
  return {.reason = reason,
          .ours = std::move(ours),
          .theirs = std::move(theirs),
          .advice = std::move(advice)};
}

/// How well a secret's owners fit a pair: each end that an owner names counts by how exactly.
int secret_rank(const config::SharedSecret& secret, const ike::ask::SharedKeyMac& ask) {
  if (!secret.usable) return 0;
  if (secret.owners.empty()) return 1;
  int rank = 0;
  bool remote_fits = false;
  bool local_fits = false;
  for (const model::IdentityPattern& owner : secret.owners) {
    const auto remote = pki::match_identity(owner, ask.remote);
    const auto local = pki::match_identity(owner, ask.local);
    if (remote) {
      remote_fits = true;
      rank = std::max(rank, 2 + static_cast<int>(remote->kind));
    }
    local_fits = local_fits || local.has_value();
  }
  // One owner alone names the peer; with several, both ends must be among them.
  if (!remote_fits) return secret.owners.size() == 1 && local_fits ? 2 : 0;
  return local_fits ? rank + 10 : rank;
}

std::string text_of(ByteView octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

Result<void> check_anchor(const pki::Certificate& certificate) {
  if (certificate.is_ca()) return {};
  return fail("not a certificate of a CA: " + certificate.names(),
              "end certificates belong into x509");
}

std::vector<pki::Certificate> parsed(const std::vector<Bytes>& ders) {
  std::vector<pki::Certificate> out;
  for (const Bytes& der : ders) {
    if (auto one = pki::Certificate::parse(der)) out.push_back(*std::move(one));
  }
  return out;
}

}  // namespace

std::string key_id(const crypto::PrivateKey& key) {
  return to_hex(pki::key_hash(key.public_key()));
}

CredentialSet CredentialSet::from(config::Loaded& loaded, config::Diagnostics& diags) {
  CredentialSet out;
  const auto place_of = [](const std::string& path) { return config::Place{.file = path}; };
  const auto unread = [&](const config::KeyFile& file, const Error& error) {
    const bool named = file.place.file == file.path;
    diags.error(file.place, named ? error.text() : file.path + ": " + error.text());
    out.unread_keys = true;
  };
  for (const config::CertificateFile& file : loaded.certificates) {
    if (file.kind == config::CertificateKind::x509crl) continue;  // read when they are checked
    auto all = pki::Certificate::parse_all(file.data);
    if (!all) {
      diags.error(place_of(file.path), all.error().text());
      continue;
    }
    CertificateBook& book = file.kind == config::CertificateKind::x509ca ? out.anchors : out.others;
    for (const pki::Certificate& one : *all) book.add(one);
  }
  for (config::KeyFile& file : loaded.keys) {
    const std::string password = cygnet::to_string(file.password.reveal());
    if (file.kind == config::KeyFileKind::pkcs12) {
      auto opened = pki::load_pkcs12(file.data.reveal(), password);
      if (!opened) {
        unread(file, opened.error());
        continue;
      }
      out.keys.push_back({std::move(opened->key), file.origin});
      for (const pki::Certificate& one : opened->certs) out.others.add(one);
      continue;
    }
    auto key = pki::load_key(file.data.reveal(), password);
    if (key) {
      out.keys.push_back({*std::move(key), file.origin});
    } else {
      unread(file, key.error());
    }
  }
  out.secrets = std::move(loaded.shared_secrets);
  for (config::Authority& one : loaded.authorities) {
    std::string name = one.name;
    out.authorities.insert_or_assign(std::move(name), std::move(one));
  }
  return out;
}

// --- what there is -------------------------------------------------------------------------------

CredentialSet Credentials::exchange_file(CredentialSet fresh) {
  std::swap(file_, fresh);
  rebuild();
  return fresh;
}

void Credentials::prefer_file() {
  std::set<std::string_view> names;
  for (const config::SharedSecret& one : file_.secrets) names.insert(one.name);
  std::size_t given_way =
      std::erase_if(clients_.secrets, [&names](const config::SharedSecret& one) {
        return !one.name.empty() && names.contains(one.name);
      });
  std::set<std::string> keys;
  for (const OwnKey& one : file_.keys) keys.insert(text_of(one.key->public_key()));
  given_way += std::erase_if(clients_.keys, [&keys](const OwnKey& one) {
    return keys.contains(text_of(one.key->public_key()));
  });
  given_way += std::erase_if(clients_.authorities, [this](const auto& one) {
    return file_.authorities.contains(one.first);
  });
  if (given_way != 0) rebuild();
}

Result<bool> Credentials::add_certificate(ByteView data, bool anchor) {
  CYG_TRY(const pki::Certificate certificate, pki::Certificate::parse(data));
  if (anchor) {
    CYG_TRY_DO(check_anchor(certificate));
  }
  CertificateBook& book = anchor ? clients_.anchors : clients_.others;
  if (!book.add(certificate)) return false;
  if (anchor) {
    index_anchor(certificate);
  } else {
    index_other(certificate);
  }
  return true;
}

Result<Credentials::AddedKey> Credentials::add_key(ByteView data) {
  CYG_TRY(std::unique_ptr<crypto::PrivateKey> key, pki::load_key(data));
  std::string id = key_id(*key);
  const auto at = keys_.find(text_of(key->public_key()));
  const bool known = at != keys_.end() && at->second.of_client;
  if (!known) {
    index_key(*key, true);
    clients_.keys.push_back({std::move(key), config::Origin::swanctl});
  }
  return AddedKey{.id = std::move(id), .fresh = !known};
}

bool Credentials::drop_key(std::string_view id) {
  std::size_t dropped = 0;
  for (CredentialSet* set : {&clients_, &file_}) {
    dropped += std::erase_if(set->keys, [id](const OwnKey& one) {
      return one.origin == config::Origin::swanctl && key_id(*one.key) == id;
    });
  }
  if (dropped != 0) rebuild();
  return dropped != 0;
}

std::vector<std::string> Credentials::key_ids() const {
  std::vector<std::string> out;
  for (const CredentialSet* set : {&clients_, &file_}) {
    for (const OwnKey& one : set->keys) {
      if (one.origin == config::Origin::swanctl) out.push_back(key_id(*one.key));
    }
  }
  return out;
}

void Credentials::put_secret(config::SharedSecret secret) {
  if (secret.name.empty()) {
    std::erase_if(clients_.secrets, [&secret](const config::SharedSecret& one) {
      return one.name.empty() && one.owners == secret.owners && one.usable == secret.usable;
    });
  } else {
    static_cast<void>(drop_secret(secret.name));
  }
  clients_.secrets.push_back(std::move(secret));
}

bool Credentials::drop_secret(std::string_view name) {
  if (name.empty()) return false;
  std::size_t dropped = 0;
  for (CredentialSet* set : {&clients_, &file_}) {
    dropped += std::erase_if(set->secrets, [name](const config::SharedSecret& one) {
      return one.origin == config::Origin::swanctl && one.name == name;
    });
  }
  return dropped != 0;
}

std::vector<std::string> Credentials::secret_names() const {
  std::vector<std::string> out;
  each_secret([&out](const config::SharedSecret& secret) {
    const bool managed = secret.origin == config::Origin::swanctl;
    if (managed && !secret.name.empty()) out.push_back(secret.name);
  });
  return out;
}

Result<bool> Credentials::put_authority(config::Authority authority) {
  CYG_TRY(const pki::Certificate certificate, pki::Certificate::parse(authority.cacert));
  CYG_TRY_DO(check_anchor(certificate));
  const auto at = clients_.authorities.find(authority.name);
  if (at != clients_.authorities.end() && at->second == authority) return false;
  const bool replaces =
      file_.authorities.erase(authority.name) != 0 || at != clients_.authorities.end();
  std::string name = authority.name;
  clients_.authorities.insert_or_assign(std::move(name), std::move(authority));
  if (replaces) {
    rebuild();
  } else {
    index_anchor(certificate);
  }
  return true;
}

bool Credentials::drop_authority(std::string_view name) {
  bool dropped = false;
  for (CredentialSet* set : {&clients_, &file_}) {
    const auto at = set->authorities.find(name);
    const bool managed =
        at != set->authorities.end() && at->second.origin == config::Origin::swanctl;
    if (!managed) continue;
    set->authorities.erase(at);
    dropped = true;
  }
  if (dropped) rebuild();
  return dropped;
}

std::vector<config::Authority> Credentials::authorities() const {
  std::vector<config::Authority> out;
  for (const CredentialSet* set : {&file_, &clients_}) {
    for (const auto& [name, authority] : set->authorities) out.push_back(authority);
  }
  return out;
}

void Credentials::clear_clients() {
  clients_ = {.anchors = {},
              .others = {},
              .keys = {},
              .secrets = {},
              .authorities = std::move(clients_.authorities)};
  rebuild();
}

void Credentials::rebuild() {
  std::vector<Bytes> before;
  for (const std::size_t place : own_) before.push_back(to_bytes(others_[place].der()));
  trust_ = {};
  keys_.clear();
  by_key_.clear();
  own_.clear();
  anchors_.clear();
  others_.clear();
  const std::uint64_t version = own_version_;
  for (const CredentialSet* set : {&file_, &clients_}) {
    for (const OwnKey& one : set->keys) index_key(*one.key, set == &clients_);
  }
  for (const CredentialSet* set : {&file_, &clients_}) {
    for (const pki::Certificate& one : set->anchors.all()) index_anchor(one);
    for (const auto& [name, authority] : set->authorities) {
      if (auto one = pki::Certificate::parse(authority.cacert)) index_anchor(*one);
    }
    for (const pki::Certificate& one : set->others.all()) index_other(one);
  }
  const bool same = std::ranges::equal(own_, before, [this](std::size_t place, const Bytes& der) {
    return equal(others_[place].der(), der);
  });
  own_version_ = same ? version : version + 1;
}

void Credentials::index_anchor(const pki::Certificate& certificate) {
  if (anchors_.add(certificate)) trust_.anchors.push_back(certificate);
}

void Credentials::index_other(const pki::Certificate& certificate) {
  if (!others_.add(certificate)) return;
  const std::size_t place = others_.size() - 1;
  // Paths are built from those of CAs; thousands of others would be decoded for each.
  if (certificate.is_ca()) trust_.intermediates.push_back(certificate);
  by_key_.emplace(text_of(certificate.public_key()), place);
  if (!has_key(certificate)) return;
  own_.insert(place);
  ++own_version_;
}

void Credentials::index_key(const crypto::PrivateKey& key, bool of_client) {
  const std::string public_key = text_of(key.public_key());
  keys_.insert_or_assign(public_key, KnownKey{&key, of_client});
  const auto [first, last] = by_key_.equal_range(public_key);
  for (auto at = first; at != last; ++at) {
    if (own_.insert(at->second).second) ++own_version_;
  }
}

const crypto::PrivateKey* Credentials::key_for(const pki::Certificate& certificate) const {
  const ByteView key = certificate.public_key();
  const auto at =
      keys_.find(std::string_view{reinterpret_cast<const char*>(key.data()), key.size()});
  return at == keys_.end() ? nullptr : at->second.key;
}

void Credentials::complete(model::Connection& connection, config::Diagnostics& diags) const {
  model::LocalAuth& local = connection.local;
  if (local.method != model::AuthClass::pubkey) return;
  const config::Place place{.file = "connection '" + connection.name + "'"};
  std::vector<pki::Certificate> certs = parsed(local.certs);
  if (local.certs.empty()) {
    for (const std::size_t number : own_) {
      const pki::Certificate& one = others_[number];
      if (local.id && !one.confirms(*local.id)) continue;
      local.certs.push_back(to_bytes(one.der()));
      certs.push_back(one);
    }
  }
  const bool told =
      file_.unread_keys;  // the keys that are missing are those that were complained of
  if (certs.empty()) {
    if (told) return;
    diags.error(place, local.id ? fmt::format("no certificate with a private key has the id '{}'; "
                                              "set local.certs or local.id",
                                              pki::to_text(*local.id))
                                : "no certificate with a private key; put them into x509 and "
                                  "private, or name one in local.certs");
    return;
  }
  if (!local.id) local.id = certs.front().subject();
  for (const pki::Certificate& one : certs) {
    if (key_for(one) == nullptr) {
      if (told) continue;
      diags.error(place,
                  fmt::format("no private key for the certificate {}; put the one it was made "
                              "with into private",
                              one.names()));
    } else if (!one.confirms(*local.id)) {
      diags.error(place, fmt::format("local.id '{}' is not in its certificate, which has: {}; set "
                                     "local.id to one of these, or issue the certificate with that "
                                     "subjectAltName",
                                     pki::to_text(*local.id), one.names()));
    }
  }
}

const pki::Certificate* Credentials::issuer_of(const pki::Certificate& child) const {
  std::vector<const pki::Certificate*> named;
  for (const auto* list : {&trust_.intermediates, &trust_.anchors}) {
    for (const pki::Certificate& one : *list) {
      const bool known = std::ranges::any_of(named, [&one](const auto* at) { return *at == one; });
      if (!known && one.is_ca() && one.subject() == child.issuer() && !(one == child)) {
        named.push_back(&one);
      }
    }
  }
  // A CA may have got a new key and kept its name.
  const auto signer =
      named.size() < 2
          ? named.begin()
          : std::ranges::find_if(
                named, [&child](const auto* one) { return pki::has_signed(*one, child); });
  return signer == named.end() ? nullptr : *signer;
}

std::vector<Bytes> Credentials::chain_of(const pki::Certificate& end) const {
  std::vector<Bytes> out{to_bytes(end.der())};
  pki::Certificate at = end;
  // Intermediates up to, but not including, a self-signed root.
  while (!at.self_signed() && out.size() < static_cast<std::size_t>(pki::kPathDepthMax)) {
    const pki::Certificate* issuer = issuer_of(at);
    if (issuer == nullptr || issuer->self_signed()) break;
    out.push_back(to_bytes(issuer->der()));
    at = *issuer;
  }
  return out;
}

bool Credentials::leads_to(const pki::Certificate& end,
                           const std::vector<Bytes>& authorities) const {
  std::vector<pki::Certificate> line = parsed(chain_of(end));
  for (const pki::Certificate& anchor : trust_.anchors) {
    if (!line.empty() && anchor.subject() == line.back().issuer()) line.push_back(anchor);
  }
  return std::ranges::any_of(line, [&](const pki::Certificate& one) {
    return std::ranges::any_of(
        authorities, [&](const Bytes& hash) { return equal(hash, one.authority_hash()); });
  });
}

Credentials::SignResult Credentials::sign(const ike::ask::Sign& ask,
                                          const model::Connection& connection) const {
  const model::SignatureRule& rule = connection.local.rule;
  const std::vector<pki::Certificate> certs = parsed(connection.local.certs);
  const pki::Certificate* chosen = nullptr;
  for (const pki::Certificate& one : certs) {
    if (key_for(one) == nullptr || !allows(rule, one)) continue;
    if (chosen == nullptr) chosen = &one;
    if (!ask.authorities.empty() && leads_to(one, ask.authorities)) {
      chosen = &one;
      break;
    }
  }
  if (chosen == nullptr) {
    return refused(
        ike::Reason::certificate_missing,
        "no certificate with its private key that local.auth = " + rule.text() + " allows", "",
        "put certificate and key into x509 and private");
  }
  std::vector<HashId> hashes;
  std::ranges::copy_if(ask.hashes, std::back_inserter(hashes),
                       [&rule](HashId hash) { return rule.allows(hash); });
  auto signature = key_for(*chosen)->sign(
      ask.octets, {.digital_signature = ask.digital_signature, .hashes = hashes});
  if (!signature && hashes.size() != ask.hashes.size()) {
    return refused(ike::Reason::auth_rule, "local.auth = " + rule.text(), signature.error().text(),
                   "allow a hash in local.auth that the peer accepts and the key can use");
  }
  if (!signature) {
    return refused(ike::Reason::auth_method_mismatch, signature.error().text(), "",
                   "use a certificate with a key the peer can verify");
  }
  if (const auto hash = ike::hash_of(signature->method); hash && !rule.allows(*hash)) {
    return refused(ike::Reason::auth_rule, "local.auth = " + rule.text(),
                   "a peer without RFC 7427 that takes " + to_string(*hash) + " only",
                   "allow this hash in local.auth, or update the peer");
  }
  return ike::answer::Signed{.signature = *std::move(signature), .chain = chain_of(*chosen)};
}

std::string Credentials::known_owners() const {
  std::vector<std::string> names;
  bool more = false;
  each_secret([&](const config::SharedSecret& secret) {
    for (const model::IdentityPattern& owner : secret.owners) {
      std::string name = pki::to_text(owner);
      if (std::ranges::find(names, name) != names.end()) continue;
      if (names.size() == kOwnersShownMax) {
        more = true;
      } else {
        names.push_back(std::move(name));
      }
    }
  });
  if (names.empty()) return {};
  return fmt::format(", those here are for {}{}", fmt::join(names, " and "),
                     more ? " and others" : "");
}

Credentials::MacResult Credentials::mac(const crypto::Provider& crypto,
                                        const ike::ask::SharedKeyMac& ask) const {
  const config::SharedSecret* best = nullptr;
  int best_rank = 0;
  each_secret([&](const config::SharedSecret& secret) {
    const int rank = secret_rank(secret, ask);
    if (rank <= best_rank) return;
    best = &secret;
    best_rank = rank;
  });
  if (best == nullptr) {
    return refused(
        ike::Reason::psk_missing,
        fmt::format("no secret for {} and {}{}", pki::to_text(ask.local), pki::to_text(ask.remote),
                    known_owners()),
        "", "add a secrets.ike section whose ids name both ends, or one without ids for everybody");
  }
  //= RFC7296#2.15 "AUTH = prf( prf(Shared Secret, "Key Pad for IKEv2"), <InitiatorSignedOctets>)"
  const auto pad = crypto.prf(ask.prf, best->value.reveal(), {as_bytes("Key Pad for IKEv2")});
  auto value =
      pad ? crypto.prf(ask.prf, pad->reveal(), {ask.octets}) : std::unexpected(pad.error());
  if (!value) return refused(ike::Reason::internal, value.error().text(), "", "");
  return ike::answer::Mac{.value = *std::move(value)};
}

Credentials::CheckResult Credentials::check(const ike::ask::CheckCertificates& ask,
                                            const model::Connection& connection,
                                            WallTime now) const {
  std::vector<pki::Certificate> chain;
  for (const Bytes& der : ask.chain) {
    auto one = pki::Certificate::parse(der);
    if (!one) return refused(ike::Reason::malformed, "", one.error().text(), "");
    chain.push_back(*std::move(one));
  }
  const std::vector<pki::Certificate> required_cas = parsed(connection.remote.cacerts);
  const std::vector<pki::Certificate> required_certs = parsed(connection.remote.certs);
  const auto path = pki::validate_path(trust_, {.chain = chain,
                                                .identity = ask.remote,
                                                .required_cas = required_cas,
                                                .required_certs = required_certs,
                                                .now = now,
                                                .peer_is_server = ask.initiator,
                                                .rule = connection.remote.rules.certificates});
  if (!path) {
    const pki::PathError& error = path.error();
    const std::string theirs =
        error.subject.empty() ? error.theirs : error.theirs + " (" + error.subject + ")";
    return refused(reason_of(error.fault), error.ours, theirs, error.advice);
  }
  if (const model::SignatureRule& rule = connection.remote.rules.auth; !allows(rule, path->end())) {
    return refused(ike::Reason::auth_rule, rule.text(),
                   "the key of " + pki::to_text(path->end().subject()),
                   "issue this certificate for such a key, or change remote.auth");
  }
  return ike::answer::CertificateOk{.public_key = to_bytes(path->end().public_key())};
}

std::vector<Bytes> Credentials::authority_hashes() const {
  std::vector<Bytes> out;
  for (const pki::Certificate& anchor : trust_.anchors) {
    out.push_back(to_bytes(anchor.authority_hash()));
  }
  return out;
}

}  // namespace cygnet::control
