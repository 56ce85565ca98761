#include "config/lint.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pki/certificate.hpp"

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
    case TransformType::ke:
      return static_cast<KeId>(one.id) == KeId::modp_1024;
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

/// What looks at one configuration.
class Linter {
 public:
  Linter(const Section& root, const Loaded& loaded) : root_(root), loaded_(loaded) {}

  std::vector<Finding> run() {
    for (const model::Connection& connection : loaded_.connections) look_at(connection);
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
      {kWeakAlgorithm, "3DES, NULL, SHA-1 or a 1024-bit group"},
      {kIpv6Pool, "an IPv6 pool whose clients get no IPv6 route"},
      {kSharedIdentity, "devices that share an identity and put each other out"},
      {kShortSecret, "a pre-shared key that can be guessed"},
      {kCertificateKind, "a gateway's certificate of a kind that Windows or Apple refuse"},
  };
  return kAll;
}

std::vector<Finding> lint(const Section& root, const Loaded& loaded) {
  return Linter{root, loaded}.run();
}

}  // namespace cygnet::config
