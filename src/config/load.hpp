// From sections to the model: swanctl.conf's connections, secrets, pools and authorities.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/secret.hpp"
#include "config/diagnostics.hpp"
#include "config/files.hpp"
#include "config/options.hpp"
#include "config/section.hpp"
#include "model/connection.hpp"

namespace cygnet::config {

/// Largest credential file, in octets.
inline constexpr std::size_t kCredentialOctetsMax = 1024 * 1024;
/// Files in one credential directory.
inline constexpr std::size_t kCredentialFilesMax = 10'000;

/// What is wrong with the name of a connection, a child, a pool or an authority, if anything: it
/// has 1 to kNameOctetsMax octets and no control characters.
[[nodiscard]] std::optional<std::string> name_fault(std::string_view name);

/// Whose a thing is. swanctl manages what swanctl.conf has and what clients of vici bring; it must
/// not see what ipsec.conf brings, or it would take it away.
enum class Origin : std::uint8_t { swanctl, ipsec };

/// `secrets.ike*`: a pre-shared key and whom it is shared with; no owner means everybody.
struct SharedSecret {
  std::string name;  ///< of its section
  std::vector<model::IdentityPattern> owners;
  cygnet::Secret value;
  Place place;
  bool usable = true;  ///< for IKE; secrets of other kinds are kept until their method is there
  Origin origin = Origin::swanctl;
};

/// The folders (and secrets.* sections) that private keys come from.
enum class KeyFileKind : std::uint8_t { private_any, rsa, ecdsa, pkcs8, pkcs12 };
/// The folder's name: "private", "rsa", "ecdsa", "pkcs8", "pkcs12".
[[nodiscard]] std::string_view to_string(KeyFileKind kind);

/// A private key or PKCS#12 container, still encoded: pki opens it.
struct KeyFile {
  KeyFileKind kind = KeyFileKind::private_any;
  std::string path;
  cygnet::Secret data;
  cygnet::Secret password;  ///< empty when secrets.* names none
  Place place;              ///< of the section that names it, or the file
  Origin origin = Origin::swanctl;
};

/// Which folder a certificate or CRL came from.
enum class CertificateKind : std::uint8_t { x509, x509ca, x509crl };
[[nodiscard]] std::string_view to_string(CertificateKind kind);

/// One certificate (DER) or CRL (as in the file: DER or PEM).
struct CertificateFile {
  CertificateKind kind = CertificateKind::x509;
  Bytes data;
  std::string path;
};

/// `authorities.<name>`.
struct Authority {
  std::string name;
  Bytes cacert;  ///< DER
  std::vector<std::string> crl_uris;
  std::vector<std::string> ocsp_uris;
  Origin origin = Origin::swanctl;
  friend bool operator==(const Authority&, const Authority&) = default;
};

/// A whole configuration. Use it only when the diagnostics hold no error.
struct Loaded {
  std::vector<model::Connection> connections;
  std::vector<model::Pool> pools;
  std::vector<SharedSecret> shared_secrets;
  std::vector<KeyFile> keys;
  /// x509 holds what is not an anchor: our certificates and intermediates, among them the rest
  /// of a chain file that a connection names. x509ca holds the anchors but for those of
  /// authorities.
  std::vector<CertificateFile> certificates;
  std::vector<Authority> authorities;
  // Of the above, by name: those of Origin::ipsec.
  std::set<std::string> ipsec_connections;
  std::set<std::string> ipsec_pools;
};

/// Reads all sections of a parsed swanctl.conf and the credential folders beside it. `directory`
/// is where that file lies ("/etc/swanctl"); relative file names start in the folder of their
/// kind there (x509, x509ca, private, ...). Connections that have an error are left out.
[[nodiscard]] Loaded load_swanctl(const Section& root, Files& files, std::string_view directory,
                                  Diagnostics& diags);

/// The same for a tree that names each file it needs, as the one made from ipsec.conf does: the
/// credential folders are not looked through.
[[nodiscard]] Loaded load_sections(const Section& root, Files& files, std::string_view directory,
                                   Diagnostics& diags);

/// One connection, as vici's load-conn carries it: there certificates are DER or PEM in place of
/// file names. Empty when it has an error. Pools are not looked up: control knows them all.
/// The rest of a certificate chain goes to `more` when that is not null.
[[nodiscard]] std::optional<model::Connection> load_connection(
    const Section& section, Files& files, std::string_view directory, Diagnostics& diags,
    std::vector<CertificateFile>* more = nullptr);
/// The same for load-pool and load-authority.
[[nodiscard]] std::optional<model::Pool> load_pool(const Section& section, Diagnostics& diags);
[[nodiscard]] std::optional<Authority> load_authority(const Section& section, Files& files,
                                                      std::string_view directory,
                                                      Diagnostics& diags);

/// A secret as swanctl writes it: plain text, "0x" hexadecimal or "0s" Base64. Errors never
/// repeat the secret.
[[nodiscard]] Result<cygnet::Secret> parse_secret(std::string_view text);

}  // namespace cygnet::config
