#include "ike/sa.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ike/child_sa.hpp"
#include "ike/limits.hpp"
#include "ike/seal.hpp"
#include "pki/identity.hpp"

namespace cygnet::ike {
namespace {

/// IPv4 or IPv6 header, UDP header, non-ESP marker.
std::size_t transport_overhead(const Endpoint& remote) {
  return (remote.address.is_v4() ? 20U : 40U) + 8U + 4U;
}

FragmentRule fragment_rule(const IkeSa& sa, const EngineConfig& config) {
  const bool on = sa.peer.fragmentation && sa.connection.fragmentation == model::Fragmentation::yes;
  const std::size_t overhead = transport_overhead(sa.remote);
  if (!on || config.fragment_size <= overhead) return {};
  return {.bytes_max = config.fragment_size - overhead};
}

Duration jittered(Duration base, Duration jitter, Rng& rng) {
  if (jitter <= Duration{0}) return base;
  const auto part =
      static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(jitter.count())));
  return base - Duration{part};
}

/// The counters of one kind of exchange stand together: in-req, in-resp, out-req, out-resp.
Counter counter_of(Way way, const wire::Header& header) {
  const auto first = [&header] {
    switch (header.exchange) {
      case ExchangeType::ike_sa_init:
        return Counter::ike_init_in_req;
      case ExchangeType::ike_auth:
        return Counter::ike_auth_in_req;
      case ExchangeType::create_child_sa:
        return Counter::create_child_in_req;
      case ExchangeType::informational:
        break;
    }
    return Counter::info_in_req;
  }();
  const int offset = (way == Way::out ? 2 : 0) + (header.response ? 1 : 0);
  return static_cast<Counter>(static_cast<int>(first) + offset);
}

std::string peer_text(const IkeSa& sa) {
  return sa.remote_id ? pki::to_text(*sa.remote_id) : std::string{};
}

/// Its Delete is queued or under way.
bool deletes_ike(const IkeSa& sa) {
  const auto deletes = [](const Task& task) { return std::holds_alternative<DeleteIke>(task); };
  return (sa.active && deletes(*sa.active)) || std::ranges::any_of(sa.tasks, deletes);
}

}  // namespace

void Context::done(RequestId request, bool success, std::string error) {
  if (request.value() == 0) return;
  emit(event::CommandDone{.request = request, .success = success, .error = std::move(error)});
}

// --- messages ------------------------------------------------------------------------------------

void note_message(const IkeSa& sa, Context& cx, Way way, const wire::Header& header,
                  const std::vector<wire::Payload>& payloads) {
  cx.shared.counters.add(sa.connection.name, counter_of(way, header));
  if (!cx.config.trace_messages) return;
  const std::string_view verb = way == Way::in ? "received" : "send";
  cx.emit(event::Note{
      .sa = sa.id,
      .connection = sa.connection.name,
      .level = 2,
      .text = fmt::format("{} {:<15} #{} {:<8}  {}", verb, cygnet::to_string(header.exchange),
                          header.id.value(), header.response ? "response" : "request",
                          wire::summary(payloads, header.response))});
}

RetransmitRule retransmit_rule(const IkeSa& sa, const EngineConfig& config) {
  RetransmitRule out = sa.is_established() ? config.retransmit : config.handshake;
  if (sa.connection.has_kept_up()) out.wait_max = config.keep_up_wait_max;
  return out;
}

void transmit(IkeSa& sa, Context& cx, const std::vector<Bytes>& datagrams) {
  for (const Bytes& datagram : datagrams) {
    cx.out.emplace_back(action::Send{.local = sa.local, .remote = sa.remote, .bytes = datagram});
  }
  sa.last_outbound = cx.now;
}

void send_request(IkeSa& sa, Context& cx, const Request& request) {
  SkKeys* keys = keys_of(sa.state);
  if (CYG_BUG(keys == nullptr || !sa.window.idle())) return close(sa, cx, "internal error");
  const wire::Header header{.spi_i = sa.spi_i,
                            .spi_r = sa.spi_r,
                            .exchange = request.exchange,
                            .initiator = sa.initiator,
                            .id = sa.window.next_request()};
  note_message(sa, cx, Way::out, header, request.payloads);
  auto datagrams = seal_message(cx.crypto, cx.rng, *keys, header, request.payloads,
                                fragment_rule(sa, cx.config));
  if (!datagrams) {
    return give_up(sa, cx,
                   {.phase = to_string(request.exchange), .ours = datagrams.error().text()});
  }
  transmit(sa, cx, *datagrams);
  sa.window.request_sent(*std::move(datagrams), cx.now, retransmit_rule(sa, cx.config));
}

Received expected_request(const IkeSa& sa, ExchangeType exchange) {
  return {.local = sa.local,
          .remote = sa.remote,
          .header = {.spi_i = sa.spi_i,
                     .spi_r = sa.spi_r,
                     .exchange = exchange,
                     .initiator = !sa.initiator,
                     .id = sa.window.expected_request()}};
}

void send_response(IkeSa& sa, Context& cx, const Received& received,
                   const std::vector<wire::Payload>& payloads) {
  SkKeys* keys = keys_of(sa.state);
  if (CYG_BUG(keys == nullptr)) return close(sa, cx, "internal error");
  wire::Header header = received.header;
  header.initiator = sa.initiator;
  header.response = true;
  header.higher_version = false;
  header.major = 2;
  header.minor = 0;
  note_message(sa, cx, Way::out, header, payloads);
  auto datagrams =
      seal_message(cx.crypto, cx.rng, *keys, header, payloads, fragment_rule(sa, cx.config));
  if (!datagrams) {
    return give_up(sa, cx, {.phase = to_string(header.exchange), .ours = datagrams.error().text()});
  }
  for (const Bytes& datagram : *datagrams) {
    cx.out.emplace_back(
        action::Send{.local = received.local, .remote = received.remote, .bytes = datagram});
  }
  sa.last_outbound = cx.now;
  sa.window.response_sent(*std::move(datagrams));
}

// --- tasks ---------------------------------------------------------------------------------------

void enqueue(IkeSa& sa, Context& cx, Task task) {
  const auto* end = std::get_if<DeleteIke>(&task);
  if (end != nullptr && end->request == RequestId{} && deletes_ike(sa)) return;
  // What ends something always finds room: but for commands there are a few such tasks for each
  // child, and one for the IKE_SA.
  const bool ends = end != nullptr || std::holds_alternative<DeleteChildren>(task);
  if (sa.is_closed() || (sa.tasks.size() >= kTasksMax && !ends)) {
    const std::string why = sa.is_closed() ? "the IKE_SA is closed" : "too many queued exchanges";
    std::visit([&](auto& dropped) { dropped.abandon(cx, why); }, task);
    const auto* rekey = std::get_if<RekeyChild>(&task);
    Child* child = rekey == nullptr ? nullptr : sa.children.find(rekey->old);
    if (child != nullptr) child->rekeying = false;
    return;
  }
  cx.attention.push_back(sa.id);
  sa.tasks.push_back(std::move(task));
  start_next(sa, cx);
}

void start_next(IkeSa& sa, Context& cx) {
  // A rekey's successor is about to take the queue over.
  if (sa.is_current() && (sa.our_fresh || sa.their_fresh)) return;
  while (sa.is_established() && sa.window.idle() && !sa.active && !sa.tasks.empty()) {
    sa.active = std::move(sa.tasks.front());
    sa.tasks.pop_front();
    auto request = std::visit([&](auto& task) { return task.build(sa, cx); }, *sa.active);
    if (!request) {
      sa.active.reset();
      continue;
    }
    send_request(sa, cx, *std::move(request));
  }
}

std::vector<const CreateChild*> creations(const IkeSa& sa) {
  std::vector<const CreateChild*> out;
  const auto consider = [&out](const Task& task) {
    if (const auto* create = std::get_if<CreateChild>(&task)) out.push_back(create);
  };
  if (sa.active) consider(*sa.active);
  for (const Task& task : sa.tasks) consider(task);
  for (const IkeSa::Delayed& later : sa.delayed) consider(later.task);
  return out;
}

void take_response(IkeSa& sa, Context& cx, const std::vector<wire::Payload>& reply) {
  sa.window.response_taken();
  if (CYG_BUG(!sa.active)) return;
  Task task = *std::move(sa.active);
  sa.active.reset();
  const Step step =
      std::visit([&](auto& current) { return current.on_response(sa, reply, cx); }, task);
  if (std::holds_alternative<CreateChild>(task) || std::holds_alternative<RekeyChild>(task)) {
    sa.early_deletes.clear();
  }
  if (sa.is_closed()) return;
  if (std::holds_alternative<Again>(step)) {
    sa.tasks.push_front(std::move(task));
  } else if (const auto* retry = std::get_if<RetryAt>(&step)) {
    sa.delayed.push_back({.at = retry->at, .task = std::move(task)});
  }
  start_next(sa, cx);
}

// --- life ----------------------------------------------------------------------------------------

void start_lifetime(IkeSa& sa, Context& cx) {
  const model::Lifetime& life = sa.connection.lifetime;
  sa.established = cx.now;
  sa.last_inbound = cx.now;
  sa.half_open_until.reset();
  if (life.rekey > Duration{0}) sa.rekey_at = cx.now + jittered(life.rekey, life.jitter, cx.rng);
  if (life.life > Duration{0}) sa.expires_at = cx.now + life.life;
}

void become_established(IkeSa& sa, Context& cx) {
  start_lifetime(sa, cx);
  if (sa.first_initiator && sa.connection.reauth_time > Duration{0}) {
    const Duration time = sa.connection.reauth_time;
    sa.reauth_at = cx.now + jittered(time, time / 10, cx.rng);
  }
  IkeStatus status = snapshot(sa);
  status.state = IkeStatus::State::established;
  cx.emit(event::IkeUp{.sa = sa.id, .connection = sa.connection.name, .status = std::move(status)});
}

bool is_ending(const IkeSa& sa) { return !sa.doomed.empty() || deletes_ike(sa); }

void end_ike(IkeSa& sa, Context& cx, DeleteIke end) {
  // What is queued no longer matters; the Delete goes next.
  for (Task& task : std::exchange(sa.tasks, {})) {
    std::visit([&](auto& t) { t.abandon(cx, end.why); }, task);
  }
  sa.rekey_at.reset();
  sa.reauth_at.reset();
  sa.expires_at.reset();
  sa.retirement.reset();
  enqueue(sa, cx, std::move(end));
}

void end_and_want_again(IkeSa& sa, Context& cx, const std::string& why) {
  const std::vector<model::ChildTemplate> children = lost_children(sa);
  end_ike(sa, cx, DeleteIke{.why = why});
  want_again(sa, cx, children, why);
}

void drop_child(IkeSa& sa, Context& cx, model::ChildId id, const std::string& why) {
  Child* child = sa.children.find(id);
  if (child == nullptr) return;
  if (Child* fresh = child->successor ? sa.children.find(*child->successor) : nullptr) {
    activate_child(sa, cx, *fresh);  // nothing else carries now
  }
  if (child->successor || child->redundant) {
    // Packets the peer sealed before it switched are still under way.
    sa.lingering.push_back({.at = cx.now + kRekeyedLinger, .child = id, .spi_in = child->spi_in});
    if (sa.lingering.size() > kLingeringMax) {
      cx.out.emplace_back(action::Remove{.child = sa.lingering.front().child});
      cx.shared.spis.give_back(sa.lingering.front().spi_in);
      sa.lingering.erase(sa.lingering.begin());
    }
  } else {
    // First the event: its last counts are still to be had.
    cx.emit(event::ChildDown{.sa = sa.id,
                             .child = id,
                             .connection = sa.connection.name,
                             .name = child->wanted.name,
                             .why = why,
                             .status = snapshot(sa, {id})});
    cx.out.emplace_back(action::Remove{.child = id});
    cx.shared.spis.give_back(child->spi_in);
  }
  sa.children.erase(id);
}

void close(IkeSa& sa, Context& cx, const std::string& why) {
  if (sa.is_closed()) return;
  cx.attention.push_back(sa.id);
  const bool was_up = sa.is_established();
  const bool current = sa.is_current();
  while (!sa.children.all().empty()) drop_child(sa, cx, sa.children.all().front().id, why);
  for (const IkeSa::Lingering& old : sa.lingering) {
    cx.out.emplace_back(action::Remove{.child = old.child});
    cx.shared.spis.give_back(old.spi_in);
  }
  sa.lingering.clear();
  IkeStatus status = snapshot(sa);
  status.state = IkeStatus::State::deleting;
  if (const auto* sent = std::get_if<AwaitAuthReply>(&sa.state); sent != nullptr && sent->spi_in) {
    cx.shared.spis.give_back(*sent->spi_in);
  }
  if (const auto* judged = std::get_if<JudgeResponder>(&sa.state);
      judged != nullptr && judged->sent.spi_in) {
    cx.shared.spis.give_back(*judged->sent.spi_in);
  }
  if (!sa.local_vips.empty() && current) {
    cx.emit(event::VirtualIpsGone{
        .sa = sa.id, .connection = sa.connection.name, .addresses = sa.local_vips});
  }
  if (sa.leased && current) cx.out.emplace_back(ask::Release{.sa = sa.id});
  Closed closed;
  if (SkKeys* keys = keys_of(sa.state)) closed.keys = std::move(*keys);
  sa.state = std::move(closed);
  sa.linger_until.reset();
  if (sa.active) std::visit([&](auto& task) { task.abandon(cx, why); }, *sa.active);
  sa.active.reset();
  for (Task& task : sa.tasks) std::visit([&](auto& t) { t.abandon(cx, why); }, task);
  for (IkeSa::Delayed& later : sa.delayed) {
    std::visit([&](auto& t) { t.abandon(cx, why); }, later.task);
  }
  sa.tasks.clear();
  sa.delayed.clear();
  cx.done(std::exchange(sa.first_request, RequestId{}), false, why);
  if (was_up && current) {
    cx.emit(event::IkeDown{
        .sa = sa.id, .connection = sa.connection.name, .why = why, .status = std::move(status)});
  }
}

void report(const IkeSa& sa, Context& cx, FailureRecord record) {
  record.at = cx.now;
  record.local = sa.local;
  record.remote = sa.remote;
  if (record.connection.empty()) record.connection = sa.connection.name;
  if (record.remote_identity.empty()) record.remote_identity = peer_text(sa);
  record.product = sa.peer.product;
  record.initiator = sa.initiator;
  cx.emit(event::Failed{.record = std::move(record)});
}

void fail(IkeSa& sa, Context& cx, FailureRecord record) {
  FailureRecord described = record;
  described.local = sa.local;
  described.remote = sa.remote;
  described.connection = sa.connection.name;
  described.remote_identity = peer_text(sa);
  described.product = sa.peer.product;
  described.initiator = sa.initiator;
  report(sa, cx, std::move(record));
  close(sa, cx, described.line());
}

void give_up(IkeSa& sa, Context& cx, FailureRecord record) {
  const std::vector<model::ChildTemplate> children = lost_children(sa);
  const std::string why = record.theirs.empty() ? record.ours : record.theirs;
  fail(sa, cx, std::move(record));
  want_again(sa, cx, children, why);
}

void want_again(const IkeSa& sa, Context& cx, const std::vector<model::ChildTemplate>& children,
                const std::string& why) {
  for (const model::ChildTemplate& child : children) {
    if (child.stays_up()) follow_up(sa, cx, child, model::ChildAction::start, why);
  }
}

std::vector<model::ChildTemplate> current_children(const IkeSa& sa) {
  std::vector<model::ChildTemplate> out;
  for (const Child& child : sa.children.all()) {
    if (child.is_current()) out.push_back(child.wanted);
  }
  return out;
}

std::vector<model::ChildTemplate> lost_children(const IkeSa& sa) {
  std::vector<model::ChildTemplate> out = current_children(sa);
  const auto add = [&out](const model::ChildTemplate& wanted) {
    const bool there =
        std::ranges::find(out, wanted.name, &model::ChildTemplate::name) != out.end();
    if (!there) out.push_back(wanted);
  };
  for (const Child& child : sa.children.all()) {
    if (child.expired) add(child.wanted);
  }
  for (const CreateChild* create : creations(sa)) {
    if (create->request == RequestId{}) add(create->wanted);
  }
  return out;
}

void follow_up(const IkeSa& sa, Context& cx, const model::ChildTemplate& child,
               model::ChildAction action, const std::string& why) {
  switch (action) {
    case model::ChildAction::none:
      return;
    case model::ChildAction::start:
      return cx.emit(
          event::WantUp{.connection = sa.connection.name, .child = child.name, .why = why});
    case model::ChildAction::trap:
      return cx.emit(
          event::WantRoute{.connection = sa.connection.name, .child = child.name, .why = why});
  }
}

void take_use(IkeSa& sa, Context& cx, const Answer& answer) {
  const auto at = std::ranges::find(sa.children.all(), std::optional{answer.id}, &Child::use_ask);
  if (at == sa.children.all().end()) return;
  Child& child = *at;
  child.use_ask.reset();
  const auto* use = std::get_if<answer::ChildUse>(&answer.result);
  if (use == nullptr) {
    child.last_use = cx.now;  // nobody knows: not a reason to end it
  } else if (use->idle) {
    child.last_use = std::max(child.last_use, cx.now - *use->idle);
  }
  const Instant due = child.last_use + child.wanted.inactivity;
  cx.attention.push_back(sa.id);
  if (due > cx.now) {
    child.idle_check_at = due;
  } else if (child.is_current()) {
    const auto idle = std::chrono::duration_cast<std::chrono::seconds>(cx.now - child.last_use);
    enqueue(sa, cx,
            DeleteChildren{.children = {child.id},
                           .why = fmt::format("idle for {} s (inactivity)", idle.count())});
  }
}

}  // namespace cygnet::ike
