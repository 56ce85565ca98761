#include "pki/trust.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "crypto/openssl/primitives.hpp"
#include "pki/identity.hpp"
#include "pki/openssl.hpp"

namespace cygnet::pki {
namespace {

constexpr std::string_view kIkeIntermediate = "1.3.6.1.5.5.8.2.2";
constexpr std::string_view kIpsecIke = "1.3.6.1.5.5.7.3.17";  // RFC 4945 §5.1.3.12

Owned<X509> decoded(const Certificate& certificate) {
  const unsigned char* at = certificate.der().data();
  return Owned<X509>{d2i_X509(nullptr, &at, static_cast<long>(certificate.der().size()))};
}

std::unexpected<PathError> refuse(PathFault fault, const Certificate* certificate, std::string ours,
                                  std::string theirs, std::string advice) {
  return std::unexpected(
      PathError{.fault = fault,
                .subject = certificate != nullptr ? to_text(certificate->subject()) : std::string{},
                .ours = std::move(ours),
                .theirs = std::move(theirs),
                .advice = std::move(advice)});
}

/// What OpenSSL's verdict means, for the certificate it points at.
std::unexpected<PathError> explain(int code, const Certificate& at, WallTime now, bool required) {
  const std::string said = X509_verify_cert_error_string(code);
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return refuse(PathFault::expired, &at, "valid at " + to_text(now),
                    "expired " + to_text(at.not_after()), "renew this certificate");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return refuse(PathFault::not_yet_valid, &at, "valid at " + to_text(now),
                    "valid from " + to_text(at.not_before()),
                    "check the clocks of both ends, or wait");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_UNTRUSTED:
      return refuse(required ? PathFault::wrong_ca : PathFault::untrusted, &at,
                    required ? "a certificate under one of the connection's cacerts"
                             : "a certificate under one of our CAs",
                    "issued by " + to_text(at.issuer()),
                    "install the CA that issued it (x509ca), or the missing intermediate");
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return refuse(PathFault::limit, &at, fmt::format("at most {} intermediates", kPathDepthMax),
                    said, "use a shorter chain");
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return refuse(PathFault::weak_key, &at, "RSA of 2048 bits or more, SHA-2", said,
                    "issue this certificate anew with a stronger key or hash");
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
      return refuse(PathFault::malformed, &at, "a signature that verifies", said,
                    "this certificate was not made by the issuer it names");
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
      return refuse(PathFault::profile, &at, "a certificate of a CA", said,
                    "issue the CA's certificate anew, with basicConstraints CA:TRUE and keyUsage "
                    "keyCertSign");
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
      return refuse(PathFault::profile, &at, "no more CAs below it than its pathlen says", said,
                    "issue the CA's certificate with a larger pathlen, or the end certificate "
                    "without the CA between");
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
      return refuse(PathFault::profile, &at, "names that the CA's nameConstraints allow", said,
                    "issue the certificate with a name that they allow, or by another CA");
    case X509_V_ERR_OUT_OF_MEM:
    case X509_V_ERR_UNSPECIFIED:
      return refuse(PathFault::internal, &at, "", said, "");
    default:
      return refuse(PathFault::profile, &at, "RFC 5280 constraints", said,
                    "mend the CA's constraints or issue the certificate anew");
  }
}

/// RFC 4945 §5.1.3: may this end certificate be used for IKE?
Result<void, PathError> check_profile(const Certificate& end, X509* x509, bool peer_is_server) {
  const std::uint32_t usage = X509_get_key_usage(x509);
  if (usage != UINT32_MAX && (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0) {
    return refuse(PathFault::profile, &end, "keyUsage digitalSignature", "keyUsage without it",
                  "issue the certificate with keyUsage digitalSignature");
  }
  const Owned<EXTENDED_KEY_USAGE> extended{static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(x509, NID_ext_key_usage, nullptr, nullptr))};
  if (!extended) return {};
  bool fits = false;
  for (int i = 0; i < sk_ASN1_OBJECT_num(extended.get()); ++i) {
    const ASN1_OBJECT* object = sk_ASN1_OBJECT_value(extended.get(), i);
    std::array<char, 64> text{};
    OBJ_obj2txt(text.data(), text.size(), object, 1);
    const std::string_view oid{text.data()};
    const int nid = OBJ_obj2nid(object);
    fits = fits || nid == NID_server_auth || nid == NID_anyExtendedKeyUsage ||
           oid == kIkeIntermediate || oid == kIpsecIke ||
           (nid == NID_client_auth && !peer_is_server);
  }
  if (fits) return {};
  return refuse(PathFault::profile, &end,
                peer_is_server ? "extendedKeyUsage serverAuth or ikeIntermediate"
                               : "extendedKeyUsage clientAuth, serverAuth or ikeIntermediate",
                "other purposes only",
                peer_is_server ? "issue the gateway's certificate with --flag serverAuth"
                               : "issue the client's certificate with --flag clientAuth");
}

Result<void, PathError> check_key(const Certificate& certificate) {
  const bool rsa = certificate.key_kind() == crypto::KeyKind::rsa;
  const bool good =
      certificate.key_kind() &&
      (!rsa || (certificate.key_bits() >= kRsaBitsMin && certificate.key_bits() <= kRsaBitsMax));
  if (good) return {};
  return refuse(PathFault::weak_key, &certificate,
                "RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519 or Ed448",
                certificate.key_kind() ? fmt::format("RSA of {} bits", certificate.key_bits())
                                       : "a key of another kind",
                "issue the certificate anew with such a key");
}

/// Empty when it is none that a rule can name.
std::optional<HashId> signature_hash(X509* x509) {
  int nid = NID_undef;
  int key = NID_undef;
  if (X509_get_signature_info(x509, &nid, &key, nullptr, nullptr) != 1) return std::nullopt;
  if (key == NID_ED25519 || key == NID_ED448) return HashId::identity;
  return crypto::hash_of(nid);
}

Result<void, PathError> check_rule(const model::SignatureRule& rule, const Certificate& certificate,
                                   bool is_anchor) {
  const auto kind = certificate.key_kind();
  if (!kind || !rule.allows(type_of(*kind), certificate.key_bits())) {
    return refuse(
        PathFault::rule, &certificate, rule.text(),
        kind ? fmt::format("{} of {} bits", crypto::to_string(*kind), certificate.key_bits())
             : "a key of another kind",
        "issue this certificate for such a key, or change remote.auth");
  }
  if (rule.hashes.empty() || is_anchor) return {};
  const Owned<X509> x509 = decoded(certificate);
  const auto hash = x509 ? signature_hash(x509.get()) : std::nullopt;
  if (hash && rule.allows(*hash)) return {};
  return refuse(PathFault::rule, &certificate, rule.text(),
                "signed with " + (hash ? to_string(*hash) : std::string{"another hash"}),
                "let the CA sign this certificate with such a hash, or change remote.auth");
}

Result<void, PathError> check_dates(const Certificate& certificate, WallTime now) {
  if (now > certificate.not_after()) {
    return explain(X509_V_ERR_CERT_HAS_EXPIRED, certificate, now, false);
  }
  if (now < certificate.not_before()) {
    return explain(X509_V_ERR_CERT_NOT_YET_VALID, certificate, now, false);
  }
  return {};
}

Result<void, PathError> check_identity(const Certificate& end, const model::Identity& identity) {
  if (end.confirms(identity)) return {};
  return refuse(PathFault::identity_not_in_certificate, &end, to_text(identity), end.names(),
                "issue the certificate with this name as subjectAltName, or set the peer's id to a "
                "name the certificate has");
}

bool contains(std::span<const Certificate> list, const Certificate& certificate) {
  return std::ranges::find(list, certificate) != list.end();
}

Result<void, PathError> check_limits(std::span<const Certificate> chain) {
  std::size_t octets = 0;
  for (const Certificate& certificate : chain) octets += certificate.der().size();
  if (chain.size() <= kPeerCertificatesMax && octets <= kPeerOctetsMax) return {};
  return refuse(
      PathFault::limit, &chain.front(),
      fmt::format("at most {} certificates, {} octets", kPeerCertificatesMax, kPeerOctetsMax),
      fmt::format("{} certificates, {} octets", chain.size(), octets),
      "send the end certificate and its intermediates only");
}

Certificate copy_of(X509* x509) {
  unsigned char* raw = nullptr;
  const int size = i2d_X509(x509, &raw);
  const Owned<unsigned char> owner{raw};
  // It was parsed from this very encoding once before.
  return *Certificate::parse(ByteView{raw, static_cast<std::size_t>(std::max(size, 0))});
}

/// OpenSSL's path building and RFC 5280 checks.
Result<ValidPath, PathError> build_path(std::span<const Certificate> anchors,
                                        std::span<const Certificate> helpers,
                                        const PathRequest& request, const Certificate& end) {
  const Owned<X509_STORE> store{X509_STORE_new()};
  std::vector<Owned<X509>> kept;
  for (const Certificate& anchor : anchors) {
    kept.push_back(decoded(anchor));
    if (kept.back()) X509_STORE_add_cert(store.get(), kept.back().get());
  }
  const Owned<STACK_OF(X509)> untrusted{sk_X509_new_null()};
  const auto help = [&](const Certificate& certificate) {
    kept.push_back(decoded(certificate));
    if (kept.back()) sk_X509_push(untrusted.get(), kept.back().get());
  };
  for (const Certificate& certificate : request.chain.subspan(request.chain.empty() ? 0 : 1)) {
    help(certificate);
  }
  for (const Certificate& certificate : helpers) help(certificate);
  const Owned<X509> leaf = decoded(end);
  const Owned<X509_STORE_CTX> context{X509_STORE_CTX_new()};
  if (!leaf || X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), untrusted.get()) != 1) {
    return refuse(PathFault::internal, &end, "", "X509_STORE_CTX_init", "");
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, request.now.time_since_epoch().count());
  X509_VERIFY_PARAM_set_depth(parameters, kPathDepthMax);
  // A listed intermediate CA ends a path; level 2 wants 112 bits of strength from keys and hashes.
  X509_VERIFY_PARAM_set_flags(
      parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT | X509_V_FLAG_TRUSTED_FIRST);
  X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  const int verdict = X509_verify_cert(context.get());
  ERR_clear_error();
  if (verdict != 1) {
    X509* culprit = X509_STORE_CTX_get_current_cert(context.get());
    const Certificate at = culprit != nullptr ? copy_of(culprit) : end;
    return explain(X509_STORE_CTX_get_error(context.get()), at, request.now,
                   !request.required_cas.empty());
  }
  ValidPath out;
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) out.path.push_back(copy_of(sk_X509_value(chain, i)));
  return out;
}

const Certificate* end_certificate(const PathRequest& request) {
  if (!request.chain.empty()) return &request.chain.front();
  const auto at = std::ranges::find_if(request.required_certs, [&](const Certificate& pinned) {
    return pinned.confirms(request.identity);
  });
  return at == request.required_certs.end() ? nullptr : &*at;
}

}  // namespace

std::string_view to_string(PathFault fault) {
  switch (fault) {
    case PathFault::missing:
      return "missing";
    case PathFault::malformed:
      return "malformed";
    case PathFault::limit:
      return "limit";
    case PathFault::expired:
      return "expired";
    case PathFault::not_yet_valid:
      return "not_yet_valid";
    case PathFault::untrusted:
      return "untrusted";
    case PathFault::wrong_ca:
      return "wrong_ca";
    case PathFault::profile:
      return "profile";
    case PathFault::weak_key:
      return "weak_key";
    case PathFault::rule:
      return "rule";
    case PathFault::revoked:
      return "revoked";
    case PathFault::identity_not_in_certificate:
      return "identity_not_in_certificate";
    case PathFault::internal:
      return "internal";
  }
  return "unknown";
}

model::KeyType type_of(crypto::KeyKind kind) {
  switch (kind) {
    case crypto::KeyKind::rsa:
      return model::KeyType::rsa;
    case crypto::KeyKind::ed25519:
      return model::KeyType::ed25519;
    case crypto::KeyKind::ed448:
      return model::KeyType::ed448;
    case crypto::KeyKind::ecdsa_256:
    case crypto::KeyKind::ecdsa_384:
    case crypto::KeyKind::ecdsa_521:
      break;
  }
  return model::KeyType::ecdsa;
}

std::string PathError::text() const {
  return fmt::format("{}: {} (ours: {}, theirs: {}); {}", to_string(fault), subject, ours, theirs,
                     advice);
}

Result<ValidPath, PathError> validate_path(const TrustStore& store, const PathRequest& request) {
  const Certificate* end = end_certificate(request);
  if (end == nullptr) {
    return refuse(PathFault::missing, nullptr, "a certificate for " + to_text(request.identity),
                  "none",
                  "let the peer send its certificate (send_cert = always there), or name it in "
                  "remote.certs here");
  }
  if (!request.chain.empty()) CYG_TRY_DO(check_limits(request.chain));
  const bool pinned = contains(request.required_certs, *end);
  if (!request.required_certs.empty() && !pinned) {
    return refuse(PathFault::untrusted, end, "one of the connection's remote.certs",
                  to_text(end->subject()), "add this certificate to remote.certs, or remove them");
  }
  const Owned<X509> x509 = decoded(*end);
  if (!x509) return refuse(PathFault::malformed, end, "", "does not parse", "");

  ValidPath path;
  if (pinned && request.required_cas.empty()) {
    CYG_TRY_DO(check_dates(*end, request.now));
    path.path.push_back(*end);
  } else {
    const std::span<const Certificate> anchors =
        request.required_cas.empty() ? std::span{store.anchors} : request.required_cas;
    CYG_TRY(path, build_path(anchors, store.intermediates, request, *end));
  }
  for (const Certificate& certificate : path.path) {
    CYG_TRY_DO(check_key(certificate));
    const bool is_anchor = &certificate == &path.path.back();
    CYG_TRY_DO(check_rule(request.rule, certificate, is_anchor));
  }
  CYG_TRY_DO(check_profile(*end, x509.get(), request.peer_is_server));
  CYG_TRY_DO(check_identity(*end, request.identity));
  path.valid_until = std::ranges::min_element(path.path, {}, [](const Certificate& c) {
                       return c.not_after();
                     })->not_after();
  return path;
}

bool has_signed(const Certificate& issuer, const Certificate& certificate) {
  const Owned<X509> maker = decoded(issuer);
  const Owned<X509> made = decoded(certificate);
  EVP_PKEY* key = maker ? X509_get0_pubkey(maker.get()) : nullptr;
  const bool out = key != nullptr && made && X509_verify(made.get(), key) == 1;
  ERR_clear_error();
  return out;
}

}  // namespace cygnet::pki
