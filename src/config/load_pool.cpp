// pools.<name> and authorities.<name>
#include <fmt/format.h>

#include "config/loader.hpp"
#include "pki/certificate.hpp"

namespace cygnet::config {
namespace {

constexpr Unsupported kPoolUnsupported[] = {
    {"netmask", "address", "", "", Severity::warning, "IKEv2 clients take none"},
    {"dhcp", "list of addresses", "", "", Severity::warning, "clients are not told"},
    {"server", "list of addresses", "", "", Severity::warning, "clients are not told"},
    {"p_cscf", "list of addresses", "", "", Severity::warning, "clients are not told"},
    {"split_exclude", "list of prefixes", "", "", Severity::warning, "", OptionSupport::ikev1_only},
    {"split_include", "list of prefixes", "", "", Severity::warning, "", OptionSupport::ikev1_only},
};
constexpr Unsupported kAuthorityUnsupported[] = {
    {"handle", "hexadecimal", "", "", Severity::error, "there is no PKCS#11"},
    {"slot", "number", "", "", Severity::error, "there is no PKCS#11"},
    {"module", "name", "", "", Severity::error, "there is no PKCS#11"},
    {"cert_uri_base", "URI", "", "", Severity::warning, "hash-and-URL is not used"},
};

}  // namespace

model::Pool read_pool(const Loader& loader, const Section& section) {
  Fields fields = loader.fields(section, "pools.<pool>");
  model::Pool out;
  loader.check_name(section, "pool");
  out.name = section.name;
  if (const auto range = fields.required("addrs", kPoolRange)) out.range = *range;
  out.dns = fields.list("dns", kIp);
  out.nbns = fields.list("nbns", kIp);
  out.subnets = fields.list("subnet", kPrefix);
  out.dns_domains = fields.list("25", kDomain);  // INTERNAL_DNS_DOMAIN, RFC 8598 §3.1
  for (const Unsupported& option : kPoolUnsupported) fields.unsupported(option);
  fields.reject_unknown();
  return out;
}

Authority read_authority(const Loader& loader, const Section& section) {
  Fields fields = loader.fields(section, "authorities.<name>");
  Authority out;
  loader.check_name(section, "authority");
  out.name = section.name;
  for (const std::string_view option : {"cacert", "file"}) {
    auto certs = read_certificates(loader, fields, option, CertificateKind::x509ca, nullptr);
    if (certs.empty()) continue;
    out.cacert = std::move(certs.front());
    const auto certificate = pki::Certificate::parse(out.cacert);
    if (certificate && certificate->is_ca()) continue;
    loader.diags.error(fields.at(option), certificate
                                              ? "not a certificate of a CA: " + certificate->names()
                                              : certificate.error().text());
  }
  out.crl_uris = fields.list("crl_uris", kUri);
  out.ocsp_uris = fields.list("ocsp_uris", kUri);
  for (const Unsupported& option : kAuthorityUnsupported) fields.unsupported(option);
  fields.reject_unknown();
  if (out.cacert.empty() && loader.listing == nullptr && !fields.has("cacert") &&
      !fields.has("file")) {
    loader.diags.error(section.place, fmt::format("authority '{}' needs 'cacert'", section.name));
  }
  return out;
}

}  // namespace cygnet::config
