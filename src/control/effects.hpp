// What control asks the daemon to do, and what it may look at.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/strong.hpp"
#include "ike/actions.hpp"
#include "ike/status.hpp"
#include "vici/message.hpp"

namespace cygnet::control {

/// One client of the vici socket; never reused while the process lives.
using ClientId = Strong<std::uint64_t, struct ClientIdKind>;

/// Where to call: the daemon turns names into addresses and finds the source address.
struct Target {
  model::AddressPattern remote;              ///< one address or a host name
  std::vector<model::AddressPattern> local;  ///< single addresses are preferred, in order
  std::uint16_t remote_port = 500;
  std::uint16_t local_port = 500;
};
/// What became of a Target.
struct Route {
  Endpoint local;
  Endpoint remote;
};

namespace effect {
/// Give this to the engine.
struct Tell {
  ike::Command command;
};
/// Find the addresses, then call Controller::resolved() with the same request.
struct Resolve {
  ike::RequestId request;
  Target target;
};
/// Read the configuration again, then call Controller::reloaded() with the same client.
struct Reload {
  ClientId client;
};
/// The answer to a client's request.
struct Respond {
  ClientId client;
  vici::Message message;
};
/// An event for one client, part of its answer.
struct Stream {
  ClientId client;
  std::string event;
  vici::Message message;
};
/// A line for the log.
struct Log {
  int level = 1;
  std::string text;
};
}  // namespace effect
using Effect = std::variant<effect::Tell, effect::Resolve, effect::Reload, effect::Respond,
                            effect::Stream, effect::Log>;
/// Carry out all of them, in order.
using Effects = std::vector<Effect>;

/// What only the daemon can see; borrowed for one call.
class View {
 public:
  virtual ~View() = default;
  [[nodiscard]] virtual ike::Status status() const = 0;
  /// Empty when the plane does not know the child.
  [[nodiscard]] virtual std::optional<model::SaStats> stats(model::ChildId child) const = 0;
  /// The source address towards each of these hosts, for those that there is a route to.
  [[nodiscard]] virtual std::vector<ike::Path> paths(const std::vector<IpAddress>& remotes) = 0;
};

}  // namespace cygnet::control
