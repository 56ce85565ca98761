// Identities as people write them, and how patterns match them.   RFC 7296 §3.5, RFC 4945 §3.1
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/identity.hpp"

namespace cygnet::pki {

/// Longest text that is parsed as an identity, in octets.
inline constexpr std::size_t kIdentityTextMax = 4096;
/// Longest distinguished name that is taken apart, in octets of DER; longer ones are opaque.
inline constexpr std::size_t kDnOctetsMax = 8192;
/// Most relative distinguished names (and attributes) of one name; more make it opaque.
inline constexpr std::size_t kRdnsMax = 64;
/// Octets of an opaque identity that are printed before "...".
inline constexpr std::size_t kIdentityShownMax = 512;

/// Parses an identity in strongSwan's notation:
///   "C=DE, O=Example, CN=x", "/C=DE/O=Example/CN=x"   a distinguished name (first RDN first)
///   "@#0a0b" a KEY_ID; "@@user" and "user@host" an e-mail address; "@host" and "host" an FQDN
///   "192.0.2.1", "2001:db8::1"                        an address; other text with ':' a KEY_ID
///   fqdn: dns: email: rfc822: userfqdn: keyid: ipv4: ipv6: asn1dn: asn1gn: {n}:
///                                                     that type; a '#' after the colon: hex octets
/// A text with '=' that starts no RDN keyword we know is a KEY_ID, as strongSwan has it; one that
/// does but is no well-formed name is an error. "%any" and its synonyms are errors here.
[[nodiscard]] Result<model::Identity> parse_identity(std::string_view text);

/// The same for what a connection accepts: "", "%any", "*", "0.0.0.0" and "::" accept any.
/// Wildcards: a whole RDN value "*", "*.example.org" (one or more labels), "*@example.org"; a
/// '*' elsewhere in an FQDN or e-mail address is an error, as are address ranges.
[[nodiscard]] Result<model::IdentityPattern> parse_identity_pattern(std::string_view text);

/// The text that parse_identity() reads back as the same identity (of a name: an equal one), in
/// strongSwan's order ("C=DE, O=Example, CN=x"). A type prefix is printed only where the bare
/// text would mean something else. Never fails: what is not DER or not text prints as hex, cut
/// after kIdentityShownMax octets. Contains no control characters, so it is safe in logs.
[[nodiscard]] std::string to_text(const model::Identity& identity);
/// The same for a pattern; "%any" when it accepts any.
[[nodiscard]] std::string to_text(const model::IdentityPattern& pattern);

/// How well a pattern fits; greater is more specific: exact > wildcard > any.
struct MatchRank {
  enum class Kind : std::uint8_t { any, wildcard, exact };
  Kind kind = Kind::any;
  /// With wildcards: literal RDNs of a name, or literal octets of an FQDN or e-mail address.
  std::uint32_t literal = 0;
  friend auto operator<=>(const MatchRank&, const MatchRank&) = default;
};

/// Equal for two identities without wildcards exactly when match_identity() takes them for one.
[[nodiscard]] std::string identity_key(const model::Identity& identity);
/// Whether a pattern fits more than one identity.
[[nodiscard]] bool has_wildcard(const model::IdentityPattern& pattern);

/// Whether `identity` fits `pattern`, and how well. FQDN and e-mail addresses compare without
/// ASCII case. Names compare RDN by RDN, in order, whatever string type carries the text, without
/// ASCII case and with runs of spaces as one (RFC 5280 §7.1). Octets with NUL or other
/// non-printing characters never fit a wildcard. Other types compare octet by octet.
[[nodiscard]] std::optional<MatchRank> match_identity(const model::IdentityPattern& pattern,
                                                      const model::Identity& identity);

}  // namespace cygnet::pki
