#include "registry/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cygnet {
namespace {

template <class Rows, class Id>
auto find_in(const Rows& rows, Id id) -> decltype(&*std::begin(rows)) {
  const auto at = std::ranges::find(rows, id, [](const auto& row) { return row.id; });
  return at == std::end(rows) ? nullptr : &*at;
}

template <class Id>
std::string unknown(std::string_view registry, Id value) {
  return fmt::format("{}({})", registry, static_cast<unsigned>(value));
}

template <class Rows, class Id>
std::string name_in(const Rows& rows, std::string_view registry, Id id) {
  const auto* row = find_in(rows, id);
  return row == nullptr ? unknown(registry, id) : std::string{row->name};
}

constexpr NotifyInfo kNotifies[] = {
#define CYG_NOTIFY(value, name, text, kind, data, reference) \
  {NotifyType::name, text, NotifyClass::kind, NotifyData::data, reference},
#include "registry/notify.def"
#undef CYG_NOTIFY
};

#define KEYS(...) __VA_ARGS__
#define CYG_ENCR(value, name, text, kind, icv, iv, salt, keys, keyword, reference) \
  constexpr std::uint16_t kKeys_##name[] = {keys};
#include "registry/transform.def"
#undef CYG_ENCR
#undef KEYS

enum class EncrKind : std::uint8_t { aead, block };

const EncrInfo kEncrs[] = {
#define CYG_ENCR(value, name, text, kind, icv, iv, salt, keys, keyword, reference)        \
  {EncrId::name, text,     EncrKind::kind == EncrKind::aead, icv, iv, salt, kKeys_##name, \
   keyword,      reference},
#include "registry/transform.def"
#undef CYG_ENCR
};

constexpr PrfInfo kPrfs[] = {
#define CYG_PRF(value, name, text, size, keyword, reference) \
  {PrfId::name, text, size, keyword, reference},
#include "registry/transform.def"
#undef CYG_PRF
};

constexpr IntegInfo kIntegs[] = {
#define CYG_INTEG(value, name, text, key, icv, keyword, prf, reference) \
  {IntegId::name, text, key, icv, keyword, PrfId::prf, reference},
#include "registry/transform.def"
#undef CYG_INTEG
};

constexpr KeInfo kKes[] = {
#define CYG_KE(value, name, text, size, keyword, reference) \
  {KeId::name, text, size, keyword, reference},
#include "registry/transform.def"
#undef CYG_KE
};

constexpr EsnInfo kEsns[] = {
#define CYG_ESN(value, name, text, keyword, reference) {EsnId::name, text, keyword, reference},
#include "registry/transform.def"
#undef CYG_ESN
};

constexpr KeywordAlias kAliases[] = {
#define CYG_ALIAS(text, keyword) {text, keyword},
#include "registry/transform.def"
#undef CYG_ALIAS
};

}  // namespace

std::string to_string(PayloadType value) {
  switch (value) {
#define CYG_PAYLOAD(number, name, text, ...) \
  case PayloadType::name:                    \
    return text;
#include "registry/payload.def"
#undef CYG_PAYLOAD
  }
  return unknown("PAYLOAD", value);
}

bool is_known(PayloadType value) {
  switch (value) {
#define CYG_PAYLOAD(number, name, ...) \
  case PayloadType::name:              \
    return true;
#include "registry/payload.def"
#undef CYG_PAYLOAD
  }
  return false;
}

std::string to_string(ExchangeType value) {
  switch (value) {
#define CYG_EXCHANGE(number, name, text, ...) \
  case ExchangeType::name:                    \
    return text;
#include "registry/exchange.def"
#undef CYG_EXCHANGE
  }
  return unknown("EXCHANGE", value);
}

std::string to_string(NotifyType value) {
  const NotifyInfo* info = find_notify(value);
  return info == nullptr ? unknown("NOTIFY", value) : std::string{info->name};
}

std::string to_string(EncrId value) { return name_in(kEncrs, "ENCR", value); }
std::string to_string(PrfId value) { return name_in(kPrfs, "PRF", value); }
std::string to_string(IntegId value) {
  return value == IntegId::none ? "NONE" : name_in(kIntegs, "INTEG", value);
}
std::string to_string(KeId value) {
  return value == KeId::none ? "NONE" : name_in(kKes, "KE", value);
}
std::string to_string(EsnId value) { return name_in(kEsns, "ESN", value); }

#define CYG_NAMED(Type)               \
  std::string to_string(Type value) { \
    switch (value) {
#define CYG_END_NAMED(registry)    \
  }                                \
  return unknown(registry, value); \
  }
#define CYG_CASE(Type, name, text) \
  case Type::name:                 \
    return text;

CYG_NAMED(ProtocolId)
#define CYG_PROTOCOL(value_, name, text, ...) CYG_CASE(ProtocolId, name, text)
#include "registry/numbers.def"
#undef CYG_PROTOCOL
CYG_END_NAMED("PROTOCOL")

CYG_NAMED(TransformType)
#define CYG_TRANSFORM_TYPE(value_, name, text, ...) CYG_CASE(TransformType, name, text)
#include "registry/numbers.def"
#undef CYG_TRANSFORM_TYPE
CYG_END_NAMED("TRANSFORM")

CYG_NAMED(IdType)
#define CYG_ID_TYPE(value_, name, text, ...) CYG_CASE(IdType, name, text)
#include "registry/numbers.def"
#undef CYG_ID_TYPE
CYG_END_NAMED("ID")

CYG_NAMED(AuthMethod)
#define CYG_AUTH_METHOD(value_, name, text, ...) CYG_CASE(AuthMethod, name, text)
#include "registry/numbers.def"
#undef CYG_AUTH_METHOD
CYG_END_NAMED("AUTH")

CYG_NAMED(HashId)
#define CYG_HASH(value_, name, text, ...) CYG_CASE(HashId, name, text)
#include "registry/numbers.def"
#undef CYG_HASH
CYG_END_NAMED("HASH")

CYG_NAMED(CertEncoding)
#define CYG_CERT_ENCODING(value_, name, text, ...) CYG_CASE(CertEncoding, name, text)
#include "registry/numbers.def"
#undef CYG_CERT_ENCODING
CYG_END_NAMED("CERT")

CYG_NAMED(CfgType)
#define CYG_CFG_TYPE(value_, name, text, ...) CYG_CASE(CfgType, name, text)
#include "registry/numbers.def"
#undef CYG_CFG_TYPE
CYG_END_NAMED("CFG")

CYG_NAMED(CfgAttributeType)
#define CYG_CFG_ATTRIBUTE(value_, name, text, ...) CYG_CASE(CfgAttributeType, name, text)
#include "registry/numbers.def"
#undef CYG_CFG_ATTRIBUTE
CYG_END_NAMED("ATTRIBUTE")

CYG_NAMED(TsType)
#define CYG_TS_TYPE(value_, name, text, ...) CYG_CASE(TsType, name, text)
#include "registry/numbers.def"
#undef CYG_TS_TYPE
CYG_END_NAMED("TS")

const NotifyInfo* find_notify(NotifyType type) {
  const auto at = std::ranges::find(kNotifies, type, &NotifyInfo::type);
  return at == std::end(kNotifies) ? nullptr : at;
}
std::span<const NotifyInfo> all_notifies() { return kNotifies; }

std::size_t EncrInfo::key_size(std::uint16_t bits) const {
  if (bits != 0) return bits / 8U;
  switch (id) {
    case EncrId::chacha20_poly1305:
      return 32;  // RFC 7634 §2
    case EncrId::des3_cbc:
      return 24;  // RFC 2451 §2.2
    default:
      return 0;
  }
}
bool EncrInfo::allows(std::uint16_t bits) const {
  return std::ranges::find(key_bits, bits) != key_bits.end();
}

std::span<const EncrInfo> all_encrs() { return kEncrs; }
std::span<const PrfInfo> all_prfs() { return kPrfs; }
std::span<const IntegInfo> all_integs() { return kIntegs; }
std::span<const KeInfo> all_kes() { return kKes; }
std::span<const EsnInfo> all_esns() { return kEsns; }
const EncrInfo* find(EncrId id) { return find_in(kEncrs, id); }
const PrfInfo* find(PrfId id) { return find_in(kPrfs, id); }
const IntegInfo* find(IntegId id) { return find_in(kIntegs, id); }
const KeInfo* find(KeId id) { return find_in(kKes, id); }
std::span<const KeywordAlias> all_keyword_aliases() { return kAliases; }

}  // namespace cygnet
