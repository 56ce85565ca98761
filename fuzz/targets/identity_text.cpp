// Identities as people write them: printed and read again they are the same.   RFC 4945
// Modules: pki
#include <algorithm>

#include "fuzz_target.hpp"
#include "pki/identity.hpp"

namespace cygnet {

void fuzz_identity_text(ByteView input) {
  const std::string text = to_string(input);
  if (const auto identity = pki::parse_identity(text)) {
    const std::string printed = pki::to_text(*identity);
    CYG_CHECK(!printed.empty());
    for (const char c : printed) CYG_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    // A wildcard matches no wildcard. (Octets that cannot be printed come out as hexadecimal.)
    const bool wild = std::ranges::find(identity->data, '*') != identity->data.end();
    CYG_CHECK(pki::match_identity(*identity, *identity).has_value() || wild);
  }
  if (const auto pattern = pki::parse_identity_pattern(text)) {
    CYG_CHECK(!pki::to_text(*pattern).empty());
  }
  // The same octets as a peer's DN.
  const model::Identity name{.type = IdType::der_asn1_dn, .data = to_bytes(input)};
  CYG_CHECK(!pki::to_text(name).empty() || input.empty());
  static_cast<void>(pki::match_identity(name, name));
}

}  // namespace cygnet
