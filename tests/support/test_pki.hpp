// A certificate maker for tests: everything in memory, good and bad certificates alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/time.hpp"
#include "pki/certificate.hpp"

namespace cygnet::test {

/// RSA keys are made once per process and size for CAs and once for end certificates.
enum class TestKey { p256, p384, p521, rsa_1024, rsa_2048, rsa_3072, ed25519, ed448, secp256k1 };

/// 2026-01-01T00:00:00Z: what tests call now. Certificates are valid a year around it.
inline constexpr WallTime kTestNow{std::chrono::seconds{1767225600}};

/// A certificate and its key.
struct Issued {
  Bytes cert;  ///< DER
  Bytes key;   ///< DER PKCS#8, not encrypted

  [[nodiscard]] pki::Certificate certificate() const;  ///< parsed; aborts if it cannot be
  [[nodiscard]] std::string cert_pem() const;
  [[nodiscard]] std::string key_pem() const;
  /// PKCS#12 with `others` as further certificates. Scheme: "aes" (PBES2), "3des" or "rc2".
  [[nodiscard]] Bytes pkcs12(std::string_view password, const std::vector<Issued>& others = {},
                             std::string_view scheme = "aes", int iterations = 2048) const;
};

/// Describes one certificate, then makes it. Text arguments are OpenSSL's own spelling where
/// one exists. Any failure aborts the test program: it would be a fault of the test.
///   const Issued ca = CertMaker::ca("C=DE, O=Test, CN=root").self_signed();
///   const Issued gw = CertMaker::leaf("CN=gw").dns("vpn.example.org").issued_by(ca);
class CertMaker {
 public:
  /// basicConstraints CA, keyUsage keyCertSign and cRLSign. `dn` as pki::parse_identity reads it;
  /// "" is the empty name.
  [[nodiscard]] static CertMaker ca(std::string_view dn);
  /// keyUsage digitalSignature, no EKU.
  [[nodiscard]] static CertMaker leaf(std::string_view dn);

  CertMaker& key(TestKey kind);
  /// Reuses this key instead of making one.
  CertMaker& key(const Issued& other);
  CertMaker& dns(std::string_view name);  ///< octets as given, also NUL
  CertMaker& email(std::string_view name);
  CertMaker& ip(std::string_view address);
  /// "serverAuth,clientAuth,1.3.6.1.5.5.7.3.17".
  CertMaker& eku(std::string_view list);
  /// "digitalSignature,keyCertSign"; "" leaves the extension out.
  CertMaker& key_usage(std::string_view list);
  CertMaker& valid(WallTime from, WallTime to);
  CertMaker& path_length(int count);
  CertMaker& no_basic_constraints();
  /// "permitted;DNS:example.org,excluded;IP:10.0.0.0/255.0.0.0".
  CertMaker& name_constraints(std::string_view value);
  /// A DN subtree "C=DE, O=Test" that is permitted (or excluded).
  CertMaker& dn_constraint(std::string_view dn, bool permitted = true);
  /// An extension with this OID and DER value.
  CertMaker& extension(std::string_view oid, ByteView der, bool critical);
  CertMaker& digest(std::string_view name);  ///< "SHA1", "MD5"; default fits the key
  CertMaker& serial(long value);
  CertMaker& version1();  ///< X.509 v1, no extensions
  /// A DER Name used as is for the subject.
  CertMaker& raw_subject(ByteView der);
  /// Flips a bit of the signature after signing.
  CertMaker& break_signature();

  [[nodiscard]] Issued self_signed() const;
  [[nodiscard]] Issued issued_by(const Issued& issuer) const;

 private:
  CertMaker() = default;
  [[nodiscard]] Issued make(const Issued* issuer) const;

  struct Extension {
    std::string oid;
    Bytes der;
    bool critical = false;
  };
  Bytes subject_;
  TestKey kind_ = TestKey::p256;
  Bytes reuse_key_;
  bool is_ca_ = false;
  bool basic_constraints_ = true;
  std::vector<std::string> dns_;
  std::vector<std::string> email_;
  std::vector<IpAddress> ip_;
  std::string eku_;
  std::string key_usage_;
  WallTime from_ = kTestNow - std::chrono::hours{24 * 180};
  WallTime to_ = kTestNow + std::chrono::hours{24 * 180};
  std::optional<int> path_length_;
  std::string name_constraints_;
  std::vector<std::pair<Bytes, bool>> dn_constraints_;
  std::vector<Extension> extensions_;
  std::string digest_;
  std::optional<long> serial_;
  bool version1_ = false;
  bool break_signature_ = false;
};

}  // namespace cygnet::test
