#include "config/load_all.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "config/swanctl_parser.hpp"
#include "config/text_file.hpp"

namespace cygnet::config {
namespace {

/// Names that stand in both trees.
void check_names(const Section& a, const Section& b, Diagnostics& diags) {
  struct Kind {
    std::string_view group;
    std::string_view one;
  };
  static constexpr Kind kKinds[] = {
      {"connections", "connection"}, {"pools", "pool"}, {"authorities", "authority"}};
  for (const Kind& kind : kKinds) {
    const Section* first = a.find_section(kind.group);
    const Section* second = b.find_section(kind.group);
    if (first == nullptr || second == nullptr) continue;
    for (const Section& one : first->sections) {
      const Section* other = second->find_section(one.name);
      if (other == nullptr) continue;
      const auto say = [&](const Place& here, const Place& there) {
        diags.error(here, fmt::format("{} '{}' is configured at {} too: rename one of them",
                                      kind.one, one.name, there.text()));
      };
      say(one.place, other->place);
      say(other->place, one.place);
    }
  }
}

template <class T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  std::ranges::move(from, std::back_inserter(to));
}

void append(Loaded& to, Loaded&& from) {
  append(to.connections, std::move(from.connections));
  append(to.pools, std::move(from.pools));
  append(to.shared_secrets, std::move(from.shared_secrets));
  append(to.keys, std::move(from.keys));
  append(to.certificates, std::move(from.certificates));
  append(to.authorities, std::move(from.authorities));
  to.ipsec_connections.merge(from.ipsec_connections);
  to.ipsec_pools.merge(from.ipsec_pools);
}

}  // namespace

LoadedIpsec load_all(const Sources& sources, Files& files, Diagnostics& diags) {
  Section swanctl;
  if (!sources.swanctl_conf.empty()) swanctl = parse_swanctl(sources.swanctl_conf, files, diags);
  Converted ipsec;
  if (sources.ipsec) ipsec = convert_ipsec(*sources.ipsec, files, diags);
  check_names(swanctl, ipsec.root, diags);
  LoadedIpsec out;
  if (!sources.swanctl_conf.empty()) {
    std::string directory = directory_of(sources.swanctl_conf);
    if (directory.size() > 1) directory.pop_back();
    out.loaded = load_swanctl(swanctl, files, directory, diags);
  }
  if (sources.ipsec) {
    append(out.loaded, load_converted(*sources.ipsec, ipsec.root, files, diags));
  }
  wipe_secrets(swanctl);
  wipe_secrets(ipsec.root);
  out.notes = std::move(ipsec.notes);
  out.charon_debug = std::move(ipsec.charon_debug);
  return out;
}

}  // namespace cygnet::config
