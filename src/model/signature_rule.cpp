#include "model/signature_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "model/suggest.hpp"

namespace cygnet::model {
namespace {

struct NamedHash {
  std::string_view name;
  HashId hash;
};
constexpr NamedHash kHashes[] = {
    {"sha256", HashId::sha2_256}, {"sha384", HashId::sha2_384}, {"sha512", HashId::sha2_512}};
constexpr KeyType kTypes[] = {KeyType::rsa, KeyType::ecdsa, KeyType::ed25519, KeyType::ed448};
constexpr std::string_view kWords[] = {"pubkey", "rsa",    "ecdsa",  "ed25519",
                                       "ed448",  "sha256", "sha384", "sha512"};
constexpr unsigned kBitsMax = 16384;

bool has_size(KeyType type) { return type == KeyType::rsa || type == KeyType::ecdsa; }

template <class T>
void add_once(std::vector<T>& list, const T& one) {
  if (std::ranges::find(list, one) == list.end()) list.push_back(one);
}

/// The size in bits of the key that was named last.
Result<void> add_size(SignatureRule& rule, std::string_view word) {
  unsigned bits = 0;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), bits);
  if (fault != std::errc{} || end != word.data() + word.size() || bits > kBitsMax) {
    return fail(fmt::format("'{}' is not a key's size in bits", word), "such as rsa-3072");
  }
  if (rule.keys.empty() || !has_size(rule.keys.back().type)) {
    return fail(fmt::format("'{}' must follow rsa or ecdsa", word), "such as rsa-3072");
  }
  rule.keys.back().bits_min = bits;
  return {};
}

Result<void> add_word(SignatureRule& rule, std::string_view word) {
  if (word == "pubkey") return {};
  if (!word.empty() && word.front() >= '0' && word.front() <= '9') return add_size(rule, word);
  for (const KeyType type : kTypes) {
    if (word != to_string(type)) continue;
    rule.keys.push_back({.type = type});
    return {};
  }
  for (const NamedHash& one : kHashes) {
    if (word != one.name) continue;
    add_once(rule.hashes, one.hash);
    return {};
  }
  if (word == "rsa/pss") {
    return fail("'rsa/pss' is no rule of its own", "write rsa: PSS is what we sign with");
  }
  if (word == "sha1" || word == "md5" || word == "sha224") {
    return fail(fmt::format("'{}' is too weak", word), "write sha256, sha384 or sha512");
  }
  return fail(fmt::format("unknown key or hash '{}'{}", word, did_you_mean(word, kWords)),
              "known are rsa, ecdsa, ed25519, ed448, sha256, sha384 and sha512");
}

/// EdDSA has its own hash, so naming the key allows it.
void complete(SignatureRule& rule) {
  const bool eddsa =
      std::ranges::any_of(rule.keys, [](const KeyRule& key) { return !has_size(key.type); });
  if (eddsa && !rule.hashes.empty()) add_once(rule.hashes, HashId::identity);
}

}  // namespace

std::string_view to_string(KeyType type) {
  switch (type) {
    case KeyType::rsa:
      return "rsa";
    case KeyType::ecdsa:
      return "ecdsa";
    case KeyType::ed25519:
      return "ed25519";
    case KeyType::ed448:
      return "ed448";
  }
  return "unknown";
}

bool SignatureRule::allows(KeyType type, unsigned bits) const {
  const auto fits = [&](const KeyRule& key) { return key.type == type && bits >= key.bits_min; };
  return keys.empty() || std::ranges::any_of(keys, fits);
}

bool SignatureRule::allows(HashId hash) const {
  return hashes.empty() || std::ranges::find(hashes, hash) != hashes.end();
}

std::string SignatureRule::text() const {
  std::string out;
  for (const KeyRule& key : keys) {
    out += fmt::format("{}{}", out.empty() ? "" : "-", to_string(key.type));
    if (key.bits_min != 0) out += fmt::format("-{}", key.bits_min);
  }
  if (out.empty()) out = "pubkey";
  for (const HashId hash : hashes) {
    const auto* const named = std::ranges::find(kHashes, hash, &NamedHash::hash);
    if (named != std::end(kHashes)) out += fmt::format("-{}", named->name);
  }
  return out;
}

std::string SignatureRules::text() const {
  return auth == certificates ? auth.text() : certificates.text() + "-ike:" + auth.text();
}

Result<SignatureRules> parse_signature_rules(std::string_view text) {
  SignatureRules out;
  bool of_auth = false;
  for (bool more = true; more;) {
    const std::size_t end = text.find('-');
    std::string_view word = text.substr(0, end);
    more = end != std::string_view::npos;
    if (more) text.remove_prefix(end + 1);
    if (word.starts_with("ike:")) {
      word.remove_prefix(4);
      of_auth = true;
    }
    CYG_TRY_DO(add_word(of_auth ? out.auth : out.certificates, word));
  }
  complete(out.certificates);
  complete(out.auth);
  if (!of_auth) out.auth = out.certificates;
  return out;
}

}  // namespace cygnet::model
