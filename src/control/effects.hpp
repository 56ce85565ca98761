// What control asks the daemon to do, and what it may look at.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/strong.hpp"
#include "control/journal.hpp"
#include "ike/actions.hpp"
#include "ike/counters.hpp"
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
/// Read the configuration again, then call Controller::reload() with this; or refuse_reload() when
/// it cannot be read at all.
struct Reload {
  ClientId client;
  bool only_plan = false;  ///< tell what it would change, and change nothing
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
/// More of this client's answer is to come: call Controller::resume() when all before it is sent.
struct Resume {
  ClientId client;
};
/// Read the daemon's settings again, then call Controller::reloaded() with the same client.
struct ReloadSettings {
  ClientId client;
};
/// An event for every client that has registered for it.
struct Publish {
  std::string event;
  vici::Message message;
};
/// Count anew: for one connection, for all in all, or (`each`) for each connection.
struct ResetCounters {
  std::string connection;
  bool each = false;
};
/// A line for the log.
struct Log {
  LogLine line;
};
}  // namespace effect
using Effect = std::variant<effect::Tell, effect::Resolve, effect::Reload, effect::ReloadSettings,
                            effect::Respond, effect::Stream, effect::Resume, effect::Publish,
                            effect::ResetCounters, effect::Log>;
/// Carry out all of them, in order.
using Effects = std::vector<Effect>;

/// Octets of dynamic memory, as malloc counts them.
struct HeapStats {
  std::uint64_t sbrk = 0;  ///< in arenas
  std::uint64_t mmap = 0;  ///< in mappings of their own
  std::uint64_t used = 0;
  std::uint64_t free = 0;
};
/// The process that carries things out.
struct ProcessStats {
  unsigned threads = 1;  ///< for packets and for control
  unsigned idle = 1;     ///< of these, what waits just now
  HeapStats heap{};
  std::vector<std::string> parts;  ///< its data plane and libraries, by name
};

/// What only the daemon can see; borrowed for one call.
class View {
 public:
  virtual ~View() = default;
  [[nodiscard]] virtual ike::Status status() const = 0;
  /// Empty when the plane does not know the child.
  [[nodiscard]] virtual std::optional<model::SaStats> stats(model::ChildId child) const = 0;
  [[nodiscard]] virtual const ike::CounterBook& counters() const = 0;
  [[nodiscard]] virtual ProcessStats process() const = 0;
  /// A moment for people, as "Nov 26 14:20:01 2026".
  [[nodiscard]] virtual std::string wall_clock_text(Instant at) const = 0;
  /// Whether a client of the control socket has registered for this event.
  [[nodiscard]] virtual bool anybody_hears(std::string_view event) const = 0;
  /// The source address towards each of these hosts, for those that there is a route to.
  [[nodiscard]] virtual std::vector<ike::Path> paths(const std::vector<IpAddress>& remotes) = 0;
};

}  // namespace cygnet::control
