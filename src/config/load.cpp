#include "config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "config/loader.hpp"
#include "config/swanctl_parser.hpp"
#include "config/text_file.hpp"

namespace cygnet::config {
namespace {

/// Sections of one kind; those that others inherit from ("conn-defaults") may be incomplete, but
/// stand outside of `connections`, so everything inside is meant.
template <class Read>
void each_section(const Loader& loader, const Section& root, std::string_view kind,
                  const Read& read) {
  const Section* group = root.find_section(kind);
  if (group == nullptr) return;
  loader.fields(*group, {}).reject_unknown({"*"});
  for (const Section& section : group->sections) read(section);
}

void check_pool_names(const Section& root, const Loaded& loaded, Diagnostics& diags) {
  std::vector<std::string_view> names;
  for (const model::Pool& pool : loaded.pools) names.push_back(pool.name);
  const std::set<std::string_view> known(names.begin(), names.end());
  for (const model::Connection& connection : loaded.connections) {
    for (const std::string& pool : connection.pools) {
      if (known.contains(pool)) continue;
      const Section* section = root.find_section("connections")->find_section(connection.name);
      const Key* key = section->find_key("pools");
      diags.error(
          key == nullptr ? section->place : key->value_place,
          fmt::format("pools: unknown pool '{}'{}", pool, model::did_you_mean(pool, names)));
    }
  }
}

const Key* addresses_of(const Section& root, const model::Pool& pool) {
  const Section* pools = root.find_section("pools");
  const Section* section = pools == nullptr ? nullptr : pools->find_section(pool.name);
  return section == nullptr ? nullptr : section->find_key("addrs");
}

/// Pools that share addresses, each with one that starts before it.
void check_pool_ranges(const Section& root, const Loaded& loaded, Diagnostics& diags) {
  std::vector<const model::Pool*> pools;
  for (const model::Pool& pool : loaded.pools) pools.push_back(&pool);
  std::ranges::stable_sort(pools, {}, [](const model::Pool* one) {
    return std::pair{one->range.first.family(), one->range.first};
  });
  const model::Pool* widest = nullptr;  // of those before, the one that reaches furthest
  for (const model::Pool* pool : pools) {
    const bool same_family =
        widest != nullptr && widest->range.first.family() == pool->range.first.family();
    if (same_family && widest->range.contains(pool->range.first)) {
      const Key* one = addresses_of(root, *pool);
      const Key* other = addresses_of(root, *widest);
      if (one != nullptr && other != nullptr) {
        diags.warning(
            one->value_place,
            fmt::format("{}: addresses of '{}' are in '{}' ({}) as well: clients of one "
                        "pool take them from the other; make them disjoint",
                        one->shown(), one->value, other->value, other->value_place.text()));
      }
    }
    if (!same_family || widest->range.last < pool->range.last) widest = pool;
  }
}

void check_top_level(const Section& root, Diagnostics& diags) {
  static constexpr std::string_view kKnown[] = {"connections", "secrets", "pools", "authorities"};
  for (const Key& key : root.keys) {
    diags.error(key.place, fmt::format("'{}' stands outside of any section", key.name));
  }
  for (const Section& section : root.sections) {
    const bool known = std::ranges::find(kKnown, section.name) != std::end(kKnown);
    if (known || section.referenced) continue;
    diags.error(section.place, fmt::format("unknown section '{}'{}", section.name,
                                           model::did_you_mean(section.name, kKnown)));
  }
}

/// For the listing: no file is ever asked for.
class NoFiles final : public Files {
 public:
  Result<std::string> read(const std::string& path) override { return fail("read " + path); }
  std::vector<std::string> glob(const std::string& /*pattern*/) override { return {}; }
};

}  // namespace

std::optional<std::string> name_fault(std::string_view name) {
  if (name.empty()) return "a name is missing";
  if (name.size() > kNameOctetsMax) {
    return fmt::format("'{}...' is too long: names have {} octets at most", name.substr(0, 20),
                       kNameOctetsMax);
  }
  if (std::ranges::any_of(name, control)) return "a name has control characters";
  return std::nullopt;
}

void Loader::check_name(const Section& section, std::string_view kind) const {
  if (listing != nullptr) return;
  if (const auto fault = name_fault(section.name)) {
    diags.error(section.place, fmt::format("{}: {}", kind, *fault));
  }
}

Loaded load_swanctl(const Section& root, Files& files, std::string_view directory,
                    Diagnostics& diags) {
  Loaded out = load_sections(root, files, directory, diags);
  read_folders({.files = files, .directory = directory, .diags = diags}, out);
  return out;
}

Loaded load_sections(const Section& root, Files& files, std::string_view directory,
                     Diagnostics& diags) {
  const Loader loader{.files = files, .directory = directory, .diags = diags};
  Loaded out;
  check_top_level(root, diags);
  each_section(loader, root, "authorities", [&](const Section& section) {
    Authority authority = read_authority(loader, section);
    if (!authority.cacert.empty()) out.authorities.push_back(std::move(authority));
  });
  each_section(loader, root, "pools",
               [&](const Section& section) { out.pools.push_back(read_pool(loader, section)); });
  each_section(loader, root, "connections", [&](const Section& section) {
    if (auto connection = read_connection(loader, section, &out.certificates)) {
      out.connections.push_back(*std::move(connection));
    }
  });
  check_pool_names(root, out, diags);
  check_pool_ranges(root, out, diags);
  read_secrets(loader, root.find_section("secrets"), out);
  return out;
}

std::optional<model::Connection> load_connection(const Section& section, Files& files,
                                                 std::string_view directory, Diagnostics& diags,
                                                 std::vector<CertificateFile>* more) {
  return read_connection({.files = files, .directory = directory, .diags = diags}, section, more);
}

std::optional<model::Pool> load_pool(const Section& section, Diagnostics& diags) {
  NoFiles files;
  const std::size_t errors_before = diags.error_count();
  model::Pool out = read_pool({.files = files, .directory = {}, .diags = diags}, section);
  if (diags.error_count() != errors_before) return std::nullopt;
  return out;
}

std::optional<Authority> load_authority(const Section& section, Files& files,
                                        std::string_view directory, Diagnostics& diags) {
  const std::size_t errors_before = diags.error_count();
  Authority out = read_authority({.files = files, .directory = directory, .diags = diags}, section);
  if (diags.error_count() != errors_before) return std::nullopt;
  return out;
}

std::vector<OptionInfo> all_options() {
  NoFiles files;
  Diagnostics diags;
  std::vector<OptionInfo> out;
  Loaded loaded;
  const Loader loader{.files = files, .directory = {}, .diags = diags, .listing = &out};
  static_cast<void>(read_connection(loader, {}, nullptr));
  read_secrets(loader, nullptr, loaded);
  static_cast<void>(read_pool(loader, {}));
  static_cast<void>(read_authority(loader, {}));
  return out;
}

}  // namespace cygnet::config
