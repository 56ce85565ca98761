// What is valid and yet what people regret: hazards that `cygnet check` names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"
#include "config/load.hpp"
#include "config/section.hpp"

namespace cygnet::config {

/// One hazard; `cygnet check --lints` explains each name.
struct Finding {
  std::string_view lint;  ///< its name, "trap-without-peer"
  Place place;
  std::string text;  ///< what happens, and what to do

  /// "file:line:column: note: text [lint]".
  [[nodiscard]] std::string line() const;
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// One rule, for lists and documentation.
struct LintInfo {
  std::string_view name;
  std::string_view about;
};
[[nodiscard]] const std::vector<LintInfo>& all_lints();

/// The machine that a configuration is for.
struct Host {
  std::vector<IpAddress> addresses;
  std::optional<WallTime> now;  ///< nothing: certificates' dates are not looked at
};

/// Looks a configuration over that has no error. `root` is the tree that `loaded` was made from: it
/// says where things stand. By place.
[[nodiscard]] std::vector<Finding> lint(const Section& root, const Loaded& loaded, const Host& host,
                                        Files& files);

}  // namespace cygnet::config
