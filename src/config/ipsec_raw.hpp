// What the parser of ipsec.conf builds before inheritance is resolved. Internal to config.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "config/diagnostics.hpp"
#include "config/ipsec_keywords.hpp"
#include "config/section.hpp"

namespace cygnet::config {

inline constexpr std::string_view kDefaultSection = "%default";

/// Its own parameters, each once, and what it inherits from.
struct RawSection {
  Section section;
  std::vector<Key> also;
};

/// All sections of one kind; a deque, because the parser holds on to the current one.
struct RawGroup {
  std::deque<RawSection> sections;
  std::map<std::string, std::size_t, std::less<>> index;
};

/// The sections of a group with all they inherit, without %default. `entries` counts up to
/// kIpsecEntriesMax over all groups.
[[nodiscard]] std::vector<Section> inherit(RawGroup& group, IpsecKind kind, std::size_t& entries,
                                           Diagnostics& diags);

}  // namespace cygnet::config
