#include "ike/select.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

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

std::string text_of(const model::IdentityPattern& pattern) {
  return pattern ? pki::to_text(*pattern) : "%any";
}

/// The first address field that does not admit the endpoints, if any.
std::optional<Candidate> address_misfit(const model::Connection& connection, const Endpoint& local,
                                        const Endpoint& remote) {
  if (address_rank(connection.local_addrs, local.address) == 0) {
    return Candidate{connection.name, "local_addrs", text_of(connection.local_addrs),
                     local.address.text()};
  }
  if (address_rank(connection.remote_addrs, remote.address) == 0) {
    return Candidate{connection.name, "remote_addrs", text_of(connection.remote_addrs),
                     remote.address.text()};
  }
  return std::nullopt;
}

std::pair<unsigned, unsigned> address_ranks(const model::Connection& connection,
                                            const Endpoint& local, const Endpoint& remote) {
  return {address_rank(connection.remote_addrs, remote.address),
          address_rank(connection.local_addrs, local.address)};
}

/// How well `connection` admits an authenticating peer, or its first field that does not.
struct AuthRank {
  std::pair<unsigned, unsigned> address;
  bool id_r = false;
  std::optional<pki::MatchRank> id_i;
};

std::expected<AuthRank, Candidate> rank_for_auth(const model::Connection& connection,
                                                 const AuthFacts& facts) {
  if (auto misfit = address_misfit(connection, facts.local, facts.remote)) {
    return std::unexpected(*std::move(misfit));
  }
  const model::Proposal agreed = model::proposal_of(facts.suite, ProtocolId::ike);
  if (!model::choose(connection.proposals, {agreed})) {
    return std::unexpected(Candidate{connection.name, "proposals",
                                     model::text_of(connection.proposals), agreed.text()});
  }
  AuthRank rank{.address = address_ranks(connection, facts.local, facts.remote)};
  if (facts.id_r) {
    const model::IdentityPattern ours = connection.local.id;
    if (ours && !pki::match_identity(facts.id_r, *ours)) {
      return std::unexpected(
          Candidate{connection.name, "local.id", text_of(ours), pki::to_text(*facts.id_r)});
    }
    rank.id_r = ours.has_value();
  }
  rank.id_i = pki::match_identity(connection.remote.id, facts.id_i);
  if (!rank.id_i) {
    return std::unexpected(Candidate{connection.name, "remote.id", text_of(connection.remote.id),
                                     pki::to_text(facts.id_i)});
  }
  if (connection.remote.method != facts.method) {
    return std::unexpected(Candidate{connection.name, "remote.auth",
                                     std::string{to_string(connection.remote.method)},
                                     std::string{to_string(facts.method)}});
  }
  return rank;
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

/// Fields in the order in which they are checked: a later one means a nearer connection.
std::ptrdiff_t depth_of(const Candidate& candidate) {
  static constexpr std::string_view kOrder[] = {"local_addrs", "remote_addrs", "proposals",
                                                "local.id",    "remote.id",    "remote.auth"};
  return std::ranges::find(kOrder, candidate.field) - std::begin(kOrder);
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
    return std::ranges::all_of(groups, [](const model::Transform& one) {
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

bool may_want_certificate(const model::ConnectionList& connections, const Endpoint& local,
                          const Endpoint& remote) {
  return std::ranges::any_of(connections, [&](const model::Connection& one) {
    return one.send_certreq && one.remote.method == model::AuthClass::pubkey &&
           !address_misfit(one, local, remote);
  });
}

std::expected<InitChoice, FailureRecord> select_for_init(const model::ConnectionList& connections,
                                                         const InitFacts& facts) {
  FailureRecord record{.local = facts.local,
                       .remote = facts.remote,
                       .phase = "IKE_SA_INIT",
                       .reason = Reason::no_connection,
                       .field = "connections",
                       .theirs = facts.remote.address.text(),
                       .advice = advice_for("connections")};
  std::vector<const model::Connection*> admitted;
  for (const model::Connection& connection : connections) {
    if (auto misfit = address_misfit(connection, facts.local, facts.remote)) {
      record.candidates.push_back(*std::move(misfit));
    } else {
      admitted.push_back(&connection);
    }
  }
  const auto nearest = std::ranges::max_element(record.candidates, {}, depth_of);
  if (nearest != record.candidates.end()) describe(record, *nearest);
  std::ranges::stable_sort(admitted, [&](const auto* a, const auto* b) {
    return address_ranks(*a, facts.local, facts.remote) >
           address_ranks(*b, facts.local, facts.remote);
  });
  for (const model::Connection* connection : admitted) {
    auto choice = model::choose(connection->proposals, facts.offers);
    if (choice) return InitChoice{.connection = connection, .proposal = *choice};
    record.candidates.push_back({connection->name,
                                 "proposals (" + to_string(choice.error().type) + ")",
                                 choice.error().ours, choice.error().theirs});
    if (record.reason == Reason::no_connection) {
      record.reason = Reason::no_common_proposal;
      record.connection = connection->name;
      record.field = "proposals";
      record.ours = model::text_of(connection->proposals);
      record.theirs = model::text_of(facts.offers);
      record.advice = proposal_advice(facts.offers, choice.error().type);
    }
  }
  return std::unexpected(std::move(record));
}

std::expected<const model::Connection*, FailureRecord> select_for_auth(
    const model::ConnectionList& connections, const AuthFacts& facts) {
  const model::Connection* best = nullptr;
  AuthRank best_rank;
  std::vector<Candidate> misfits;
  for (const model::Connection& connection : connections) {
    auto rank = rank_for_auth(connection, facts);
    if (!rank) {
      misfits.push_back(std::move(rank).error());
      continue;
    }
    const auto key = [](const AuthRank& r) { return std::tie(r.address, r.id_r, r.id_i); };
    if (best == nullptr || key(*rank) > key(best_rank)) {
      best = &connection;
      best_rank = *rank;
    }
  }
  if (best != nullptr) return best;

  FailureRecord record{.local = facts.local,
                       .remote = facts.remote,
                       .remote_identity = pki::to_text(facts.id_i),
                       .phase = "IKE_AUTH",
                       .reason = Reason::no_connection,
                       .field = "connections",
                       .advice = advice_for("connections")};
  const auto nearest = std::ranges::max_element(misfits, {}, depth_of);
  if (nearest != misfits.end()) {
    describe(record, *nearest);
    record.connection = nearest->connection;
  }
  if (record.reason == Reason::identity_mismatch) {
    const auto one = std::ranges::find(connections, nearest->connection, &model::Connection::name);
    record.advice = record.field == "remote.id" ? identity_advice(one->remote.id, facts.id_i)
                                                : asked_identity_advice(one->local.id, *facts.id_r);
  }
  record.candidates = std::move(misfits);
  return std::unexpected(std::move(record));
}

}  // namespace cygnet::ike
