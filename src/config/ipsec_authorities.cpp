// The sections `ca` and the folder ipsec.d/cacerts.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/ipsec_conversion.hpp"
#include "config/ipsec_values.hpp"
#include "pki/certificate.hpp"

namespace cygnet::config {
namespace {

std::string absolute(const Conversion& cx, const std::string& path) {
  return path.starts_with('/') ? path : fmt::format("{}/cacerts/{}", cx.folder, path);
}

/// A list is written with commas, which LDAP's URIs hold: %2C is the same there (RFC 3986 §2.1).
std::string without_commas(const std::string& uri) {
  std::string out;
  for (const char c : uri) out += c == ',' ? std::string{"%2C"} : std::string{c};
  return out;
}

void add_uris(Fields& fields, std::string_view keyword, std::string_view option, Section& to) {
  std::vector<std::string> uris;
  const Key* source = nullptr;
  for (const std::string& word : {std::string{keyword}, std::string{keyword} + "2"}) {
    const Key* key = fields.find(word);
    if (key == nullptr) continue;
    if (source == nullptr) source = key;
    uris.push_back(without_commas(key->value));
  }
  if (source != nullptr) make_list(to, option, uris, *source);
}

/// The authority of a ca section; nothing when it is not to be loaded.
std::optional<Section> authority_of(Conversion& cx, const Section& ca) {
  Fields fields{ca, cx.diags, nullptr, {}};
  if (fields.maybe("auto", kTranslated<kCaAutoWords>).value_or("ignore") == "ignore") {
    if (!fields.has("auto") && !ca.referenced) {
      cx.inform(ca.place, fmt::format("ca '{}' has no auto=add, so it is not loaded", ca.name));
    }
    return std::nullopt;
  }
  Section out{.name = ca.name, .place = ca.place, .keys = {}, .sections = {}};
  if (const Key* cert = fields.find("cacert")) {
    if (cert->value.starts_with("%smartcard")) {
      cx.diags.error(cert->value_place, "cacert: there is no PKCS#11; name a file");
      return std::nullopt;
    }
    make_list(out, "cacert", {absolute(cx, cert->value)}, *cert);
  }
  add_uris(fields, "crluri", "crl_uris", out);
  add_uris(fields, "ocspuri", "ocsp_uris", out);
  if (const Key* base = fields.find("certuribase")) copy_key(out, "cert_uri_base", *base);
  return out;
}

/// The file's name with nothing in it that a section's name cannot hold, also in strongSwan.
std::string name_of(const std::string& path, const std::set<std::string, std::less<>>& taken) {
  std::string name = path.substr(path.rfind('/') + 1);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    if (!plain) c = '_';
  }
  std::string out = name;
  for (unsigned number = 2; taken.contains(out); ++number) {
    out = fmt::format("{}-{}", name, number);
  }
  return out;
}

}  // namespace

void read_ca_files(Conversion& cx) {
  const std::string folder = cx.folder + "/cacerts";
  const std::vector<std::string> paths = cx.files.glob(folder + "/*");
  if (paths.size() > kCredentialFilesMax) {
    return cx.diags.error({.file = folder}, fmt::format("more than {} files", kCredentialFilesMax));
  }
  for (const std::string& path : paths) {
    const Place place{.file = path};
    const auto text = cx.files.read(path);
    if (!text) {
      cx.warn(place, fmt::format("passed over: {}", text.error().text()));
      continue;
    }
    const auto certificate = pki::Certificate::parse(as_bytes(*text));
    if (!certificate) {
      cx.warn(place, fmt::format("passed over: {}", certificate.error().text()));
    } else if (!certificate->is_ca()) {
      cx.warn(place, fmt::format("passed over: {} is no CA", certificate->names()));
    } else {
      cx.ca_files.push_back({path, certificate->subject()});
    }
  }
}

Section convert_authorities(Conversion& cx, const std::vector<Section>& cas) {
  Section out{.name = "authorities", .place = {}, .keys = {}, .sections = {}};
  std::set<std::string, std::less<>> names;
  std::set<std::string, std::less<>> files;
  for (const Section& ca : cas) {
    auto authority = authority_of(cx, ca);
    if (!authority) continue;
    names.insert(authority->name);
    if (const Key* cert = authority->find_key("cacert")) files.insert(cert->value);
    out.sections.push_back(*std::move(authority));
  }
  for (const CaFile& file : cx.ca_files) {
    if (files.contains(file.path)) continue;
    Section section{.name = name_of(file.path, names),
                    .place = {.file = file.path},
                    .keys = {},
                    .sections = {}};
    names.insert(section.name);
    make_key(section, "cacert", file.path, nullptr);
    out.sections.push_back(std::move(section));
  }
  return out;
}

}  // namespace cygnet::config
