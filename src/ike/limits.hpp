// What one peer may make us hold (threats.md T2, T4, T25). What can grow from message to message
// has a test at the limit.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/time.hpp"

namespace cygnet::ike {

inline constexpr std::size_t kChildrenMax = 64;   ///< Child SAs of one IKE_SA
inline constexpr std::size_t kTasksMax = 64;      ///< queued exchanges of one IKE_SA
inline constexpr std::size_t kFragmentsMax = 64;  ///< of one IKE message
inline constexpr std::size_t kReassemblyBytesMax = 65535;
inline constexpr std::size_t kCertificatesMax = 10;  ///< CERT payloads of one peer
inline constexpr std::size_t kCertificateBytesMax = 32768;
inline constexpr std::size_t kAuthoritiesMax = 128;    ///< CA hashes taken from CERTREQs
inline constexpr std::size_t kAuthoritiesSentMax = 8;  ///< CA hashes in our CERTREQ (T3)
inline constexpr std::size_t kHashesMax = 16;          ///< SIGNATURE_HASH_ALGORITHMS entries
inline constexpr std::size_t kCookieSizeMax = 64;      ///< RFC 7296 §2.6
inline constexpr unsigned kInitRestartsMax = 4;        ///< COOKIE and INVALID_KE_PAYLOAD rounds
inline constexpr std::size_t kNonceSize = 32;  ///< RFC 7296 §2.10: at least half the PRF key
inline constexpr std::size_t kRequestedAddressesMax = 4;
/// A network (IPv4 /24, IPv6 /48) may hold this part of the half-open places that are left.
inline constexpr std::size_t kNetworkShare = 8;
/// How long an initiator has for IKE_AUTH at least, however full the table of half-open IKE_SAs.
inline constexpr Duration kHalfOpenPatienceMin = std::chrono::seconds{10};
/// Addresses of a responder that MOBIKE tells or keeps (RFC 4555 §3.4).
inline constexpr std::size_t kPeerAddressesMax = 8;
/// Transmissions on one path before a request goes out on all the others too (RFC 4555 §3.10).
inline constexpr unsigned kPathTries = 2;
/// Replaced children that still receive, of one IKE_SA; the oldest go first.
inline constexpr std::size_t kLingeringMax = 64;
/// What a peer may ask for children and keys: so many at once, then one each interval. Beyond it
/// hears TEMPORARY_FAILURE.
inline constexpr unsigned kPeerRequestBurst = 64;
inline constexpr Duration kPeerRequestInterval = std::chrono::milliseconds{20};
/// IKE_SAs that a peer has rekeyed and not deleted, in one row.
inline constexpr std::size_t kAncestorsMax = 4;
/// IKE_SAs of one identity with one connection; beyond it IKE_AUTH is refused.
inline constexpr std::size_t kTwinsMax = 1000;
/// A peer that is too busy for so long is given up (RFC 7296 §2.25: several minutes).
inline constexpr Duration kBusyMax = std::chrono::minutes{3};
/// How long the IKE_SA that a reauthentication replaces lives on under unique = replace, should the
/// initiator not delete it.
inline constexpr Duration kReplacedGrace = std::chrono::seconds{10};
/// How long an inbound SA stays after its rekeyed successor took over, for packets under way.
inline constexpr Duration kRekeyedLinger = std::chrono::seconds{5};
/// How long the responder of a reauthentication goes on sending on the old IKE_SA's children while
/// nothing has come in on the new ones: until its answer has surely told the peer the keys.
inline constexpr Duration kHoldOutboundMax = std::chrono::seconds{5};
/// How long we wait before we repeat an exchange the peer was too busy for (RFC 7296 §2.25).
inline constexpr Duration kBusyRetry = std::chrono::seconds{5};
/// An IKE_SA that a rekey has outlived closes by itself if nobody has deleted it by then: longer
/// than the peer repeats its Delete.
inline constexpr Duration kRekeyedIkeLinger = std::chrono::seconds{180};
/// When a reauthentication that failed is tried again.
inline constexpr Duration kReauthRetry = std::chrono::minutes{5};
/// How long a deleted or refused IKE_SA still answers repeats of the last request.
inline constexpr Duration kClosedLinger = std::chrono::seconds{60};
inline constexpr std::size_t kClosedLingerMax = 64;  ///< such IKE_SAs; the oldest go first
/// INVALID_IKE_SPI answers in a second, to all who use an IKE_SA we do not have.
inline constexpr unsigned kInvalidSpiRate = 20;
/// Refusals of IKE_SA_INIT in a second, each an answer and a record: beyond it is silence.
inline constexpr unsigned kInitRefusalRate = 50;
/// Cookies that are asked for in a second, of all initiators together.
inline constexpr unsigned kCookieRate = 100'000;
/// Transmissions after such an answer before the peer is given up (RFC 7296 §2.21.4: a hint only).
inline constexpr unsigned kDoubtTries = 3;
inline constexpr Duration kDoubtWait = std::chrono::milliseconds{700};  ///< between them
inline constexpr std::size_t kEarlyDeletesMax = 16;  ///< of children we were not told of yet

}  // namespace cygnet::ike
