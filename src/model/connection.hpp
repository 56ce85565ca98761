// What is configured: peers, how they authenticate, what flows between them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"
#include "model/identity.hpp"
#include "model/proposal.hpp"
#include "model/signature_rule.hpp"
#include "model/traffic_selector.hpp"

namespace cygnet::model {

/// One entry of local_addrs or remote_addrs: %any, a range (or address, or prefix), or a name
/// that the daemon resolves at each try.
struct AnyAddress {
  friend auto operator<=>(const AnyAddress&, const AnyAddress&) = default;
};
struct HostName {
  std::string name;
  friend auto operator<=>(const HostName&, const HostName&) = default;
};
using AddressPattern = std::variant<AnyAddress, IpRange, HostName>;
/// One host: a name, or a range of one address.
[[nodiscard]] bool is_single(const AddressPattern& address);

enum class AuthClass : std::uint8_t { pubkey, psk };
[[nodiscard]] std::string_view to_string(AuthClass method);

/// How we prove who we are. For pubkey, `certs` holds DER certificates (each may be followed in
/// the credential store by its issuers); the first whose CA the peer asks for is used. After
/// control has resolved the connection `id` is always set, except for PSK without an id,
/// where the outer address stands in.
struct LocalAuth {
  AuthClass method = AuthClass::pubkey;
  std::optional<Identity> id;
  std::vector<Bytes> certs;
  SignatureRule rule;  ///< which of `certs` may be used, and how we sign
  friend auto operator<=>(const LocalAuth&, const LocalAuth&) = default;
};

enum class Revocation : std::uint8_t { relaxed, ifuri, strict };

/// What the peer has to prove.
struct RemoteAuth {
  AuthClass method = AuthClass::pubkey;
  IdentityPattern id;
  std::vector<Bytes> cacerts;  ///< DER; when not empty the chain must pass through one of these
  std::vector<Bytes> certs;    ///< DER; when not empty the end certificate must be one of these
  Revocation revocation = Revocation::relaxed;
  SignatureRules rules;  ///< of its certificates and of its AUTH
  friend auto operator<=>(const RemoteAuth&, const RemoteAuth&) = default;
};

/// RFC 7296 §2.8: when to replace (soft) and when to drop (hard). Zero means never.
struct Lifetime {
  Duration rekey{0};  ///< replaced this long after it was made, minus a random part of `jitter`
  Duration life{0};   ///< gone this long after it was made
  Duration jitter{0};
  std::uint64_t rekey_bytes = 0;
  std::uint64_t life_bytes = 0;
  std::uint64_t rekey_packets = 0;
  std::uint64_t life_packets = 0;
  friend auto operator<=>(const Lifetime&, const Lifetime&) = default;
};

enum class ChildMode : std::uint8_t { tunnel, transport, pass, drop };
/// What to do when a child ends (close), its peer is dead (dpd) or the configuration is loaded
/// (start).
enum class ChildAction : std::uint8_t { none, trap, start };
enum class CopyDscp : std::uint8_t { no, in, out, yes };

struct ChildTemplate {
  std::string name;
  std::vector<Proposal> esp_proposals;
  std::vector<SelectorTemplate> local_ts{SelectorTemplate{}};
  std::vector<SelectorTemplate> remote_ts{SelectorTemplate{}};
  ChildMode mode = ChildMode::tunnel;
  Lifetime lifetime{.rekey = std::chrono::hours{1},
                    .life = std::chrono::minutes{66},
                    .jitter = std::chrono::minutes{6}};
  Duration inactivity{0};
  ChildAction start_action = ChildAction::none;
  ChildAction dpd_action = ChildAction::none;
  ChildAction close_action = ChildAction::none;
  bool keep_up = false;  ///< brought up at once and again after whatever happens, without traffic
  std::uint32_t replay_window = 128;  ///< packets; 0 switches the check off
  bool copy_df = true;
  bool copy_ecn = true;
  CopyDscp copy_dscp = CopyDscp::out;
  /// It is installed and never negotiated.
  [[nodiscard]] bool is_shunt() const { return mode == ChildMode::pass || mode == ChildMode::drop; }
  /// Nobody but the operator ends it for good.
  [[nodiscard]] bool stays_up() const {
    return keep_up || start_action == ChildAction::start || close_action == ChildAction::start;
  }
  friend auto operator<=>(const ChildTemplate&, const ChildTemplate&) = default;
};

enum class Fragmentation : std::uint8_t { no, accept, yes };
enum class SendCert : std::uint8_t { if_asked, always, never };
enum class Uniqueness : std::uint8_t { no, never, keep, replace };

/// RFC 6023: whether an IKE_SA is set up without its first child, which then has an exchange of its
/// own. As responder `allow` and `prefer` take both.
enum class Childless : std::uint8_t {
  allow,   ///< as initiator: with the child
  prefer,  ///< without where the peer can
  force,   ///< without, or not at all
  never,   ///< with, or not at all
};

/// One `connections.<name>` section, complete and checked. A name is unique in its store.
struct Connection {
  std::string name;
  std::vector<AddressPattern> local_addrs{AnyAddress{}};
  std::vector<AddressPattern> remote_addrs{AnyAddress{}};
  std::uint16_t local_port = 500;
  std::uint16_t remote_port = 500;
  std::vector<Proposal> proposals;
  std::vector<IpAddress> vips;     ///< to ask for; 0.0.0.0 or :: asks for any
  std::vector<std::string> pools;  ///< to give addresses from
  bool encap = false;              ///< force UDP encapsulation
  bool mobike = true;
  Fragmentation fragmentation = Fragmentation::yes;
  bool send_certreq = true;
  SendCert send_cert = SendCert::if_asked;
  Uniqueness unique = Uniqueness::no;
  Childless childless = Childless::allow;
  unsigned keyingtries = 1;  ///< 0 = for ever
  Duration dpd_delay{0};     ///< 0 = no liveness checks of our own
  Lifetime lifetime{.rekey = std::chrono::hours{4},
                    .life = std::chrono::minutes{264},
                    .jitter = std::chrono::minutes{24}};
  Duration reauth_time{0};
  LocalAuth local;
  RemoteAuth remote;
  std::vector<ChildTemplate> children;

  [[nodiscard]] const ChildTemplate* find_child(std::string_view child) const;
  /// There is somebody to call: remote_addrs has a host.
  [[nodiscard]] bool is_callable() const;
  [[nodiscard]] bool has_kept_up() const {
    for (const ChildTemplate& child : children) {
      if (child.keep_up) return true;
    }
    return false;
  }
  friend auto operator<=>(const Connection&, const Connection&) = default;
};

/// `pools.<name>`: addresses and attributes for clients (RFC 7296 §2.19).
struct Pool {
  std::string name;
  IpRange range;  ///< of assignable addresses; one address is a fixed one
  std::vector<IpAddress> dns;
  std::vector<IpAddress> nbns;
  std::vector<Prefix> subnets;           ///< INTERNAL_IP4/6_SUBNET
  std::vector<std::string> dns_domains;  ///< INTERNAL_DNS_DOMAIN (RFC 8598), split DNS
  friend auto operator<=>(const Pool&, const Pool&) = default;
};

}  // namespace cygnet::model
