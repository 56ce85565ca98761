// Which suite two lists of proposals have in common.        RFC 7296 §2.7, §3.3, §3.3.6
#include <algorithm>
#include <optional>

#include "model/proposal.hpp"

namespace cygnet::model {
namespace {

/// Transform types in the order in which a mismatch is reported.
constexpr TransformType kTypes[] = {TransformType::encr, TransformType::integ, TransformType::prf,
                                    TransformType::ke, TransformType::esn};

/// What RFC 7296 §3.3.3 lets a proposal of this protocol hold.
bool belongs(TransformType type, ProtocolId protocol) {
  switch (type) {
    case TransformType::encr:
    case TransformType::integ:
    case TransformType::ke:
      return true;
    case TransformType::prf:
      return protocol == ProtocolId::ike;
    case TransformType::esn:
      return protocol != ProtocolId::ike;
  }
  return false;  // a type we do not understand (RFC 7296 §3.3.6)
}

std::optional<TransformType> foreign_type(const Proposal& offer) {
  for (const Transform& transform : offer.transforms) {
    if (!belongs(transform.type, offer.protocol)) return transform.type;
  }
  return std::nullopt;
}

bool holds(const std::vector<Transform>& list, const Transform& wanted) {
  return std::ranges::find(list, wanted) != list.end();
}

/// Our first transform that is also theirs. A side without any of a type that may be left out
/// means its number 0: no key exchange, or sequence numbers of 32 bits.
std::optional<Transform> common(const Proposal& ours, const Proposal& theirs, TransformType type,
                                bool absent_is_zero) {
  std::vector<Transform> mine = ours.of(type);
  std::vector<Transform> offer = theirs.of(type);
  if (absent_is_zero) {
    if (mine.empty()) mine.push_back({type, 0, 0});
    if (offer.empty()) offer.push_back({type, 0, 0});
  }
  const auto at = std::ranges::find_if(mine, [&](const Transform& t) { return holds(offer, t); });
  if (at == mine.end()) return std::nullopt;
  return *at;
}

/// What comparing one pair of proposals found.
struct Pair {
  Suite suite;
  std::vector<TransformType> failed;  ///< empty: a match
};

/// Cipher and integrity belong together: an AEAD takes none (or the offered NONE), anything else
/// needs one (RFC 7296 §3.3, RFC 5282 §8).
void choose_cipher(const Proposal& ours, const Proposal& theirs, Pair& pair) {
  const std::vector<Transform> offered = theirs.of(TransformType::encr);
  const std::vector<Transform> offered_integ = theirs.of(TransformType::integ);
  bool cipher_found = false;
  for (const Transform& cipher : ours.of(TransformType::encr)) {
    if (!holds(offered, cipher)) continue;
    const EncrInfo* info = find(EncrId{cipher.id});
    if (info == nullptr) continue;
    cipher_found = true;
    std::optional<Transform> integ;
    if (info->aead) {
      const Transform none{TransformType::integ, 0, 0};
      if (offered_integ.empty() || holds(offered_integ, none)) integ = none;
    } else {
      integ = common(ours, theirs, TransformType::integ, false);
      if (integ && integ->id == 0) integ.reset();
    }
    if (!integ) continue;
    pair.suite.encr = EncrId{cipher.id};
    pair.suite.key_bits = cipher.key_bits;
    pair.suite.integ = IntegId{integ->id};
    return;
  }
  pair.failed.push_back(cipher_found ? TransformType::integ : TransformType::encr);
}

Pair compare(const Proposal& ours, const Proposal& theirs, ChoiceRules rules) {
  Pair pair;
  choose_cipher(ours, theirs, pair);
  const bool ike = ours.protocol == ProtocolId::ike;
  if (ike) {
    const auto prf = common(ours, theirs, TransformType::prf, false);
    if (prf) {
      pair.suite.prf = PrfId{prf->id};
    } else {
      pair.failed.push_back(TransformType::prf);
    }
  }
  if (ike || !rules.ignore_ke) {
    const auto ke = common(ours, theirs, TransformType::ke, !ike);
    if (ke && !(ike && ke->id == 0)) {
      pair.suite.ke = KeId{ke->id};
    } else {
      pair.failed.push_back(TransformType::ke);
    }
  }
  if (!ike) {
    const auto esn = common(ours, theirs, TransformType::esn, true);
    if (esn) {
      pair.suite.esn = EsnId{esn->id};
    } else {
      pair.failed.push_back(TransformType::esn);
    }
  }
  return pair;
}

std::string values(const Proposal& proposal, TransformType type) {
  std::string out;
  for (const Transform& transform : proposal.of(type)) {
    if (!out.empty()) out += ", ";
    out += transform.text();
  }
  return out.empty() ? "none" : out;
}

Mismatch mismatch_of(const Proposal& ours, const Proposal& theirs, const Pair& pair) {
  for (const TransformType type : kTypes) {
    if (std::ranges::find(pair.failed, type) != pair.failed.end()) {
      return {type, values(ours, type), values(theirs, type)};
    }
  }
  return {};
}

}  // namespace

std::expected<Choice, Mismatch> choose(const std::vector<Proposal>& configured,
                                       const std::vector<Proposal>& offered, ChoiceRules rules) {
  Mismatch nearest{TransformType::encr, "nothing of this protocol", "nothing of this protocol"};
  std::optional<std::size_t> fewest;
  bool foreign_seen = false;
  for (std::size_t i = 0; i < configured.size(); ++i) {
    const Proposal& ours = configured[i];
    for (std::size_t j = 0; j < offered.size(); ++j) {
      const Proposal& theirs = offered[j];
      if (ours.protocol != theirs.protocol) continue;
      if (const auto foreign = foreign_type(theirs)) {
        // Reported only when nothing else was comparable.
        if (!fewest && !foreign_seen) {
          nearest = {*foreign, "not used", values(theirs, *foreign)};
          foreign_seen = true;
        }
        continue;
      }
      const Pair pair = compare(ours, theirs, rules);
      if (pair.failed.empty()) return Choice{i, j, pair.suite};
      if (!fewest || pair.failed.size() < *fewest) {
        fewest = pair.failed.size();
        nearest = mismatch_of(ours, theirs, pair);
      }
    }
  }
  return std::unexpected(nearest);
}

}  // namespace cygnet::model
