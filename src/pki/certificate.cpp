#include "pki/certificate.hpp"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "crypto/openssl/primitives.hpp"
#include "pki/identity.hpp"
#include "pki/openssl.hpp"

namespace cygnet::pki {
namespace {

template <class Object, class Encode>
Bytes encoded(const Object* object, Encode encode) {
  unsigned char* raw = nullptr;
  const int size = encode(object, &raw);
  const Owned<unsigned char> owner{raw};
  return size > 0 ? Bytes(raw, raw + size) : Bytes{};
}

Bytes sha1(ByteView data) { return crypto::openssl().hash(HashId::sha1, data); }

std::optional<WallTime> time_of(const ASN1_TIME* time) {
  std::tm broken{};
  if (ASN1_TIME_to_tm(time, &broken) != 1) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year{broken.tm_year + 1900},
      std::chrono::month{static_cast<unsigned>(broken.tm_mon + 1)},
      std::chrono::day{static_cast<unsigned>(broken.tm_mday)}};
  return std::chrono::sys_days{date} + std::chrono::hours{broken.tm_hour} +
         std::chrono::minutes{broken.tm_min} + std::chrono::seconds{broken.tm_sec};
}

std::string text_of(const ASN1_STRING* string) {
  const unsigned char* data = ASN1_STRING_get0_data(string);
  return std::string(data, data + ASN1_STRING_length(string));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_name(std::string_view name, ByteView identity) {
  return std::ranges::equal(name, identity, {}, lower,
                            [](std::uint8_t byte) { return lower(static_cast<char>(byte)); });
}

bool has_nul(ByteView data) { return std::ranges::find(data, 0) != data.end(); }

std::string shown(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte > 0x20 && byte < 0x7f ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return out;
}

}  // namespace

namespace {

/// One element of DER, taken off the front of `in`.
struct Element {
  int tag = 0;
  int kind = 0;  ///< V_ASN1_UNIVERSAL...
  ByteView whole;
  ByteView content;
};

std::optional<Element> take_element(ByteView& in) {
  constexpr int kFaulty = 0x80;
  constexpr int kNoEnd = 0x01;  // BER's indefinite length
  Element out;
  long length = 0;
  const unsigned char* at = in.data();
  const int found =
      ASN1_get_object(&at, &length, &out.tag, &out.kind, static_cast<long>(in.size()));
  ERR_clear_error();
  if ((found & (kFaulty | kNoEnd)) != 0 || length < 0) return std::nullopt;
  const auto head = static_cast<std::size_t>(at - in.data());
  out.whole = in.first(head + static_cast<std::size_t>(length));
  out.content = out.whole.subspan(head);
  in = in.subspan(out.whole.size());
  return out;
}

}  // namespace

std::optional<model::Identity> subject_of(ByteView der) {
  const auto certificate = take_element(der);
  if (!certificate) return std::nullopt;
  ByteView in = certificate->content;
  const auto signed_part = take_element(in);
  if (!signed_part) return std::nullopt;
  in = signed_part->content;
  // [0] version, which may be left out; serial, algorithm, issuer, validity, subject.
  auto element = take_element(in);
  const bool has_version = element && element->kind == V_ASN1_CONTEXT_SPECIFIC;
  for (int left = has_version ? 5 : 4; element && left > 0; --left) element = take_element(in);
  if (!element || element->tag != V_ASN1_SEQUENCE) return std::nullopt;
  return model::Identity{.type = IdType::der_asn1_dn, .data = to_bytes(element->whole)};
}

Bytes key_hash(ByteView public_key) {
  const unsigned char* at = public_key.data();
  const Owned<X509_PUBKEY> parsed{
      d2i_X509_PUBKEY(nullptr, &at, static_cast<long>(public_key.size()))};
  const unsigned char* data = nullptr;
  int size = 0;
  const bool got =
      parsed && X509_PUBKEY_get0_param(nullptr, &data, &size, nullptr, parsed.get()) == 1;
  ERR_clear_error();
  return got ? sha1(ByteView{data, static_cast<std::size_t>(size)}) : Bytes{};
}

/// Fills a Certificate from OpenSSL's parse of it.
struct CertificateReader {
  static Result<Certificate> read(const Owned<X509>& x509) {
    Certificate out;
    out.der_ = encoded(x509.get(), i2d_X509);
    if (out.der_.empty() || out.der_.size() > kCertificateOctetsMax) {
      return fail("certificate", "larger than 32 KiB");
    }
    const auto name = [](const X509_NAME* n) {
      return model::Identity{.type = IdType::der_asn1_dn, .data = encoded(n, i2d_X509_NAME)};
    };
    out.subject_ = name(X509_get_subject_name(x509.get()));
    out.issuer_ = name(X509_get_issuer_name(x509.get()));
    CYG_TRY_DO(read_key(x509, out));
    const auto from = time_of(X509_get0_notBefore(x509.get()));
    const auto until = time_of(X509_get0_notAfter(x509.get()));
    if (!from || !until) return fail("certificate", "its dates do not parse");
    out.not_before_ = *from;
    out.not_after_ = *until;
    // X509_check_ca is 1 for a proper X.509v3 CA; old and self-made exceptions do not count.
    out.is_ca_ = X509_check_ca(x509.get()) == 1;
    out.for_servers_ = (X509_get_extension_flags(x509.get()) & EXFLAG_XKUSAGE) != 0 &&
                       (X509_get_extended_key_usage(x509.get()) & XKU_SSL_SERVER) != 0;
    out.self_signed_ = X509_self_signed(x509.get(), 0) == 1;
    const Owned<BIGNUM> serial{ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509.get()), nullptr)};
    const Owned<char> hex{serial ? BN_bn2hex(serial.get()) : nullptr};
    if (!hex) return fail("certificate", "its serial number does not parse");
    out.serial_ = hex.get();
    std::ranges::transform(out.serial_, out.serial_.begin(), lower);
    CYG_TRY_DO(read_alt_names(x509, out));
    return out;
  }

  static Result<void> read_key(const Owned<X509>& x509, Certificate& out) {
    out.public_key_ = encoded(X509_get_X509_PUBKEY(x509.get()), i2d_X509_PUBKEY);
    out.authority_hash_ = sha1(out.public_key_);
    const ASN1_BIT_STRING* bits = X509_get0_pubkey_bitstr(x509.get());
    if (out.public_key_.empty() || bits == nullptr) {
      return fail("certificate", "its public key does not parse");
    }
    const unsigned char* data = ASN1_STRING_get0_data(bits);
    out.key_hash_ = sha1(ByteView{data, static_cast<std::size_t>(ASN1_STRING_length(bits))});
    const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(x509.get());
    out.subject_key_id_ = id != nullptr ? to_bytes(as_bytes(text_of(id))) : out.key_hash_;
    if (EVP_PKEY* key = X509_get0_pubkey(x509.get()); key != nullptr) {
      out.key_bits_ = static_cast<unsigned>(std::max(0, EVP_PKEY_get_bits(key)));
      if (const auto kind = crypto::kind_of(key)) out.key_kind_ = *kind;
      // A weak RSA key has a kind; that it is weak is for the path's judge to say.
      if (!out.key_kind_ && EVP_PKEY_is_a(key, "RSA") == 1) out.key_kind_ = crypto::KeyKind::rsa;
    }
    ERR_clear_error();
    return {};
  }

  static Result<void> read_alt_names(const Owned<X509>& x509, Certificate& out) {
    int critical = 0;
    const Owned<GENERAL_NAMES> names{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(x509.get(), NID_subject_alt_name, &critical, nullptr))};
    if (!names) {
      // -1: there is none. Anything else: there is one that does not parse, or two.
      if (critical != -1) return fail("certificate", "its subjectAltName does not parse");
      return {};
    }
    const int count = sk_GENERAL_NAME_num(names.get());
    if (static_cast<std::size_t>(count) > kSubjectAltNamesMax) {
      return fail("certificate", "too many subjectAltNames");
    }
    for (int i = 0; i < count; ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
      if (name->type == GEN_DNS) {
        out.alt_names_.dns.push_back(text_of(name->d.dNSName));
      } else if (name->type == GEN_EMAIL) {
        out.alt_names_.email.push_back(text_of(name->d.rfc822Name));
      } else if (name->type == GEN_IPADD) {
        const std::string raw = text_of(name->d.iPAddress);
        if (const auto ip = IpAddress::from_bytes(as_bytes(raw))) out.alt_names_.ip.push_back(*ip);
      }
    }
    return {};
  }
};

Result<Certificate> Certificate::parse(ByteView data) {
  CYG_TRY(std::vector<Certificate> all, parse_all(data));
  return std::move(all.front());
}

Result<std::vector<Certificate>> Certificate::parse_all(ByteView data) {
  std::vector<Certificate> out;
  const unsigned char* at = data.data();
  if (Owned<X509> x509{d2i_X509(nullptr, &at, static_cast<long>(data.size()))}) {
    if (at != data.data() + data.size()) return fail("certificate", "octets after its end");
    CYG_TRY(Certificate one, CertificateReader::read(x509));
    out.push_back(std::move(one));
    return out;
  }
  ERR_clear_error();
  const Owned<BIO> bio{BIO_new_mem_buf(data.data(), static_cast<int>(data.size()))};
  while (true) {
    const Owned<X509> x509{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (!x509) break;
    if (out.size() == kBundleCertificatesMax) return fail("certificates", "too many in one file");
    CYG_TRY(Certificate one, CertificateReader::read(x509));
    out.push_back(std::move(one));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return fail("certificate", "a PEM block is damaged");
  if (out.empty()) return fail("certificate", "neither DER nor PEM of a certificate");
  return out;
}

bool Certificate::confirms(const model::Identity& identity) const {
  if (identity.data.empty()) return false;
  const auto any_equal = [&](const std::vector<std::string>& names) {
    return !has_nul(identity.data) && std::ranges::any_of(names, [&](const std::string& name) {
      return name.find('*') == std::string::npos && equal_name(name, identity.data);
    });
  };
  switch (identity.type) {
    case IdType::der_asn1_dn: {
      const auto rank = match_identity(subject_, identity);
      return rank && rank->kind == MatchRank::Kind::exact;
    }
    case IdType::fqdn:
      return any_equal(alt_names_.dns);
    case IdType::rfc822_addr:
      return any_equal(alt_names_.email);
    case IdType::ipv4_addr:
    case IdType::ipv6_addr: {
      const auto address = IpAddress::from_bytes(identity.data);
      return address && std::ranges::find(alt_names_.ip, *address) != alt_names_.ip.end();
    }
    case IdType::key_id:
      return equal(identity.data, subject_key_id_) || equal(identity.data, key_hash_) ||
             equal(identity.data, authority_hash_);
    case IdType::der_asn1_gn:
    case IdType::null:
      break;
  }
  return false;
}

std::string Certificate::names() const {
  std::string out = to_text(subject_);
  for (const std::string& name : alt_names_.dns) out += "; " + shown(name);
  for (const std::string& name : alt_names_.email) out += "; " + shown(name);
  for (const IpAddress& ip : alt_names_.ip) out += "; " + ip.text();
  return out;
}

std::string Certificate::text() const {
  return fmt::format("{} (issuer {}, serial {}, valid {} to {}, {} {} bits)", to_text(subject_),
                     to_text(issuer_), serial_, to_text(not_before_), to_text(not_after_),
                     key_kind_ ? crypto::to_string(*key_kind_) : "unusable key", key_bits_);
}

std::string to_text(WallTime time) {
  const auto day_start = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day_start};
  const std::chrono::hh_mm_ss clock{time - day_start};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace cygnet::pki
