#include "pki/identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "pki/distinguished_name.hpp"

namespace cygnet::pki {
namespace {

struct TypePrefix {
  std::string_view text;
  IdType type;
};
constexpr TypePrefix kPrefixes[] = {
    {"ipv4", IdType::ipv4_addr},
    {"ipv6", IdType::ipv6_addr},
    {"rfc822", IdType::rfc822_addr},
    {"email", IdType::rfc822_addr},
    {"userfqdn", IdType::rfc822_addr},
    {"fqdn", IdType::fqdn},
    {"dns", IdType::fqdn},
    {"asn1dn", IdType::der_asn1_dn},
    {"asn1gn", IdType::der_asn1_gn},
    {"keyid", IdType::key_id},
};

model::Identity of(IdType type, std::string_view text) {
  return {.type = type, .data = to_bytes(text)};
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool printable(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte > 0x20 && byte < 0x7f; });
}

/// As printable, and blanks between: "C=CH, CN=a" sent as a name of another type.
bool showable(ByteView bytes) {
  return !bytes.empty() && bytes.front() != ' ' && bytes.back() != ' ' &&
         std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte >= 0x20 && byte < 0x7f; });
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

Result<model::Identity> address(std::string_view text, std::optional<IpFamily> family) {
  CYG_TRY(const IpAddress parsed, IpAddress::parse(text));
  if (family && parsed.family() != *family) {
    return fail("identity", fmt::format("'{}' is of the other address family", text));
  }
  return model::Identity::address(parsed);
}

Result<model::Identity> typed(IdType type, std::string_view value) {
  if (value.starts_with('#')) {
    CYG_TRY(Bytes octets, from_hex(value.substr(1)));
    return model::Identity{.type = type, .data = std::move(octets)};
  }
  if (type == IdType::ipv4_addr) return address(value, IpFamily::v4);
  if (type == IdType::ipv6_addr) return address(value, IpFamily::v6);
  if (type == IdType::der_asn1_dn) {
    CYG_TRY(Bytes der, parse_distinguished_name(value));
    return model::Identity{.type = type, .data = std::move(der)};
  }
  return of(type, value);
}

/// "fqdn:x" or "{2}:x"; nothing when there is no prefix we know.
std::optional<Result<model::Identity>> prefixed(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view name = text.substr(0, colon);
  const std::string_view value = text.substr(colon + 1);
  for (const TypePrefix& prefix : kPrefixes) {
    if (prefix.text == name) return typed(prefix.type, value);
  }
  if (name.size() > 2 && name.front() == '{' && name.back() == '}') {
    unsigned number = 0;
    const std::string_view digits = name.substr(1, name.size() - 2);
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code == std::errc{} && end == digits.data() + digits.size() && number <= 255) {
      return typed(static_cast<IdType>(number), value);
    }
  }
  return std::nullopt;
}

bool equal_ignoring_case(ByteView a, ByteView b) {
  return std::ranges::equal(
      a, b, {}, [](std::uint8_t c) { return lower(static_cast<char>(c)); },
      [](std::uint8_t c) { return lower(static_cast<char>(c)); });
}

/// "*.example.org" or "*@example.org" against a name: the literal tail and something before it.
std::optional<MatchRank> match_tail(ByteView pattern, ByteView name) {
  const ByteView tail = pattern.subspan(1);
  if (!printable(name) || name.size() <= tail.size()) return std::nullopt;
  if (!equal_ignoring_case(tail, name.last(tail.size()))) return std::nullopt;
  return MatchRank{.kind = MatchRank::Kind::wildcard,
                   .literal = static_cast<std::uint32_t>(tail.size())};
}

std::string hex_text(ByteView data) {
  const ByteView shown = data.first(std::min(data.size(), kIdentityShownMax));
  return to_hex(shown) + (shown.size() < data.size() ? "..." : "");
}

std::string typed_hex(const model::Identity& identity) {
  return fmt::format("{{{}}}:#{}", static_cast<unsigned>(identity.type), hex_text(identity.data));
}

/// `bare` if it reads back as the same identity, else with its type in front.
std::string unambiguous(const model::Identity& identity, std::string_view prefix,
                        const std::string& bare) {
  const auto back = parse_identity(bare);
  if (back && *back == identity) return bare;
  return std::string{prefix} + ":" + bare;
}

}  // namespace

Result<model::Identity> parse_identity(std::string_view raw) {
  const std::string_view text = trimmed(raw);
  if (text.size() > kIdentityTextMax) return fail("identity", "longer than 4096 octets");
  if (text.empty() || text == "%any" || text == "*") {
    return fail("identity", "it must name somebody; %any is only for patterns");
  }
  if (auto result = prefixed(text)) return *std::move(result);
  if (text.find('=') != std::string_view::npos) {
    auto der = parse_distinguished_name(text);
    if (der) return model::Identity{.type = IdType::der_asn1_dn, .data = *std::move(der)};
    if (starts_distinguished_name(text)) return std::unexpected(std::move(der).error());
    return of(IdType::key_id, text);
  }
  if (text.starts_with("@#")) return typed(IdType::key_id, text.substr(1));
  if (text.starts_with("@@")) return of(IdType::rfc822_addr, text.substr(2));
  if (text.starts_with('@')) return of(IdType::fqdn, text.substr(1));
  if (text.find('@') != std::string_view::npos) return of(IdType::rfc822_addr, text);
  if (const auto parsed = IpAddress::parse(text)) {
    if (parsed->is_any()) return fail("identity", "an any-address names nobody");
    return model::Identity::address(*parsed);
  }
  if (text.find(':') != std::string_view::npos) return of(IdType::key_id, text);
  return of(IdType::fqdn, text);
}

Result<model::IdentityPattern> parse_identity_pattern(std::string_view raw) {
  const std::string_view text = trimmed(raw);
  if (text.empty() || text == "%any" || text == "*" || text == "0.0.0.0" || text == "::") {
    return model::IdentityPattern{};
  }
  CYG_TRY(model::Identity identity, parse_identity(text));
  const bool name = identity.type == IdType::fqdn || identity.type == IdType::rfc822_addr;
  const auto star = std::ranges::find(identity.data, '*');
  if (name && star != identity.data.end()) {
    const char after = identity.type == IdType::fqdn ? '.' : '@';
    const bool whole = star == identity.data.begin() && identity.data.size() > 2 &&
                       identity.data[1] == static_cast<std::uint8_t>(after) &&
                       std::ranges::count(identity.data, '*') == 1;
    if (!whole) {
      return fail(
          "identity",
          fmt::format("'{}': a '*' may only stand for all before the first '{}'", text, after));
    }
  }
  return model::IdentityPattern{std::move(identity)};
}

std::string to_text(const model::Identity& identity) {
  switch (identity.type) {
    case IdType::ipv4_addr:
    case IdType::ipv6_addr:
      if (const auto parsed = IpAddress::from_bytes(identity.data)) return parsed->text();
      return typed_hex(identity);
    case IdType::der_asn1_dn:
      if (auto text = format_distinguished_name(identity.data)) return *std::move(text);
      return typed_hex(identity);
    case IdType::fqdn:
    case IdType::rfc822_addr:
    case IdType::key_id: {
      if (!showable(identity.data) || identity.data.size() > kIdentityShownMax) {
        return identity.type == IdType::key_id ? "@#" + hex_text(identity.data)
                                               : typed_hex(identity);
      }
      const std::string_view prefix = identity.type == IdType::fqdn          ? "fqdn"
                                      : identity.type == IdType::rfc822_addr ? "email"
                                                                             : "keyid";
      return unambiguous(identity, prefix, cygnet::to_string(ByteView{identity.data}));
    }
    case IdType::der_asn1_gn:
    case IdType::null:
      break;
  }
  return typed_hex(identity);
}

std::string to_text(const model::IdentityPattern& pattern) {
  return pattern ? to_text(*pattern) : "%any";
}

std::string identity_key(const model::Identity& identity) {
  std::string out{static_cast<char>(identity.type)};
  if (identity.type == IdType::der_asn1_dn) return out + distinguished_name_key(identity.data);
  const bool folds = identity.type == IdType::fqdn || identity.type == IdType::rfc822_addr;
  for (const std::uint8_t octet : identity.data) {
    const char one = static_cast<char>(octet);
    out += folds ? lower(one) : one;
  }
  return out;
}

bool has_wildcard(const model::IdentityPattern& pattern) {
  if (!pattern) return true;
  if (pattern->type == IdType::der_asn1_dn) return has_wildcard_value(pattern->data);
  const bool folds = pattern->type == IdType::fqdn || pattern->type == IdType::rfc822_addr;
  return folds && !pattern->data.empty() && pattern->data[0] == '*';
}

std::optional<MatchRank> match_identity(const model::IdentityPattern& pattern,
                                        const model::Identity& identity) {
  if (!pattern) return MatchRank{};
  if (pattern->type != identity.type) return std::nullopt;
  if (identity.type == IdType::der_asn1_dn) {
    return match_distinguished_name(pattern->data, identity.data);
  }
  if (identity.type == IdType::fqdn || identity.type == IdType::rfc822_addr) {
    if (!pattern->data.empty() && pattern->data[0] == '*') {
      return match_tail(pattern->data, identity.data);
    }
    if (!equal_ignoring_case(pattern->data, identity.data)) return std::nullopt;
    return MatchRank{.kind = MatchRank::Kind::exact};
  }
  if (pattern->data != identity.data) return std::nullopt;
  return MatchRank{.kind = MatchRank::Kind::exact};
}

}  // namespace cygnet::pki
