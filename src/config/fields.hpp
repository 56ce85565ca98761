// Reads the options of one section: one line per option, every fault at its place.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.hpp"
#include "config/options.hpp"
#include "config/section.hpp"
#include "config/values.hpp"

namespace cygnet::config {

/// An option we know but do not carry out.
struct Unsupported {
  std::string_view name;
  std::string_view type;
  std::string_view fallback;  ///< strongSwan's default
  std::string_view harmless;  ///< values without effect, separated by '|'
  Severity severity = Severity::error;
  std::string_view why;  ///< after "'name' is not supported yet: "
  OptionSupport support = OptionSupport::not_yet;
};

/// Most items of one list.
inline constexpr std::size_t kListItemsMax = 1024;

/// Borrowed for the reading of one section. Every option must be asked for once, then
/// reject_unknown() reports what is left over. With a listing, every question is noted there.
class Fields {
 public:
  Fields(const Section& section, Diagnostics& diags, std::vector<OptionInfo>* listing,
         std::string path)
      : section_(section), diags_(diags), listing_(listing), path_(std::move(path)) {}

  /// The value, or `fallback` when it is not set or faulty (then with a diagnostic).
  template <class T>
  [[nodiscard]] T optional(std::string_view name, const ValueType<T>& type, T fallback) {
    note(name, type.name, listing_ != nullptr && type.text ? type.text(fallback) : std::string{});
    if (auto value = parse(find(name), type)) return *std::move(value);
    return fallback;
  }
  /// The same where the default depends on other options; `described` is its description.
  template <class T>
  [[nodiscard]] std::optional<T> maybe(std::string_view name, const ValueType<T>& type,
                                       std::string_view described = {}) {
    note(name, type.name, std::string{described});
    return parse(find(name), type);
  }
  /// An option that must be there.
  template <class T>
  [[nodiscard]] std::optional<T> required(std::string_view name, const ValueType<T>& type) {
    note(name, type.name, {});
    if (find(name) == nullptr && listing_ == nullptr) {
      diags_.error(section_.place,
                   "section '" + section_.name + "' needs '" + std::string{name} + "'");
    }
    return parse(find(name), type);
  }
  /// A comma-separated list; `fallback` when it is not set or an item is faulty.
  template <class T>
  [[nodiscard]] std::vector<T> list(std::string_view name, const ValueType<T>& type,
                                    std::vector<T> fallback = {}, std::string_view described = {}) {
    note(name, "list of " + std::string{type.name}, std::string{described});
    const Key* key = find(name);
    if (key == nullptr) return fallback;
    std::vector<T> out;
    for (const std::string_view item : items(*key)) {
      Result<T> value = type.parse(item);
      if (!value) {
        fault(*key, value.error());
        return fallback;
      }
      out.push_back(*std::move(value));
    }
    return out;
  }
  /// All keys whose name starts with `prefix`, in order; each has one value.
  template <class T>
  [[nodiscard]] std::vector<T> prefixed(std::string_view prefix, const ValueType<T>& type) {
    note(std::string{prefix} + "*", type.name, {});
    std::vector<T> out;
    for (const Key& key : section_.keys) {
      if (!key.name.starts_with(prefix)) continue;
      known_.insert(key.name);
      if (is_unset(key)) continue;
      if (auto value = parse(&key, type)) out.push_back(*std::move(value));
    }
    return out;
  }
  /// Reports a value other than the harmless ones.
  void unsupported(const Unsupported& option);

  /// The key when it is set; null otherwise. Marks the option as known.
  [[nodiscard]] const Key* find(std::string_view name);
  /// Where the option's value is, or else the section.
  [[nodiscard]] const Place& at(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  /// What the source calls the option.
  [[nodiscard]] std::string_view shown(std::string_view name) const;

  /// "name: text", at the word the text quotes if that can be found in the value.
  void fault(const Key& key, const Error& error);
  /// Subsections are read by others; those whose names fit none of `known` (a trailing '*' fits
  /// any ending) and keys nobody asked for are errors.
  void reject_unknown(const std::vector<std::string_view>& known_sections = {});

  [[nodiscard]] static bool is_unset(const Key& key) {
    return key.value.empty() && key.items.empty();
  }
  [[nodiscard]] static std::vector<std::string_view> items(const Key& key);

 private:
  void note(std::string_view name, std::string_view type, std::string fallback);

  template <class T>
  std::optional<T> parse(const Key* key, const ValueType<T>& type) {
    if (key == nullptr) return std::nullopt;
    Result<T> value = type.parse(whole(*key));
    if (value) return *std::move(value);
    fault(*key, value.error());
    return std::nullopt;
  }
  /// The value; items of a list joined by commas.
  [[nodiscard]] static std::string whole(const Key& key);

  const Section& section_;
  Diagnostics& diags_;
  std::vector<OptionInfo>* listing_;
  std::string path_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace cygnet::config
