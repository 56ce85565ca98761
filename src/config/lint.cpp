#include "config/lint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "config/fields.hpp"
#include "pki/certificate.hpp"
#include "pki/identity.hpp"

namespace cygnet::config {
namespace {

constexpr std::string_view kTrapWithoutPeer = "trap-without-peer";
constexpr std::string_view kOnlyWhenUsed = "reachable-only-when-used";
constexpr std::string_view kNoLiveness = "no-liveness";
constexpr std::string_view kGcmOnly = "gcm-only";
constexpr std::string_view kEspWithoutGroup = "esp-without-group";
constexpr std::string_view kWeakAlgorithm = "weak-algorithm";
constexpr std::string_view kIpv6Pool = "ipv6-pool-without-selector";
constexpr std::string_view kSharedIdentity = "shared-identity";
constexpr std::string_view kShortSecret = "short-secret";
constexpr std::string_view kCertificateKind = "certificate-kind";
constexpr std::string_view kCertificateUsage = "certificate-usage";
constexpr std::string_view kCertificateDates = "certificate-dates";
constexpr std::string_view kNoCa = "no-ca";
constexpr std::string_view kNoAuthority = "no-authority";
constexpr std::string_view kNoSecret = "no-secret";
constexpr std::string_view kReadableSecret = "readable-secret";
constexpr std::string_view kNoChild = "no-child";
constexpr std::string_view kHostBits = "host-bits";
constexpr std::string_view kSameNetwork = "same-network";
constexpr std::string_view kOwnAddress = "pool-has-own-address";
constexpr std::string_view kUnusedPool = "unused-pool";
/// Certificates that end sooner than this are named.
constexpr std::chrono::days kDatesAhead{14};
/// A secret of so many octets can be guessed by whoever has seen one handshake (RFC 7296 §2.15).
constexpr std::size_t kSecretOctetsMin = 20;

/// Where the last of these names stands that is there: sections first, at the end perhaps a key.
Place place_of(const Section& root, std::initializer_list<std::string_view> path) {
  const Section* at = &root;
  Place place = root.place;
  for (const std::string_view name : path) {
    if (const Section* section = at->find_section(name)) {
      at = section;
      place = section->place;
    } else if (const Key* key = at->find_key(name)) {
      return key->place;
    }
  }
  return place;
}

bool has_aead(const model::Proposal& proposal) {
  return std::ranges::any_of(proposal.of(TransformType::encr), [](const model::Transform& one) {
    const EncrInfo* info = find(static_cast<EncrId>(one.id));
    return info != nullptr && info->aead;
  });
}

bool is_weak(const model::Transform& one) {
  switch (one.type) {
    case TransformType::encr: {
      const auto id = static_cast<EncrId>(one.id);
      return id == EncrId::des3_cbc || id == EncrId::null;
    }
    case TransformType::integ:
      return static_cast<IntegId>(one.id) == IntegId::hmac_sha1_96;
    case TransformType::prf:
      return static_cast<PrfId>(one.id) == PrfId::hmac_sha1;
    case TransformType::ke:  // what is broken among these is refused
    case TransformType::esn:
      break;
  }
  return false;
}

/// The weak ones, each once: "3DES_CBC, MODP_1024".
std::string weak_of(const std::vector<model::Proposal>& proposals) {
  std::vector<std::string> names;
  for (const model::Proposal& proposal : proposals) {
    for (const model::Transform& one : proposal.transforms) {
      if (is_weak(one) && std::ranges::find(names, one.text()) == names.end()) {
        names.push_back(one.text());
      }
    }
  }
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

/// The network that stands in front of "[tcp/80]", when its address has bits beyond the prefix.
std::optional<std::string> without_host_bits(std::string_view selector) {
  const std::string_view text = selector.substr(0, selector.find('['));
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  const auto prefix = Prefix::parse(text);
  if (!address || !prefix || *address == prefix->first()) return std::nullopt;
  return prefix->text();
}

bool is_everything(const IpRange& range) {
  return range.first == IpAddress::any(range.first.family()) &&
         range.last == IpAddress::last(range.first.family());
}

/// Whether control would find this secret for the connection, as far as its ids tell.
bool serves(const SharedSecret& secret, const model::Connection& connection) {
  if (!secret.usable) return false;
  if (secret.owners.empty() || !connection.remote.id) return true;
  return std::ranges::any_of(secret.owners, [&](const model::IdentityPattern& owner) {
    return owner == connection.remote.id || pki::match_identity(owner, *connection.remote.id) ||
           (secret.owners.size() == 1 && connection.local.id &&
            pki::match_identity(owner, *connection.local.id));
  });
}

/// What looks at one configuration.
class Linter {
 public:
  Linter(const Section& root, const Loaded& loaded, const Host& host, Files& files)
      : root_(root), loaded_(loaded), host_(host), files_(files) {}

  std::vector<Finding> run() {
    for (const model::Connection& connection : loaded_.connections) look_at(connection);
    for (const model::Pool& pool : loaded_.pools) look_at(pool);
    look_at_authorities();
    look_at_files();
    for (const SharedSecret& secret : loaded_.shared_secrets) {
      if (!secret.usable || secret.value.size() >= kSecretOctetsMin) continue;
      add(kShortSecret, secret.place,
          fmt::format("a pre-shared key of {} octets can be guessed by whoever sees one handshake; "
                      "use a random one of {} or more, or certificates",
                      secret.value.size(), kSecretOctetsMin));
    }
    std::ranges::stable_sort(out_, {}, &Finding::place);
    return std::move(out_);
  }

 private:
  void add(std::string_view name, const Place& place, std::string text) {
    out_.push_back({.lint = name, .place = place, .text = std::move(text)});
  }
  Place at(const model::Connection& connection, std::string_view key) const {
    return place_of(root_, {"connections", connection.name, key});
  }
  Place at(const model::Connection& connection, const model::ChildTemplate& child,
           std::string_view key) const {
    return place_of(root_, {"connections", connection.name, "children", child.name, key});
  }

  /// Dates of a certificate that we show or trust.
  void look_at_dates(const pki::Certificate& certificate, const Place& place) {
    if (!host_.now) return;
    const std::string name = pki::to_text(certificate.subject());
    if (*host_.now > certificate.not_after()) {
      add(kCertificateDates, place,
          fmt::format("the certificate {} has expired at {}: nobody accepts it; renew it", name,
                      pki::to_text(certificate.not_after())));
    } else if (*host_.now < certificate.not_before()) {
      add(kCertificateDates, place,
          fmt::format("the certificate {} is valid from {} on: nobody accepts it before; check "
                      "this machine's clock",
                      name, pki::to_text(certificate.not_before())));
    } else if (*host_.now + kDatesAhead > certificate.not_after()) {
      add(kCertificateDates, place,
          fmt::format("the certificate {} expires at {}; renew it", name,
                      pki::to_text(certificate.not_after())));
    }
  }

  void look_at_authorities() {
    for (const CertificateFile& file : loaded_.certificates) {
      if (file.kind != CertificateKind::x509ca) continue;
      const auto certificate = pki::Certificate::parse(file.data);
      if (!certificate) continue;
      look_at_dates(*certificate, {.file = file.path});
      if (certificate->is_ca()) continue;
      add(kNoCa, {.file = file.path},
          fmt::format("{} is no certificate of a CA (basicConstraints CA:TRUE is missing): nothing "
                      "it has issued is accepted; issue it anew, or put an end certificate into "
                      "x509",
                      pki::to_text(certificate->subject())));
    }
  }

  /// Files with secrets that everybody may read.
  void look_at_files() {
    std::vector<std::string> paths;
    for (const SharedSecret& secret : loaded_.shared_secrets) paths.push_back(secret.place.file);
    for (const KeyFile& key : loaded_.keys) paths.push_back(key.path);
    std::ranges::sort(paths);
    const auto twins = std::ranges::unique(paths);
    paths.erase(twins.begin(), twins.end());
    for (const std::string& path : paths) {
      if (path.empty() || !files_.is_public(path)) continue;
      add(kReadableSecret, {.file = path},
          "every user of this machine can read the secrets in it: chmod 600");
    }
  }

  void look_at(const model::Pool& pool) {
    const auto uses = [&pool](const model::Connection& one) {
      return std::ranges::find(one.pools, pool.name) != one.pools.end();
    };
    if (std::ranges::none_of(loaded_.connections, uses)) {
      add(kUnusedPool, place_of(root_, {"pools", pool.name}),
          fmt::format("no connection gives addresses of this pool: write pools = {} into one",
                      pool.name));
    }
    for (const IpAddress& own : host_.addresses) {
      if (!pool.range.contains(own)) continue;
      add(kOwnAddress, place_of(root_, {"pools", pool.name, "addrs"}),
          fmt::format("{} is an address of this machine: a client could be given it; leave it out, "
                      "or choose other addresses",
                      own.text()));
    }
  }

  void look_at_trust(const model::Connection& connection) {
    const model::RemoteAuth& remote = connection.remote;
    const auto is_anchor = [](const CertificateFile& one) {
      return one.kind == CertificateKind::x509ca;
    };
    const bool trusted = !remote.cacerts.empty() || !remote.certs.empty() ||
                         !loaded_.authorities.empty() ||
                         std::ranges::any_of(loaded_.certificates, is_anchor);
    if (remote.method != model::AuthClass::pubkey || trusted) return;
    add(kNoAuthority, at(connection, ""),
        "nobody can be authenticated: there is no CA; put the certificate of the one that issues "
        "the peers' certificates into x509ca");
  }

  void look_at_secrets(const model::Connection& connection) {
    const bool psk = connection.local.method == model::AuthClass::psk ||
                     connection.remote.method == model::AuthClass::psk;
    const auto fits = [&](const SharedSecret& one) { return serves(one, connection); };
    if (!psk || std::ranges::any_of(loaded_.shared_secrets, fits)) return;
    const std::string whose =
        connection.remote.id ? fmt::format(" for '{}'", pki::to_text(*connection.remote.id)) : "";
    add(kNoSecret, at(connection, ""),
        fmt::format(
            "auth = psk, and there is no secret{}: add secrets {{ ike {{ secret = ... }} }}, "
            "with id = ... for that peer alone",
            whose));
  }

  void look_at_selectors(const model::Connection& connection, const model::ChildTemplate& child) {
    const Section* section = root_.find_section("connections");
    for (const std::string_view name : {connection.name.c_str(), "children", child.name.c_str()}) {
      if (section != nullptr) section = section->find_section(name);
    }
    for (const std::string_view option : {"local_ts", "remote_ts"}) {
      const Key* key = section == nullptr ? nullptr : section->find_key(option);
      if (key == nullptr) continue;
      for (const std::string_view item : Fields::items(*key)) {
        const auto meant = without_host_bits(item);
        if (!meant) continue;
        add(kHostBits, key->place,
            fmt::format("{}: '{}' is the network {}; write that, or a single address without '/'",
                        key->shown(), item, *meant));
      }
    }
    for (const model::SelectorTemplate& local : child.local_ts) {
      const bool same = std::ranges::any_of(child.remote_ts, [&local](const auto& remote) {
        return !local.dynamic && !remote.dynamic && local.selector.range == remote.selector.range;
      });
      if (!same || is_everything(local.selector.range)) continue;
      add(kSameNetwork, at(connection, child, "remote_ts"),
          fmt::format("both ends have the network {}: hosts there cannot tell which one is meant; "
                      "give one end other addresses",
                      local.selector.range.text()));
    }
  }

  void look_at(const model::Connection& connection) {
    const bool gateway = !connection.pools.empty() && !connection.is_callable();
    if (const std::string weak = weak_of(connection.proposals); !weak.empty()) {
      add(kWeakAlgorithm, at(connection, "proposals"),
          fmt::format("{} can be broken; leave it out where no old device needs it", weak));
    }
    const bool kept = std::ranges::any_of(connection.children, &model::ChildTemplate::stays_up);
    if (kept && connection.dpd_delay == Duration{0}) {
      add(kNoLiveness, at(connection, "dpd_delay"),
          "without dpd_delay a dead peer is only noticed at the next rekey; 30s is usual");
    }
    for (const Bytes& der : connection.local.certs) {
      if (const auto one = pki::Certificate::parse(der)) {
        look_at_dates(*one, place_of(root_, {"connections", connection.name, "local", "certs"}));
      }
    }
    // Shunts are never negotiated: nobody proves anything.
    const bool negotiates =
        connection.children.empty() ||
        !std::ranges::all_of(connection.children, &model::ChildTemplate::is_shunt);
    if (negotiates) look_at_trust(connection);
    if (negotiates) look_at_secrets(connection);
    if (connection.children.empty()) {
      add(kNoChild, at(connection, ""),
          "nothing can flow without a child: add children { net { } } with local_ts or remote_ts");
    }
    if (gateway) look_at_gateway(connection);
    for (const model::ChildTemplate& child : connection.children) look_at(connection, child);
  }

  void look_at_gateway(const model::Connection& connection) {
    const bool certificates = connection.remote.method == model::AuthClass::pubkey;
    if (certificates && std::ranges::all_of(connection.proposals, has_aead)) {
      add(kGcmOnly, at(connection, "proposals"),
          "Windows, set up with EncryptionMethod AES256, offers only AES-CBC with HMAC for the "
          "IKE_SA; add aes256-sha384-ecp384 if such clients come");
    }
    const bool shared = connection.remote.method == model::AuthClass::psk &&
                        connection.unique != model::Uniqueness::never;
    if (shared) {
      add(kSharedIdentity, at(connection, "unique"),
          "two devices that use the same identity put each other out; give each its own, or set "
          "unique = never");
    }
    for (const Bytes& der : connection.local.certs) {
      const auto certificate = pki::Certificate::parse(der);
      if (!certificate || !certificate->key_kind()) continue;
      if (!certificate->for_servers()) {
        add(kCertificateUsage, place_of(root_, {"connections", connection.name, "local", "certs"}),
            fmt::format(
                "Windows (error 13801) and Apple devices refuse a gateway whose certificate "
                "is not for servers: issue {} with extendedKeyUsage serverAuth",
                pki::to_text(certificate->subject())));
      }
      const crypto::KeyKind kind = *certificate->key_kind();
      if (kind == crypto::KeyKind::rsa || kind == crypto::KeyKind::ecdsa_256 ||
          kind == crypto::KeyKind::ecdsa_384) {
        continue;
      }
      add(kCertificateKind, place_of(root_, {"connections", connection.name, "local", "certs"}),
          fmt::format("Windows and Apple devices do not accept {} certificates; use ECDSA P-384 or "
                      "RSA for them",
                      crypto::to_string(kind)));
    }
    look_at_pools(connection);
  }

  void look_at_pools(const model::Connection& connection) {
    const auto is_v6 = [this](const std::string& name) {
      const auto pool = std::ranges::find(loaded_.pools, name, &model::Pool::name);
      return pool != loaded_.pools.end() && !pool->range.first.is_v4();
    };
    if (std::ranges::none_of(connection.pools, is_v6)) return;
    const bool carried = std::ranges::any_of(connection.children, [](const auto& child) {
      return std::ranges::any_of(child.local_ts, [](const model::SelectorTemplate& one) {
        return !one.dynamic && !one.selector.range.first.is_v4();
      });
    });
    if (carried) return;
    add(kIpv6Pool, at(connection, "pools"),
        "clients get IPv6 addresses and no route for them: no child has an IPv6 local_ts (::/0 for "
        "everything)");
  }

  void look_at(const model::Connection& connection, const model::ChildTemplate& child) {
    if (child.is_shunt()) return;
    look_at_selectors(connection, child);
    if (const std::string weak = weak_of(child.esp_proposals); !weak.empty()) {
      add(kWeakAlgorithm, at(connection, child, "esp_proposals"),
          fmt::format("{} can be broken; leave it out where no old device needs it", weak));
    }
    const bool callable = connection.is_callable();
    if (!callable && (child.start_action != model::ChildAction::none || child.keep_up)) {
      add(kTrapWithoutPeer, at(connection, child, child.keep_up ? "keep_up" : "start_action"),
          "nobody can be called: remote_addrs names no single address or host, so this child only "
          "comes up when the peer calls");
    }
    const bool waits = callable && child.start_action == model::ChildAction::trap &&
                       !child.stays_up() && !connection.vips.empty();
    if (waits) {
      add(kOnlyWhenUsed, at(connection, child, "start_action"),
          "until something here sends, nobody reaches this machine: the other end cannot call it; "
          "set keep_up = yes if others are to reach it at any time");
    }
    const auto has_group = [](const model::Proposal& one) { return one.has(TransformType::ke); };
    if (!connection.pools.empty() && !callable &&
        std::ranges::none_of(child.esp_proposals, has_group)) {
      add(kEspWithoutGroup, at(connection, child, "esp_proposals"),
          "a client set up with a PfsGroup (Windows, Apple) is refused at its first rekey; name a "
          "group as well: aes256gcm16-ecp384, aes256gcm16");
    }
  }

  const Section& root_;
  const Loaded& loaded_;
  const Host& host_;
  Files& files_;
  std::vector<Finding> out_;
};

}  // namespace

std::string Finding::line() const {
  return fmt::format("{}: note: {} [{}]", place.text(), text, lint);
}

const std::vector<LintInfo>& all_lints() {
  static const std::vector<LintInfo> kAll{
      {kTrapWithoutPeer,
       "a child that waits for traffic, or is to be started, without a peer to call"},
      {kOnlyWhenUsed, "a client that others cannot reach before it has sent something"},
      {kNoLiveness, "a tunnel that is to stay up without checks whether the peer lives"},
      {kGcmOnly, "a gateway that refuses what Windows offers with EncryptionMethod AES256"},
      {kEspWithoutGroup, "a gateway that refuses the rekeys of clients with a PfsGroup"},
      {kWeakAlgorithm, "3DES, NULL or SHA-1"},
      {kIpv6Pool, "an IPv6 pool whose clients get no IPv6 route"},
      {kSharedIdentity, "devices that share an identity and put each other out"},
      {kShortSecret, "a pre-shared key that can be guessed"},
      {kCertificateKind, "a gateway's certificate of a kind that Windows or Apple refuse"},
      {kCertificateUsage, "a gateway's certificate that Windows and Apple refuse: no serverAuth"},
      {kCertificateDates, "a certificate of ours, or of a CA, that has expired or soon will"},
      {kNoCa, "a file in x509ca that is none of a CA"},
      {kNoAuthority, "certificates are wanted, and no CA is trusted to issue them"},
      {kNoSecret, "auth = psk without a secret for that peer"},
      {kReadableSecret, "a file with secrets that every user may read"},
      {kNoChild, "a connection without children"},
      {kHostBits, "a network with the address of a host in it"},
      {kSameNetwork, "the same network at both ends"},
      {kOwnAddress, "a pool with an address of this machine"},
      {kUnusedPool, "a pool that no connection gives addresses of"},
  };
  return kAll;
}

std::vector<Finding> lint(const Section& root, const Loaded& loaded, const Host& host,
                          Files& files) {
  return Linter{root, loaded, host, files}.run();
}

}  // namespace cygnet::config
