// Cryptographic proposals and the text that configurations write them in. RFC 7296 §3.3
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/registry.hpp"

namespace cygnet::model {

/// One transform: its registry number and, for ciphers of variable key size, the Key Length
/// attribute in bits (0 = absent).
struct Transform {
  TransformType type = TransformType::encr;
  std::uint16_t id = 0;
  std::uint16_t key_bits = 0;

  friend auto operator<=>(const Transform&, const Transform&) = default;
  /// "AES_GCM_16_256", "ECP_384".
  [[nodiscard]] std::string text() const;
};

/// Alternatives for each transform type, in order of preference.
struct Proposal {
  ProtocolId protocol = ProtocolId::ike;
  std::vector<Transform> transforms;

  friend auto operator<=>(const Proposal&, const Proposal&) = default;

  [[nodiscard]] std::vector<Transform> of(TransformType type) const;
  [[nodiscard]] bool has(TransformType type) const;
  [[nodiscard]] bool offers(KeId group) const;
  /// "IKE:AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384".
  [[nodiscard]] std::string text() const;
};

/// "aes256, ..." for people: each proposal's text().
[[nodiscard]] std::string text_of(const std::vector<Proposal>& proposals);

/// A proposal with exactly one transform per type: what was agreed. Absent ones are `none`.
struct Suite {
  EncrId encr = EncrId::null;
  std::uint16_t key_bits = 0;
  IntegId integ = IntegId::none;
  PrfId prf = PrfId::hmac_sha2_256;  ///< IKE only
  KeId ke = KeId::none;
  EsnId esn = EsnId::none;  ///< ESP only

  friend auto operator<=>(const Suite&, const Suite&) = default;
  /// "AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384"; ESP suites print no PRF.
  [[nodiscard]] std::string text(ProtocolId protocol) const;
};

/// Parses one comma-separated list in strongSwan's syntax ("aes256gcm16-prfsha384-ecp384,
/// aes256-sha384-ecp384", "default", named suites such as "suiteb-gcm-256" and "cnsa"). A
/// trailing '!' (ipsec.conf's strict mark) is accepted and means what swanctl means without
/// "default": nothing is added. For IKE a PRF that is missing is the integrity algorithm's.
/// Errors name the word and suggest the nearest known one.
[[nodiscard]] Result<std::vector<Proposal>> parse_proposals(std::string_view text,
                                                            ProtocolId protocol);
/// The list behind the word "default".
[[nodiscard]] std::vector<Proposal> default_proposals(ProtocolId protocol);

/// Why two lists of proposals have no common suite: the transform type that failed in the
/// nearest pair, with both sides' values.
struct Mismatch {
  TransformType type = TransformType::encr;
  std::string ours;
  std::string theirs;
};
struct Choice {
  std::size_t ours = 0;    ///< index into the configured list
  std::size_t theirs = 0;  ///< index into the offered list
  Suite suite;
};
struct ChoiceRules {
  bool ignore_ke =
      false;  ///< first Child SA of IKE_AUTH: KE transforms do not count (RFC 7296 §1.2)
};
/// The first configured proposal that some offered one satisfies; within it the offer's order
/// of transforms does not matter, ours does (RFC 7296 §2.7). An ESP side without KE
/// transforms matches an offer that has none or lists NONE.
[[nodiscard]] std::expected<Choice, Mismatch> choose(const std::vector<Proposal>& configured,
                                                     const std::vector<Proposal>& offered,
                                                     ChoiceRules rules = {});
/// The offer a Suite makes by itself, for the answer to a proposal.
[[nodiscard]] Proposal proposal_of(const Suite& suite, ProtocolId protocol);

}  // namespace cygnet::model
