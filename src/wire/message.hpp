// IKEv2 messages as values.                                       RFC 7296 §3, RFC 7383
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/reader.hpp"
#include "base/strong.hpp"
#include "model/identity.hpp"
#include "model/proposal.hpp"
#include "model/traffic_selector.hpp"
#include "registry/registry.hpp"

namespace cygnet::wire {

// Limits of ours (threats.md B1 T4, T5, T25): beyond them a message is refused as too_many.
inline constexpr std::size_t kMessageBytesMax = 65535;
inline constexpr std::size_t kPayloadsMax = 512;
inline constexpr std::size_t kProposalsMax = 64;
inline constexpr std::size_t kTransformsMax = 64;  ///< per proposal
inline constexpr std::size_t kAttributesMax = 16;  ///< per transform
inline constexpr std::size_t kSelectorsMax = 255;
inline constexpr std::size_t kCfgAttributesMax = 128;

/// RFC 7296 §3.1. The length field is the message's own; parsing checks it, writing fills it.
struct Header {
  IkeSpi spi_i;
  IkeSpi spi_r;
  std::uint8_t major = 2;
  std::uint8_t minor = 0;
  ExchangeType exchange = ExchangeType::ike_sa_init;
  bool initiator = false;       ///< I: the sender is the original initiator
  bool response = false;        ///< R
  bool higher_version = false;  ///< V; ignored on receipt
  MessageId id;
  friend auto operator<=>(const Header&, const Header&) = default;
};
inline constexpr std::size_t kHeaderSize = 28;

/// The key_bits of a transform whose attributes we do not understand: anything but one Key Length
/// of 1 to 65534 bits in its fixed form. No cipher has that size, so that no configured transform
/// equals it, whatever its type (RFC 7296 §3.3.6). Such attributes are not written again.
inline constexpr std::uint16_t kUnusableKeyBits = 0xffff;

/// One proposal substructure, with at least one transform. Transform types without a registry
/// row are kept, which makes the proposal one that nothing matches; unknown attributes mark their
/// transform with kUnusableKeyBits.
struct OfferedProposal {
  std::uint8_t number = 1;
  Bytes spi;  ///< 0, 4 or 8 octets
  model::Proposal proposal;
  friend auto operator<=>(const OfferedProposal&, const OfferedProposal&) = default;
};
struct SaPayload {
  std::vector<OfferedProposal> proposals;
  friend auto operator<=>(const SaPayload&, const SaPayload&) = default;
  /// The bare proposals, for model::choose.
  [[nodiscard]] std::vector<model::Proposal> offers() const;
};
struct KePayload {
  KeId group = KeId::none;
  Bytes data;
  friend auto operator<=>(const KePayload&, const KePayload&) = default;
};
struct IdPayload {
  bool initiator = true;  ///< IDi or IDr
  model::Identity id;
  friend auto operator<=>(const IdPayload&, const IdPayload&) = default;
};
struct CertPayload {
  CertEncoding encoding = CertEncoding::x509_signature;
  Bytes data;
  friend auto operator<=>(const CertPayload&, const CertPayload&) = default;
};
struct CertReqPayload {
  CertEncoding encoding = CertEncoding::x509_signature;
  Bytes authorities;  ///< concatenated SHA-1 hashes of CA SubjectPublicKeyInfos
  friend auto operator<=>(const CertReqPayload&, const CertReqPayload&) = default;
};
struct AuthPayload {
  AuthMethod method = AuthMethod::shared_key;
  Bytes data;
  friend auto operator<=>(const AuthPayload&, const AuthPayload&) = default;
};
struct NoncePayload {
  Bytes data;  ///< 16 to 256 octets; parsing refuses others
  friend auto operator<=>(const NoncePayload&, const NoncePayload&) = default;
};
struct NotifyPayload {
  ProtocolId protocol = ProtocolId::none;
  Bytes spi;  ///< 0, 4 or 8 octets
  NotifyType type = NotifyType::invalid_syntax;
  Bytes data;
  friend auto operator<=>(const NotifyPayload&, const NotifyPayload&) = default;
};
struct DeletePayload {
  ProtocolId protocol = ProtocolId::ike;
  std::vector<EspSpi> spis;  ///< empty for the IKE_SA
  friend auto operator<=>(const DeletePayload&, const DeletePayload&) = default;
};
struct VendorIdPayload {
  Bytes data;
  friend auto operator<=>(const VendorIdPayload&, const VendorIdPayload&) = default;
};
/// Selectors of a type without a row are dropped on parsing and counted: a responder must not
/// take them for "nothing offered" silently.
struct TsPayload {
  bool initiator = true;  ///< TSi or TSr
  std::vector<model::TrafficSelector> selectors;
  std::uint8_t unknown_count = 0;
  friend auto operator<=>(const TsPayload&, const TsPayload&) = default;
};
struct CfgAttribute {
  CfgAttributeType type = CfgAttributeType::internal_ip4_address;
  Bytes value;
  friend auto operator<=>(const CfgAttribute&, const CfgAttribute&) = default;
};
struct CpPayload {
  CfgType type = CfgType::request;
  std::vector<CfgAttribute> attributes;
  friend auto operator<=>(const CpPayload&, const CpPayload&) = default;
};
/// One EAP packet, whose own length field agrees with the payload's (RFC 7296 §3.16).
struct EapPayload {
  Bytes message;  ///< at least 4 octets; parsing refuses others
  friend auto operator<=>(const EapPayload&, const EapPayload&) = default;
};
/// A payload whose type has no row. Kept, so that it can be logged, answered when critical and
/// written again unchanged.
struct UnknownPayload {
  PayloadType type = PayloadType::none;
  bool critical = false;
  Bytes data;
  friend auto operator<=>(const UnknownPayload&, const UnknownPayload&) = default;
};

using Payload = std::variant<SaPayload, KePayload, IdPayload, CertPayload, CertReqPayload,
                             AuthPayload, NoncePayload, NotifyPayload, DeletePayload,
                             VendorIdPayload, TsPayload, CpPayload, EapPayload, UnknownPayload>;
[[nodiscard]] PayloadType type_of(const Payload& payload);
/// A Delete names this many SPIs in a summary; the rest is counted ("+3").
inline constexpr std::size_t kSummarySpisMax = 16;
/// "SA", "KE", "N(COOKIE)", "D(ike)", "D(esp 1234abcd,5678abcd)", "CP(CFG_REQUEST)",
/// "PAYLOAD(99)": the notation of RFC 7296 §1.2 for transcripts.
[[nodiscard]] std::string summary(const Payload& payload);
/// "SA KE Ni N(NAT_DETECTION_SOURCE_IP)"; `response` makes it Nr.
[[nodiscard]] std::string summary(const std::vector<Payload>& payloads, bool response);

/// What stands before the encrypted part, with everything needed to open it (RFC 7296 §3.14).
/// The views point into the datagram.
struct Sealed {
  PayloadType first_inner = PayloadType::none;
  ByteView associated;  ///< header up to and including the SK or SKF generic header (and fragment
                        ///< numbers)
  ByteView body;        ///< IV, ciphertext, ICV
  std::uint16_t fragment = 0;  ///< 1-based number of an SKF, 0 for SK
  std::uint16_t total = 0;
};

/// A parsed datagram: its header, the payloads in the clear, and the sealed rest if there is one.
struct Message {
  Header header;
  std::vector<Payload> payloads;
  std::optional<Sealed> sealed;
};

/// The header alone, for demultiplexing. Refuses a length field that differs from the datagram.
[[nodiscard]] Result<Header, ParseError> parse_header(ByteView datagram);
/// The whole datagram. A payload after SK or SKF, a second SK, or a length that runs past the
/// end is an error; unknown payloads are kept.
[[nodiscard]] Result<Message, ParseError> parse_message(ByteView datagram);
/// The chain of payloads inside SK, `plaintext` without padding.
[[nodiscard]] Result<std::vector<Payload>, ParseError> parse_payloads(PayloadType first,
                                                                      ByteView plaintext);

/// A message without SK.
[[nodiscard]] Bytes write_message(const Header& header, const std::vector<Payload>& payloads);
/// The chain of payloads alone and the type of its first (RFC 7296 §3.2).
struct Chain {
  PayloadType first = PayloadType::none;
  Bytes bytes;
};
[[nodiscard]] Chain write_payloads(const std::vector<Payload>& payloads);
/// The octets up to the IV of an SK message whose sealed body will have `body_size` octets
/// (IV, ciphertext with padding, ICV): append the body to complete it. It is also the
/// associated data of an AEAD (RFC 5282 §5.1).
[[nodiscard]] Bytes write_sk_head(const Header& header, PayloadType first_inner,
                                  std::size_t body_size);
/// The same for fragment `number` of `total` (RFC 7383 §2.5); `first_inner` counts in the first
/// only.
[[nodiscard]] Bytes write_skf_head(const Header& header, PayloadType first_inner,
                                   std::uint16_t number, std::uint16_t total,
                                   std::size_t body_size);
/// The octets of an ID payload's body (ID type, RESERVED, data), which AUTH covers as
/// RestOfInitIDPayload (RFC 7296 §2.15).
[[nodiscard]] Bytes id_body(const model::Identity& id);

}  // namespace cygnet::wire
