// secrets.* and the credential folders beside swanctl.conf.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/loader.hpp"
#include "pki/certificate.hpp"

namespace cygnet::config {
namespace {

struct KeyFolder {
  KeyFileKind kind;
  std::string_view name;  ///< of the folder and, with anything behind it, of the section
};
constexpr KeyFolder kKeyFolders[] = {{KeyFileKind::private_any, "private"},
                                     {KeyFileKind::rsa, "rsa"},
                                     {KeyFileKind::ecdsa, "ecdsa"},
                                     {KeyFileKind::pkcs8, "pkcs8"},
                                     {KeyFileKind::pkcs12, "pkcs12"}};
constexpr CertificateKind kCertificateFolders[] = {CertificateKind::x509, CertificateKind::x509ca,
                                                   CertificateKind::x509crl};

/// Sections of secrets that belong to what we do not do yet.
constexpr std::pair<std::string_view, std::string_view> kOtherSecrets[] = {
    {"eap", "there is no EAP yet"},
    {"xauth", "there is no EAP yet"},
    {"ntlm", "there is no EAP yet"},
    {"ppk", "there are no post-quantum preshared keys"},
    {"token", "there is no PKCS#11"}};

/// The text as a Secret; the diagnostic never repeats it.
cygnet::Secret secret_of(const Loader& loader, Fields& fields,
                         const std::optional<std::string>& text) {
  if (!text) return {};
  auto secret = parse_secret(*text);
  if (secret) return *std::move(secret);
  loader.diags.error(fields.at("secret"), "secret: " + secret.error().text());
  return {};
}

void read_shared(const Loader& loader, const Section& section, Loaded& out) {
  Fields fields = loader.fields(section, "secrets.ike<suffix>");
  SharedSecret shared{.name = section.name, .owners = {}, .value = {}, .place = section.place};
  shared.value = secret_of(loader, fields, fields.required("secret", kText));
  shared.owners = fields.prefixed("id", kIdentityPattern);
  fields.reject_unknown();
  if (!shared.value.empty()) out.shared_secrets.push_back(std::move(shared));
}

/// A file's content if it can be read and is not too large; wipe it when it was used.
std::optional<std::string> content_of(const Loader& loader, const std::string& path,
                                      const Place& place) {
  auto text = loader.files.read(path);
  if (!text) {
    loader.diags.error(place, text.error().text());
    return std::nullopt;
  }
  if (text->size() > kCredentialOctetsMax) {
    loader.diags.error(place, fmt::format("{}: larger than {} octets", path, kCredentialOctetsMax));
    explicit_bzero(text->data(), text->size());
    return std::nullopt;
  }
  return *std::move(text);
}

void wipe(std::string& text) {
  if (!text.empty()) explicit_bzero(text.data(), text.size());
}

void read_key_file(const Loader& loader, const Section& section, const KeyFolder& folder,
                   Loaded& out) {
  Fields fields = loader.fields(section, fmt::format("secrets.{}<suffix>", folder.name));
  const auto file = fields.required("file", kFileName);
  KeyFile key{.kind = folder.kind, .path = {}, .data = {}, .password = {}, .place = section.place};
  key.password = secret_of(loader, fields, fields.maybe("secret", kText));
  fields.reject_unknown();
  if (!file) return;
  key.path = file->starts_with('/') ? *file
                                    : fmt::format("{}/{}/{}", loader.directory, folder.name, *file);
  auto text = content_of(loader, key.path, fields.at("file"));
  if (!text) return;
  key.data = cygnet::Secret{as_bytes(*text)};
  wipe(*text);
  const auto twin = std::ranges::find(out.keys, key.path, &KeyFile::path);
  if (twin != out.keys.end()) {
    *twin = std::move(key);  // named twice: the last section counts, as for any key
  } else {
    out.keys.push_back(std::move(key));
  }
}

/// The folder a section of secrets belongs to: "rsa-gw" to "rsa".
const KeyFolder* folder_of(std::string_view section) {
  for (const KeyFolder& folder : kKeyFolders) {
    if (section.starts_with(folder.name)) return &folder;
  }
  return nullptr;
}

void read_section(const Loader& loader, const Section& section, Loaded& out) {
  if (section.name.starts_with("ike")) return read_shared(loader, section, out);
  if (const KeyFolder* folder = folder_of(section.name)) {
    return read_key_file(loader, section, *folder, out);
  }
  for (const auto& [prefix, why] : kOtherSecrets) {
    if (!section.name.starts_with(prefix)) continue;
    loader.diags.warning(section.place,
                         fmt::format("'{}' is not supported yet: {}", section.name, why));
    return;
  }
  static constexpr std::string_view kKnown[] = {"ike",   "private", "rsa",
                                                "ecdsa", "pkcs8",   "pkcs12"};
  loader.diags.error(section.place, fmt::format("unknown section '{}'{}", section.name,
                                                model::did_you_mean(section.name, kKnown)));
}

/// The files of one folder that can be read, with their contents.
template <class Use>
void each_file(const Loader& loader, std::string_view folder, const Use& use) {
  const auto paths = loader.files.glob(fmt::format("{}/{}/*", loader.directory, folder));
  if (paths.size() > kCredentialFilesMax) {
    loader.diags.error({.file = fmt::format("{}/{}", loader.directory, folder)},
                       fmt::format("more than {} files", kCredentialFilesMax));
    return;
  }
  for (const std::string& path : paths) {
    auto text = content_of(loader, path, {.file = path});
    if (!text) continue;
    use(path, *text);
    wipe(*text);
  }
}

void read_certificate_folder(const Loader& loader, CertificateKind kind, Loaded& out) {
  each_file(loader, to_string(kind), [&](const std::string& path, const std::string& text) {
    if (kind == CertificateKind::x509crl) {
      out.certificates.push_back({kind, to_bytes(text), path});
      return;
    }
    const auto bundle = pki::Certificate::parse_all(as_bytes(text));
    if (!bundle) {
      loader.diags.error({.file = path}, bundle.error().text());
      return;
    }
    for (const pki::Certificate& one : *bundle) {
      out.certificates.push_back({kind, to_bytes(one.der()), path});
    }
  });
}

}  // namespace

std::string_view to_string(KeyFileKind kind) {
  for (const KeyFolder& folder : kKeyFolders) {
    if (folder.kind == kind) return folder.name;
  }
  return "unknown";
}

std::string_view to_string(CertificateKind kind) {
  switch (kind) {
    case CertificateKind::x509:
      return "x509";
    case CertificateKind::x509ca:
      return "x509ca";
    case CertificateKind::x509crl:
      return "x509crl";
  }
  return "unknown";
}

Result<cygnet::Secret> parse_secret(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (!hex && !text.starts_with("0s")) return cygnet::Secret{as_bytes(text)};
  Result<Bytes> bytes = hex ? from_hex(text.substr(2)) : from_base64(text.substr(2));
  if (!bytes) {
    return hex ? fail("not hexadecimal behind 0x", "write a text that starts so in hexadecimal")
               : fail("not Base64 behind 0s", "write a text that starts so in hexadecimal");
  }
  if (bytes->empty()) return fail(hex ? "nothing behind 0x" : "nothing behind 0s");
  cygnet::Secret out{ByteView{*bytes}};
  explicit_bzero(bytes->data(), bytes->size());
  return out;
}

void read_secrets(const Loader& loader, const Section* secrets, Loaded& out) {
  if (loader.listing != nullptr) {
    read_shared(loader, {}, out);
    for (const KeyFolder& folder : kKeyFolders) read_key_file(loader, {}, folder, out);
    return;
  }
  if (secrets == nullptr) return;
  loader.fields(*secrets, {}).reject_unknown({"*"});
  for (const Section& section : secrets->sections) read_section(loader, section, out);
}

void read_folders(const Loader& loader, Loaded& out) {
  for (const CertificateKind kind : kCertificateFolders) read_certificate_folder(loader, kind, out);
  std::set<std::string, std::less<>> known;
  for (const KeyFile& key : out.keys) known.insert(key.path);
  for (const KeyFolder& folder : kKeyFolders) {
    each_file(loader, folder.name, [&](const std::string& path, const std::string& text) {
      if (known.contains(path)) return;
      out.keys.push_back({.kind = folder.kind,
                          .path = path,
                          .data = cygnet::Secret{as_bytes(text)},
                          .password = {},
                          .place = Place{.file = path}});
    });
  }
}

}  // namespace cygnet::config
