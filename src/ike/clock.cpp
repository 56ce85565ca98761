// What time makes due for one IKE_SA: retransmission, lifetimes, liveness.   RFC 7296 §2.1, §2.4,
// §2.8
#include <fmt/format.h>

#include <algorithm>

#include "ike/child_sa.hpp"
#include "ike/exchange/delete.hpp"
#include "ike/exchange/mobike.hpp"
#include "ike/limits.hpp"
#include "ike/sa.hpp"

namespace cygnet::ike {
namespace {

/// The peer has answered nothing, or nothing more.
FailureRecord silence(const IkeSa& sa) {
  FailureRecord out{.phase = "liveness",
                    .reason = Reason::no_response,
                    .field = "remote_addrs",
                    .theirs = "no answer",
                    .advice = "the peer is gone or unreachable"};
  if (sa.is_established()) return out;
  if (!std::holds_alternative<AwaitInitReply>(sa.state)) {
    out.phase = "IKE_AUTH";
    out.field = fmt::format("UDP {}", sa.remote.port);
    out.theirs = "no answer, though it answered IKE_SA_INIT";
    out.advice = fmt::format(
        "let UDP {} through every firewall on the way, and IP fragments (certificates make large "
        "datagrams) or allow fragmentation",
        sa.remote.port);
    return out;
  }
  out.phase = "IKE_SA_INIT";
  if (sa.connection.remote_port == kPeerIkePort) {
    out.advice = "check the address, and that UDP 500 and 4500 reach the peer";
    return out;
  }
  out.field = "remote_addrs, remote_port";
  out.ours = fmt::format("remote_port = {}", sa.connection.remote_port);
  out.advice = fmt::format(
      "IKE listens on UDP {}: leave remote_port out, or see that UDP {} reaches the peer",
      kPeerIkePort, sa.connection.remote_port);
  return out;
}

void lose_peer(IkeSa& sa, Context& cx) {
  const std::vector<model::ChildTemplate> children = lost_children(sa);
  const bool was_up = sa.is_established();
  if (!sa.is_current()) return close(sa, cx, "outlived");
  auto* first = std::get_if<AwaitInitReply>(&sa.state);
  if (first != nullptr && first->refusal) return fail(sa, cx, *std::move(first->refusal));
  fail(sa, cx, silence(sa));
  if (!was_up) return;
  for (const model::ChildTemplate& child : children) {
    follow_up(sa, cx, child, child.dpd_action, "the peer was dead");
  }
}

void tick_children(IkeSa& sa, Context& cx) {
  std::vector<model::ChildId> expired;
  std::vector<model::ChildId> due;
  for (Child& child : sa.children.all()) {
    if (child.activate_at && *child.activate_at <= cx.now) activate_child(sa, cx, child);
    if (child.idle_check_at && *child.idle_check_at <= cx.now) {
      child.idle_check_at.reset();
      if (child.is_current()) ask_use(sa, cx, child, child.id);
    }
    if (child.expires_at && *child.expires_at <= cx.now) {
      child.expires_at.reset();
      if (!child.race.deleting) expired.push_back(child.id);
    } else if (child.rekey_at && *child.rekey_at <= cx.now) {
      child.rekey_at.reset();
      if (!child.rekeying && child.is_current()) due.push_back(child.id);
    }
  }
  for (const model::ChildId id : due) {
    if (Child* child = sa.children.find(id)) child->rekeying = true;
    enqueue(sa, cx, RekeyChild{.old = id});
  }
  for (const model::ChildId id : expired) expire_child(sa, cx, id, "lifetime expired");
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
  if (sa.retirement && sa.retirement->at <= cx.now) {
    enqueue(sa, cx, DeleteIke{.why = std::exchange(sa.retirement, std::nullopt)->why});
  }
  std::vector<Task> due;
  std::erase_if(sa.delayed, [&](IkeSa::Delayed& later) {
    if (later.at > cx.now) return false;
    due.push_back(std::move(later.task));
    return true;
  });
  for (Task& task : due) enqueue(sa, cx, std::move(task));
}

bool needs_keepalives(const IkeSa& sa, const EngineConfig& config) {
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
    end_and_want_again(sa, cx, "lifetime expired");
  } else if (sa.rekey_at && *sa.rekey_at <= cx.now) {
    sa.rekey_at.reset();
    enqueue(sa, cx, RekeyIke{});
  }
  if (sa.reauth_at && *sa.reauth_at <= cx.now) {
    // Tried again should it fail; when it succeeds this IKE_SA is gone by then.
    sa.reauth_at = cx.now + kReauthRetry;
    cx.emit(event::WantReauth{
        .sa = sa.id, .connection = sa.connection.name, .remote = sa.remote.address});
  }
  if (const auto due = liveness_due(sa); due && *due <= cx.now) enqueue(sa, cx, Liveness{});
  if (needs_keepalives(sa, cx.config) && sa.last_outbound + cx.config.keepalive <= cx.now) {
    sa.last_outbound = cx.now;
    cx.out.emplace_back(action::Keepalive{.local = sa.local, .remote = sa.remote});
  }
}

}  // namespace

void tick(IkeSa& sa, Context& cx) {
  if (sa.is_closed()) return;  // once its linger_until is over the engine forgets it
  const Window::Retransmission repeat = sa.window.retransmit(cx.now);
  if (repeat.gave_up) return lose_peer(sa, cx);
  if (!repeat.datagrams.empty()) {
    transmit(sa, cx, repeat.datagrams);
    if (sa.window.transmissions() > kPathTries) seek_path(sa, cx);
  }

  if (sa.half_open_until && *sa.half_open_until <= cx.now) {
    return fail(sa, cx,
                {.phase = "IKE_AUTH",
                 .reason = Reason::no_response,
                 .theirs = "no IKE_AUTH in time",
                 .advice = "if this repeats, the peer's packets to UDP 4500 are lost"});
  }
  if (sa.linger_until && *sa.linger_until <= cx.now) return close(sa, cx, "outlived");
  tick_lingering(sa, cx);
  tick_delayed(sa, cx);
  if (sa.is_established() && sa.is_current()) tick_established(sa, cx);
}

std::optional<Deadline> deadline(const IkeSa& sa, const EngineConfig& config) {
  std::optional<Deadline> first;
  const auto consider = [&first](std::optional<Instant> at, WakeReason reason) {
    if (at && (!first || *at < first->at)) first = Deadline{.at = *at, .reason = reason};
  };
  if (sa.is_closed()) {
    consider(sa.linger_until, WakeReason::expire_ike);
    return first;
  }
  consider(sa.window.deadline(), WakeReason::retransmit);
  consider(sa.half_open_until, WakeReason::half_open);
  consider(sa.linger_until, WakeReason::expire_ike);
  for (const IkeSa::Lingering& old : sa.lingering) consider(old.at, WakeReason::expire_child);
  for (const IkeSa::Delayed& later : sa.delayed) consider(later.at, WakeReason::retry);
  if (sa.retirement) consider(sa.retirement->at, WakeReason::expire_ike);
  if (!sa.is_established() || !sa.is_current()) return first;
  for (const Child& child : sa.children.all()) {
    consider(child.rekey_at, WakeReason::rekey_child);
    consider(child.activate_at, WakeReason::rekey_child);
    consider(child.idle_check_at, WakeReason::inactivity);
    consider(child.expires_at, WakeReason::expire_child);
  }
  consider(sa.rekey_at, WakeReason::rekey_ike);
  consider(sa.expires_at, WakeReason::expire_ike);
  consider(sa.reauth_at, WakeReason::retry);
  consider(liveness_due(sa), WakeReason::liveness);
  if (needs_keepalives(sa, config)) {
    consider(sa.last_outbound + config.keepalive, WakeReason::keepalive);
  }
  return first;
}

}  // namespace cygnet::ike
