#include "control/plan.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "control/fate.hpp"
#include "control/option_text.hpp"

namespace cygnet::control {
namespace {

template <class T>
Change::Kind kind_of(const std::optional<T>& before, const std::optional<T>& after) {
  if (!before) return Change::Kind::added;
  return after ? Change::Kind::changed : Change::Kind::removed;
}

/// In the order of `after`, then what is gone.
std::vector<OptionChange> difference(const std::vector<OptionText>& before,
                                     const std::vector<OptionText>& after) {
  std::map<std::string_view, std::string_view> was;
  for (const OptionText& one : before) was.emplace(one.option, one.value);
  std::vector<OptionChange> out;
  for (const OptionText& one : after) {
    const auto at = was.find(one.option);
    const std::string_view old = at == was.end() ? std::string_view{} : at->second;
    if (old != one.value) out.push_back({one.option, std::string{old}, one.value});
    if (at != was.end()) was.erase(at);
  }
  for (const OptionText& one : before) {
    if (was.contains(one.option) && !one.value.empty()) {
      out.push_back({one.option, one.value, ""});
    }
  }
  return out;
}

/// A child that came or went is in `children`; its options say nothing more.
void drop_whole_children(std::vector<OptionChange>& options, const model::Connection& before,
                         const model::Connection& after) {
  std::vector<std::string> prefixes;
  const auto add = [&prefixes](const model::Connection& of, const model::Connection& other) {
    for (const model::ChildTemplate& child : of.children) {
      if (other.find_child(child.name) == nullptr) {
        prefixes.push_back("children." + child.name + ".");
      }
    }
  };
  add(before, after);
  add(after, before);
  std::erase_if(options, [&prefixes](const OptionChange& one) {
    return std::ranges::any_of(
        prefixes, [&one](const std::string& prefix) { return one.option.starts_with(prefix); });
  });
}

/// Those of `names` (or all, for {""}) that are up now.
std::vector<std::string> up_among(const std::string& connection,
                                  const std::vector<std::string>& names,
                                  const ike::Status& status) {
  std::set<std::string> out;
  for (const ike::IkeStatus& sa : status.sas) {
    if (sa.connection != connection) continue;
    for (const ike::ChildStatus& child : sa.children) {
      const bool meant = std::ranges::any_of(
          names, [&child](const std::string& one) { return one.empty() || one == child.name; });
      if (meant) out.insert(child.name);
    }
  }
  return {out.begin(), out.end()};
}

Change change_of(const ConnectionChange& one, const std::set<ChildKey>& routed,
                 const ike::Status& status) {
  Change out{.kind = kind_of(one.before, one.after),
             .what = "connection",
             .name = one.after ? one.after->name : one.before->name};
  if (!one.before) return out;
  if (one.after) out.options = option_changes(*one.before, *one.after);
  out.ends = up_among(out.name, tunnels_that_end(one), status);
  for (const model::ChildTemplate& child : one.before->children) {
    if (routed.contains({out.name, child.name}) && route_ends(one, child)) {
      out.unrouted.push_back(child.name);
    }
  }
  return out;
}

Change change_of(const PoolChange& one) {
  Change out{.kind = kind_of(one.before, one.after),
             .what = "pool",
             .name = one.after ? one.after->name : one.before->name};
  if (one.before && one.after)
    out.options = difference(options_of(*one.before), options_of(*one.after));
  return out;
}

/// A list of a thousand networks is told as far as somebody reads it.
std::string_view shortened(std::string_view value) {
  constexpr std::size_t kValueMax = 4096;
  return value.substr(0, kValueMax);
}

}  // namespace

std::vector<OptionChange> option_changes(const model::Connection& before,
                                         const model::Connection& after) {
  std::vector<OptionChange> out = difference(options_of(before), options_of(after));
  drop_whole_children(out, before, after);
  return out;
}

std::vector<Change> plan_of(const Configuration::Staged& staged,
                            const std::vector<PoolChange>& pools, const std::set<ChildKey>& routed,
                            const View& view) {
  const ike::Status status = view.status();
  std::vector<Change> out;
  for (const ConnectionChange& one : staged.changes.connections) {
    out.push_back(change_of(one, routed, status));
  }
  if (staged.changes.rearranged) out.push_back({.what = "order", .name = "connections"});
  for (const PoolChange& one : pools) out.push_back(change_of(one));
  for (const CredentialChange& one : staged.credential_changes) {
    const Change::Kind kind = one.before && one.after ? Change::Kind::changed
                              : one.after             ? Change::Kind::added
                                                      : Change::Kind::removed;
    out.push_back({.kind = kind, .what = std::string{one.what}, .name = one.name});
  }
  return out;
}

vici::Message message_of(const Change& change) {
  static constexpr std::array<std::string_view, 3> kKinds{"added", "changed", "removed"};
  vici::Message out;
  out.add("change", kKinds.at(static_cast<std::size_t>(change.kind)));
  out.add("what", std::string_view{change.what}).add("name", std::string_view{change.name});
  if (!change.options.empty()) {
    vici::Message& options = out.section("options");
    for (std::size_t i = 0; i < change.options.size(); ++i) {
      const OptionChange& one = change.options[i];
      options.section(std::to_string(i))
          .add("option", std::string_view{one.option})
          .add("before", shortened(one.before))
          .add("after", shortened(one.after));
    }
  }
  if (!change.ends.empty()) out.add("goes-down", change.ends);
  if (!change.unrouted.empty()) out.add("unrouted", change.unrouted);
  return out;
}

}  // namespace cygnet::control
