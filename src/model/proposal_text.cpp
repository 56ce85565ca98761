// The text configurations write proposals in, and the named suites.  RFC 7296 §3.3, RFC 9206 §5
#include <fmt/format.h>

#include <algorithm>

#include "model/proposal.hpp"
#include "model/suggest.hpp"

namespace cygnet::model {
namespace {

/// A proposal's number is one octet and starts at 1 (RFC 7296 §3.3.1).
constexpr std::size_t kProposalsMax = 255;
/// Its transforms are counted in one octet, too.
constexpr std::size_t kTransformsMax = 255;
constexpr std::size_t kProposalTextMax = 16384;

struct Keyword {
  std::string text;
  Transform transform;
};

/// Every word a proposal may hold, from the registry's rows and aliases.
std::vector<Keyword> make_keywords() {
  std::vector<Keyword> out;
  const auto add = [&](std::string text, TransformType type, auto id, std::uint16_t bits = 0) {
    out.push_back({std::move(text), {type, static_cast<std::uint16_t>(id), bits}});
  };
  for (const EncrInfo& row : all_encrs()) {
    const std::size_t hole = row.keyword.find("%d");
    for (const std::uint16_t bits : row.key_bits) {
      std::string text{row.keyword};
      if (hole != std::string::npos) text.replace(hole, 2, std::to_string(bits));
      add(std::move(text), TransformType::encr, row.id, bits);
    }
  }
  for (const PrfInfo& row : all_prfs()) add(std::string{row.keyword}, TransformType::prf, row.id);
  for (const IntegInfo& row : all_integs()) {
    add(std::string{row.keyword}, TransformType::integ, row.id);
  }
  for (const KeInfo& row : all_kes()) add(std::string{row.keyword}, TransformType::ke, row.id);
  for (const EsnInfo& row : all_esns()) add(std::string{row.keyword}, TransformType::esn, row.id);
  add("none", TransformType::ke, KeId::none);
  add("modpnone", TransformType::ke, KeId::none);
  const std::size_t rows = out.size();
  for (const KeywordAlias& alias : all_keyword_aliases()) {
    for (std::size_t i = 0; i < rows; ++i) {
      if (out[i].text == alias.keyword) out.push_back({std::string{alias.text}, out[i].transform});
    }
  }
  return out;
}

const std::vector<Keyword>& keywords() {
  static const std::vector<Keyword> table = make_keywords();
  return table;
}

/// Words other implementations know and we refuse, each with its reason.
struct RefusedWord {
  std::string_view prefix;
  std::string_view why;
};
constexpr RefusedWord kRefused[] = {
    {"des", "DES is broken (RFC 8247 §2.1)"},
    {"md5", "MD5 is broken (RFC 8247 §2.3); write sha256"},
    {"prfmd5", "MD5 is broken (RFC 8247 §2.2); write prfsha256"},
    {"modp768", "the group is too weak (RFC 8247 §2.4); write x25519 or ecp256"},
    {"modp1536", "the group is too weak (RFC 8247 §2.4); write x25519 or ecp256"},
    {"modp1024", "the group is too weak (RFC 8247 §2.4); write modp2048, x25519 or ecp256"},
    {"modp2048s", "the group's origin is not verifiable (RFC 8247 §2.4); write modp2048"},
    {"mlkem", "post-quantum key exchange is not supported yet"},
    {"ke1_", "additional key exchanges (RFC 9370) are not supported yet"},
    {"ke2_", "additional key exchanges (RFC 9370) are not supported yet"},
    {"ke3_", "additional key exchanges (RFC 9370) are not supported yet"},
    {"aesxcbc", "AES-XCBC is not supported; write sha256"},
    {"prfaesxcbc", "AES-XCBC is not supported; write prfsha256"},
    {"aescmac", "AES-CMAC is not supported; write sha256"},
    {"prfaescmac", "AES-CMAC is not supported; write prfsha256"},
    {"aes128ccm", "AES-CCM is not supported; write aes128gcm16"},
    {"aes192ccm", "AES-CCM is not supported; write aes256gcm16"},
    {"aes256ccm", "AES-CCM is not supported; write aes256gcm16"},
    {"aes128gmac", "AES-GMAC is not supported; write aes128gcm16"},
    {"aes256gmac", "AES-GMAC is not supported; write aes256gcm16"},
    {"camellia", "Camellia is not supported; write aes256"},
    {"blowfish", "Blowfish is obsolete; write aes256"},
    {"cast128", "CAST is obsolete; write aes128"},
};

struct NamedSuite {
  std::string_view name;
  std::string_view ike;
  std::string_view esp;
};
// Suite B's ESP part names no group (RFC 6379 §3): with and without one are both accepted. CNSA
// names PRF_HMAC_SHA2_512 and allows PRF_HMAC_SHA2_384 (RFC 9206 §8); its own suite names may
// stand for nothing but their exact values (§5), the short name 'cnsa' covers all of them.
constexpr NamedSuite kSuites[] = {
    {"suiteb-gcm-128", "aes128-sha256-prfsha256-ecp256", "aes128gcm16-ecp256,aes128gcm16"},
    {"suiteb-gcm-256", "aes256-sha384-prfsha384-ecp384", "aes256gcm16-ecp384,aes256gcm16"},
    {"cnsa", "aes256gcm16-prfsha512-prfsha384-ecp384-modp3072-modp4096",
     "aes256gcm16-ecp384-modp3072-modp4096,aes256gcm16"},
    {"cnsa-gcm-256-ecdh-384", "aes256gcm16-prfsha512-ecp384", "aes256gcm16-ecp384,aes256gcm16"},
    {"cnsa-gcm-256-dh-3072", "aes256gcm16-prfsha512-modp3072", "aes256gcm16-modp3072,aes256gcm16"},
    {"cnsa-gcm-256-dh-4096", "aes256gcm16-prfsha512-modp4096", "aes256gcm16-modp4096,aes256gcm16"},
};

constexpr std::string_view kDefaultKes = "x25519-ecp384-ecp256-ecp521-modp3072-modp4096-modp2048";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string_view protocol_name(ProtocolId protocol) {
  return protocol == ProtocolId::ike ? "an IKE" : "an ESP";
}

/// The parts between separators, trimmed; a lone empty text has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find(separator);
    out.push_back(trimmed(text.substr(0, at)));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

std::unexpected<Error> unknown_word(std::string_view word) {
  std::vector<std::string_view> known;
  for (const Keyword& keyword : keywords()) known.push_back(keyword.text);
  for (const NamedSuite& suite : kSuites) known.push_back(suite.name);
  known.push_back("default");
  return fail(fmt::format("unknown algorithm '{}'{}", word, did_you_mean(word, known)));
}

Result<Transform> find_word(std::string_view word) {
  if (word.empty()) return fail("empty algorithm name", "is there a '-' or ',' too many?");
  // First, as some have a row in the registry: peers that offer them are recognised.
  for (const RefusedWord& refused : kRefused) {
    if (word.starts_with(refused.prefix)) {
      return fail(fmt::format("algorithm '{}'", word), std::string{refused.why});
    }
  }
  const auto at = std::ranges::find(keywords(), word, &Keyword::text);
  if (at == keywords().end()) return unknown_word(word);
  return at->transform;
}

std::string keyword_of(const Transform& transform) {
  const auto at = std::ranges::find(keywords(), transform, &Keyword::transform);
  return at == keywords().end() ? transform.text() : at->text;
}

bool is_aead(const Transform& transform) {
  const EncrInfo* info = find(EncrId{transform.id});
  return info != nullptr && info->aead;
}

/// Ciphers and their integrity; the same for IKE and ESP.
Result<void> check_ciphers(const Proposal& proposal) {
  const std::vector<Transform> ciphers = proposal.of(TransformType::encr);
  const std::vector<Transform> integs = proposal.of(TransformType::integ);
  if (ciphers.empty()) return fail("no cipher", "name one, such as aes256gcm16");
  const auto aead = std::ranges::find_if(ciphers, is_aead);
  const auto block = std::ranges::find_if_not(ciphers, is_aead);
  if (aead != ciphers.end() && block != ciphers.end()) {
    return fail(fmt::format("'{}' and '{}' cannot share a proposal (RFC 7296 §3.3)",
                            keyword_of(*aead), keyword_of(*block)),
                "write two proposals with a comma between them");
  }
  if (aead != ciphers.end() && !integs.empty()) {
    const IntegInfo* integ = find(IntegId{integs[0].id});
    const std::string advice =
        proposal.protocol == ProtocolId::ike && integ != nullptr
            ? fmt::format(
                  "write '{}' for '{}'",
                  keyword_of({TransformType::prf, static_cast<std::uint16_t>(integ->prf), 0}),
                  keyword_of(integs[0]))
            : fmt::format("remove '{}'", keyword_of(integs[0]));
    return fail(fmt::format("'{}' protects integrity itself", keyword_of(*aead)), advice);
  }
  if (block != ciphers.end() && integs.empty()) {
    return fail(fmt::format("'{}' needs an integrity algorithm", keyword_of(*block)),
                "add one, such as sha256");
  }
  return {};
}

Result<void> complete_ike(Proposal& proposal) {
  for (const Transform& transform : proposal.transforms) {
    if (transform.type == TransformType::esn) {
      return fail(fmt::format("'{}' has no place in an IKE proposal", keyword_of(transform)));
    }
    if (transform.type == TransformType::encr && EncrId{transform.id} == EncrId::null) {
      return fail("'null' does not encrypt", "IKE needs a cipher (RFC 7296 §3.14)");
    }
  }
  if (!proposal.has(TransformType::prf)) {
    if (!proposal.has(TransformType::integ)) {
      return fail(fmt::format("'{}' needs a PRF in an IKE proposal",
                              keyword_of(proposal.of(TransformType::encr)[0])),
                  "add one, such as prfsha384");
    }
    for (const Transform& integ : proposal.of(TransformType::integ)) {
      const IntegInfo* info = find(IntegId{integ.id});
      if (info == nullptr) continue;
      const Transform prf{TransformType::prf, static_cast<std::uint16_t>(info->prf), 0};
      if (std::ranges::find(proposal.transforms, prf) == proposal.transforms.end()) {
        proposal.transforms.push_back(prf);
      }
    }
  }
  if (proposal.offers(KeId::none)) {
    return fail("an IKE proposal cannot go without a key exchange", "remove 'none'");
  }
  if (!proposal.has(TransformType::ke)) {
    return fail("an IKE proposal needs a key exchange", "add one, such as x25519 or ecp384");
  }
  return {};
}

Result<void> complete_esp(Proposal& proposal) {
  for (const Transform& transform : proposal.transforms) {
    if (transform.type == TransformType::prf) {
      return fail(fmt::format("'{}' has no place in an ESP proposal", keyword_of(transform)),
                  "ESP uses no PRF; remove it");
    }
  }
  if (!proposal.has(TransformType::esn)) {
    proposal.transforms.push_back({TransformType::esn, static_cast<std::uint16_t>(EsnId::none), 0});
  }
  return {};
}

/// Transforms of one type together, each type in the order of its words: equal proposals then
/// compare equal however their words were mixed.
void sort_by_type(Proposal& proposal) {
  const auto rank = [](TransformType type) {
    switch (type) {
      case TransformType::encr:
        return 0;
      case TransformType::integ:
        return 1;
      case TransformType::prf:
        return 2;
      case TransformType::ke:
        return 3;
      case TransformType::esn:
        return 4;
    }
    return 5;
  };
  std::ranges::stable_sort(proposal.transforms, {},
                           [&](const Transform& transform) { return rank(transform.type); });
}

Result<Proposal> parse_words(std::string_view text, ProtocolId protocol) {
  Proposal out{.protocol = protocol, .transforms = {}};
  for (const std::string_view word : split(text, '-')) {
    CYG_TRY(const Transform transform, find_word(word));
    if (std::ranges::find(out.transforms, transform) != out.transforms.end()) continue;
    out.transforms.push_back(transform);
  }
  CYG_TRY_DO(check_ciphers(out));
  CYG_TRY_DO(protocol == ProtocolId::ike ? complete_ike(out) : complete_esp(out));
  if (out.transforms.size() > kTransformsMax) {
    return fail(fmt::format("more than {} algorithms in {} proposal", kTransformsMax,
                            protocol_name(protocol)));
  }
  sort_by_type(out);
  return out;
}

Result<std::vector<Proposal>> parse_entry(std::string_view entry, ProtocolId protocol) {
  if (entry == "default") return default_proposals(protocol);
  const auto* suite = std::ranges::find(kSuites, entry, &NamedSuite::name);
  if (suite == std::end(kSuites)) {
    CYG_TRY(Proposal proposal, parse_words(entry, protocol));
    return std::vector<Proposal>{std::move(proposal)};
  }
  std::vector<Proposal> out;
  for (const std::string_view part :
       split(protocol == ProtocolId::ike ? suite->ike : suite->esp, ',')) {
    CYG_TRY(Proposal proposal, parse_words(part, protocol));
    out.push_back(std::move(proposal));
  }
  return out;
}

}  // namespace

Result<std::vector<Proposal>> parse_proposals(std::string_view text, ProtocolId protocol) {
  if (protocol != ProtocolId::ike && protocol != ProtocolId::esp) {
    return fail(fmt::format("{} proposals are not supported", to_string(protocol)));
  }
  if (text.size() > kProposalTextMax) {
    return fail(fmt::format("proposals longer than {} characters", kProposalTextMax));
  }
  std::string lower{trimmed(text)};
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string_view rest = lower;
  if (rest.ends_with('!')) rest = trimmed(rest.substr(0, rest.size() - 1));
  if (rest.empty()) return fail("empty proposal", "write 'default' or name algorithms");
  std::vector<Proposal> out;
  for (const std::string_view entry : split(rest, ',')) {
    CYG_TRY(std::vector<Proposal> more, parse_entry(entry, protocol));
    for (Proposal& proposal : more) {
      if (std::ranges::find(out, proposal) == out.end()) out.push_back(std::move(proposal));
    }
    if (out.size() > kProposalsMax) {
      return fail(fmt::format("more than {} proposals", kProposalsMax));
    }
  }
  return out;
}

std::vector<Proposal> default_proposals(ProtocolId protocol) {
  // AEAD first, then CBC with SHA-2 for peers without it; no SHA-1, nothing below 2048 bits.
  const std::string text =
      protocol == ProtocolId::ike
          ? fmt::format(
                "aes256gcm16-aes128gcm16-chacha20poly1305-prfsha384-prfsha256-prfsha512-{0},"
                "aes256-aes192-aes128-sha384-sha256-sha512-prfsha384-prfsha256-prfsha512-{0}",
                kDefaultKes)
          : std::string{
                "aes256gcm16-aes128gcm16-chacha20poly1305,"
                "aes256-aes192-aes128-sha384-sha256-sha512"};
  auto parsed = parse_proposals(text, protocol);
  return parsed ? *std::move(parsed) : std::vector<Proposal>{};
}

}  // namespace cygnet::model
