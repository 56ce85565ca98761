// Text of transforms, proposals and suites.                       RFC 7296 §3.3
#include "model/proposal.hpp"

#include <algorithm>

namespace cygnet::model {
namespace {

/// The order in which people read a proposal, whatever the order of its transforms.
constexpr TransformType kReadingOrder[] = {TransformType::encr, TransformType::integ,
                                           TransformType::prf, TransformType::ke,
                                           TransformType::esn};

void add_part(std::string& out, std::string_view part) {
  if (!out.empty()) out += '/';
  out += part;
}

}  // namespace

std::string Transform::text() const {
  switch (type) {
    case TransformType::encr: {
      const std::string name = to_string(EncrId{id});
      return key_bits == 0 ? name : name + "_" + std::to_string(key_bits);
    }
    case TransformType::prf:
      return to_string(PrfId{id});
    case TransformType::integ:
      return to_string(IntegId{id});
    case TransformType::ke:
      return to_string(KeId{id});
    case TransformType::esn:
      return to_string(EsnId{id});
  }
  return to_string(type) + "(" + std::to_string(id) + ")";
}

std::vector<Transform> Proposal::of(TransformType type) const {
  std::vector<Transform> out;
  std::ranges::copy_if(transforms, std::back_inserter(out),
                       [&](const Transform& transform) { return transform.type == type; });
  return out;
}

bool Proposal::has(TransformType type) const {
  return std::ranges::find(transforms, type, &Transform::type) != transforms.end();
}

bool Proposal::offers(KeId group) const {
  return std::ranges::any_of(transforms, [&](const Transform& transform) {
    return transform.type == TransformType::ke && KeId{transform.id} == group;
  });
}

std::string Proposal::text() const {
  std::string parts;
  for (const TransformType type : kReadingOrder) {
    for (const Transform& transform : of(type)) add_part(parts, transform.text());
  }
  for (const Transform& transform : transforms) {
    const bool listed = std::ranges::find(kReadingOrder, transform.type) != std::end(kReadingOrder);
    if (!listed) add_part(parts, transform.text());
  }
  return to_string(protocol) + ":" + parts;
}

std::string text_of(const std::vector<Proposal>& proposals) {
  std::string out;
  for (const Proposal& proposal : proposals) {
    if (!out.empty()) out += ", ";
    out += proposal.text();
  }
  return out;
}

std::string Suite::text(ProtocolId protocol) const {
  std::string out =
      Transform{TransformType::encr, static_cast<std::uint16_t>(encr), key_bits}.text();
  if (integ != IntegId::none) add_part(out, to_string(integ));
  if (protocol == ProtocolId::ike) add_part(out, to_string(prf));
  if (ke != KeId::none) add_part(out, to_string(ke));
  if (protocol != ProtocolId::ike && esn != EsnId::none) add_part(out, to_string(esn));
  return out;
}

Proposal proposal_of(const Suite& suite, ProtocolId protocol) {
  Proposal out{.protocol = protocol, .transforms = {}};
  const auto add = [&](TransformType type, auto id, std::uint16_t key_bits = 0) {
    out.transforms.push_back({type, static_cast<std::uint16_t>(id), key_bits});
  };
  add(TransformType::encr, suite.encr, suite.key_bits);
  if (suite.integ != IntegId::none) add(TransformType::integ, suite.integ);
  if (protocol == ProtocolId::ike) add(TransformType::prf, suite.prf);
  if (suite.ke != KeId::none) add(TransformType::ke, suite.ke);
  if (protocol != ProtocolId::ike) add(TransformType::esn, suite.esn);
  return out;
}

}  // namespace cygnet::model
