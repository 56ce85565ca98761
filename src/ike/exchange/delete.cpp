#include "ike/exchange/delete.hpp"

#include <algorithm>

#include "ike/exchange/rekey_child.hpp"
#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

/// Our own Delete of this child has been sent and is not answered.
bool delete_under_way(const IkeSa& sa, model::ChildId id) {
  const auto* active = sa.active ? std::get_if<DeleteChildren>(&*sa.active) : nullptr;
  return active != nullptr && std::ranges::find(active->children, id) != active->children.end();
}

/// A request of ours that may have made children at the peer already.
bool creating(const IkeSa& sa) {
  return sa.active && (std::holds_alternative<CreateChild>(*sa.active) ||
                       std::holds_alternative<RekeyChild>(*sa.active));
}

/// The peer deleted this child: its successor, if any, takes over sending.
void end_by_peer(IkeSa& sa, Context& cx, model::ChildId id) {
  Child* child = sa.children.find(id);
  if (child == nullptr) return;
  if (!child->successor && reply_to_delete(child->race, sa.initiator) == Survivor::theirs) {
    // While our own rekey of it is under way the peer's has won: ours will be redundant.
    if (child->their_fresh) succeed(sa, cx, id, *child->their_fresh);
    auto* ours = sa.active ? std::get_if<RekeyChild>(&*sa.active) : nullptr;
    if (ours != nullptr && ours->old == id) ours->superseded = true;
  }
  // The peer's new child of a race that is open here: it has lost, or nobody wants it any more.
  // Either way the old child's race goes on without it.
  for (Child& old : sa.children.all()) {
    if (old.their_fresh != id || old.successor) continue;
    old.their_fresh.reset();
    old.race.their_attempt.reset();
    child->redundant = true;
  }
  const model::ChildTemplate wanted = child->wanted;
  const bool replaced = !child->is_current();
  drop_child(sa, cx, id, "deleted by the peer");
  const bool twin = std::ranges::any_of(sa.children.all(), [&](const Child& other) {
    return other.is_current() && other.wanted.name == wanted.name;
  });
  if (!replaced && !twin) follow_up(sa, cx, wanted, wanted.close_action, "the peer deleted it");
}

}  // namespace

std::optional<Request> DeleteChildren::build(IkeSa& sa, Context& cx) {
  for (const Child& child : sa.children.all()) {
    if (!named.empty() && child.wanted.name == named && child.is_current()) {
      children.push_back(child.id);
    }
  }
  for (std::size_t i = 0; for_good && i < children.size(); ++i) {
    const Child* child = sa.children.find(children[i]);
    if (child != nullptr && child->successor) children.push_back(*child->successor);
  }
  wire::DeletePayload payload{.protocol = ProtocolId::esp, .spis = orphans};
  for (const model::ChildId id : children) {
    if (Child* child = sa.children.find(id)) {
      child->race.deleting = true;
      payload.spis.push_back(child->spi_in);
    }
  }
  if (payload.spis.empty()) {
    cx.done(std::exchange(request, RequestId{}), true);
    return std::nullopt;
  }
  return Request{.exchange = ExchangeType::informational, .payloads = {std::move(payload)}};
}

Step DeleteChildren::on_response(IkeSa& sa, const std::vector<wire::Payload>&, Context& cx) {
  for (const model::ChildId id : children) drop_child(sa, cx, id, why);
  for (const EspSpi spi : orphans) cx.shared.spis.give_back(spi);
  cx.done(std::exchange(request, RequestId{}), true);
  return Done{};
}

void DeleteChildren::abandon(Context& cx, const std::string&) {
  // The SA is closing, and the children with it: what was asked for has happened.
  for (const EspSpi spi : orphans) cx.shared.spis.give_back(spi);
  cx.done(std::exchange(request, RequestId{}), true);
}

std::optional<Request> DeleteIke::build(IkeSa&, Context&) {
  return Request{.exchange = ExchangeType::informational,
                 .payloads = {wire::DeletePayload{.protocol = ProtocolId::ike}}};
}

Step DeleteIke::on_response(IkeSa& sa, const std::vector<wire::Payload>&, Context& cx) {
  close(sa, cx, why);
  cx.done(std::exchange(request, RequestId{}), true);
  return Done{};
}

void DeleteIke::abandon(Context& cx, const std::string&) {
  cx.done(std::exchange(request, RequestId{}), true);
}

void expire_child(IkeSa& sa, Context& cx, model::ChildId id, const std::string& why) {
  Child* child = sa.children.find(id);
  if (child == nullptr || child->race.deleting) return;
  if (child->successor) {
    // Whoever made the successor deletes it: the peer is late with that, our own Delete is queued.
    if (child->successor == child->their_fresh) drop_child(sa, cx, id, why);
    return;
  }
  const bool again = child->is_current() && child->wanted.stays_up();
  child->expired = child->is_current();
  child->race.deleting = true;
  if (again) {
    // A copy: the queue may grow the table.
    model::ChildTemplate wanted = child->wanted;
    enqueue(sa, cx, CreateChild{.wanted = std::move(wanted)});
  }
  enqueue(sa, cx, DeleteChildren{.children = {id}, .why = why});
}

void delete_orphan(IkeSa& sa, Context& cx, std::optional<EspSpi>& spi_in) {
  if (!spi_in) return;
  enqueue(sa, cx,
          DeleteChildren{.children = {},
                         .why = "its answer did not fit",
                         .orphans = {*std::exchange(spi_in, std::nullopt)}});
}

DeleteAnswer answer_delete(IkeSa& sa, const std::vector<wire::Payload>& request, Context& cx) {
  DeleteAnswer out;
  wire::DeletePayload answer{.protocol = ProtocolId::esp};
  for (const wire::Payload& payload : request) {
    const auto* del = std::get_if<wire::DeletePayload>(&payload);
    if (del == nullptr) continue;
    if (del->protocol == ProtocolId::ike) {
      out.ike = true;
      continue;
    }
    if (del->protocol != ProtocolId::esp) continue;
    for (const EspSpi spi : del->spis) {
      Child* child = sa.children.find_by_spi_out(spi);
      if (child == nullptr) {
        // Unknown, the other half of a crossing delete, or made by a request of ours whose answer
        // has not come yet.
        if (creating(sa) && sa.early_deletes.size() < kEarlyDeletesMax) {
          sa.early_deletes.push_back(spi);
        }
        continue;
      }
      //= RFC7296#1.4.1 "In that case, the responses MUST NOT include Delete payloads for the
      //=                deleted SAs, since that would result in duplicate deletion"
      if (!delete_under_way(sa, child->id)) answer.spis.push_back(child->spi_in);
      end_by_peer(sa, cx, child->id);
    }
  }
  if (!out.ike && !answer.spis.empty()) out.payloads.push_back(std::move(answer));
  return out;
}

}  // namespace cygnet::ike
