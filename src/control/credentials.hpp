// Certificates, keys and secrets, and the answers the core asks them for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "crypto/provider.hpp"
#include "ike/actions.hpp"
#include "pki/trust.hpp"

namespace cygnet::control {

/// Everything secret that a configuration brings. Move-only.
class Credentials {
 public:
  /// Parses what `loaded` carries: certificates into anchors and intermediates, keys, PKCS#12
  /// files, shared secrets. A file that does not open is a diagnostic, never silently skipped.
  [[nodiscard]] static Credentials from(config::Loaded& loaded, config::Diagnostics& diags);

  /// Sets ids that a connection leaves to its certificate, chooses a certificate where none is
  /// named, and checks that a key fits and that the id is in the certificate.
  void complete(model::Connection& connection, config::Diagnostics& diags) const;

  using SignResult = std::variant<ike::answer::Signed, ike::answer::Refused>;
  /// Our chain and signature: the connection's certificate whose CA the peer asks for, else its
  /// first.
  [[nodiscard]] SignResult sign(const ike::ask::Sign& ask,
                                const model::Connection& connection) const;
  using MacResult = std::variant<ike::answer::Mac, ike::answer::Refused>;
  /// prf(prf(secret, "Key Pad for IKEv2"), octets) with the most specific secret for the pair.
  [[nodiscard]] MacResult mac(const crypto::Provider& crypto,
                              const ike::ask::SharedKeyMac& ask) const;
  using CheckResult = std::variant<ike::answer::CertificateOk, ike::answer::Refused>;
  [[nodiscard]] CheckResult check(const ike::ask::CheckCertificates& ask,
                                  const model::Connection& connection, WallTime now) const;

  /// SHA-1 of each anchor's SubjectPublicKeyInfo, for our CERTREQ.
  [[nodiscard]] std::vector<Bytes> authorities() const;
  [[nodiscard]] const pki::TrustStore& trust() const { return trust_; }

 private:
  [[nodiscard]] const crypto::PrivateKey* key_for(const pki::Certificate& certificate) const;
  [[nodiscard]] std::vector<Bytes> chain_of(const pki::Certificate& end) const;
  [[nodiscard]] bool leads_to(const pki::Certificate& end,
                              const std::vector<Bytes>& authorities) const;

  pki::TrustStore trust_;
  std::vector<std::unique_ptr<crypto::PrivateKey>> keys_;
  std::vector<config::SharedSecret> secrets_;
  std::vector<pki::Certificate> own_;  ///< certificates we have a key for
};

}  // namespace cygnet::control
