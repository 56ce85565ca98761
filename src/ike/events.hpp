// What happened in the engine, for logs, status, vici and the host.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ip.hpp"
#include "ike/failure.hpp"
#include "ike/status.hpp"
#include "model/data_plane.hpp"

namespace cygnet::ike {

namespace event {
/// Mutual authentication is complete. `status` is what the IKE_SA looks like, without children.
struct IkeUp {
  SaId sa;
  std::string connection;
  IkeStatus status{};
};
/// `status` is what it looked like.
struct IkeDown {
  SaId sa;
  std::string connection;
  std::string why;
  IkeStatus status{};
};
struct IkeRekeyed {
  SaId old;
  SaId fresh;
  std::string connection;
  IkeStatus before{};
  IkeStatus after{};
};
/// One end is elsewhere now; `before` is what the IKE_SA looked like.
struct IkeMoved {
  SaId sa;
  std::string connection;
  Endpoint local;
  Endpoint remote;
  IkeStatus before{};
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
/// `status` is its IKE_SA with this child alone.
struct ChildUp {
  SaId sa;
  model::ChildId child;
  std::string connection;
  std::string name;
  IkeStatus status{};
};
struct ChildDown {
  SaId sa;
  model::ChildId child;
  std::string connection;
  std::string name;
  std::string why;
  IkeStatus status{};
};
/// `status` has both, the old one first.
struct ChildRekeyed {
  SaId sa;
  model::ChildId old;
  model::ChildId fresh;
  std::string connection;
  std::string name;
  IkeStatus status{};
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
    std::variant<event::IkeUp, event::IkeDown, event::IkeRekeyed, event::IkeMoved,
                 event::VirtualIps, event::VirtualIpsGone, event::ChildUp, event::ChildDown,
                 event::ChildRekeyed, event::Failed, event::CommandDone, event::WantUp,
                 event::Unrouted, event::WantRoute, event::WantReauth, event::Quiet, event::Note>;

}  // namespace cygnet::ike
