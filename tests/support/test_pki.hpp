// A certificate maker for tests: everything in memory, good and bad certificates alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "pki/certificate.hpp"

namespace cygnet::test {

enum class TestKey { p256, p384, p521, rsa_1024, rsa_2048, ed25519, ed448, secp256k1 };

/// 2026-01-01T00:00:00Z: what tests call now. Certificates are valid a year around it.
inline constexpr WallTime kTestNow{std::chrono::seconds{1767225600}};

/// A certificate and its key.
struct Issued {
  Bytes cert;  ///< DER
  Bytes key;   ///< DER PKCS#8, not encrypted

  [[nodiscard]] pki::Certificate certificate() const;  ///< parsed; aborts if it cannot be
  /// PEM; with a password the key is PKCS#8 encrypted with it.
  [[nodiscard]] std::string cert_pem() const;
  [[nodiscard]] std::string key_pem(std::string_view password = {}) const;
  /// PKCS#12 with `others` as further certificates.
  [[nodiscard]] Bytes pkcs12(std::string_view password,
                             const std::vector<Issued>& others = {}) const;
};

/// Describes one certificate, then makes it. Any failure aborts: it would be a fault of the test.
///   const Issued ca = CertMaker::ca("root").self_signed();
///   const Issued gw = CertMaker::leaf("gw").san("DNS:vpn.example.org").issued_by(ca);
class CertMaker {
 public:
  /// basicConstraints CA, keyUsage keyCertSign and cRLSign; the subject is "C=CH, O=test, CN=name".
  [[nodiscard]] static CertMaker ca(std::string_view name);
  /// keyUsage digitalSignature, no extended key usage.
  [[nodiscard]] static CertMaker leaf(std::string_view name);

  CertMaker& key(TestKey kind);
  /// "DNS:vpn.example.org,email:a@example.org,IP:192.0.2.1", as OpenSSL writes it.
  CertMaker& san(std::string_view names);
  /// "serverAuth,clientAuth".
  CertMaker& eku(std::string_view list);
  /// "digitalSignature,keyCertSign"; "" leaves the extension out.
  CertMaker& key_usage(std::string_view list);
  CertMaker& valid(WallTime from, WallTime to);
  /// "CA:TRUE,pathlen:0"; "" leaves the extension out.
  CertMaker& basic_constraints(std::string_view value);
  /// "permitted;DNS:example.org".
  CertMaker& name_constraints(std::string_view value);
  CertMaker& sha1();  ///< a hash nobody should sign with
  /// Flips a bit of the signature after signing.
  CertMaker& break_signature();

  [[nodiscard]] Issued self_signed() const { return make(nullptr); }
  [[nodiscard]] Issued issued_by(const Issued& issuer) const { return make(&issuer); }

 private:
  CertMaker() = default;
  [[nodiscard]] Issued make(const Issued* issuer) const;

  std::string name_;
  TestKey kind_ = TestKey::p256;
  std::vector<std::pair<int, std::string>> extensions_;  ///< NID and OpenSSL's text
  WallTime from_ = kTestNow - std::chrono::hours{24 * 180};
  WallTime to_ = kTestNow + std::chrono::hours{24 * 180};
  bool sha1_ = false;
  bool break_signature_ = false;
};

}  // namespace cygnet::test
