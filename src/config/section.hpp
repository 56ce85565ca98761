// A configuration as a tree of sections, whatever file or message it came from.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace cygnet::config {

/// Where something was written. Lines and columns (in octets) start at 1; line 0 means the file
/// as a whole, an empty file no file at all (a vici message).
struct Place {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;

  /// "file:line:column", "file", or "configuration".
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const Place&, const Place&) = default;
};

/// `name = value`. An empty value unsets: it hides an inherited one, so that the default applies.
struct Key {
  std::string name;
  std::string value;               ///< quotes and escapes already undone
  std::vector<std::string> items;  ///< instead of `value` where the source had a list (vici)
  Place place;                     ///< of the name
  Place value_place;
  /// The value stands in the source letter by letter from value_place on, so that a word of it
  /// can be pointed at.
  bool verbatim = false;
  /// What the source calls it, where that is not `name`: ipsec.conf's keyword for an option.
  std::string written;

  /// The name that diagnostics use.
  [[nodiscard]] const std::string& shown() const { return written.empty() ? name : written; }
  friend bool operator==(const Key&, const Key&) = default;
};

/// `name { ... }`, in source order. Names of keys are unique within a section, names of
/// subsections too.
struct Section {
  std::string name;
  Place place;  ///< of the name; for a root of the file
  std::vector<Key> keys;
  std::vector<Section> sections;
  bool referenced = false;  ///< some other section inherits from this one

  /// Null when there is none.
  [[nodiscard]] const Key* find_key(std::string_view key) const;
  [[nodiscard]] const Section* find_section(std::string_view section) const;
  [[nodiscard]] Section* find_section(std::string_view section);

  friend bool operator==(const Section&, const Section&) = default;
};

/// Equal names, values and order; where they were written does not matter.
[[nodiscard]] bool same_values(const Section& a, const Section& b);

/// Overwrites every value below `root.secrets` with zeros: call it once the tree was loaded.
void wipe_secrets(Section& root);

}  // namespace cygnet::config
