// The engine's tables: who is there, who stays, whose turn is next.   RFC 7296 §2.4, §2.8, §2.25
#include <fmt/format.h>

#include <algorithm>

#include "ike/child_sa.hpp"
#include "ike/engine_impl.hpp"
#include "ike/exchange/rekey_ike.hpp"
#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

/// Another IKE_SA between the same two ends.
bool has_same_ends(const IkeSa& other, const IkeSa& sa) {
  return other.id != sa.id && other.connection.name == sa.connection.name &&
         other.remote_id == sa.remote_id && other.local_id == sa.local_id;
}

/// Another IKE_SA that counts between the same two ends.
bool is_twin(const IkeSa& other, const IkeSa& sa) {
  return other.is_established() && other.is_current() && has_same_ends(other, sa);
}

/// Its peer has started anew since it last spoke on that one (RFC 7296 §2.4).
bool is_stale(const IkeSa& other, const IkeSa& fresh) {
  return fresh.connection.unique != model::Uniqueness::never && fresh.initial_contact &&
         !fresh.first_initiator && other.last_inbound < fresh.born;
}

}  // namespace

std::size_t Engine::Impl::undeleted_kin(const IkeSa& sa) const {
  // Not from parent to parent: a peer that deletes one in the middle would hide those before it.
  const auto is_kin = [&sa](const auto& entry) {
    const IkeSa& other = entry.second;
    return other.id != sa.id && !other.is_closed() && other.row() == sa.row();
  };
  return static_cast<std::size_t>(std::ranges::count_if(sas, is_kin));
}

void Engine::Impl::adopt(IkeSa sa) {
  attention.push_back(sa.id);
  by_spi[sa.our_spi()] = sa.id;
  const SaId id = sa.id;
  sas.emplace(id, std::move(sa));
}

IkeSa* Engine::Impl::find_by_spi(IkeSpi ours) {
  const auto at = by_spi.find(ours);
  if (at == by_spi.end()) return nullptr;
  attention.push_back(at->second);
  return &sas.at(at->second);
}

IkeSa* Engine::Impl::owner_of(model::ChildId child) {
  for (auto& [id, sa] : sas) {
    if (sa.children.find(child) == nullptr) continue;
    attention.push_back(id);
    return &sa;
  }
  return nullptr;
}

bool Engine::Impl::carried_already(const IkeSa& sa) const {
  if (sa.connection.unique == model::Uniqueness::never) return false;
  return std::ranges::any_of(sas, [&](const auto& entry) {
    return is_twin(entry.second, sa) && !entry.second.children.all().empty();
  });
}

bool Engine::Impl::is_crowded(const IkeSa& sa) const {
  const auto stays = [&sa](const auto& entry) {
    const IkeSa& other = entry.second;
    if (!has_same_ends(other, sa)) return false;
    // Those that are outlived or being deleted count as well: whether they go is up to the peer.
    if (other.is_established()) return !other.is_current() || !is_stale(other, sa);
    return std::holds_alternative<LeaseAddresses>(other.state);
  };
  return std::ranges::count_if(sas, stays) >= static_cast<std::ptrdiff_t>(kTwinsMax);
}

/// The peer ends an IKE_SA that it has reauthenticated: the new one's children, which would wait
/// for a first packet before they send, carry from now on.
void Engine::Impl::carry_instead_of(const IkeSa& ending, Context& cx) {
  for (auto& [id, sa] : sas) {
    if (!is_twin(sa, ending)) continue;
    cx.attention.push_back(id);
    sa.reauthenticates = false;
    for (Child& child : sa.children.all()) {
      if (child.activate_at) activate_child(sa, cx, child);
    }
  }
}

//= RFC7296#2.4 "The INITIAL_CONTACT notification asserts that this IKE SA is the only IKE SA
//=              currently active between the authenticated identities."
bool Engine::Impl::first_contact(const IkeSa& sa) const {
  return sa.connection.unique != model::Uniqueness::never &&
         std::ranges::none_of(sas, [&sa](const auto& entry) {
           const IkeSa& other = entry.second;
           return other.is_established() && other.is_current() &&
                  other.connection.local.id == sa.connection.local.id &&
                  other.connection.remote.id == sa.connection.remote.id;
         });
}

/// RFC 7296 §2.4 and `unique`: a peer that starts anew replaces its old IKE_SAs, and of two that
/// both ends started at once only one stays.
void Engine::Impl::enforce_uniqueness(IkeSa& fresh, Context& cx) {
  const model::Uniqueness rule = fresh.connection.unique;
  if (rule == model::Uniqueness::never) return;
  const bool contact = fresh.initial_contact && !fresh.first_initiator;
  for (auto& [id, other] : sas) {
    if (!is_twin(other, fresh)) continue;
    if (is_stale(other, fresh)) {
      close(other, cx, "the peer started anew (INITIAL_CONTACT)");
      continue;
    }
    // What goes already needs no second end: a peer that comes again and again would pile them up.
    if (is_ending(other)) continue;
    cx.attention.push_back(id);
    if (other.first_initiator != fresh.first_initiator && other.connection.vips.empty() &&
        other.connection.pools.empty()) {
      keep_one(fresh.first_initiator ? fresh : other, fresh.first_initiator ? other : fresh, cx);
    } else if (!contact && rule == model::Uniqueness::replace && fresh.reauthenticates) {
      // Its initiator lets it go once the new one has all its children.
      if (!other.retirement) {
        other.retirement = {.at = cx.now + kReplacedGrace, .why = "the peer connected again"};
      }
    } else if (contact || (rule == model::Uniqueness::replace && !fresh.first_initiator)) {
      other.doomed = "the peer connected again";
    } else if (rule == model::Uniqueness::keep && !fresh.first_initiator) {
      fresh.doomed = "unique = keep: this peer is connected already";
      return;
    }
  }
}

/// Both ends connected at once. As after crossing rekeys the IKE_SA with the lowest nonce goes,
/// deleted by its initiator, who first moves what only that one has (RFC 7296 §2.8.1).
void Engine::Impl::keep_one(IkeSa& ours, IkeSa& theirs, Context& cx) {
  if (judge(ours.attempt, theirs.attempt, true) != RaceVerdict::theirs_survives) return;
  for (const Child& child : ours.children.all()) {
    const bool there = std::ranges::any_of(theirs.children.all(), [&](const Child& other) {
      return other.is_current() && other.wanted.name == child.wanted.name;
    });
    if (child.is_current() && !there) enqueue(theirs, cx, CreateChild{.wanted = child.wanted});
  }
  ours.doomed = "both ends connected at once";
}

void Engine::Impl::take_over(IkeSa& old, IkeSa& fresh, Context& cx) {
  hand_over(old, fresh, cx);
  // Whoever was to replace the old one by reauthentication replaces its successor.
  for (auto& [id, sa] : sas) {
    if (sa.instead_of != old.id) continue;
    sa.instead_of = fresh.id;
    cx.attention.push_back(id);
  }
}

/// What a rekey of this IKE_SA has led to, once that is certain (race.hpp).
void Engine::Impl::settle_race(IkeSa& sa, Context& cx) {
  const auto fresh_of = [this](const std::optional<SaId>& id) -> IkeSa* {
    const auto at = id ? sas.find(*id) : sas.end();
    return at == sas.end() || at->second.is_closed() ? nullptr : &at->second;
  };
  IkeSa* ours = fresh_of(sa.our_fresh);
  IkeSa* theirs = fresh_of(sa.their_fresh);
  if (sa.is_current()) {
    // A new IKE_SA that its maker has deleted again has lost.
    if (sa.their_fresh && theirs == nullptr) {
      sa.their_fresh.reset();
      sa.race.their_attempt.reset();
    }
    switch (conclude(sa.race, sa.initiator)) {
      case Survivor::undecided:
      case Survivor::none:
        return;
      case Survivor::ours:
        if (ours == nullptr) return;
        take_over(sa, *ours, cx);
        if (theirs != nullptr) theirs->standing = Standing::outlived;
        return enqueue(sa, cx, DeleteIke{.why = "rekeyed"});  // whoever made the survivor does so
      case Survivor::theirs:
        if (theirs == nullptr) return;
        take_over(sa, *theirs, cx);
        break;
    }
  }
  if (ours != nullptr && ours->standing == Standing::undecided) {
    ours->standing = Standing::outlived;
    enqueue(*ours, cx, DeleteIke{.why = "redundant after a rekey race"});
  }
}

/// Make before break: once a reauthenticated IKE_SA has its children, the old one goes, after the
/// packets that are under way. What the new one was refused goes with the old one.
void Engine::Impl::retire_old(IkeSa& fresh, Context& cx) {
  const bool ready = fresh.is_established() && fresh.is_current() && !fresh.active &&
                     fresh.tasks.empty() && fresh.delayed.empty() && fresh.doomed.empty() &&
                     !fresh.retirement && !fresh.children.all().empty();
  if (!ready) return;
  const auto old = sas.find(fresh.instead_of);
  if (old == sas.end() || !old->second.is_established() || !old->second.is_current()) {
    fresh.instead_of = SaId{};
    return;
  }
  IkeSa& before = old->second;
  // What a rekey is making may be the peer's already, children and all: that one is to go then.
  if (before.active && std::holds_alternative<RekeyIke>(*before.active)) return;
  for (const model::ChildTemplate& child : current_children(before)) {
    if (std::ranges::find(fresh.asked, child.name) != fresh.asked.end()) continue;
    fresh.asked.push_back(child.name);  // made on the old one meanwhile
    enqueue(fresh, cx, CreateChild{.wanted = child});
  }
  if (fresh.active || !fresh.tasks.empty()) return;
  fresh.instead_of = SaId{};
  before.standing = Standing::outlived;
  for (Child& child : before.children.all()) {
    child.redundant = std::ranges::any_of(fresh.children.all(), [&child](const Child& other) {
      return other.wanted.name == child.wanted.name && other.is_current();
    });
  }
  before.retirement = {.at = cx.now + kRekeyedLinger, .why = "reauthenticated"};
  cx.attention.push_back(before.id);
  cx.emit(event::Note{.sa = fresh.id,
                      .connection = fresh.connection.name,
                      .text = fmt::format("reauthenticated, was [{}]", before.id.value())});
}

/// Keeps the tables in step with one IKE_SA that may have changed.
void Engine::Impl::look_after(SaId id, Context& cx) {
  const auto at = sas.find(id);
  if (at == sas.end()) return;
  IkeSa& sa = at->second;
  settle_race(sa, cx);
  if (!sa.ends_bare.empty() && sa.is_established() && creations(sa).empty()) {
    std::string why = std::exchange(sa.ends_bare, {});
    if (sa.children.all().empty()) sa.doomed = std::move(why);
  }
  if (!sa.doomed.empty() && sa.is_established()) {
    end_ike(sa, cx, DeleteIke{.why = std::exchange(sa.doomed, {})});
  }
  start_next(sa, cx);
  if (sa.instead_of != SaId{}) retire_old(sa, cx);
  if (sa.counted_half_open && !sa.is_half_open()) {
    sa.counted_half_open = false;
    half_open.remove(sa.init_remote, sa.spi_i);
  }
  if (sa.alarm) alarms.erase({*sa.alarm, id});
  sa.alarm.reset();
  if (sa.is_closed() && (!sa.linger_until || *sa.linger_until <= cx.now)) {
    std::erase(closed, id);
    by_spi.erase(sa.our_spi());
    sas.erase(at);
    return;
  }
  if (sa.is_closed() && std::ranges::find(closed, id) == closed.end()) {
    closed.push_back(id);
    if (closed.size() > kClosedLingerMax) {
      sas.at(closed.front()).linger_until.reset();
      attention.push_back(closed.front());
      closed.pop_front();
    }
  }
  if (const auto deadline = ike::deadline(sa, shared.config)) {
    sa.alarm = deadline->at;
    alarms.insert({deadline->at, id});
  }
}

void Engine::Impl::settle(Context& cx) {
  while (!born.empty() || !attention.empty()) {
    for (IkeSa& sa : std::exchange(born, {})) adopt(std::move(sa));
    for (const SaId id : std::exchange(attention, {})) look_after(id, cx);
  }
  if (!shutting_down) return;
  const bool quiet =
      std::ranges::all_of(sas, [](const auto& entry) { return entry.second.is_closed(); });
  if (quiet) {
    shutting_down = false;
    cx.emit(event::Quiet{});
  }
}

}  // namespace cygnet::ike
