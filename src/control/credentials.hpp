// Certificates, keys and secrets, and the answers the core asks them for.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "control/certificate_book.hpp"
#include "crypto/provider.hpp"
#include "ike/actions.hpp"
#include "pki/trust.hpp"

namespace cygnet::control {

/// How vici calls a key: pki::key_hash() in hexadecimal.
[[nodiscard]] std::string key_id(const crypto::PrivateKey& key);

/// A private key and who brought it.
struct OwnKey {
  std::unique_ptr<crypto::PrivateKey> key;
  config::Origin origin = config::Origin::swanctl;
};

/// What one source brought: the configuration files, or the clients of the vici socket. Move-only.
struct CredentialSet {
  CertificateBook anchors;
  CertificateBook others;  ///< ours and intermediates: trusted for nothing
  std::vector<OwnKey> keys;
  std::vector<config::SharedSecret> secrets;
  std::map<std::string, config::Authority, std::less<>> authorities;
  bool unread_keys = false;  ///< a file of keys did not open, which was told

  /// Parses what `loaded` carries: certificates, keys, PKCS#12 files, shared secrets. A file that
  /// does not open is a diagnostic, never silently skipped.
  [[nodiscard]] static CredentialSet from(config::Loaded& loaded, config::Diagnostics& diags);
};

/// A name that the file's credentials have before, after, or both times with another content.
struct CredentialChange {
  std::string_view what;  ///< authority, secret, key, certificate or CA certificate
  std::string name;       ///< of keys their id, of certificates the subject
  bool before = false;
  bool after = false;
};

/// Everything that proves who we are and who others are. What one client adds costs little, however
/// much there is; what takes something away sums all up anew.
class Credentials {
 public:
  // --- what there is -------------------------------------------------------------------------
  /// Takes what the file has now; what it had before comes back.
  [[nodiscard]] CredentialSet exchange_file(CredentialSet fresh);
  /// What is other when the file has `fresh`, by name; contents are told apart and never told.
  [[nodiscard]] std::vector<CredentialChange> changes_to(const CredentialSet& fresh) const;
  /// From a client: one certificate, DER or PEM; an `anchor` must be one of a CA. False when it was
  /// there already.
  [[nodiscard]] Result<bool> add_certificate(ByteView data, bool anchor);
  struct AddedKey {
    std::string id;      ///< SHA-1 of the subjectPublicKey, in hexadecimal
    bool fresh = false;  ///< clients had not brought it before
  };
  /// A private key, not encrypted.
  [[nodiscard]] Result<AddedKey> add_key(ByteView data);
  /// Of those that swanctl manages.
  [[nodiscard]] bool drop_key(std::string_view id);
  /// The same.
  [[nodiscard]] std::vector<std::string> key_ids() const;
  /// What clients have brought gives way to what the file has under the same name.
  void prefer_file();
  /// Takes the place of the one of that name. One without a name adds to those of other owners, and
  /// takes the place of the client's of the same.
  void put_secret(config::SharedSecret secret);
  /// Of those that swanctl manages.
  [[nodiscard]] bool drop_secret(std::string_view name);
  /// Of the same, those that have one.
  [[nodiscard]] std::vector<std::string> secret_names() const;
  /// Its certificate must be one of a CA. False when it was there already, word for word.
  [[nodiscard]] Result<bool> put_authority(config::Authority authority);
  /// Of those that swanctl manages.
  [[nodiscard]] bool drop_authority(std::string_view name);
  [[nodiscard]] std::vector<config::Authority> authorities() const;
  /// Forgets what clients have brought, but for authorities.
  void clear_clients();

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
  [[nodiscard]] std::vector<Bytes> authority_hashes() const;
  /// Its intermediates are those of CAs.
  [[nodiscard]] const pki::TrustStore& trust() const { return trust_; }
  /// Ours and intermediates, of all sources.
  [[nodiscard]] const CertificateBook& others() const { return others_; }
  /// Another number whenever the certificates that we have a key for are others.
  [[nodiscard]] std::uint64_t own_version() const { return own_version_; }
  [[nodiscard]] bool has_key(const pki::Certificate& certificate) const {
    return key_for(certificate) != nullptr;
  }

 private:
  /// Sums the sources up anew.
  void rebuild();
  void index_anchor(const pki::Certificate& certificate);
  void index_other(const pki::Certificate& certificate);
  void index_key(const crypto::PrivateKey& key, bool of_client);
  template <class Visit>
  void each_secret(const Visit& visit) const {
    for (const CredentialSet* set : {&clients_, &file_}) {
      for (const config::SharedSecret& secret : set->secrets) visit(secret);
    }
  }
  /// ", those here are for a and b": whom the secrets name, for a refusal.
  [[nodiscard]] std::string known_owners() const;
  [[nodiscard]] const crypto::PrivateKey* key_for(const pki::Certificate& certificate) const;
  /// Nothing when none of ours has made it.
  [[nodiscard]] const pki::Certificate* issuer_of(const pki::Certificate& child) const;
  [[nodiscard]] std::vector<Bytes> chain_of(const pki::Certificate& end) const;
  [[nodiscard]] bool leads_to(const pki::Certificate& end,
                              const std::vector<Bytes>& authorities) const;

  CredentialSet file_;
  CredentialSet clients_;
  // Of both:
  pki::TrustStore trust_;
  CertificateBook anchors_;  ///< those of trust_
  CertificateBook others_;
  struct KnownKey {
    const crypto::PrivateKey* key = nullptr;
    bool of_client = false;  ///< that one counts before the file's
  };
  std::map<std::string, KnownKey, std::less<>> keys_;  ///< by public key
  std::multimap<std::string, std::size_t> by_key_;     ///< places in others_
  std::set<std::size_t> own_;  ///< in others_: certificates we have a key for
  std::uint64_t own_version_ = 0;
};

}  // namespace cygnet::control
