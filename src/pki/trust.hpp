// Is a peer's certificate valid for its identity?              RFC 5280 §6, RFC 4945 §5
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/signature_rule.hpp"
#include "pki/certificate.hpp"

namespace cygnet::pki {

/// Most certificates of one peer that are looked at (CERT payloads of one IKE_AUTH).
inline constexpr std::size_t kPeerCertificatesMax = 10;
/// Most octets of DER they may have together.
inline constexpr std::size_t kPeerOctetsMax = 32 * 1024;
/// Most intermediate certificates between an end certificate and its trust anchor.
inline constexpr int kPathDepthMax = 8;
/// Bounds of an RSA modulus anywhere in a path, in bits: below is weak, above is costly.
inline constexpr unsigned kRsaBitsMin = 2048;
inline constexpr unsigned kRsaBitsMax = 8192;

/// Whom we trust. An anchor may be a root or an intermediate CA; a path ends at the first one.
struct TrustStore {
  std::vector<Certificate> anchors;
  std::vector<Certificate> intermediates;  ///< help to build paths, trusted for nothing
};

/// One question. Everything is borrowed for the call.
struct PathRequest {
  /// As the peer sent them: the first is the end certificate, the rest in any order. When
  /// empty, the pinned certificate that confirms the identity stands in.
  std::span<const Certificate> chain;
  const model::Identity& identity;
  /// When not empty these alone are the trust anchors (swanctl's remote.cacerts).
  std::span<const Certificate> required_cas;
  /// When not empty the end certificate must be one of these (remote.certs); if there are no
  /// required_cas it then needs no CA.
  std::span<const Certificate> required_certs;
  WallTime now;
  /// We are the initiator: a certificate limited to clientAuth is then refused, so that one
  /// client cannot stand in for the gateway.
  bool peer_is_server = false;
  /// For the keys of the whole path and the signatures on all but the anchor.
  model::SignatureRule rule{};
};

/// Why a certificate is not accepted.
enum class PathFault : std::uint8_t {
  missing,    ///< the peer sent none and none is pinned
  malformed,  ///< does not parse, or a signature in the path is wrong
  limit,      ///< more certificates, octets or levels than our limits
  expired,
  not_yet_valid,
  untrusted,  ///< no path to a trust anchor, or not the pinned certificate
  wrong_ca,   ///< valid, but not under one of the connection's required CAs
  profile,    ///< key usage, extended key usage, CA flag, path length, name constraints
  weak_key,   ///< a key or signature algorithm below our floor, or one IKE cannot use
  rule,       ///< one that PathRequest::rule does not allow
  revoked,
  identity_not_in_certificate,
  internal,  ///< the library failed us
};
/// The enumerator's name.
[[nodiscard]] std::string_view to_string(PathFault fault);

/// A refusal, complete enough for `cygnet why`.
struct PathError {
  PathFault fault = PathFault::internal;
  std::string subject;  ///< of the certificate that is at fault, as text
  std::string ours;     ///< what we wanted
  std::string theirs;   ///< what we got
  std::string advice;   ///< one sentence: what to change

  /// One line.
  [[nodiscard]] std::string text() const;
};

/// A path that holds: proof that `identity` may sign with `end().public_key()`.
struct ValidPath {
  std::vector<Certificate> path;  ///< end certificate first, trust anchor last; never empty
  WallTime valid_until;           ///< the earliest not_after of the path

  [[nodiscard]] const Certificate& end() const { return path.front(); }
};

/// The rule's word for a kind of key.
[[nodiscard]] model::KeyType type_of(crypto::KeyKind kind);

/// Builds and checks a path from the end certificate to an anchor at `request.now`, then asks the
/// end certificate to confirm the identity. Path building, signatures, dates, path lengths and
/// name constraints are OpenSSL's; key usage, extended key usage, CA flags, algorithm floor and
/// identity are ours. Revocation is not looked up here.
[[nodiscard]] Result<ValidPath, PathError> validate_path(const TrustStore& store,
                                                         const PathRequest& request);

/// Whether the key of `issuer` has signed `certificate`: CAs may share a name. Names, dates and
/// rights are not looked at. As costly as one verification.
[[nodiscard]] bool has_signed(const Certificate& issuer, const Certificate& certificate);

}  // namespace cygnet::pki
