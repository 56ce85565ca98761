// Every number IKEv2 assigns, as enumerations with names. One .def row each; values that are
// not listed are kept as they came (an enumeration may hold any value of its width).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cygnet {

enum class PayloadType : std::uint8_t {
#define CYG_PAYLOAD(value, name, ...) name = value,
#include "registry/payload.def"
#undef CYG_PAYLOAD
};

enum class ExchangeType : std::uint8_t {
#define CYG_EXCHANGE(value, name, ...) name = value,
#include "registry/exchange.def"
#undef CYG_EXCHANGE
};

enum class NotifyType : std::uint16_t {
#define CYG_NOTIFY(value, name, ...) name = value,
#include "registry/notify.def"
#undef CYG_NOTIFY
};

enum class EncrId : std::uint16_t {
#define CYG_ENCR(value, name, ...) name = value,
#include "registry/transform.def"
#undef CYG_ENCR
};

enum class PrfId : std::uint16_t {
#define CYG_PRF(value, name, ...) name = value,
#include "registry/transform.def"
#undef CYG_PRF
};

enum class IntegId : std::uint16_t {
  none = 0,
#define CYG_INTEG(value, name, ...) name = value,
#include "registry/transform.def"
#undef CYG_INTEG
};

/// Key exchange methods (RFC 9370 renamed the Diffie-Hellman groups).
enum class KeId : std::uint16_t {
  none = 0,
#define CYG_KE(value, name, ...) name = value,
#include "registry/transform.def"
#undef CYG_KE
};

enum class EsnId : std::uint16_t {
#define CYG_ESN(value, name, ...) name = value,
#include "registry/transform.def"
#undef CYG_ESN
};

#define CYG_ENUMERATOR(value, name, ...) name = value,
enum class ProtocolId : std::uint8_t {
#define CYG_PROTOCOL CYG_ENUMERATOR
#include "registry/numbers.def"
#undef CYG_PROTOCOL
};
enum class TransformType : std::uint8_t {
#define CYG_TRANSFORM_TYPE CYG_ENUMERATOR
#include "registry/numbers.def"
#undef CYG_TRANSFORM_TYPE
};
enum class IdType : std::uint8_t {
#define CYG_ID_TYPE CYG_ENUMERATOR
#include "registry/numbers.def"
#undef CYG_ID_TYPE
};
enum class AuthMethod : std::uint8_t {
#define CYG_AUTH_METHOD CYG_ENUMERATOR
#include "registry/numbers.def"
#undef CYG_AUTH_METHOD
};
enum class HashId : std::uint16_t {
#define CYG_HASH CYG_ENUMERATOR
#include "registry/numbers.def"
#undef CYG_HASH
};
enum class CertEncoding : std::uint8_t {
#define CYG_CERT_ENCODING CYG_ENUMERATOR
#include "registry/numbers.def"
#undef CYG_CERT_ENCODING
};
enum class CfgType : std::uint8_t {
#define CYG_CFG_TYPE CYG_ENUMERATOR
#include "registry/numbers.def"
#undef CYG_CFG_TYPE
};
enum class CfgAttributeType : std::uint16_t {
#define CYG_CFG_ATTRIBUTE CYG_ENUMERATOR
#include "registry/numbers.def"
#undef CYG_CFG_ATTRIBUTE
};
enum class TsType : std::uint8_t {
#define CYG_TS_TYPE CYG_ENUMERATOR
#include "registry/numbers.def"
#undef CYG_TS_TYPE
};
#undef CYG_ENUMERATOR

/// The RFC's spelling, or "TYPE(number)" for a value without a row.
[[nodiscard]] std::string to_string(PayloadType value);
[[nodiscard]] std::string to_string(ExchangeType value);
[[nodiscard]] std::string to_string(NotifyType value);
[[nodiscard]] std::string to_string(EncrId value);
[[nodiscard]] std::string to_string(PrfId value);
[[nodiscard]] std::string to_string(IntegId value);
[[nodiscard]] std::string to_string(KeId value);
[[nodiscard]] std::string to_string(EsnId value);
[[nodiscard]] std::string to_string(ProtocolId value);
[[nodiscard]] std::string to_string(TransformType value);
[[nodiscard]] std::string to_string(IdType value);
[[nodiscard]] std::string to_string(AuthMethod value);
[[nodiscard]] std::string to_string(HashId value);
[[nodiscard]] std::string to_string(CertEncoding value);
[[nodiscard]] std::string to_string(CfgType value);
[[nodiscard]] std::string to_string(CfgAttributeType value);
[[nodiscard]] std::string to_string(TsType value);

/// True for a payload type this implementation understands: others are skipped, or refused
/// when their critical bit is set (RFC 7296 §2.5).
[[nodiscard]] bool is_known(PayloadType value);

/// Error notifies end what they answer, status notifies inform (RFC 7296 §3.10.1).
enum class NotifyClass : std::uint8_t { error, status };
/// What the notification data must look like to be read.
enum class NotifyData : std::uint8_t { none, u8, u16, u32, u16s, hash, any };
struct NotifyInfo {
  NotifyType type;
  std::string_view name;
  NotifyClass kind;
  NotifyData data;
  std::string_view reference;
};
/// Null for a type without a row.
[[nodiscard]] const NotifyInfo* find_notify(NotifyType type);
[[nodiscard]] std::span<const NotifyInfo> all_notifies();
/// Types below 16384 are errors, listed or not.
[[nodiscard]] constexpr bool is_error(NotifyType type) {
  return static_cast<std::uint16_t>(type) < 16384;
}

struct EncrInfo {
  EncrId id;
  std::string_view name;
  bool aead;
  std::size_t icv_size;   ///< octets; 0 for a block cipher, whose ICV is the integrity transform's
  std::size_t iv_size;    ///< octets on the wire
  std::size_t salt_size;  ///< octets of keying material after the key
  std::span<const std::uint16_t> key_bits;  ///< {0}: fixed, no Key Length attribute
  std::string_view keyword;
  std::string_view reference;

  /// Key octets without salt for a (possibly absent = 0) Key Length attribute.
  [[nodiscard]] std::size_t key_size(std::uint16_t bits) const;
  [[nodiscard]] bool allows(std::uint16_t bits) const;
};
struct PrfInfo {
  PrfId id;
  std::string_view name;
  std::size_t size;  ///< octets of output, and of the preferred key
  std::string_view keyword;
  std::string_view reference;
};
struct IntegInfo {
  IntegId id;
  std::string_view name;
  std::size_t key_size;
  std::size_t icv_size;
  std::string_view keyword;
  PrfId prf;  ///< the PRF a proposal text without one implies
  std::string_view reference;
};
struct KeInfo {
  KeId id;
  std::string_view name;
  std::size_t public_size;  ///< octets of the Key Exchange Data
  std::string_view keyword;
  std::string_view reference;
};
struct EsnInfo {
  EsnId id;
  std::string_view name;
  std::string_view keyword;
  std::string_view reference;
};
[[nodiscard]] std::span<const EncrInfo> all_encrs();
[[nodiscard]] std::span<const PrfInfo> all_prfs();
[[nodiscard]] std::span<const IntegInfo> all_integs();
[[nodiscard]] std::span<const KeInfo> all_kes();
[[nodiscard]] std::span<const EsnInfo> all_esns();
[[nodiscard]] const EncrInfo* find(EncrId id);
[[nodiscard]] const PrfInfo* find(PrfId id);
[[nodiscard]] const IntegInfo* find(IntegId id);
[[nodiscard]] const KeInfo* find(KeId id);

/// Other spellings of proposal keywords.
struct KeywordAlias {
  std::string_view text;
  std::string_view keyword;
};
[[nodiscard]] std::span<const KeywordAlias> all_keyword_aliases();

}  // namespace cygnet
