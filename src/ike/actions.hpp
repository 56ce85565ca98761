// What goes into the IKE engine and what comes out of it.         docs/architecture.md
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "crypto/provider.hpp"
#include "ike/events.hpp"
#include "ike/failure.hpp"
#include "model/connection.hpp"
#include "model/data_plane.hpp"

namespace cygnet::ike {

using AskId = Strong<std::uint64_t, struct AskIdKind>;

/// A received IKE datagram, without non-ESP marker. `bytes` is borrowed for the call.
struct Datagram {
  Endpoint local;
  Endpoint remote;
  ByteView bytes;
};

/// A way between two hosts.
struct Path {
  IpAddress local;
  IpAddress remote;
  friend auto operator<=>(const Path&, const Path&) = default;
};

// --- Asks: anything slow, secret or external. Answer each exactly once, at once or later. -----

namespace ask {
/// Our certificate chain and a signature by its key over `octets` (RFC 7296 §2.15).
struct Sign {
  std::string connection;
  Bytes octets;
  bool digital_signature = false;  ///< the peer announced RFC 7427
  std::vector<HashId> hashes;      ///< that it accepts
  std::vector<Bytes> authorities;  ///< SHA-1 key ids from the peer's CERTREQs
};
/// prf(prf(shared secret, "Key Pad for IKEv2"), octets) for the pair of identities.
struct SharedKeyMac {
  std::string connection;
  model::Identity local;
  model::Identity remote;
  PrfId prf = PrfId::hmac_sha2_256;
  Bytes octets;
};
/// Is this chain valid for this identity under this connection?
struct CheckCertificates {
  std::string connection;
  model::Identity remote;
  std::vector<Bytes> chain;  ///< DER as received, end certificate first
  bool initiator = false;    ///< we are: the peer stands in for a server
};
/// Addresses and attributes for a client (RFC 7296 §2.19).
struct Lease {
  std::string connection;
  model::Identity remote;
  SaId sa;
  std::vector<IpAddress> requested;                  ///< any-address: the client has no wish
  model::Uniqueness unique = model::Uniqueness::no;  ///< of its connection
};
/// How long a child has carried nothing.
struct ChildUse {
  model::ChildId child;
};
/// From which address of ours each of these can be reached now.
struct Paths {
  std::vector<IpAddress> remotes;
};
/// Give them back; there is no answer.
struct Release {
  SaId sa;
};
}  // namespace ask
struct Ask {
  AskId id;
  std::variant<ask::Sign, ask::SharedKeyMac, ask::CheckCertificates, ask::Lease, ask::ChildUse,
               ask::Paths>
      what;
};

namespace answer {
struct Signed {
  crypto::Signature signature;
  std::vector<Bytes> chain;  ///< DER to send in CERT payloads, end certificate first
};
struct Mac {
  Secret value;
};
struct CertificateOk {
  Bytes public_key;  ///< DER SubjectPublicKeyInfo of the end certificate
};
struct Leased {
  std::vector<IpAddress> addresses;
  std::vector<IpAddress> dns;
  std::vector<IpAddress> nbns;
  std::vector<Prefix> subnets;
  std::vector<std::string> dns_domains;
};
struct ChildUse {
  std::optional<Duration> idle;  ///< since the last packet either way; empty: none yet
};
/// Those that can be reached, in the order of the question.
struct Paths {
  std::vector<ike::Path> paths;
};
/// Refused, with the record's fields: which check failed, ours, theirs, what to do.
struct Refused {
  Reason reason = Reason::internal;
  std::string ours;
  std::string theirs;
  std::string advice;
};
}  // namespace answer
struct Answer {
  AskId id;
  std::variant<answer::Signed, answer::Mac, answer::CertificateOk, answer::Leased, answer::ChildUse,
               answer::Paths, answer::Refused>
      result;
};

// --- Commands: what the operator or the supervisor wants. --------------------------------------

namespace command {
/// Adds a connection behind the others, or in the place of the one of that name. IKE_SAs of a
/// connection that changes or goes live on as they are.
struct PutConnection {
  model::Connection connection;
};
struct DropConnection {
  std::string name;
};
/// These come first, in this order, the others behind them: the order decides between equals.
struct ArrangeConnections {
  std::vector<std::string> names;
};
/// What our CERTREQ names: SHA-1 of each CA's SubjectPublicKeyInfo.
struct SetAuthorities {
  std::vector<Bytes> authorities;
};
/// Bring up a child (all of the connection's when `child` is empty) with a resolved peer.
struct Initiate {
  RequestId request;
  std::string connection;
  std::string child;
  Endpoint local;  ///< source address chosen by the caller's route look-up
  Endpoint remote;
  /// Reauthentication: a new IKE_SA with the children of this one, which goes when they are up.
  SaId instead_of{};
  /// The packet that asked, for its selectors to go first (RFC 7296 §2.9).
  std::optional<model::PacketFlow> trigger{};
};
/// Empty filters match all; `ike_id`/`child_id` of zero are no filter.
struct Filter {
  std::string connection;
  std::string child;
  SaId ike_id;
  model::ChildId child_id;
};
/// With a child filter: only those children. Tells the peer and waits for its answer.
struct Terminate {
  RequestId request;
  Filter filter;
};
struct Rekey {
  RequestId request;
  Filter filter;  ///< a child filter rekeys children, else the IKE_SAs
};
/// Install or remove a trap (or a pass or drop shunt) for a child template.
struct Route {
  RequestId request;
  std::string connection;
  std::string child;
  Endpoint local;
  Endpoint remote;
};
struct Unroute {
  RequestId request;
  std::string connection;
  std::string child;
};
/// Our address towards a peer is another one now; or it may be, with the same address: then the
/// peer is asked whether it still hears us. Without an address: there is no way to the peer where
/// it is, and another address of it is sought (RFC 4555 §3.5).
struct Readdress {
  SaId sa;
  std::optional<IpAddress> local;
};
/// The addresses of this host that peers may reach it at. As responder we tell them to peers with
/// MOBIKE, now and whenever they change (RFC 4555 §3.6).
struct SetAddresses {
  std::vector<IpAddress> addresses;
};
/// The machine has slept, or this process was held up: what was due meanwhile is not the peers'
/// fault. Requests under way start over, the others are asked for a sign of life.
struct Awake {};
/// Delete every IKE_SA, tell the peers, then emit Quiet.
struct Shutdown {};
}  // namespace command
using Command =
    std::variant<command::PutConnection, command::DropConnection, command::ArrangeConnections,
                 command::SetAuthorities, command::Initiate, command::Terminate, command::Rekey,
                 command::Route, command::Unroute, command::Readdress, command::SetAddresses,
                 command::Awake, command::Shutdown>;

// --- Actions: carry out all of them, in order, before the next call. ---------------------------

namespace action {
/// From local port 4500 (or to a peer's 4500) the sender prefixes the non-ESP marker (RFC 3948
/// §2.2).
struct Send {
  Endpoint local;
  Endpoint remote;
  Bytes bytes;
};
/// One octet 0xFF without marker, which keeps a NAT's mapping alive (RFC 3948 §4).
struct Keepalive {
  Endpoint local;
  Endpoint remote;
};
struct Install {
  model::ChildSpec child;
};
struct Activate {
  model::ChildId child;
  model::SaSpec outbound;
};
struct Relocate {
  model::ChildId child;
  Endpoint local;
  Endpoint remote;
};
struct Remove {
  model::ChildId child;
};
}  // namespace action
using Action = std::variant<action::Send, action::Keepalive, action::Install, action::Activate,
                            action::Relocate, action::Remove, Ask, ask::Release, Event>;
using Actions = std::vector<Action>;

}  // namespace cygnet::ike
