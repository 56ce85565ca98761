#include "pki/distinguished_name.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace cygnet::pki {
namespace {

struct Free {
  void operator()(X509_NAME* name) const { X509_NAME_free(name); }
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};
using Name = std::unique_ptr<X509_NAME, Free>;

struct Keyword {
  std::string_view text;
  int nid;
};
// The first keyword of an attribute is the one it prints with.
constexpr Keyword kKeywords[] = {
    {"C", NID_countryName},
    {"ST", NID_stateOrProvinceName},
    {"L", NID_localityName},
    {"O", NID_organizationName},
    {"OU", NID_organizationalUnitName},
    {"CN", NID_commonName},
    {"E", NID_pkcs9_emailAddress},
    {"emailAddress", NID_pkcs9_emailAddress},
    {"Email", NID_pkcs9_emailAddress},
    {"S", NID_surname},
    {"SN", NID_serialNumber},
    {"serialNumber", NID_serialNumber},
    {"G", NID_givenName},
    {"GN", NID_givenName},
    {"I", NID_initials},
    {"N", NID_name},
    {"D", NID_description},
    {"T", NID_title},
    {"DC", NID_domainComponent},
    {"UID", NID_userId},
    {"dnQualifier", NID_dnQualifier},
};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

const Keyword* find_keyword(std::string_view text) {
  const auto at = std::ranges::find_if(kKeywords, [text](const Keyword& keyword) {
    return equal_ignoring_case(keyword.text, text);
  });
  return at == std::end(kKeywords) ? nullptr : at;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

struct Rdn {
  std::string keyword;
  std::string value;
};

/// Cuts the text at its separators, outside quotes and escapes.
Result<std::vector<Rdn>> split(std::string_view text) {
  const char separator = text.starts_with('/') ? '/' : ',';
  if (separator == '/') text.remove_prefix(1);
  std::vector<Rdn> out;
  std::string piece;
  std::size_t kept = 0;  // octets of `piece` that stood in quotes or escapes: not to be trimmed
  bool quoted = false;
  const auto finish = [&]() -> Result<void> {
    const std::size_t equals = piece.find('=');
    if (equals == std::string::npos) {
      return fail("distinguished name", fmt::format("'{}' has no '='", trimmed(piece)));
    }
    std::string value = piece.substr(equals + 1);
    while (!value.empty() && value.front() == ' ') value.erase(0, 1);
    while (!value.empty() && value.back() == ' ' && piece.size() > kept) {
      value.pop_back();
      piece.pop_back();
    }
    out.push_back({.keyword = std::string{trimmed(std::string_view{piece}.substr(0, equals))},
                   .value = std::move(value)});
    piece.clear();
    kept = 0;
    if (out.size() > kRdnsMax) return fail("distinguished name", "too many parts");
    return {};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      piece += text[++i];
      kept = piece.size();
    } else if (c == '"') {
      quoted = !quoted;
      kept = piece.size();
    } else if (c == separator && !quoted) {
      CYG_TRY_DO(finish());
    } else {
      piece += c;
      if (quoted) kept = piece.size();
    }
  }
  if (quoted) return fail("distinguished name", "a quote is not closed");
  CYG_TRY_DO(finish());
  return out;
}

Name decode(ByteView der) {
  if (der.size() > kDnOctetsMax) return nullptr;
  const unsigned char* at = der.data();
  Name name{d2i_X509_NAME(nullptr, &at, static_cast<long>(der.size()))};
  ERR_clear_error();
  if (name && at != der.data() + der.size()) return nullptr;
  return name;
}

std::string_view keyword_of(int nid) {
  const auto at = std::ranges::find(kKeywords, nid, &Keyword::nid);
  return at == std::end(kKeywords) ? std::string_view{} : at->text;
}

/// The value as UTF-8; nothing when it is not text.
std::optional<std::string> value_of(const X509_NAME_ENTRY* entry) {
  unsigned char* raw = nullptr;
  const int size = ASN1_STRING_to_UTF8(&raw, X509_NAME_ENTRY_get_data(entry));
  const std::unique_ptr<unsigned char, Free> owner{raw};
  if (size < 0) {
    ERR_clear_error();
    return std::nullopt;
  }
  return std::string(raw, raw + size);
}

bool safe(const std::string& text) {
  return std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
}

/// Lower case and single blanks (RFC 5280 §7.1).
std::string folded(const std::string& text) {
  std::string out;
  for (const char c : trimmed(text)) {
    if (c == ' ' && !out.empty() && out.back() == ' ') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return out;
}

std::string quoted_if_needed(const std::string& value) {
  const bool needed = value.empty() || value.front() == ' ' || value.back() == ' ' ||
                      value.find_first_of(",\"\\/=") != std::string::npos;
  if (!needed) return value;
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

bool starts_distinguished_name(std::string_view text) {
  if (text.starts_with('/')) text.remove_prefix(1);
  const std::size_t equals = text.find('=');
  return equals != std::string_view::npos &&
         find_keyword(trimmed(text.substr(0, equals))) != nullptr;
}

Result<Bytes> parse_distinguished_name(std::string_view text) {
  CYG_TRY(const std::vector<Rdn> rdns, split(text));
  const Name name{X509_NAME_new()};
  for (const Rdn& rdn : rdns) {
    const Keyword* keyword = find_keyword(rdn.keyword);
    if (keyword == nullptr) {
      return fail("distinguished name", fmt::format("unknown keyword '{}'", rdn.keyword));
    }
    // A wildcard has no length or character set of its own: it must fit any attribute.
    const int type = rdn.value == "*" ? V_ASN1_UTF8STRING : MBSTRING_UTF8;
    if (X509_NAME_add_entry_by_NID(name.get(), keyword->nid, type,
                                   reinterpret_cast<const unsigned char*>(rdn.value.data()),
                                   static_cast<int>(rdn.value.size()), -1, 0) != 1) {
      ERR_clear_error();
      return fail("distinguished name", fmt::format("{}={} is not a valid value (a country has two "
                                                    "letters, for example)",
                                                    rdn.keyword, rdn.value));
    }
  }
  unsigned char* raw = nullptr;
  const int size = i2d_X509_NAME(name.get(), &raw);
  const std::unique_ptr<unsigned char, Free> owner{raw};
  if (size <= 0) return fail("distinguished name", "cannot be encoded");
  return Bytes(raw, raw + size);
}

std::optional<std::string> format_distinguished_name(ByteView der) {
  const Name name = decode(der);
  if (!name) return std::nullopt;
  const int count = X509_NAME_entry_count(name.get());
  if (count <= 0 || static_cast<std::size_t>(count) > kRdnsMax) return std::nullopt;
  std::string out;
  for (int i = 0; i < count; ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name.get(), i);
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    const std::string_view keyword = keyword_of(nid);
    const auto value = value_of(entry);
    if (keyword.empty() || !value || !safe(*value)) return std::nullopt;
    if (!out.empty()) out += ", ";
    out += fmt::format("{}={}", keyword, quoted_if_needed(*value));
  }
  if (out.size() > kIdentityShownMax) return std::nullopt;
  return out;
}

std::optional<MatchRank> match_distinguished_name(ByteView pattern, ByteView name) {
  if (equal(pattern, name)) return MatchRank{.kind = MatchRank::Kind::exact};
  const Name wanted = decode(pattern);
  const Name given = decode(name);
  if (!wanted || !given) return std::nullopt;
  const int count = X509_NAME_entry_count(wanted.get());
  if (count != X509_NAME_entry_count(given.get())) return std::nullopt;
  MatchRank rank{.kind = MatchRank::Kind::exact};
  for (int i = 0; i < count; ++i) {
    const X509_NAME_ENTRY* ours = X509_NAME_get_entry(wanted.get(), i);
    const X509_NAME_ENTRY* theirs = X509_NAME_get_entry(given.get(), i);
    // Entries of one multi-valued RDN must group alike, else the names differ.
    if (OBJ_cmp(X509_NAME_ENTRY_get_object(ours), X509_NAME_ENTRY_get_object(theirs)) != 0 ||
        X509_NAME_ENTRY_set(ours) != X509_NAME_ENTRY_set(theirs)) {
      return std::nullopt;
    }
    const auto a = value_of(ours);
    const auto b = value_of(theirs);
    if (!a || !b) return std::nullopt;
    if (*a == "*") {
      if (!safe(*b)) return std::nullopt;
      rank.kind = MatchRank::Kind::wildcard;
    } else if (folded(*a) == folded(*b)) {
      ++rank.literal;
    } else {
      return std::nullopt;
    }
  }
  if (rank.kind == MatchRank::Kind::exact) rank.literal = 0;
  return rank;
}

namespace {

/// Its attributes, in order, each as match_distinguished_name() compares them; nothing when it does
/// not decode.
std::optional<std::string> folded_name(const Name& name) {
  if (!name) return std::nullopt;
  std::string out;
  const int count = X509_NAME_entry_count(name.get());
  for (int i = 0; i < count; ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name.get(), i);
    const auto value = value_of(entry);
    if (!value) return std::nullopt;
    const ASN1_OBJECT* type = X509_NAME_ENTRY_get_object(entry);
    const std::string text = folded(*value);
    out += fmt::format("{} {} {} {} ", X509_NAME_ENTRY_set(entry), OBJ_length(type), text.size(),
                       text);
    out.append(reinterpret_cast<const char*>(OBJ_get0_data(type)), OBJ_length(type));
  }
  return out;
}

}  // namespace

std::string distinguished_name_key(ByteView name) {
  if (auto folded = folded_name(decode(name))) return "=" + *std::move(folded);
  return "#" + to_string(name);  // equal octet by octet only
}

bool has_wildcard_value(ByteView name) {
  const Name decoded = decode(name);
  if (!decoded) return false;
  for (int i = 0; i < X509_NAME_entry_count(decoded.get()); ++i) {
    const auto value = value_of(X509_NAME_get_entry(decoded.get(), i));
    if (value && *value == "*") return true;
  }
  return false;
}

}  // namespace cygnet::pki
