#include "ike/identity_advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "pki/identity.hpp"

namespace cygnet::ike {
namespace {

bool is_address(const model::Identity& id) {
  return id.type == IdType::ipv4_addr || id.type == IdType::ipv6_addr;
}

/// "C=CH, CN=a" as its parts, sorted.
std::vector<std::string> parts_of(const model::Identity& name) {
  std::vector<std::string> out;
  const std::string text = pki::to_text(name);
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t at = rest.find(", ");
    out.emplace_back(rest.substr(0, at));
    rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 2);
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

std::string identity_advice(const model::IdentityPattern& ours, const model::Identity& theirs) {
  const std::string sent = pki::to_text(theirs);
  if (!ours) return "set remote.id to what the peer sends: " + sent;
  if (ours->type == IdType::der_asn1_dn && theirs.type == IdType::der_asn1_dn &&
      parts_of(*ours) == parts_of(theirs)) {
    return fmt::format("the parts are the same in another order: set remote.id = \"{}\"", sent);
  }
  if (theirs.type == IdType::der_asn1_dn && ours->type != theirs.type) {
    return fmt::format(
        "the peer sends the subject of its certificate: its local.id is not set, or its "
        "certificate lacks the subjectAltName {}; mend that, or set remote.id = \"{}\"",
        pki::to_text(*ours), sent);
  }
  if (is_address(theirs) && !is_address(*ours)) {
    return fmt::format(
        "the peer sends its address, as when its local.id is not set: set local.id = {} there",
        pki::to_text(*ours));
  }
  if (ours->type != theirs.type) {
    return fmt::format("the types differ, {} here and {} there: set remote.id = \"{}\"",
                       to_string(ours->type), to_string(theirs.type), sent);
  }
  return "set remote.id to what the peer sends, or the peer's local id to what is expected";
}

std::string asked_identity_advice(const model::IdentityPattern& ours,
                                  const model::Identity& theirs) {
  if (ours && ours->type == IdType::der_asn1_dn && theirs.type != ours->type) {
    return fmt::format(
        "we are known by the subject of our certificate: set local.id = {}, which the certificate "
        "must have as subjectAltName, or remote.id = \"{}\" at the peer",
        pki::to_text(theirs), pki::to_text(*ours));
  }
  return "the peer expects another gateway identity; set local.id or the peer's remote id";
}

}  // namespace cygnet::ike
