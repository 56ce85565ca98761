#include "ike/select.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ike/identity_advice.hpp"
#include "pki/identity.hpp"

namespace cygnet::ike {
namespace {

std::string text_of(const std::vector<model::AddressPattern>& patterns) {
  std::string out;
  for (const model::AddressPattern& pattern : patterns) {
    if (!out.empty()) out += ", ";
    if (std::holds_alternative<model::AnyAddress>(pattern)) {
      out += "%any";
    } else if (const auto* range = std::get_if<IpRange>(&pattern)) {
      out += range->text();
    } else {
      out += std::get<model::HostName>(pattern).name;
    }
  }
  return out;
}

/// What a connection is asked, in this order: the one that passes most is the nearest.
enum class Check : std::uint8_t { local_addrs, remote_addrs, proposals, local_id, remote_id, auth };

std::string_view field_of(Check check) {
  switch (check) {
    case Check::local_addrs:
      return "local_addrs";
    case Check::remote_addrs:
      return "remote_addrs";
    case Check::proposals:
      return "proposals";
    case Check::local_id:
      return "local.id";
    case Check::remote_id:
      return "remote.id";
    case Check::auth:
      return "remote.auth";
  }
  return "";
}

/// How well the addresses fit: the remote one counts first.
using AddressRank = std::pair<unsigned, unsigned>;

std::expected<AddressRank, Check> rank_addresses(const Connections::Terms& terms,
                                                 const Endpoint& local, const Endpoint& remote) {
  const unsigned ours = address_rank(terms.local_addrs, local.address);
  if (ours == 0) return std::unexpected(Check::local_addrs);
  const unsigned theirs = address_rank(terms.remote_addrs, remote.address);
  if (theirs == 0) return std::unexpected(Check::remote_addrs);
  return AddressRank{theirs, ours};
}

Candidate address_candidate(const model::Connection& connection, Check check, const Endpoint& local,
                            const Endpoint& remote) {
  const bool ours = check == Check::local_addrs;
  return {connection.name, std::string{field_of(check)},
          text_of(ours ? connection.local_addrs : connection.remote_addrs),
          (ours ? local : remote).address.text()};
}

/// How well a connection admits an authenticating peer.
struct AuthRank {
  AddressRank address;
  bool id_r = false;
  std::optional<pki::MatchRank> id_i;
  friend auto operator<=>(const AuthRank&, const AuthRank&) = default;
};

/// What of it a whole group has in common.
std::expected<AuthRank, Check> rank_terms(const Connections::Terms& terms, const AuthFacts& facts,
                                          const std::vector<model::Proposal>& agreed) {
  const auto address = rank_addresses(terms, facts.local, facts.remote);
  if (!address) return std::unexpected(address.error());
  if (!model::choose(terms.proposals, agreed)) return std::unexpected(Check::proposals);
  AuthRank rank{.address = *address};
  if (facts.id_r && terms.local_id) {
    if (!pki::match_identity(facts.id_r, *terms.local_id)) return std::unexpected(Check::local_id);
    rank.id_r = true;
  }
  return rank;
}

Candidate auth_candidate(const model::Connection& connection, Check check, const AuthFacts& facts,
                         const model::Proposal& agreed) {
  const auto with = [&](std::string ours, std::string theirs) {
    return Candidate{connection.name, std::string{field_of(check)}, std::move(ours),
                     std::move(theirs)};
  };
  switch (check) {
    case Check::local_addrs:
    case Check::remote_addrs:
      return address_candidate(connection, check, facts.local, facts.remote);
    case Check::proposals:
      return with(model::text_of(connection.proposals), agreed.text());
    case Check::local_id:
      return with(pki::to_text(connection.local.id), facts.id_r ? pki::to_text(*facts.id_r) : "");
    case Check::remote_id:
      return with(pki::to_text(connection.remote.id), pki::to_text(facts.id_i));
    case Check::auth:
      return with(std::string{to_string(connection.remote.method)},
                  std::string{to_string(facts.method)});
  }
  return with("", "");
}

/// A connection that was not the one, its place, and what it has failed.
struct Misfit {
  Check check{};
  std::uint64_t place = 0;
  const model::Connection* connection = nullptr;
};

/// As many as can be among the nearest.
void add_first(std::vector<Misfit>& to, const Connections::Members& members, Check check) {
  std::size_t room = kCandidatesMax;
  for (const auto& [place, connection] : members) {
    if (room-- == 0) return;
    to.push_back({check, place, connection});
  }
}

/// The nearest of them, in file order where they are equally near; thousands that are far away tell
/// nobody anything.
std::vector<Misfit> nearest_of(std::vector<Misfit> all) {
  std::ranges::sort(all, [](const Misfit& a, const Misfit& b) {
    return a.check != b.check ? a.check > b.check : a.place < b.place;
  });
  if (all.size() > kCandidatesMax) all.resize(kCandidatesMax);
  return all;
}

Reason reason_for(std::string_view field) {
  if (field == "remote.auth") return Reason::auth_method_mismatch;
  if (field == "proposals") return Reason::no_common_proposal;
  if (field == "remote.id" || field == "local.id") return Reason::identity_mismatch;
  return Reason::no_connection;
}

std::string advice_for(std::string_view field) {
  if (field == "remote.auth") return "use the same authentication (pubkey or psk) on both ends";
  if (field == "proposals") return "add a proposal that both ends list";
  if (field == "local_addrs")
    return "the peer has called an address that no connection has in its local_addrs: add it "
           "there, "
           "or let the peer call another";
  if (field == "remote_addrs")
    return "add the peer's address to a connection's remote_addrs, or leave them out for %any";
  return "no connection is loaded: add one that admits this peer";
}

/// Takes over what the nearest candidate says.
void describe(FailureRecord& record, const Candidate& nearest) {
  record.reason = reason_for(nearest.field);
  record.field = nearest.field;
  record.ours = nearest.ours;
  record.theirs = nearest.theirs;
  record.advice = advice_for(nearest.field);
}

/// A Windows that nobody has told its proposals offers this group alone.
bool offers_modp_1024_only(const std::vector<model::Proposal>& offers) {
  return std::ranges::all_of(offers, [](const model::Proposal& offer) {
    const std::vector<model::Transform> groups = offer.of(TransformType::ke);
    return !groups.empty() && std::ranges::all_of(groups, [](const model::Transform& one) {
      return static_cast<KeId>(one.id) == KeId::modp_1024;
    });
  });
}

std::string proposal_advice(const std::vector<model::Proposal>& offers, TransformType nearest) {
  if (offers_modp_1024_only(offers)) {
    return "the device offers MODP_1024 alone, which is broken; Windows does so until "
           "Set-VpnConnectionIPsecConfiguration gives it -DHGroup Group14 or ECP384 there";
  }
  return fmt::format("the nearest proposals differ in {}: add one that both ends list",
                     to_string(nearest));
}

}  // namespace

unsigned address_rank(const std::vector<model::AddressPattern>& patterns,
                      const IpAddress& address) {
  unsigned best = 0;
  for (const model::AddressPattern& pattern : patterns) {
    if (const auto* range = std::get_if<IpRange>(&pattern)) {
      if (!range->contains(address)) continue;
      // 2 for everything, 130 for a single IPv6 address: smaller ranges rank higher.
      unsigned bits = 0;
      for (std::uint64_t span = range->last.distance_from(range->first); span != 0; span >>= 1)
        ++bits;
      const unsigned size_bits = std::min(bits, address.bits());
      best = std::max(best, 2 + 128 - size_bits);
    } else {
      best = std::max(best, 1U);
    }
  }
  return best;
}

bool may_want_certificate(const Connections& connections, const Endpoint& local,
                          const Endpoint& remote) {
  return std::ranges::any_of(connections.groups(), [&](const auto& group) {
    const Connections::Terms& terms = group.first;
    return terms.send_certreq && terms.remote_method == model::AuthClass::pubkey &&
           rank_addresses(terms, local, remote).has_value();
  });
}

std::expected<InitChoice, FailureRecord> select_for_init(const Connections& connections,
                                                         const InitFacts& facts) {
  struct Admitted {
    AddressRank rank;
    std::uint64_t place = 0;  ///< of its first
    const Connections::Terms* terms = nullptr;
    const Connections::Group* group = nullptr;
  };
  std::vector<Admitted> admitted;
  std::vector<Misfit> misfits;
  for (const auto& [terms, group] : connections.groups()) {
    if (const auto rank = rank_addresses(terms, facts.local, facts.remote)) {
      admitted.push_back({*rank, group.all.begin()->first, &terms, &group});
    } else {
      add_first(misfits, group.all, rank.error());
    }
  }
  std::ranges::sort(admitted, [](const Admitted& a, const Admitted& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.place < b.place;
  });
  for (const Admitted& one : admitted) {
    if (const auto choice = model::choose(one.terms->proposals, facts.offers)) {
      return InitChoice{.connection = one.group->all.begin()->second, .proposal = *choice};
    }
    add_first(misfits, one.group->all, Check::proposals);
  }

  const auto mismatch = [&](const model::Connection& connection) {
    return model::choose(connection.proposals, facts.offers).error();
  };
  FailureRecord record{.local = facts.local,
                       .remote = facts.remote,
                       .phase = "IKE_SA_INIT",
                       .reason = Reason::no_connection,
                       .field = "connections",
                       .theirs = facts.remote.address.text(),
                       .advice = advice_for("connections")};
  if (!admitted.empty()) {
    const model::Connection& first = *admitted.front().group->all.begin()->second;
    record.reason = Reason::no_common_proposal;
    record.connection = first.name;
    record.field = "proposals";
    record.ours = model::text_of(first.proposals);
    record.theirs = model::text_of(facts.offers);
    record.advice = proposal_advice(facts.offers, mismatch(first).type);
  }
  for (const Misfit& one : nearest_of(std::move(misfits))) {
    if (one.check != Check::proposals) {
      record.candidates.push_back(
          address_candidate(*one.connection, one.check, facts.local, facts.remote));
      continue;
    }
    const model::Mismatch why = mismatch(*one.connection);
    record.candidates.push_back(
        {one.connection->name, "proposals (" + to_string(why.type) + ")", why.ours, why.theirs});
  }
  if (admitted.empty() && !record.candidates.empty()) describe(record, record.candidates.front());
  return std::unexpected(std::move(record));
}

std::expected<const model::Connection*, FailureRecord> select_for_auth(
    const Connections& connections, const AuthFacts& facts) {
  const std::vector<model::Proposal> agreed{model::proposal_of(facts.suite, ProtocolId::ike)};
  const std::string id = pki::identity_key(facts.id_i);
  const model::Connection* best = nullptr;
  AuthRank best_rank;
  std::uint64_t best_place = 0;
  std::vector<Misfit> misfits;
  for (const auto& [terms, group] : connections.groups()) {
    const auto common = rank_terms(terms, facts, agreed);
    if (!common) {
      add_first(misfits, group.all, common.error());
      continue;
    }
    const auto judge = [&](const Connections::Members& members) {
      for (const auto& [place, connection] : members) {
        AuthRank rank = *common;
        rank.id_i = pki::match_identity(connection->remote.id, facts.id_i);
        if (!rank.id_i) continue;
        if (terms.remote_method != facts.method) {
          misfits.push_back({Check::auth, place, connection});
        } else if (best == nullptr || rank > best_rank ||
                   (rank == best_rank && place < best_place)) {
          best = connection;
          best_rank = rank;
          best_place = place;
        }
      }
    };
    if (const auto at = group.by_id.find(id); at != group.by_id.end()) judge(at->second);
    judge(group.open);
    add_first(misfits, group.all, Check::remote_id);
  }
  if (best != nullptr) return best;

  FailureRecord record{.local = facts.local,
                       .remote = facts.remote,
                       .remote_identity = pki::to_text(facts.id_i),
                       .phase = "IKE_AUTH",
                       .reason = Reason::no_connection,
                       .field = "connections",
                       .advice = advice_for("connections")};
  const std::vector<Misfit> nearest = nearest_of(std::move(misfits));
  for (const Misfit& one : nearest) {
    const bool named = std::ranges::any_of(record.candidates, [&one](const Candidate& before) {
      return before.connection == one.connection->name;
    });
    if (named) continue;  // it got further than to the identity
    record.candidates.push_back(auth_candidate(*one.connection, one.check, facts, agreed.front()));
  }
  if (!nearest.empty()) {
    const model::Connection& one = *nearest.front().connection;
    describe(record, record.candidates.front());
    record.connection = one.name;
    if (nearest.front().check == Check::remote_id) {
      record.advice = identity_advice(one.remote.id, facts.id_i);
    } else if (nearest.front().check == Check::local_id) {
      record.advice = asked_identity_advice(one.local.id, *facts.id_r);
    }
  }
  return std::unexpected(std::move(record));
}

}  // namespace cygnet::ike
