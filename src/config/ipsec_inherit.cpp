// `also` and %default: what a section of ipsec.conf inherits.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <ranges>

#include "config/ipsec_parser.hpp"
#include "config/ipsec_raw.hpp"
#include "model/suggest.hpp"

namespace cygnet::config {
namespace {

/// An `also` that is being followed.
struct Step {
  std::size_t section = 0;
  const Key* also = nullptr;  ///< null at the start
};

class Heir {
 public:
  Heir(RawGroup& group, IpsecKind kind, std::size_t& entries, Diagnostics& diags)
      : group_(group),
        kind_(kind),
        entries_(entries),
        diags_(diags),
        whole_(group.sections.size()) {}

  /// The section's own keys and those of its `also`, without %default's.
  const std::vector<Key>& resolve(Step step);
  /// Adds what `into` does not have.
  void merge(std::vector<Key>& into, const std::vector<Key>& from);

 private:
  void follow(std::vector<Key>& into, const Key& also);
  void report_circle(const Key& also, std::size_t target);

  RawGroup& group_;
  IpsecKind kind_;
  std::size_t& entries_;
  Diagnostics& diags_;
  std::vector<std::optional<std::vector<Key>>> whole_;  // by section, once it is known
  std::vector<Step> active_;
};

// Keys are few: unknown words are dropped, and each stands once.
void Heir::merge(std::vector<Key>& into, const std::vector<Key>& from) {
  for (const Key& key : from) {
    if (std::ranges::find(into, key.name, &Key::name) != into.end()) continue;
    if (entries_ > kIpsecEntriesMax) return;
    if (++entries_ > kIpsecEntriesMax) {
      return diags_.error(
          key.place, fmt::format("more than {} parameters with inherited ones", kIpsecEntriesMax));
    }
    into.push_back(key);
  }
}

const std::vector<Key>& Heir::resolve(Step step) {
  std::optional<std::vector<Key>>& whole = whole_[step.section];
  if (whole) return *whole;
  const RawSection& raw = group_.sections[step.section];
  active_.push_back(step);
  std::vector<Key> keys = raw.section.keys;
  for (const Key& also : std::views::reverse(raw.also)) follow(keys, also);
  active_.pop_back();
  whole = std::move(keys);
  return *whole;
}

void Heir::follow(std::vector<Key>& into, const Key& also) {
  const auto at = group_.index.find(also.value);
  if (at == group_.index.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, index] : group_.index) names.push_back(name);
    diags_.error(also.value_place,
                 fmt::format("also: there is no section '{} {}'{}", to_string(kind_), also.value,
                             model::did_you_mean(also.value, names)));
    return;
  }
  const std::size_t target = at->second;
  if (std::ranges::find(active_, target, &Step::section) != active_.end()) {
    return report_circle(also, target);
  }
  if (active_.size() > kAlsoDepthMax) {
    return diags_.error(also.value_place,
                        fmt::format("also: more than {} sections in a row", kAlsoDepthMax));
  }
  group_.sections[target].section.referenced = true;
  merge(into, resolve({target, &also}));
}

void Heir::report_circle(const Key& also, std::size_t target) {
  const auto name = [this](std::size_t section) -> const std::string& {
    return group_.sections[section].section.name;
  };
  std::string circle = "'" + name(target) + "'";
  auto at = std::ranges::find(active_, target, &Step::section);
  for (++at; at != active_.end(); ++at) {
    circle += fmt::format(" -> '{}' (at {})", name(at->section), at->also->value_place.text());
  }
  diags_.error(also.value_place,
               fmt::format("also goes in a circle: {} -> '{}'", circle, name(target)));
}

}  // namespace

std::vector<Section> inherit(RawGroup& group, IpsecKind kind, std::size_t& entries,
                             Diagnostics& diags) {
  Heir heir{group, kind, entries, diags};
  const auto fallback = group.index.find(kDefaultSection);
  const RawSection* defaults =
      fallback == group.index.end() ? nullptr : &group.sections[fallback->second];
  if (defaults != nullptr && !defaults->also.empty()) {
    diags.warning(defaults->also.front().place,
                  "'also' has no effect in %default; write it into the sections");
  }
  std::vector<Section> out;
  for (std::size_t i = 0; i < group.sections.size(); ++i) {
    const Section& own = group.sections[i].section;
    if (own.name == kDefaultSection) continue;
    out.push_back({.name = own.name, .place = own.place, .keys = {}, .sections = {}});
    out.back().keys = heir.resolve({i, nullptr});
    if (defaults != nullptr) heir.merge(out.back().keys, defaults->section.keys);
  }
  // A section may come before the one that inherits from it.
  for (Section& section : out) {
    section.referenced = group.sections[group.index.find(section.name)->second].section.referenced;
  }
  return out;
}

}  // namespace cygnet::config
