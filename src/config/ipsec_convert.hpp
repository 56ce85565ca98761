// From strongSwan's ipsec.conf and ipsec.secrets to swanctl.conf's tree of sections.
//
// Each `conn` becomes a connection with one child, both of its name; a conn whose peer and
// authentication are those of an earlier one becomes one more child of that, because two IKE_SAs
// with the same peer would replace one another. `ca` sections and the files in ipsec.d/cacerts
// become authorities, the addresses of rightsourceip pools. Every key points at the text it was
// made from, so that what the loader says points into ipsec.conf. docs/ipsec-conf.md has the rules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "config/conversion_note.hpp"
#include "config/diagnostics.hpp"
#include "config/files.hpp"
#include "config/load.hpp"
#include "config/section.hpp"
#include "model/log.hpp"

namespace cygnet::config {

/// Notes that are kept.
inline constexpr std::size_t kNotesMax = 1000;
/// Pools in all.
inline constexpr std::size_t kIpsecPoolsMax = 10'000;

struct IpsecInput {
  std::string conf_path;     ///< absolute, as "/etc/ipsec.conf"; the folder ipsec.d lies beside it
  std::string secrets_path;  ///< empty when there is none
  /// This host's: of `left` and `right` the one that is among them is local, else `left` is.
  std::vector<IpAddress> own_addresses;
};

struct Converted {
  Section root;                       ///< connections, pools, secrets, authorities
  std::vector<ConversionNote> notes;  ///< by place
  std::optional<model::LogLevels> charon_debug;
};

/// Reads both files and what they include. With errors in `diags` the tree is incomplete and must
/// not be used. It holds secrets: wipe_secrets() it.
[[nodiscard]] Converted convert_ipsec(const IpsecInput& input, Files& files, Diagnostics& diags);

/// Loads what convert_ipsec() has made of this file; `root` must not have been changed.
[[nodiscard]] Loaded load_converted(const IpsecInput& input, const Section& root, Files& files,
                                    Diagnostics& diags);

struct LoadedIpsec {
  Loaded loaded;
  std::vector<ConversionNote> notes;
  std::optional<model::LogLevels> charon_debug;
};
/// The same, loaded: nothing but the files that the configuration names and those in
/// ipsec.d/cacerts is read.
[[nodiscard]] LoadedIpsec load_ipsec(const IpsecInput& input, Files& files, Diagnostics& diags);

}  // namespace cygnet::config
