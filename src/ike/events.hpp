// What happened in the engine, for logs, status, vici and the host.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ip.hpp"
#include "base/strong.hpp"
#include "ike/failure.hpp"
#include "model/data_plane.hpp"

namespace cygnet::ike {

/// One IKE_SA; unique for the life of the process, printed as `name[7]`.
using SaId = Strong<std::uint32_t, struct SaIdKind>;
/// Chosen by the caller; comes back in event::CommandDone. Zero: nobody waits.
using RequestId = Strong<std::uint64_t, struct RequestIdKind>;

namespace event {
/// Mutual authentication is complete.
struct IkeUp {
  SaId sa;
  std::string connection;
};
struct IkeDown {
  SaId sa;
  std::string connection;
  std::string why;
};
struct IkeRekeyed {
  SaId old;
  SaId fresh;
  std::string connection;
};
/// On an initiator: the addresses, servers and domains the gateway gave us. Comes before the
/// children that use them are installed; undone by VirtualIpsGone.
struct VirtualIps {
  SaId sa;
  std::string connection;
  std::vector<IpAddress> addresses;
  std::vector<IpAddress> dns;
  std::vector<std::string> dns_domains;
  std::vector<Prefix> subnets;
};
struct VirtualIpsGone {
  SaId sa;
  std::string connection;
  std::vector<IpAddress> addresses;
};
struct ChildUp {
  SaId sa;
  model::ChildId child;
  std::string connection;
  std::string name;
};
struct ChildDown {
  SaId sa;
  model::ChildId child;
  std::string connection;
  std::string name;
  std::string why;
};
struct ChildRekeyed {
  SaId sa;
  model::ChildId old;
  model::ChildId fresh;
  std::string connection;
  std::string name;
};
/// Somebody was refused or gave up: the record that `cygnet why` shows.
struct Failed {
  FailureRecord record;
};
struct CommandDone {
  RequestId request;
  bool success = true;
  std::string error;
};
/// An acquire or a dead peer's dpd_action wants this brought up: the caller resolves and sends
/// command::Initiate (the supervisor may delay it).
struct WantUp {
  std::string connection;
  std::string child;
  std::string why;
  std::optional<model::PacketFlow> trigger{};  ///< the packet that asks, for command::Initiate
};
/// The plane could not take a trap or shunt: it is not there, or the one stands again that was to
/// be replaced.
struct Unrouted {
  std::string connection;
  std::string child;
  bool old_one_stands = false;
};
/// A close_action or dpd_action wants this to wait for traffic: the caller resolves and sends
/// command::Route.
struct WantRoute {
  std::string connection;
  std::string child;
  std::string why;
};
/// reauth_time is over: the caller resolves and sends command::Initiate with `instead_of`.
struct WantReauth {
  SaId sa;
  std::string connection;
  IpAddress remote{};  ///< where the peer is now
};
/// After Shutdown: nothing is left.
struct Quiet {};
/// One line of progress; level as in logs (2 = debug).
struct Note {
  SaId sa;
  std::string connection;
  int level = 1;
  std::string text;
};
}  // namespace event
using Event =
    std::variant<event::IkeUp, event::IkeDown, event::IkeRekeyed, event::VirtualIps,
                 event::VirtualIpsGone, event::ChildUp, event::ChildDown, event::ChildRekeyed,
                 event::Failed, event::CommandDone, event::WantUp, event::Unrouted,
                 event::WantRoute, event::WantReauth, event::Quiet, event::Note>;

}  // namespace cygnet::ike
