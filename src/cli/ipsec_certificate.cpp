#include "cli/ipsec_certificate.hpp"

#include <fmt/format.h>

#include "pki/certificate.hpp"
#include "pki/identity.hpp"

namespace cygnet::cli {
namespace {

/// "c4:aa:6d", as people know key identifiers.
std::string colons(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    if (i != 0) out += ':';
    out += hex.substr(i, 2);
  }
  return out;
}

std::string key_text(const pki::Certificate& certificate) {
  if (!certificate.key_kind()) return "unknown";
  switch (*certificate.key_kind()) {
    case crypto::KeyKind::rsa:
      return fmt::format("RSA {} bits", certificate.key_bits());
    case crypto::KeyKind::ecdsa_256:
    case crypto::KeyKind::ecdsa_384:
    case crypto::KeyKind::ecdsa_521:
      return fmt::format("ECDSA {} bits", certificate.key_bits());
    case crypto::KeyKind::ed25519:
      return "ED25519 256 bits";
    case crypto::KeyKind::ed448:
      return "ED448 456 bits";
  }
  return "unknown";
}

std::uint64_t seconds(WallTime time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
}

}  // namespace

Result<vici::Message> with_details(const vici::Message& event) {
  const std::string* data = event.value("data");
  if (data == nullptr) return fail("list certificates", "the daemon sent none");
  CYG_TRY(const pki::Certificate certificate, pki::Certificate::parse(as_bytes(*data)));
  vici::List names;
  for (const std::string& one : certificate.alt_names().dns) names.push_back(one);
  for (const std::string& one : certificate.alt_names().email) names.push_back(one);
  for (const IpAddress& one : certificate.alt_names().ip) names.push_back(one.text());
  vici::List flags;
  if (certificate.is_ca()) flags.emplace_back("CA");
  if (certificate.self_signed()) flags.emplace_back("self-signed");
  vici::Message out = event;
  out.add("subject", pki::to_text(certificate.subject()));
  out.add("issuer", pki::to_text(certificate.issuer()));
  out.add("not-before", seconds(certificate.not_before()));
  out.add("not-after", seconds(certificate.not_after()));
  out.add("serial", colons(certificate.serial()));
  out.add("alt-names", std::move(names)).add("flags", std::move(flags));
  out.add("subject-key-id", colons(to_hex(certificate.subject_key_id())));
  out.add("key", key_text(certificate));
  out.add("key-id", colons(to_hex(certificate.authority_hash())));
  out.add("key-sha1", colons(to_hex(certificate.key_hash())));
  return out;
}

}  // namespace cygnet::cli
