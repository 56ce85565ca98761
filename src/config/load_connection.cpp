// connections.<conn> and its authentication rounds.
#include <fmt/format.h>

#include <algorithm>

#include "config/loader.hpp"
#include "pki/certificate.hpp"

namespace cygnet::config {
namespace {

/// dpd_delay of a connection with a child that has keep_up = yes, unless it sets one.
constexpr Duration kKeepUpDpdDelay = std::chrono::seconds{10};

constexpr std::string_view kPath = "connections.<conn>";

constexpr Unsupported kConnectionUnsupported[] = {
    {"aggressive", "yes | no", "no", "no", Severity::warning, "", OptionSupport::ikev1_only},
    {"pull", "yes | no", "yes", "yes", Severity::warning, "", OptionSupport::ikev1_only},
    {"dpd_timeout", "time", "0s", "0|0s", Severity::warning, "", OptionSupport::ikev1_only},
    {"dscp", "6 bits", "000000", "000000", Severity::warning, "IKE packets carry DSCP 0"},
    {"ocsp", "reply | request | both | never", "reply", "reply|never", Severity::warning,
     "OCSP answers are not exchanged in IKE"},
    {"ppk_id", "identity", "", "", Severity::error, "there are no post-quantum preshared keys"},
    {"ppk_required", "yes | no", "no", "no", Severity::error,
     "there are no post-quantum preshared keys"},
    {"if_id_in", "number", "0", "0", Severity::error, "xfrm interfaces need the kernel's plane"},
    {"if_id_out", "number", "0", "0", Severity::error, "xfrm interfaces need the kernel's plane"},
    {"mediation", "yes | no", "no", "no", Severity::error, "there is no mediation extension"},
    {"mediated_by", "name", "", "", Severity::error, "there is no mediation extension"},
    {"mediation_peer", "identity", "", "", Severity::error, "there is no mediation extension"},
};
constexpr Unsupported kAuthUnsupported[] = {
    {"round", "number", "0", "0|1", Severity::error, "one authentication round is possible"},
    {"pubkeys", "list of files", "", "", Severity::error, "write certificates into 'certs'"},
    {"eap_id", "identity", "", "", Severity::error, "there is no EAP yet"},
};
constexpr Unsupported kLocalUnsupported[] = {
    {"aaa_id", "identity", "", "", Severity::error, "there is no EAP yet"},
    {"xauth_id", "identity", "", "", Severity::warning, "", OptionSupport::ikev1_only},
};
constexpr Unsupported kRemoteUnsupported[] = {
    {"groups", "list of names", "", "", Severity::error, "groups need attribute certificates"},
    {"cert_policy", "list of OIDs", "", "", Severity::error, "policies are not checked"},
    {"ca_id", "identity", "", "", Severity::error, "name the CA in 'cacerts'"},
};

/// The value of `auth`.
struct Auth {
  model::AuthClass method = model::AuthClass::pubkey;
  model::SignatureRules rules;
};

Result<Auth> parse_auth(std::string_view text) {
  if (text == "psk") return Auth{.method = model::AuthClass::psk, .rules = {}};
  if (text.starts_with("eap") || text.starts_with("xauth")) {
    return fail(fmt::format("'{}' is not supported yet", text), "known are pubkey and psk");
  }
  static constexpr std::string_view kFirst[] = {"pubkey",  "rsa",   "ecdsa",
                                                "ed25519", "ed448", "ike:"};
  const auto begins = [text](std::string_view word) { return text.starts_with(word); };
  if (std::ranges::none_of(kFirst, begins)) {
    static constexpr std::string_view kKnown[] = {"pubkey", "psk", "rsa", "ecdsa"};
    return fail(
        fmt::format("unknown authentication '{}'{}", text, model::did_you_mean(text, kKnown)),
        "known are pubkey, psk, and rules such as ecdsa-384-sha384");
  }
  CYG_TRY(model::SignatureRules rules, model::parse_signature_rules(text));
  return Auth{.method = model::AuthClass::pubkey, .rules = std::move(rules)};
}
constexpr ValueType<Auth> kAuth{
    "pubkey | psk | keys and hashes such as ecdsa-384-sha384", parse_auth,
    [](const Auth& auth) { return std::string{model::to_string(auth.method)}; }};

/// The subsections that are one authentication round each: "local", "local-a", "local1".
std::vector<const Section*> rounds_of(const Section& connection, std::string_view prefix) {
  std::vector<const Section*> out;
  for (const Section& section : connection.sections) {
    if (section.name.starts_with(prefix)) out.push_back(&section);
  }
  return out;
}

/// The one round of a side; an empty section when there is none.
Section round_of(const Loader& loader, const Section& connection, std::string_view prefix) {
  const auto rounds = rounds_of(connection, prefix);
  if (rounds.empty()) return {.name = {}, .place = connection.place, .keys = {}, .sections = {}};
  for (std::size_t i = 1; i < rounds.size(); ++i) {
    loader.diags.error(
        rounds[i]->place,
        fmt::format("a second authentication round ('{}') is not supported yet", rounds[i]->name));
  }
  return *rounds.front();
}

model::LocalAuth read_local(const Loader& loader, const Section& section,
                            std::vector<CertificateFile>* more) {
  Fields fields = loader.fields(section, fmt::format("{}.local", kPath));
  model::LocalAuth out;
  Auth auth = fields.optional("auth", kAuth, {});
  out.method = auth.method;
  out.rule = std::move(auth.rules.auth);
  out.id = fields.maybe("id", kIdentity, "the certificate's subject");
  out.certs = read_certificates(loader, fields, "certs", CertificateKind::x509, more);
  for (const Unsupported& option : kAuthUnsupported) fields.unsupported(option);
  for (const Unsupported& option : kLocalUnsupported) fields.unsupported(option);
  fields.reject_unknown();
  return out;
}

model::RemoteAuth read_remote(const Loader& loader, const Section& section,
                              std::vector<CertificateFile>* more) {
  Fields fields = loader.fields(section, fmt::format("{}.remote", kPath));
  model::RemoteAuth out;
  Auth auth = fields.optional("auth", kAuth, {});
  out.method = auth.method;
  out.rules = std::move(auth.rules);
  if (const auto id = fields.maybe("id", kIdentityPattern, "%any")) out.id = *id;
  out.certs = read_certificates(loader, fields, "certs", CertificateKind::x509, more);
  out.cacerts = read_certificates(loader, fields, "cacerts", CertificateKind::x509ca, more);
  out.revocation = fields.optional("revocation", kRevocation, out.revocation);
  if (out.revocation != model::Revocation::relaxed) {
    loader.diags.error(fields.at("revocation"),
                       fmt::format("'{}': only the relaxed rule is supported yet, no CRL or OCSP "
                                   "answer is fetched",
                                   fields.shown("revocation")));
  }
  for (const Unsupported& option : kAuthUnsupported) fields.unsupported(option);
  for (const Unsupported& option : kRemoteUnsupported) fields.unsupported(option);
  fields.reject_unknown();
  return out;
}

void read_lifetime(const Loader& loader, Fields& fields, model::Connection& out) {
  out.lifetime.rekey = fields.optional("rekey_time", kTime, out.lifetime.rekey);
  const auto over = fields.maybe("over_time", kTime, "10 % of rekey_time");
  const auto spread = fields.maybe("rand_time", kTime, "over_time");
  const Duration margin = over ? *over : out.lifetime.rekey / 10;
  out.lifetime.life = out.lifetime.rekey == Duration{0} ? Duration{0} : out.lifetime.rekey + margin;
  out.lifetime.jitter = spread ? *spread : margin;
  if (out.lifetime.rekey != Duration{0} && out.lifetime.jitter >= out.lifetime.rekey) {
    loader.diags.error(fields.at("rand_time"), "rand_time must be less than rekey_time");
  }
}

void read_children(const Loader& loader, const Section& section, model::Connection& out) {
  if (loader.listing != nullptr) {
    out.children.push_back(read_child(loader, {}));
    return;
  }
  const Section* children = section.find_section("children");
  if (children == nullptr) return;
  loader.fields(*children, {}).reject_unknown({"*"});
  for (const Section& child : children->sections) out.children.push_back(read_child(loader, child));
}

}  // namespace

std::vector<Bytes> read_certificates(const Loader& loader, Fields& fields, std::string_view option,
                                     CertificateKind folder, std::vector<CertificateFile>* more) {
  std::vector<Bytes> out;
  // Noted as a list of files; the texts are read here, because what they name matters.
  const std::vector<std::string> names = fields.list(option, kFileName);
  for (const std::string& name : names) {
    const bool inline_data = name.starts_with('\x30') || name.starts_with("-----BEGIN");
    std::string path = name;
    if (!inline_data && !name.starts_with('/')) {
      path = fmt::format("{}/{}/{}", loader.directory, to_string(folder), name);
    }
    auto text = inline_data ? Result<std::string>{name} : loader.files.read(path);
    if (!text) {
      loader.diags.error(fields.at(option),
                         fmt::format("{}: {}", fields.shown(option), text.error().text()));
      continue;
    }
    auto bundle = pki::Certificate::parse_all(as_bytes(*text));
    if (!bundle) {
      loader.diags.error(fields.at(option),
                         fmt::format("{}: {}: {}", fields.shown(option),
                                     inline_data ? "certificate" : path, bundle.error().text()));
      continue;
    }
    out.push_back(to_bytes(bundle->front().der()));
    for (std::size_t i = 1; more != nullptr && i < bundle->size(); ++i) {
      more->push_back({CertificateKind::x509, to_bytes((*bundle)[i].der()), path});
    }
  }
  return out;
}

std::optional<model::Connection> read_connection(const Loader& loader, const Section& section,
                                                 std::vector<CertificateFile>* more) {
  const std::size_t errors_before = loader.diags.error_count();
  Fields fields = loader.fields(section, std::string{kPath});
  model::Connection out;
  loader.check_name(section, "connection");
  out.name = section.name;
  static_cast<void>(fields.optional("version", kVersion, 2));  // only its errors count
  out.local_addrs = fields.list("local_addrs", kAddress, out.local_addrs, "%any");
  out.remote_addrs = fields.list("remote_addrs", kAddress, out.remote_addrs, "%any");
  out.local_port = fields.optional("local_port", kLocalPort, out.local_port);
  out.remote_port = fields.optional("remote_port", kPort, out.remote_port);
  out.proposals =
      fields.optional("proposals", kIkeProposals, model::default_proposals(ProtocolId::ike));
  out.vips = fields.list("vips", kIp);
  out.pools = fields.list("pools", kName);
  out.encap = fields.optional("encap", kBoolean, out.encap);
  out.mobike = fields.optional("mobike", kBoolean, out.mobike);
  out.dpd_delay = fields.optional("dpd_delay", kTime, out.dpd_delay);
  out.fragmentation = fields.optional("fragmentation", kFragmentation, out.fragmentation);
  out.send_certreq = fields.optional("send_certreq", kBoolean, out.send_certreq);
  out.send_cert = fields.optional("send_cert", kSendCert, out.send_cert);
  out.keyingtries = fields.optional("keyingtries", kTries, out.keyingtries);
  out.unique = fields.optional("unique", kUniqueness, out.unique);
  out.childless = fields.optional("childless", kChildless, out.childless);
  out.reauth_time = fields.optional("reauth_time", kTime, out.reauth_time);
  read_lifetime(loader, fields, out);
  for (const Unsupported& option : kConnectionUnsupported) fields.unsupported(option);

  out.local = read_local(loader, round_of(loader, section, "local"), more);
  out.remote = read_remote(loader, round_of(loader, section, "remote"), more);
  read_children(loader, section, out);
  // A tunnel that carries nothing notices a dead peer by asking only.
  if (out.has_kept_up() && out.dpd_delay == Duration{0}) out.dpd_delay = kKeepUpDpdDelay;
  fields.reject_unknown({"local*", "remote*", "children"});
  if (loader.diags.error_count() != errors_before) return std::nullopt;
  return out;
}

}  // namespace cygnet::config
