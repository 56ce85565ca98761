// Inheritance between sections: `name : reference, reference { }`.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "config/diagnostics.hpp"
#include "config/node.hpp"
#include "config/swanctl_parser.hpp"
#include "model/suggest.hpp"

namespace cygnet::config {
namespace {

/// What a reference led to: nothing, a section, or a circle that was already reported.
struct Target {
  std::optional<Section> section;
  bool faulty = false;
};

class Resolver {
 public:
  Resolver(const Node& root, Diagnostics& diags) : root_(root), diags_(diags) {}

  Section resolve(const Node& node);

 private:
  Target look_up(const Node& at, std::string_view path, const Reference& reference);
  Target target(const Node& node, const Reference& reference);
  void merge(Section& into, const Section& from, std::size_t depth);
  void inherit(Section& out, const Reference& reference);
  [[nodiscard]] bool active(const Node& node) const {
    return std::ranges::find(active_, &node) != active_.end();
  }
  /// Counts an entry of the resulting tree; false when there are too many.
  bool spend(const Place& place);

  const Node& root_;
  Diagnostics& diags_;
  std::vector<const Node*> active_;
  std::map<const Node*, Section> known_;  // looked up only, never iterated
  std::size_t entries_ = 0;
};

bool Resolver::spend(const Place& place) {
  if (entries_ > kEntriesMax) return false;
  if (++entries_ <= kEntriesMax) return true;
  diags_.error(place, fmt::format("more than {} keys and sections after inheritance", kEntriesMax));
  return false;
}

Section Resolver::resolve(const Node& node) {
  Section out{.name = node.name, .place = node.place, .keys = {}, .sections = {}};
  out.referenced = node.referenced;
  if (!spend(node.place)) return out;
  if (active_.size() > kSectionDepthMax) {
    diags_.error(node.place,
                 fmt::format("sections nest deeper than {} after inheritance", kSectionDepthMax));
    return out;
  }
  active_.push_back(&node);
  for (const Key& key : node.keys) {
    if (spend(key.place)) out.keys.push_back(key);
  }
  for (const auto& child : node.children) out.sections.push_back(resolve(*child));
  for (const Reference& reference : node.references) inherit(out, reference);
  active_.pop_back();
  return out;
}

void Resolver::inherit(Section& out, const Reference& reference) {
  const Target found = look_up(root_, reference.path, reference);
  if (found.section) {
    merge(out, *found.section, active_.size());
  } else if (!found.faulty) {
    std::vector<std::string_view> names;
    for (const auto& child : root_.children) names.push_back(child->name);
    diags_.error(reference.place,
                 fmt::format("there is no section '{}' to inherit from{}", reference.path,
                             model::did_you_mean(reference.path, names)));
  }
}

/// Walks a dotted path. A section's own name may hold dots, so every cut is tried.
Target Resolver::look_up(const Node& at, std::string_view path, const Reference& reference) {
  for (std::size_t cut = path.find('.');; cut = path.find('.', cut + 1)) {
    if (Node* child = at.find(path.substr(0, cut))) {
      child->referenced = true;
      Target found = cut == std::string_view::npos
                         ? target(*child, reference)
                         : look_up(*child, path.substr(cut + 1), reference);
      if (found.section || found.faulty) return found;
    }
    if (cut == std::string_view::npos) break;
  }
  if (at.references.empty() || active(at)) return {};
  // The rest of the path may lie in what this section inherits itself.
  const Section whole = resolve(at);
  const Section* inner = &whole;
  std::string_view rest = path;
  while (inner != nullptr) {
    const std::size_t cut = rest.find('.');
    inner = inner->find_section(rest.substr(0, cut));
    if (cut == std::string_view::npos) break;
    rest.remove_prefix(cut + 1);
  }
  return inner == nullptr ? Target{} : Target{*inner, false};
}

Target Resolver::target(const Node& node, const Reference& reference) {
  if (active(node)) {
    diags_.error(reference.place, fmt::format("'{}' would inherit from itself", reference.path));
    return {std::nullopt, true};
  }
  const auto known = known_.find(&node);
  if (known != known_.end()) return {known->second, false};
  Section whole = resolve(node);
  known_.emplace(&node, whole);
  return {std::move(whole), false};
}

/// Adds what `into` does not have; its own keys and sections stay first and win.
void Resolver::merge(Section& into, const Section& from, std::size_t depth) {
  if (depth > kSectionDepthMax) {
    diags_.error(from.place,
                 fmt::format("sections nest deeper than {} after inheritance", kSectionDepthMax));
    return;
  }
  std::set<std::string, std::less<>> keys;
  for (const Key& key : into.keys) keys.insert(key.name);
  for (const Key& key : from.keys) {
    if (!spend(key.place)) return;
    if (keys.insert(key.name).second) into.keys.push_back(key);
  }
  std::map<std::string, std::size_t, std::less<>> sections;
  for (std::size_t i = 0; i < into.sections.size(); ++i) sections.emplace(into.sections[i].name, i);
  for (const Section& section : from.sections) {
    if (!spend(section.place)) return;
    const auto at = sections.find(section.name);
    if (at == sections.end()) {
      // Copied through merge(), so that every copied entry is counted.
      into.sections.push_back(
          {.name = section.name, .place = section.place, .keys = {}, .sections = {}});
      merge(into.sections.back(), section, depth + 1);
    } else {
      merge(into.sections[at->second], section, depth + 1);
    }
  }
}

}  // namespace

Section resolve_references(const Node& root, Diagnostics& diags) {
  Resolver resolver{root, diags};
  Section out = resolver.resolve(root);
  // A reference may come later than the section it points at.
  for (std::size_t i = 0; i < out.sections.size() && i < root.children.size(); ++i) {
    out.sections[i].referenced = root.children[i]->referenced;
  }
  return out;
}

}  // namespace cygnet::config
