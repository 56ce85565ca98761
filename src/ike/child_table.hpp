// The Child SAs of one IKE_SA.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "ike/actions.hpp"
#include "ike/race.hpp"

namespace cygnet::ike {

/// One Child SA pair as this end believes it to be.
struct Child {
  model::ChildId id;
  model::ChildTemplate wanted;  ///< what it was made from
  model::Suite suite;
  EspSpi spi_in;
  EspSpi spi_out;
  std::vector<model::TrafficSelector> local_ts;
  std::vector<model::TrafficSelector> remote_ts;
  bool udp_encap = true;
  Instant installed;
  std::optional<Instant> rekey_at;
  std::optional<Instant> expires_at;

  Instant last_use;                      ///< as far as we know; a rekey's successor inherits it
  std::optional<Instant> idle_check_at;  ///< when the plane is asked, with `inactivity`
  std::optional<AskId> use_ask;          ///< the plane has been asked

  /// We answered a rekey with this child and do not send on it yet (RFC 7296 §2.8).
  std::optional<model::SaSpec> waiting_outbound;
  std::optional<Instant> activate_at;  ///< when it sends even if nothing has come in
  /// This child's successor, once one is installed; it is then only waiting to be deleted.
  std::optional<model::ChildId> successor;
  RekeyFacts race;                            ///< what replaces this child
  std::optional<model::ChildId> our_fresh;    ///< the child our rekey made
  std::optional<model::ChildId> their_fresh;  ///< the child the peer's rekey made
  bool rekeying = false;                      ///< a RekeyChild of ours is queued or under way
  bool redundant = false;                     ///< lost a race: nobody will miss it
  bool expired = false;                       ///< ends by its hard limit: nobody wished it gone
  bool we_made = false;                       ///< our exchange made the first of a row of rekeys
  Attempt attempt;                            ///< the nonces that made that one

  /// Carries traffic and is neither replaced nor on its way out.
  [[nodiscard]] bool is_current() const { return !successor && !redundant && !race.deleting; }
};

/// Ordered by age; at most kChildrenMax. Plain data.
class ChildTable {
 public:
  [[nodiscard]] Child* find(model::ChildId id);
  [[nodiscard]] Child* find_by_spi_out(EspSpi spi);
  [[nodiscard]] bool full() const;
  Child& add(Child child);
  void erase(model::ChildId id);
  [[nodiscard]] std::vector<Child>& all() { return children_; }
  [[nodiscard]] const std::vector<Child>& all() const { return children_; }

 private:
  std::vector<Child> children_;
};

}  // namespace cygnet::ike
