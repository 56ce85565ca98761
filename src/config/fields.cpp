#include "config/fields.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cygnet::config {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find(separator);
    const std::string_view part = trimmed(text.substr(0, at));
    if (!part.empty()) out.push_back(part);
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

/// The first text in single quotes; it may hold quotes itself only at its ends.
std::string_view quoted_word(std::string_view text) {
  const std::size_t open = text.find('\'');
  if (open == std::string_view::npos) return {};
  const std::size_t close = text.find('\'', open + 1);
  if (close == std::string_view::npos) return {};
  return text.substr(open + 1, close - open - 1);
}

bool fits(std::string_view name, std::string_view pattern) {
  if (!pattern.ends_with('*')) return name == pattern;
  pattern.remove_suffix(1);
  return name.starts_with(pattern);
}

/// Where `word` stands as a word of its own: not within a longer one.
std::size_t find_word(std::string_view text, std::string_view word) {
  const auto joins = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool left = at > 0 && joins(text[at - 1]) && joins(word.front());
    const bool right = end < text.size() && joins(text[end]) && joins(word.back());
    if (!left && !right) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::vector<std::string_view> Fields::items(const Key& key) {
  if (key.items.empty()) return split(key.value, ',');
  return {key.items.begin(), key.items.end()};
}

std::string Fields::whole(const Key& key) {
  if (key.items.empty()) return key.value;
  return fmt::format("{}", fmt::join(key.items, ","));
}

const Key* Fields::find(std::string_view name) {
  known_.emplace(name);
  const Key* key = section_.find_key(name);
  return key == nullptr || is_unset(*key) ? nullptr : key;
}

bool Fields::has(std::string_view name) const {
  const Key* key = section_.find_key(name);
  return key != nullptr && !is_unset(*key);
}

std::string_view Fields::shown(std::string_view name) const {
  const Key* key = section_.find_key(name);
  return key == nullptr ? name : std::string_view{key->shown()};
}

const Place& Fields::at(std::string_view name) const {
  const Key* key = section_.find_key(name);
  return key == nullptr || is_unset(*key) ? section_.place : key->value_place;
}

void Fields::note(std::string_view name, std::string_view type, std::string fallback) {
  known_.emplace(name);
  if (listing_ == nullptr) return;
  listing_->push_back({.path = fmt::format("{}.{}", path_, name),
                       .type = std::string{type},
                       .fallback = std::move(fallback),
                       .support = OptionSupport::used,
                       .note = {}});
}

void Fields::fault(const Key& key, const Error& error) {
  Place place = key.value_place;
  const std::string text = error.text();
  const std::string_view word = quoted_word(text);
  if (key.verbatim && !word.empty()) {
    const std::size_t offset = find_word(key.value, word);
    if (offset != std::string_view::npos) place.column += static_cast<unsigned>(offset);
  }
  // "auth = psk id = a": what was to be two lines is one value.
  const bool joined = key.value.find(" = ") != std::string::npos;
  diags_.error(place, fmt::format("{}: {}{}", key.shown(), text,
                                  joined ? "; each option stands on a line of its own" : ""));
}

void Fields::unsupported(const Unsupported& option) {
  note(option.name, option.type, std::string{option.fallback});
  if (listing_ != nullptr) {
    listing_->back().support = option.support;
    listing_->back().note = option.why;
  }
  const Key* key = find(option.name);
  if (key == nullptr) return;
  for (const std::string_view value : split(option.harmless, '|')) {
    if (value == key->value) return;
  }
  const std::string text =
      option.support == OptionSupport::ikev1_only
          ? fmt::format("'{}' belongs to IKEv1 and has no effect", key->shown())
          : fmt::format("'{}' is not supported yet: {}", key->shown(), option.why);
  if (option.severity == Severity::error) {
    diags_.error(key->place, text);
  } else {
    diags_.warning(key->place, text);
  }
}

void Fields::reject_unknown(const std::vector<std::string_view>& known_sections) {
  if (listing_ != nullptr) return;
  for (const Key& key : section_.keys) {
    if (known_.contains(key.name)) continue;
    const std::vector<std::string_view> known{known_.begin(), known_.end()};
    diags_.error(key.place, fmt::format("unknown option '{}'{}", key.name,
                                        model::did_you_mean(key.name, known)));
  }
  for (const Section& inner : section_.sections) {
    const auto accepts = [&](std::string_view pattern) { return fits(inner.name, pattern); };
    if (std::ranges::any_of(known_sections, accepts)) continue;
    std::vector<std::string_view> known;
    for (std::string_view pattern : known_sections) {
      if (pattern.ends_with('*')) pattern.remove_suffix(1);
      known.push_back(pattern);
    }
    diags_.error(inner.place, fmt::format("unknown section '{}'{}", inner.name,
                                          model::did_you_mean(inner.name, known)));
  }
}

}  // namespace cygnet::config
