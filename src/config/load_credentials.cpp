// secrets.* and the credential folders beside swanctl.conf.
#include <fmt/format.h>

#include <map>

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

/// Where the password of a key file was given.
struct Password {
  cygnet::Secret value;
  Place place;
  bool used = false;
};
using Passwords = std::map<std::string, Password, std::less<>>;  // by path

/// The text as a Secret; the diagnostic never repeats it.
cygnet::Secret secret_of(const Loader& loader, Fields& fields) {
  const auto text = fields.required("secret", kText);
  if (!text) return {};
  auto secret = parse_secret(*text);
  if (secret) return *std::move(secret);
  loader.diags.error(fields.at("secret"), "secret: " + secret.error().text());
  return {};
}

void read_shared(const Loader& loader, const Section& section, Loaded& out) {
  Fields fields = loader.fields(section, "secrets.ike<suffix>");
  SharedSecret shared{.name = section.name, .owners = {}, .value = {}, .place = section.place};
  shared.value = secret_of(loader, fields);
  shared.owners = fields.prefixed("id", kIdentityPattern);
  fields.reject_unknown();
  if (!shared.value.empty()) out.shared_secrets.push_back(std::move(shared));
}

void read_password(const Loader& loader, const Section& section, std::string_view folder,
                   Passwords& passwords) {
  Fields fields = loader.fields(section, fmt::format("secrets.{}<suffix>", folder));
  const auto file = fields.required("file", kFileName);
  cygnet::Secret value = secret_of(loader, fields);
  fields.reject_unknown();
  if (!file) return;
  const std::string path =
      file->starts_with('/') ? *file : fmt::format("{}/{}/{}", loader.directory, folder, *file);
  passwords[path] = {std::move(value), section.place};
}

/// The folder a section of secrets belongs to: "rsa-gw" to "rsa".
const KeyFolder* folder_of(std::string_view section) {
  for (const KeyFolder& folder : kKeyFolders) {
    if (section.starts_with(folder.name)) return &folder;
  }
  return nullptr;
}

void read_section(const Loader& loader, const Section& section, Loaded& out, Passwords& passwords) {
  if (section.name.starts_with("ike")) return read_shared(loader, section, out);
  if (const KeyFolder* folder = folder_of(section.name)) {
    return read_password(loader, section, folder->name, passwords);
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
    auto text = loader.files.read(path);
    if (!text) {
      loader.diags.error({.file = path}, text.error().text());
    } else if (text->size() > kCredentialOctetsMax) {
      loader.diags.error({.file = path},
                         fmt::format("larger than {} octets", kCredentialOctetsMax));
    } else {
      use(path, *text);
    }
    if (text && !text->empty()) explicit_bzero(text->data(), text->size());
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
  if (text.starts_with("0x")) {
    Result<Bytes> bytes = from_hex(text.substr(2));
    if (!bytes) return fail("not hexadecimal behind 0x", "quote a text that starts so with 0s");
    cygnet::Secret out{ByteView{*bytes}};
    explicit_bzero(bytes->data(), bytes->size());
    return out;
  }
  if (text.starts_with("0s")) {
    Result<Bytes> bytes = from_base64(text.substr(2));
    if (!bytes) return fail("not Base64 behind 0s");
    cygnet::Secret out{ByteView{*bytes}};
    explicit_bzero(bytes->data(), bytes->size());
    return out;
  }
  return cygnet::Secret{as_bytes(text)};
}

void read_credentials(const Loader& loader, const Section* secrets, Loaded& out) {
  Passwords passwords;
  if (loader.listing != nullptr) {
    read_shared(loader, {}, out);
    for (const KeyFolder& folder : kKeyFolders) read_password(loader, {}, folder.name, passwords);
    return;
  }
  if (secrets != nullptr) {
    loader.fields(*secrets, {}).reject_unknown({"*"});
    for (const Section& section : secrets->sections) read_section(loader, section, out, passwords);
  }
  for (const CertificateKind kind : kCertificateFolders) read_certificate_folder(loader, kind, out);
  for (const KeyFolder& folder : kKeyFolders) {
    each_file(loader, folder.name, [&](const std::string& path, const std::string& text) {
      KeyFile key{.kind = folder.kind, .path = path, .data = cygnet::Secret{as_bytes(text)}};
      key.place = Place{.file = path};
      if (const auto at = passwords.find(path); at != passwords.end()) {
        key.password = at->second.value.clone();
        key.place = at->second.place;
        at->second.used = true;
      }
      out.keys.push_back(std::move(key));
    });
  }
  for (const auto& [path, password] : passwords) {
    if (!password.used) loader.diags.error(password.place, fmt::format("no file {}", path));
  }
}

}  // namespace cygnet::config
