#include "config/section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace cygnet::config {
namespace {

// Recursion is bounded by kSectionDepthMax, which holds for every tree that the parser makes.
void wipe(Section& section) {
  for (Key& key : section.keys) {
    if (!key.value.empty()) explicit_bzero(key.value.data(), key.value.size());
    for (std::string& item : key.items) {
      if (!item.empty()) explicit_bzero(item.data(), item.size());
    }
  }
  for (Section& inner : section.sections) wipe(inner);
}

}  // namespace

std::string Place::text() const {
  if (file.empty()) return "configuration";
  return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
}

const Key* Section::find_key(std::string_view key) const {
  const auto at = std::ranges::find(keys, key, &Key::name);
  return at == keys.end() ? nullptr : &*at;
}

const Section* Section::find_section(std::string_view section) const {
  const auto at = std::ranges::find(sections, section, &Section::name);
  return at == sections.end() ? nullptr : &*at;
}

Section* Section::find_section(std::string_view section) {
  const auto at = std::ranges::find(sections, section, &Section::name);
  return at == sections.end() ? nullptr : &*at;
}

bool same_values(const Section& a, const Section& b) {
  const auto same_key = [](const Key& x, const Key& y) {
    return x.name == y.name && x.value == y.value && x.items == y.items;
  };
  return a.name == b.name && std::ranges::equal(a.keys, b.keys, same_key) &&
         std::ranges::equal(a.sections, b.sections, same_values);
}

void wipe_secrets(Section& root) {
  if (Section* secrets = root.find_section("secrets")) wipe(*secrets);
}

}  // namespace cygnet::config
