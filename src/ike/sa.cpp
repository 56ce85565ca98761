#include "ike/sa.hpp"

#include <fmt/format.h>

#include <algorithm>

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

std::string peer_text(const IkeSa& sa) {
  return sa.remote_id ? pki::to_text(*sa.remote_id) : std::string{};
}

}  // namespace

void Context::done(RequestId request, bool success, std::string error) {
  if (request.value() == 0) return;
  emit(event::CommandDone{.request = request, .success = success, .error = std::move(error)});
}

// --- messages ------------------------------------------------------------------------------------

void trace(const IkeSa& sa, Context& cx, std::string_view verb, const wire::Header& header,
           const std::vector<wire::Payload>& payloads) {
  if (!cx.config.trace_messages) return;
  cx.emit(event::Note{
      .sa = sa.id,
      .connection = sa.connection.name,
      .level = 2,
      .text = fmt::format("{} {:<15} #{} {:<8}  {}", verb, cygnet::to_string(header.exchange),
                          header.id.value(), header.response ? "response" : "request",
                          wire::summary(payloads, header.response))});
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
  trace(sa, cx, "send", header, request.payloads);
  auto datagrams = seal_message(cx.crypto, cx.rng, *keys, header, request.payloads,
                                fragment_rule(sa, cx.config));
  if (!datagrams) {
    return fail(sa, cx, {.phase = to_string(request.exchange), .ours = datagrams.error().text()});
  }
  transmit(sa, cx, *datagrams);
  sa.window.request_sent(*std::move(datagrams), cx.now, cx.config);
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
  trace(sa, cx, "send", header, payloads);
  auto datagrams =
      seal_message(cx.crypto, cx.rng, *keys, header, payloads, fragment_rule(sa, cx.config));
  if (!datagrams) {
    return fail(sa, cx, {.phase = to_string(header.exchange), .ours = datagrams.error().text()});
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
  if (sa.is_closed() || sa.tasks.size() >= kTasksMax) {
    const std::string why = sa.is_closed() ? "the IKE_SA is closed" : "too many queued exchanges";
    std::visit([&](auto& dropped) { dropped.abandon(cx, why); }, task);
    return;
  }
  sa.tasks.push_back(std::move(task));
  start_next(sa, cx);
}

void start_next(IkeSa& sa, Context& cx) {
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

void take_response(IkeSa& sa, Context& cx, const std::vector<wire::Payload>& reply) {
  sa.window.response_taken();
  if (CYG_BUG(!sa.active)) return;
  Task task = *std::move(sa.active);
  sa.active.reset();
  const Step step =
      std::visit([&](auto& current) { return current.on_response(sa, reply, cx); }, task);
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
  cx.emit(event::IkeUp{.sa = sa.id, .connection = sa.connection.name});
}

void drop_child(IkeSa& sa, Context& cx, model::ChildId id, const std::string& why) {
  Child* child = sa.children.find(id);
  if (child == nullptr) return;
  if (child->successor) {
    // Packets the peer sealed before it switched are still under way.
    sa.lingering.push_back({.at = cx.now + kRekeyedLinger, .child = id, .spi_in = child->spi_in});
  } else {
    cx.out.emplace_back(action::Remove{.child = id});
    cx.shared.spis.give_back(child->spi_in);
    cx.emit(event::ChildDown{.sa = sa.id,
                             .child = id,
                             .connection = sa.connection.name,
                             .name = child->wanted.name,
                             .why = why});
  }
  sa.children.erase(id);
}

void close(IkeSa& sa, Context& cx, const std::string& why) {
  if (sa.is_closed()) return;
  const bool was_up = sa.is_established();
  while (!sa.children.all().empty()) drop_child(sa, cx, sa.children.all().front().id, why);
  for (const IkeSa::Lingering& old : sa.lingering) {
    cx.out.emplace_back(action::Remove{.child = old.child});
    cx.shared.spis.give_back(old.spi_in);
  }
  sa.lingering.clear();
  if (const auto* sent = std::get_if<AwaitAuthReply>(&sa.state); sent != nullptr && sent->spi_in) {
    cx.shared.spis.give_back(*sent->spi_in);
  }
  if (const auto* judged = std::get_if<JudgeResponder>(&sa.state);
      judged != nullptr && judged->sent.spi_in) {
    cx.shared.spis.give_back(*judged->sent.spi_in);
  }
  if (!sa.local_vips.empty() && !sa.replaced) {
    cx.emit(event::VirtualIpsGone{
        .sa = sa.id, .connection = sa.connection.name, .addresses = sa.local_vips});
  }
  if (sa.leased && !sa.replaced) cx.out.emplace_back(ask::Release{.sa = sa.id});
  sa.state = Closed{};
  if (sa.active) std::visit([&](auto& task) { task.abandon(cx, why); }, *sa.active);
  sa.active.reset();
  for (Task& task : sa.tasks) std::visit([&](auto& t) { t.abandon(cx, why); }, task);
  for (IkeSa::Delayed& later : sa.delayed) {
    std::visit([&](auto& t) { t.abandon(cx, why); }, later.task);
  }
  sa.tasks.clear();
  sa.delayed.clear();
  cx.done(std::exchange(sa.first_request, RequestId{}), false, why);
  if (was_up && !sa.replaced) {
    cx.emit(event::IkeDown{.sa = sa.id, .connection = sa.connection.name, .why = why});
  }
}

void report(const IkeSa& sa, Context& cx, FailureRecord record) {
  record.at = cx.now;
  record.local = sa.local;
  record.remote = sa.remote;
  if (record.connection.empty()) record.connection = sa.connection.name;
  if (record.remote_identity.empty()) record.remote_identity = peer_text(sa);
  record.initiator = sa.initiator;
  cx.emit(event::Failed{.record = std::move(record)});
}

void fail(IkeSa& sa, Context& cx, FailureRecord record) {
  FailureRecord described = record;
  described.local = sa.local;
  described.remote = sa.remote;
  described.connection = sa.connection.name;
  described.remote_identity = peer_text(sa);
  described.initiator = sa.initiator;
  report(sa, cx, std::move(record));
  close(sa, cx, described.line());
}

// --- the clock
// -------------------------------------------------------------------------------------

namespace {

void lose_peer(IkeSa& sa, Context& cx) {
  const std::vector<Child> children = [&] {
    std::vector<Child> copy;
    for (const Child& child : sa.children.all()) {
      if (!child.successor) copy.push_back({.id = child.id, .wanted = child.wanted});
    }
    return copy;
  }();
  const std::string connection = sa.connection.name;
  const bool was_up = sa.is_established();
  fail(sa, cx,
       {.phase = was_up ? "liveness" : "IKE_SA_INIT",
        .reason = Reason::no_response,
        .field = "remote_addrs",
        .theirs = "no answer",
        .advice = was_up ? "the peer is gone or unreachable"
                         : "check the address, and that UDP 500 and 4500 reach the peer"});
  if (!was_up) return;
  for (const Child& child : children) {
    if (child.wanted.dpd_action == model::ChildAction::start) {
      cx.emit(event::WantUp{
          .connection = connection, .child = child.wanted.name, .why = "the peer was dead"});
    }
  }
}

void tick_children(IkeSa& sa, Context& cx) {
  std::vector<model::ChildId> expired;
  std::vector<model::ChildId> due;
  for (Child& child : sa.children.all()) {
    if (child.expires_at && *child.expires_at <= cx.now) {
      if (!child.deleting) expired.push_back(child.id);
      child.deleting = true;
      child.expires_at.reset();
    } else if (child.rekey_at && *child.rekey_at <= cx.now) {
      child.rekey_at.reset();
      if (!child.rekeying && !child.deleting && !child.successor) due.push_back(child.id);
    }
  }
  for (const model::ChildId id : due) {
    if (Child* child = sa.children.find(id)) child->rekeying = true;
    enqueue(sa, cx, RekeyChild{.old = id});
  }
  if (!expired.empty()) {
    enqueue(sa, cx, DeleteChildren{.children = std::move(expired), .why = "lifetime expired"});
  }
}

void tick_lingering(IkeSa& sa, Context& cx) {
  std::erase_if(sa.lingering, [&](const IkeSa::Lingering& old) {
    if (old.at > cx.now) return false;
    cx.out.emplace_back(action::Remove{.child = old.child});
    cx.shared.spis.give_back(old.spi_in);
    return true;
  });
}

void tick_delayed(IkeSa& sa, Context& cx) {
  std::vector<Task> due;
  std::erase_if(sa.delayed, [&](IkeSa::Delayed& later) {
    if (later.at > cx.now) return false;
    due.push_back(std::move(later.task));
    return true;
  });
  for (Task& task : due) enqueue(sa, cx, std::move(task));
}

bool behind_nat_with_children(const IkeSa& sa, const EngineConfig& config) {
  return sa.nat_local && sa.local.port == config.natt_port && sa.is_established() &&
         config.keepalive > Duration{0};
}

std::optional<Instant> liveness_due(const IkeSa& sa) {
  const bool wanted = sa.is_established() && sa.connection.dpd_delay > Duration{0} &&
                      sa.window.idle() && !sa.active && sa.tasks.empty();
  if (!wanted) return std::nullopt;
  return sa.last_inbound + sa.connection.dpd_delay;
}

void tick_established(IkeSa& sa, Context& cx) {
  tick_children(sa, cx);
  if (sa.expires_at && *sa.expires_at <= cx.now) {
    sa.expires_at.reset();
    sa.rekey_at.reset();
    enqueue(sa, cx, DeleteIke{.why = "lifetime expired"});
  } else if (sa.rekey_at && *sa.rekey_at <= cx.now) {
    sa.rekey_at.reset();
    enqueue(sa, cx, RekeyIke{});
  }
  if (const auto due = liveness_due(sa); due && *due <= cx.now) enqueue(sa, cx, Liveness{});
  if (behind_nat_with_children(sa, cx.config) && sa.last_outbound + cx.config.keepalive <= cx.now) {
    sa.last_outbound = cx.now;
    cx.out.emplace_back(action::Keepalive{.local = sa.local, .remote = sa.remote});
  }
}

}  // namespace

void tick(IkeSa& sa, Context& cx) {
  if (sa.is_closed()) return;
  const Window::Retransmission repeat = sa.window.retransmit(cx.now, cx.config);
  if (repeat.gave_up) return lose_peer(sa, cx);
  if (!repeat.datagrams.empty()) transmit(sa, cx, repeat.datagrams);

  if (sa.half_open_until && *sa.half_open_until <= cx.now) {
    return fail(sa, cx,
                {.phase = "IKE_AUTH",
                 .reason = Reason::no_response,
                 .theirs = "no IKE_AUTH in time",
                 .advice = "if this repeats, the peer's packets to UDP 4500 are lost"});
  }
  if (sa.linger_until && *sa.linger_until <= cx.now) return close(sa, cx, "replaced");
  tick_lingering(sa, cx);
  tick_delayed(sa, cx);
  if (sa.is_established() && !sa.replaced) tick_established(sa, cx);
}

std::optional<Deadline> deadline(const IkeSa& sa, const EngineConfig& config) {
  std::optional<Deadline> first;
  const auto consider = [&first](std::optional<Instant> at, WakeReason reason) {
    if (at && (!first || *at < first->at)) first = Deadline{.at = *at, .reason = reason};
  };
  if (sa.is_closed()) return std::nullopt;
  consider(sa.window.deadline(), WakeReason::retransmit);
  consider(sa.half_open_until, WakeReason::half_open);
  consider(sa.linger_until, WakeReason::expire_ike);
  for (const IkeSa::Lingering& old : sa.lingering) consider(old.at, WakeReason::expire_child);
  for (const IkeSa::Delayed& later : sa.delayed) consider(later.at, WakeReason::retry);
  if (!sa.is_established() || sa.replaced) return first;
  for (const Child& child : sa.children.all()) {
    consider(child.rekey_at, WakeReason::rekey_child);
    consider(child.expires_at, WakeReason::expire_child);
  }
  consider(sa.rekey_at, WakeReason::rekey_ike);
  consider(sa.expires_at, WakeReason::expire_ike);
  consider(liveness_due(sa), WakeReason::liveness);
  if (behind_nat_with_children(sa, config)) {
    consider(sa.last_outbound + config.keepalive, WakeReason::keepalive);
  }
  return first;
}

// --- small readers of payload lists
// ----------------------------------------------------------------

const wire::NotifyPayload* find_notify(const std::vector<wire::Payload>& payloads,
                                       NotifyType type) {
  for (const wire::Payload& payload : payloads) {
    const auto* notify = std::get_if<wire::NotifyPayload>(&payload);
    if (notify != nullptr && notify->type == type) return notify;
  }
  return nullptr;
}

const wire::NotifyPayload* find_error(const std::vector<wire::Payload>& payloads) {
  for (const wire::Payload& payload : payloads) {
    const auto* notify = std::get_if<wire::NotifyPayload>(&payload);
    if (notify != nullptr && is_error(notify->type)) return notify;
  }
  return nullptr;
}

const wire::IdPayload* find_id(const std::vector<wire::Payload>& payloads, bool initiator) {
  for (const wire::Payload& payload : payloads) {
    const auto* id = std::get_if<wire::IdPayload>(&payload);
    if (id != nullptr && id->initiator == initiator) return id;
  }
  return nullptr;
}

const wire::TsPayload* find_ts(const std::vector<wire::Payload>& payloads, bool initiator) {
  for (const wire::Payload& payload : payloads) {
    const auto* ts = std::get_if<wire::TsPayload>(&payload);
    if (ts != nullptr && ts->initiator == initiator) return ts;
  }
  return nullptr;
}

}  // namespace cygnet::ike
