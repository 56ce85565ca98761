// What the parser builds before inheritance is resolved. Internal to config.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/section.hpp"

namespace cygnet::config {

/// One name after the ':' of a section.
struct Reference {
  std::string path;
  Place place;
};

/// A section with look-up by name, so that a file of many sections stays linear to read.
struct Node {
  std::string name;
  Place place;
  std::vector<Key> keys;
  std::vector<std::unique_ptr<Node>> children;
  std::vector<Reference> references;
  bool referenced = false;
  std::map<std::string, std::size_t, std::less<>> key_index;
  std::map<std::string, std::size_t, std::less<>> child_index;

  [[nodiscard]] Node* find(std::string_view child) const {
    const auto at = child_index.find(child);
    return at == child_index.end() ? nullptr : children[at->second].get();
  }
};

class Diagnostics;
/// The tree without references: every section holds what it inherits (see swanctl_parser.hpp).
[[nodiscard]] Section resolve_references(const Node& root, Diagnostics& diags);

}  // namespace cygnet::config
