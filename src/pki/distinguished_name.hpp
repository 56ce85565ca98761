// Distinguished names: text, DER and comparison.                  RFC 4514, RFC 5280 §4.1.2.4, §7.1
#pragma once

#include <optional>
#include <string>

#include "pki/identity.hpp"

namespace cygnet::pki {

/// "C=DE, O=Example, CN=x" (first RDN first) or "/C=DE/O=Example/CN=x" to DER. Values may be in
/// double quotes; a backslash takes the next character literally. At most kRdnsMax RDNs.
[[nodiscard]] Result<Bytes> parse_distinguished_name(std::string_view text);
/// True when the text begins with "<keyword>=" of a keyword we know.
[[nodiscard]] bool starts_distinguished_name(std::string_view text);
/// DER to text; nothing when it is not a well-formed name.
[[nodiscard]] std::optional<std::string> format_distinguished_name(ByteView der);
/// As match_identity() describes for names; `pattern` may have RDNs whose value is "*".
[[nodiscard]] std::optional<MatchRank> match_distinguished_name(ByteView pattern, ByteView name);

/// Equal for two names exactly when match_distinguished_name() finds them equal, wildcards apart.
[[nodiscard]] std::string distinguished_name_key(ByteView name);
/// Whether some RDN's value is "*".
[[nodiscard]] bool has_wildcard_value(ByteView name);

}  // namespace cygnet::pki
