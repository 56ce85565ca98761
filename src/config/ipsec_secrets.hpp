// The grammar of strongSwan's ipsec.secrets.
//
//    file   := (entry | include pattern)*
//    entry  := selector* : type value+            indented lines continue it
//    type   := PSK | RSA | ECDSA | PKCS8 | P12 | EAP | NTLM | XAUTH | PIN
//
// The ':' stands between blanks. `#` at the start of a word starts a comment. A value is a "text"
// or 'text' without escapes, 0x and hexadecimal digits, 0s and Base64, or one plain word.
#pragma once

#include <string>
#include <vector>

#include "config/conversion_note.hpp"
#include "config/diagnostics.hpp"
#include "config/files.hpp"
#include "config/ipsec_parser.hpp"
#include "config/section.hpp"

namespace cygnet::config {

/// Entries in all.
inline constexpr std::size_t kIpsecSecretsMax = 10'000;
/// Words of one entry.
inline constexpr std::size_t kSecretWordsMax = 256;
/// Octets of one word, so that its hexadecimal form is a value of swanctl.conf.
inline constexpr std::size_t kSecretWordOctetsMax = 16'384;

/// Reads `path` and what it includes as swanctl.conf's section `secrets`; key files get absolute
/// names, relative ones start in `private_folder`. No diagnostic and no note repeats a word that
/// stands behind the ':' of an entry, except the name of a key file. A file that cannot be read is
/// a warning: there may be none.
[[nodiscard]] Section parse_ipsec_secrets(const std::string& path,
                                          const std::string& private_folder, Files& files,
                                          Diagnostics& diags, std::vector<ConversionNote>& notes);

}  // namespace cygnet::config
