// What another file would change of the credentials, by name.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "control/credentials.hpp"
#include "pki/identity.hpp"

namespace cygnet::control {
namespace {

/// What stands under one name. Borrows from its set.
struct Content {
  std::vector<ByteView> octets;
  std::string words;  ///< whose a secret is, where an authority tells of revocation
};
using Contents = std::map<std::pair<std::string_view, std::string>, Content>;

bool same(const Content& a, const Content& b) {
  return a.words == b.words && std::ranges::equal(a.octets, b.octets, crypto::equal_constant_time);
}

Contents contents_of(const CredentialSet& set) {
  Contents out;
  for (const auto& [name, one] : set.authorities) {
    Content& content = out[{"authority", name}];
    content.octets.emplace_back(one.cacert);
    content.words = fmt::format("{}; {}", one.crl_uris, one.ocsp_uris);
  }
  for (const config::SharedSecret& one : set.secrets) {
    Content& content = out[{"secret", one.name}];
    content.octets.push_back(one.value.reveal());
    for (const model::IdentityPattern& owner : one.owners) {
      content.words += pki::to_text(owner) + "\n";
    }
  }
  for (const auto& one : set.keys) out[{"key", key_id(*one.key)}];
  // Whom we trust is one thing, which certificates we know another.
  for (const auto& [what, book] :
       {std::pair{"CA certificate", &set.anchors}, std::pair{"certificate", &set.others}}) {
    for (const pki::Certificate& one : book->all()) {
      out[{what, pki::to_text(one.subject())}].octets.push_back(one.der());
    }
  }
  return out;
}

}  // namespace

std::vector<CredentialChange> Credentials::changes_to(const CredentialSet& fresh) const {
  const Contents old = contents_of(file_);
  const Contents now = contents_of(fresh);
  std::vector<CredentialChange> out;
  for (const auto& [name, content] : now) {
    const auto at = old.find(name);
    const bool known = at != old.end();
    if (known && same(at->second, content)) continue;
    out.push_back({.what = name.first, .name = name.second, .before = known, .after = true});
  }
  for (const auto& [name, content] : old) {
    if (now.contains(name)) continue;
    out.push_back({.what = name.first, .name = name.second, .before = true, .after = false});
  }
  return out;
}

}  // namespace cygnet::control
