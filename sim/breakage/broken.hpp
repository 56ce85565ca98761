// Rules that a simulation can break on purpose, to show that it would see it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace cygnet::sim {

enum class Rule : std::uint8_t {
  none,
  judging,           ///< both ends of a crossing rekey keep their own SA (RFC 7296 §2.8.1)
  replay,            ///< ESP packets are accepted again (RFC 4303 §3.4.3)
  window,            ///< a repeated request is carried out again (RFC 7296 §2.1)
  authentication,    ///< nobody looks at AUTH (RFC 7296 §2.15)
  initiator_proof,   ///< whoever is called does not
  responder_proof,   ///< whoever calls does not
  leases,            ///< two clients get the same address
  ivs,               ///< an ESP sequence number is used twice (RFC 4303 §2.2)
  ike_ivs,           ///< all IKE messages of a key are sealed with one IV (RFC 5282 §3.1)
  keys,              ///< the ends of a Child SA hold different keys
  half_open,         ///< half-open IKE_SAs are not limited
  clear,             ///< what a trap should hold leaves as it is
  gap,               ///< a rekeyed child stops sending before its successor may (RFC 7296 §2.8)
  reauthentication,  ///< break before make
  denial             ///< an unprotected INVALID_IKE_SPI ends an IKE_SA (RFC 7296 §2.21.4)
};
/// By name, "none" first.
[[nodiscard]] std::span<const std::string_view> rule_names();
[[nodiscard]] std::optional<Rule> find_rule(std::string_view name);

/// The rule that this thread breaks.
[[nodiscard]] Rule broken();
void set_broken(Rule rule);

/// While one lives, engines of this thread take any AUTH for right: an enemy's do.
class Gullible {
 public:
  explicit Gullible(bool really);
  ~Gullible();
  Gullible(const Gullible&) = delete;
  Gullible& operator=(const Gullible&) = delete;

 private:
  bool before_;
};
[[nodiscard]] bool gullible();

}  // namespace cygnet::sim
