// What the operator, the supervisor and the data plane ask of the engine.
#include <algorithm>

#include "ike/child_sa.hpp"
#include "ike/engine_impl.hpp"
#include "ike/exchange/delete.hpp"
#include "ike/exchange/ike_sa_init.hpp"
#include "ike/exchange/mobike.hpp"
#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

bool negotiable(const model::ChildTemplate& child) {
  return child.mode == model::ChildMode::tunnel || child.mode == model::ChildMode::transport;
}

/// What an Initiate without a child name brings up: every child that is negotiated.
std::vector<model::ChildTemplate> wanted_children(const model::Connection& connection,
                                                  std::string_view child) {
  std::vector<model::ChildTemplate> out;
  for (const model::ChildTemplate& one : connection.children) {
    if (negotiable(one) && (child.empty() || one.name == child)) out.push_back(one);
  }
  return out;
}

bool has_child(const IkeSa& sa, std::string_view name) {
  return std::ranges::any_of(sa.children.all(), [name](const Child& child) {
    return child.wanted.name == name && child.is_current();
  });
}

/// The handshake will make it, or an exchange after it.
bool is_coming(const IkeSa& sa, std::string_view name) {
  const bool first = !sa.is_established() && sa.first_child && sa.first_child->name == name;
  return first || std::ranges::any_of(creations(sa), [name](const CreateChild* create) {
           return create->wanted.name == name;
         });
}

/// Whether it leads to whom a call of its connection to this address would reach. Whom we have
/// called is the connection's peer, wherever it was called and has moved since.
bool leads_to(const IkeSa& sa, const model::Connection& connection, const IpAddress& address) {
  const bool called = sa.first_initiator && sa.connection.remote_addrs == connection.remote_addrs;
  return called || sa.remote.address == address;
}

/// Whether children of its connection towards this address can be made under it. One that somebody
/// has only begun, or that is about to end, is not ours to use.
bool serves(const IkeSa& sa, const model::Connection& connection, const IpAddress& address) {
  return sa.connection.name == connection.name && sa.is_current() && !sa.is_half_open() &&
         !is_ending(sa) && leads_to(sa, connection, address);
}

/// Only where the configuration says so: without a child an IKE_SA carries nothing.
bool may_be_bare(const model::Connection& connection) {
  return connection.children.empty() && (connection.childless == model::Childless::force ||
                                         connection.childless == model::Childless::prefer);
}

/// Those that an IKE_SA does not have yet. The last one queued carries the command: exchanges
/// complete in order. One that is coming with the IKE_SA is queued as well: its task ends as the
/// IKE_SA does, well or not.
void add_children(IkeSa& sa, const command::Initiate& initiate,
                  std::vector<model::ChildTemplate> children, Context& cx) {
  std::erase_if(children, [&](const auto& one) { return has_child(sa, one.name); });
  if (children.empty()) return cx.done(initiate.request, true);
  for (std::size_t i = 0; i < children.size(); ++i) {
    const bool last = i + 1 == children.size();
    enqueue(sa, cx,
            CreateChild{.wanted = std::move(children[i]),
                        .trigger = initiate.trigger,
                        .request = last ? initiate.request : RequestId{}});
  }
}

bool matches(const IkeSa& sa, const command::Filter& filter) {
  return (filter.connection.empty() || filter.connection == sa.connection.name) &&
         (filter.ike_id.value() == 0 || filter.ike_id == sa.id) && sa.is_current();
}

bool has_child_filter(const command::Filter& filter) {
  return !filter.child.empty() || filter.child_id.value() != 0;
}

std::vector<model::ChildId> matching_children(const IkeSa& sa, const command::Filter& filter) {
  std::vector<model::ChildId> out;
  for (const Child& child : sa.children.all()) {
    const bool fits = (filter.child.empty() || filter.child == child.wanted.name) &&
                      (filter.child_id.value() == 0 || filter.child_id == child.id);
    if (fits && child.is_current()) out.push_back(child.id);
  }
  return out;
}

constexpr const char* kByCommand = "terminated by command";

/// Takes what is only queued off the queue. True when there was something.
bool cancel_creation(IkeSa& sa, const std::string& name, Context& cx) {
  const auto cancels = [&](Task& task) {
    auto* create = std::get_if<CreateChild>(&task);
    if (create == nullptr || create->wanted.name != name) return false;
    create->abandon(cx, kByCommand);
    return true;
  };
  const std::size_t queued = std::erase_if(sa.tasks, cancels);
  return std::erase_if(sa.delayed, [&](auto& later) { return cancels(later.task); }) + queued != 0;
}

/// Children that are there get a Delete in `ends`, one that is being made too; what is merely
/// wanted is forgotten. True when something has ended here and now.
bool terminate_children(IkeSa& sa, const command::Filter& filter,
                        std::vector<std::pair<SaId, Task>>& ends, Context& cx) {
  DeleteChildren end{
      .children = matching_children(sa, filter), .why = kByCommand, .for_good = true};
  bool ended = false;
  if (!filter.child.empty() && filter.child_id.value() == 0 && !sa.is_half_open()) {
    ended = cancel_creation(sa, filter.child, cx);
    const auto* create = sa.active ? std::get_if<CreateChild>(&*sa.active) : nullptr;
    const bool first =
        sa.first_child && sa.first_child->name == filter.child && !sa.is_established();
    if (first && sa.tasks.empty()) {
      close(sa, cx, kByCommand);
      return true;
    }
    if (first || (create != nullptr && create->wanted.name == filter.child)) {
      end.named = filter.child;
    }
  }
  if (end.children.empty() && end.named.empty()) return ended;
  ends.emplace_back(sa.id, std::move(end));
  return true;
}

model::PolicyAction action_of(model::ChildMode mode) {
  switch (mode) {
    case model::ChildMode::pass:
      return model::PolicyAction::pass;
    case model::ChildMode::drop:
      return model::PolicyAction::drop;
    case model::ChildMode::tunnel:
    case model::ChildMode::transport:
      break;
  }
  return model::PolicyAction::trap;
}

}  // namespace

void Engine::Impl::on_command(command::PutConnection&& put, Context&) {
  shared.connections.put(std::move(put.connection));
}

void Engine::Impl::on_command(command::DropConnection&& drop, Context&) {
  shared.connections.drop(drop.name);
}

void Engine::Impl::on_command(command::ArrangeConnections&& arrange, Context&) {
  shared.connections.arrange(arrange.names);
}

void Engine::Impl::on_command(command::SetAuthorities&& set, Context&) {
  shared.authorities = std::move(set.authorities);
}

void Engine::Impl::on_command(command::Initiate&& initiate, Context& cx) {
  const model::Connection* connection = shared.connections.find(initiate.connection);
  if (connection == nullptr) {
    return cx.done(initiate.request, false, "no connection named '" + initiate.connection + "'");
  }
  std::vector<model::ChildTemplate> children = wanted_children(*connection, initiate.child);
  const IkeSa* old = nullptr;
  if (initiate.instead_of != SaId{}) {
    const auto at = sas.find(initiate.instead_of);
    if (at == sas.end() || !at->second.is_current() || is_ending(at->second)) {
      return cx.done(initiate.request, true);  // what was to be reauthenticated has gone
    }
    old = &at->second;
    std::erase_if(children, [old](const auto& one) { return !has_child(*old, one.name); });
  }
  const bool bare = initiate.child.empty() && old == nullptr && may_be_bare(*connection);
  if (children.empty() && !bare) {
    return cx.done(initiate.request, false,
                   initiate.child.empty()
                       ? "connection '" + connection->name + "' has no children to bring up"
                       : "no child named '" + initiate.child + "'");
  }
  if (shutting_down) return cx.done(initiate.request, false, "the daemon is shutting down");
  for (auto& [id, sa] : sas) {
    if (old != nullptr || !serves(sa, *connection, initiate.remote.address)) continue;
    return add_children(sa, initiate, std::move(children), cx);
  }
  call(initiate, *connection, std::move(children), old, cx);
}

/// A new IKE_SA, with these children or with none; `old` is the one that it reauthenticates.
void Engine::Impl::call(const command::Initiate& initiate, const model::Connection& connection,
                        std::vector<model::ChildTemplate> children, const IkeSa* old, Context& cx) {
  IkeSa sa{.id = cx.next_sa(),
           .initiator = true,
           .first_initiator = true,
           .spi_i = IkeSpi{rng.u64() | 1},
           .local = initiate.local,
           .remote = initiate.remote,
           .connection = connection,
           .born = cx.now};
  // The address stays ours, if the gateway is willing.
  const std::vector<IpAddress> vips =
      old != nullptr ? old->local_vips : ending_vips(connection.name);
  if (!vips.empty()) sa.connection.vips = vips;
  if (old != nullptr) {
    sa.instead_of = old->id;
    for (const model::ChildTemplate& child : children) sa.asked.push_back(child.name);
  }
  if (!children.empty()) {
    sa.first_child = std::move(children.front());
    sa.first_trigger = initiate.trigger;
  }
  if (children.size() <= 1) sa.first_request = initiate.request;
  for (std::size_t i = 1; i < children.size(); ++i) {
    sa.tasks.push_back(
        CreateChild{.wanted = std::move(children[i]),
                    .request = i + 1 == children.size() ? initiate.request : RequestId{}});
  }
  const SaId id = sa.id;
  adopt(std::move(sa));
  start_init(sas.at(id), cx);
}

/// What we were given by a peer of this connection that we are about to leave.
std::vector<IpAddress> Engine::Impl::ending_vips(std::string_view connection) const {
  std::vector<IpAddress> out;
  for (const auto& [id, sa] : sas) {
    const bool ends = sa.is_current() && is_ending(sa);
    if (ends && sa.connection.name == connection) out = sa.local_vips;
  }
  return out;
}

void Engine::Impl::on_command(command::Terminate&& terminate, Context& cx) {
  const bool children_only = has_child_filter(terminate.filter);
  // Ends of IKE_SAs and of children; the last one carries the command.
  std::vector<std::pair<SaId, Task>> ends;
  bool ended = false;
  for (auto& [id, sa] : sas) {
    if (!matches(sa, terminate.filter)) continue;
    if (children_only) {
      ended = terminate_children(sa, terminate.filter, ends, cx) || ended;
    } else if (sa.is_established()) {
      ends.emplace_back(id, DeleteIke{.why = kByCommand});
    } else {
      close(sa, cx, kByCommand);
      ended = true;
    }
  }
  if (ends.empty()) {
    return cx.done(terminate.request, ended, ended ? "" : "nothing matches");
  }
  std::visit(
      [&](auto& task) {
        if constexpr (requires { task.request; }) task.request = terminate.request;
      },
      ends.back().second);
  for (auto& [id, task] : ends) {
    if (auto* ike = std::get_if<DeleteIke>(&task)) {
      end_ike(sas.at(id), cx, std::move(*ike));
    } else {
      enqueue(sas.at(id), cx, std::move(task));
    }
  }
}

void Engine::Impl::on_command(command::Rekey&& rekey, Context& cx) {
  const bool children_only = has_child_filter(rekey.filter);
  std::vector<std::pair<SaId, std::optional<model::ChildId>>> wanted;
  for (auto& [id, sa] : sas) {
    if (!matches(sa, rekey.filter) || !sa.is_established()) continue;
    if (!children_only) {
      wanted.emplace_back(id, std::nullopt);
    } else {
      for (const model::ChildId child : matching_children(sa, rekey.filter)) {
        wanted.emplace_back(id, child);
      }
    }
  }
  if (wanted.empty()) return cx.done(rekey.request, false, "nothing matches");
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const RequestId request = i + 1 == wanted.size() ? rekey.request : RequestId{};
    IkeSa& sa = sas.at(wanted[i].first);
    if (wanted[i].second) {
      enqueue(sa, cx, RekeyChild{.old = *wanted[i].second, .request = request});
    } else {
      enqueue(sa, cx, RekeyIke{.request = request});
    }
  }
}

action::Install RoutedChild::install() const {
  return {.child = {.id = id,
                    .name = connection + "/" + wanted.name,
                    .action = action_of(wanted.mode),
                    .local_ts = local_ts,
                    .remote_ts = remote_ts,
                    .local = local,
                    .remote = remote}};
}

void Engine::Impl::on_command(command::Route&& route, Context& cx) {
  const model::Connection* connection = shared.connections.find(route.connection);
  const model::ChildTemplate* child =
      connection == nullptr ? nullptr : connection->find_child(route.child);
  if (child == nullptr) {
    return cx.done(route.request, false, "no child '" + route.connection + "/" + route.child + "'");
  }
  const model::PolicyAction action = action_of(child->mode);
  if (action == model::PolicyAction::trap && route.remote.address.is_any()) {
    return cx.done(route.request, false,
                   "a trap needs a peer: remote_addrs is %any, so nobody could be called");
  }
  // Nobody is called for a shunt: dynamic means whoever we are, in either family.
  const std::vector<IpAddress> anybody{IpAddress::any(IpFamily::v4), IpAddress::any(IpFamily::v6)};
  const bool trap = action == model::PolicyAction::trap;
  RoutedChild entry{
      .id = cx.next_child(),
      .connection = connection->name,
      .wanted = *child,
      .local_ts = resolve(child->local_ts, trap ? std::vector{route.local.address} : anybody),
      .remote_ts = resolve(child->remote_ts, trap ? std::vector{route.remote.address} : anybody),
      .local = route.local,
      .remote = route.remote,
      .installed = cx.now};
  const auto before = std::ranges::find_if(routed, [&](const RoutedChild& one) {
    return one.connection == connection->name && one.wanted.name == child->name;
  });
  const bool known = before != routed.end();
  if (known && before->wanted == entry.wanted && before->local_ts == entry.local_ts &&
      before->remote_ts == entry.remote_ts) {
    return cx.done(route.request, true);
  }
  cx.out.emplace_back(entry.install());
  if (known) {
    // The new one stands before the old one goes: what it guards never leaves in the clear.
    cx.out.emplace_back(action::Remove{.child = before->id});
    before->before.clear();
    entry.before.push_back(std::move(*before));
    *before = std::move(entry);
  } else {
    routed.push_back(std::move(entry));
  }
  cx.done(route.request, true);
}

void Engine::Impl::on_command(command::Unroute&& unroute, Context& cx) {
  const auto at = std::ranges::find_if(routed, [&](const RoutedChild& one) {
    return one.connection == unroute.connection && one.wanted.name == unroute.child;
  });
  if (at == routed.end()) return cx.done(unroute.request, false, "not routed");
  cx.out.emplace_back(action::Remove{.child = at->id});
  routed.erase(at);
  cx.done(unroute.request, true);
}

void Engine::Impl::on_command(command::Readdress&& readdress, Context& cx) {
  const auto at = sas.find(readdress.sa);
  if (at == sas.end() || at->second.is_closed()) return;
  IkeSa& sa = at->second;
  if (!readdress.local) {
    seek_path(sa, cx);
  } else if (sa.local.address != *readdress.local) {
    change_local(sa, cx, *readdress.local);
  } else if (sa.is_established() && sa.is_current() && !sa.active && sa.tasks.empty()) {
    enqueue(sa, cx, Liveness{});
  } else {
    // Once more, besides its own schedule: a peer that is silent is given up when it would be.
    transmit(sa, cx, sa.window.outstanding());
  }
}

void Engine::Impl::on_command(command::SetAddresses&& set, Context& cx) {
  if (shared.addresses == set.addresses) return;
  shared.addresses = std::move(set.addresses);
  for (auto& [id, sa] : sas) tell_addresses(sa, cx);
}

void Engine::Impl::on_command(command::Awake&&, Context& cx) {
  for (auto& [id, sa] : sas) {
    if (sa.is_closed()) continue;
    cx.attention.push_back(id);
    if (!sa.window.hurry(cx.now) && sa.is_established() && sa.is_current()) {
      enqueue(sa, cx, Liveness{});
    }
  }
}

void Engine::Impl::on_command(command::Shutdown&&, Context& cx) {
  shutting_down = true;
  for (const RoutedChild& one : routed) cx.out.emplace_back(action::Remove{.child = one.id});
  routed.clear();
  for (auto& [id, sa] : sas) {
    if (sa.is_established() && sa.is_current()) {
      end_ike(sa, cx, DeleteIke{.why = "shutting down"});
    } else {
      close(sa, cx, "shutting down");
    }
  }
}

// --- the data plane ----------------------------------------------------------------------------

void Engine::Impl::on_plane(const model::plane::Acquire& acquire, Context& cx) {
  const auto at = std::ranges::find(routed, acquire.trap, &RoutedChild::id);
  if (at == routed.end()) return;
  for (auto& [id, sa] : sas) {
    const bool usable = sa.is_current() && !sa.is_half_open() && !is_ending(sa);
    if (sa.connection.name != at->connection || !usable) continue;
    const bool coming =
        has_child_for(sa, at->wanted.name, acquire.packet) || is_coming(sa, at->wanted.name);
    if (!coming) enqueue(sa, cx, CreateChild{.wanted = at->wanted, .trigger = acquire.packet});
    return;
  }
  cx.emit(event::WantUp{.connection = at->connection,
                        .child = at->wanted.name,
                        .why = "traffic to " + acquire.packet.destination.text(),
                        .trigger = acquire.packet});
}

void Engine::Impl::on_plane(const model::plane::Expire& expire, Context& cx) {
  IkeSa* sa = owner_of(expire.child);
  Child* child = sa == nullptr ? nullptr : sa->children.find(expire.child);
  if (child == nullptr) return;
  if (Child* fresh = child->successor ? sa->children.find(*child->successor) : nullptr) {
    if (expire.hard) activate_child(*sa, cx, *fresh);  // the old one carries no more
    return;
  }
  if (!child->is_current()) return;
  if (expire.hard) {
    expire_child(*sa, cx, expire.child, "volume limit reached");
  } else if (!child->rekeying) {
    child->rekeying = true;
    enqueue(*sa, cx, RekeyChild{.old = expire.child});
  }
}

void Engine::Impl::on_plane(const model::plane::MappingChange& change, Context& cx) {
  IkeSa* sa = owner_of(change.child);
  // Only a caller behind a NAT moves without saying so, and only towards somebody who is behind
  // none (RFC 7296 §2.23). With MOBIKE its packets alone are followed (RFC 4555 §3.8), until IKE
  // says where it is.
  if (sa == nullptr || sa->first_initiator || !sa->nat_remote || sa->nat_local) return;
  if (sa->peer.mobike) {
    move_children(*sa, cx, sa->local, change.remote);
  } else {
    move_to(*sa, cx, sa->local, change.remote);
  }
}

void Engine::Impl::on_plane(const model::plane::InstallFailed& failed, Context& cx) {
  const auto at = std::ranges::find(routed, failed.child, &RoutedChild::id);
  FailureRecord record{.at = cx.now,
                       .phase = "install",
                       .reason = Reason::install_failed,
                       .field = "children",
                       .ours = failed.error.text(),
                       .advice = "the data plane cannot express this child; the text says what"};
  if (at != routed.end()) {
    record.connection = at->connection;
    cx.emit(event::Failed{.record = std::move(record)});
    const bool stands = !at->before.empty();
    cx.emit(event::Unrouted{
        .connection = at->connection, .child = at->wanted.name, .old_one_stands = stands});
    if (!stands) {
      routed.erase(at);
      return;
    }
    RoutedChild old = std::move(at->before.front());
    old.id = cx.next_child();
    cx.out.emplace_back(old.install());
    *at = std::move(old);
    return;
  }
  IkeSa* sa = owner_of(failed.child);
  if (sa == nullptr) return;
  report(*sa, cx, std::move(record));
  enqueue(*sa, cx, DeleteChildren{.children = {failed.child}, .why = "it could not be installed"});
}

void Engine::Impl::on_plane(const model::plane::FirstInbound& first, Context& cx) {
  IkeSa* sa = owner_of(first.child);
  if (sa == nullptr) return;
  if (Child* child = sa->children.find(first.child)) activate_child(*sa, cx, *child);
}

}  // namespace cygnet::ike
