// X.509 certificates as values.                                RFC 5280, RFC 4945 §5
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/ip.hpp"
#include "base/time.hpp"
#include "crypto/provider.hpp"
#include "model/identity.hpp"

namespace cygnet::pki {

/// Largest certificate that is parsed, in octets of DER.
inline constexpr std::size_t kCertificateOctetsMax = 32 * 1024;
/// Most certificates taken from one PEM bundle.
inline constexpr std::size_t kBundleCertificatesMax = 1024;
/// Most subjectAltName entries that are kept; a certificate with more is refused.
inline constexpr std::size_t kSubjectAltNamesMax = 256;

/// The names of a subjectAltName extension that an IKE identity can equal.
struct AltNames {
  std::vector<std::string> dns;  ///< as in the certificate; may hold any octet, also NUL
  std::vector<std::string> email;
  std::vector<IpAddress> ip;
};

/// One parsed certificate. Parsed does not mean trusted: see validate_path().
class Certificate {
 public:
  /// One certificate, DER or PEM; of a PEM bundle the first.
  [[nodiscard]] static Result<Certificate> parse(ByteView der_or_pem);
  /// All certificates of a PEM bundle in file order, or the one of a DER file. Other PEM blocks
  /// (keys, CRLs) are skipped; a damaged certificate or none at all is an error.
  [[nodiscard]] static Result<std::vector<Certificate>> parse_all(ByteView der_or_pem);

  /// The certificate as it was received.
  [[nodiscard]] ByteView der() const { return der_; }
  [[nodiscard]] const model::Identity& subject() const { return subject_; }
  [[nodiscard]] const model::Identity& issuer() const { return issuer_; }
  /// DER SubjectPublicKeyInfo.
  [[nodiscard]] ByteView public_key() const { return public_key_; }
  /// Empty when IKE has no authentication method for this kind of key.
  [[nodiscard]] std::optional<crypto::KeyKind> key_kind() const { return key_kind_; }
  /// Size of the public key in bits.
  [[nodiscard]] unsigned key_bits() const { return key_bits_; }

  /// The subjectKeyIdentifier extension, or key_hash() when there is none.
  [[nodiscard]] ByteView subject_key_id() const { return subject_key_id_; }
  /// SHA-1 of the content of the subjectPublicKey BIT STRING (RFC 5280 §4.2.1.2 method 1).
  [[nodiscard]] ByteView key_hash() const { return key_hash_; }
  /// SHA-1 of the SubjectPublicKeyInfo: what a CERTREQ names an authority by (RFC 7296 §3.7).
  [[nodiscard]] ByteView authority_hash() const { return authority_hash_; }

  [[nodiscard]] WallTime not_before() const { return not_before_; }
  [[nodiscard]] WallTime not_after() const { return not_after_; }
  /// basicConstraints says CA and keyUsage, if present, allows to sign certificates.
  [[nodiscard]] bool is_ca() const { return is_ca_; }
  /// extendedKeyUsage names serverAuth: what Windows and Apple want of a gateway.
  [[nodiscard]] bool for_servers() const { return for_servers_; }
  /// Subject and issuer are equal and the key identifiers do not contradict; the signature is
  /// not checked here.
  [[nodiscard]] bool self_signed() const { return self_signed_; }
  /// Lower-case hexadecimal, at least two digits; '-' in front of a negative one.
  [[nodiscard]] const std::string& serial() const { return serial_; }
  [[nodiscard]] const AltNames& alt_names() const { return alt_names_; }

  /// Whether this certificate speaks for `identity` (RFC 4945 §3.1): a name equals the subject;
  /// an FQDN a dNSName (wildcard dNSNames never); an e-mail address an rfc822Name; an address an
  /// iPAddress; a KEY_ID the subjectKeyIdentifier or a SHA-1 of the key. The CN is never compared
  /// with an FQDN. Octets with NUL never match.
  [[nodiscard]] bool confirms(const model::Identity& identity) const;
  /// The identities it can confirm, for people: "C=DE, CN=x; vpn.example.org; 192.0.2.1".
  [[nodiscard]] std::string names() const;
  /// One log line: subject, issuer, serial, dates, key.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const Certificate& a, const Certificate& b) { return a.der_ == b.der_; }

 private:
  friend struct CertificateReader;
  Certificate() = default;

  Bytes der_;
  model::Identity subject_;
  model::Identity issuer_;
  Bytes public_key_;
  std::optional<crypto::KeyKind> key_kind_;
  unsigned key_bits_ = 0;
  Bytes subject_key_id_;
  Bytes key_hash_;
  Bytes authority_hash_;
  WallTime not_before_;
  WallTime not_after_;
  bool is_ca_ = false;
  bool for_servers_ = false;
  bool self_signed_ = false;
  std::string serial_;
  AltNames alt_names_;
};

/// The subject of a certificate in DER, without looking at the rest: decoding its key costs a
/// thousand times as much. Nothing when it is no certificate.
[[nodiscard]] std::optional<model::Identity> subject_of(ByteView der);

/// SHA-1 of the content of the subjectPublicKey BIT STRING in a DER SubjectPublicKeyInfo: what
/// strongSwan calls a key by. Empty when it does not parse.
[[nodiscard]] Bytes key_hash(ByteView public_key);

/// "2026-01-31T12:00:00Z".
[[nodiscard]] std::string to_text(WallTime time);

}  // namespace cygnet::pki
