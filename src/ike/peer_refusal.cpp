#include "ike/peer_refusal.hpp"

#include <fmt/format.h>

#include "pki/identity.hpp"

namespace cygnet::ike {
namespace {

std::string text_of(const std::vector<model::SelectorTemplate>& selectors) {
  std::string out;
  for (const model::SelectorTemplate& selector : selectors) {
    out += (out.empty() ? "" : ", ") + selector.text();
  }
  return out;
}

std::string text_of(const std::vector<IpAddress>& addresses) {
  std::string out;
  for (const IpAddress& address : addresses) out += (out.empty() ? "" : ", ") + address.text();
  return out;
}

}  // namespace

FailureRecord peer_refusal(const IkeSa& sa, NotifyType type, const model::ChildTemplate* child) {
  FailureRecord record{.reason = Reason::peer_refused, .theirs = to_string(type)};
  switch (type) {
    case NotifyType::authentication_failed:
      record.field = "local.id, local.certs, secrets, remote.id";
      record.ours = fmt::format("we are '{}' and call '{}'",
                                sa.local_id ? pki::to_text(*sa.local_id) : "%any",
                                pki::to_text(sa.connection.remote.id));
      record.advice =
          "the peer must not say more (RFC 7296 §2.21.2), its log (cygnet why there) does: it does "
          "not know one of the two ids, or not accept our certificate or secret";
      break;
    case NotifyType::no_proposal_chosen:
      record.reason = Reason::no_common_proposal;
      record.field = child == nullptr ? "proposals" : "esp_proposals";
      record.ours =
          model::text_of(child == nullptr ? sa.connection.proposals : child->esp_proposals);
      record.advice = fmt::format(
          "add one of {} that the peer lists; its log (cygnet why there) names them", record.field);
      if (child == nullptr)
        record.advice += ", or says that its remote_addrs do not admit our address";
      break;
    case NotifyType::ts_unacceptable:
      record.reason = Reason::no_common_selectors;
      record.field = "local_ts, remote_ts";
      if (child != nullptr) {
        record.ours = fmt::format("{} === {}", text_of(child->local_ts), text_of(child->remote_ts));
      }
      record.advice = "make remote_ts overlap the peer's local_ts, and local_ts its remote_ts";
      break;
    case NotifyType::internal_address_failure:
      record.reason = Reason::pool_exhausted;
      record.field = "vips";
      record.ours = "asks for " + text_of(sa.connection.vips);
      record.advice =
          "the gateway has no address of that family to give: enlarge its pool, or add one";
      break;
    default:
      record.advice = "the peer's log says why";
      break;
  }
  return record;
}

}  // namespace cygnet::ike
