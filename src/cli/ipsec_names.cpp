#include "cli/ipsec_names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/tree.hpp"

namespace cygnet::cli {
namespace {

using Messages = std::vector<vici::Message>;

/// Every child of every connection, in order.
std::vector<Conn> all_children(const Messages& connections) {
  std::vector<Conn> out;
  for (const vici::Message& event : connections) {
    each_section(event, [&](const std::string& connection, const vici::Message& body) {
      const vici::Message* children = body.find("children");
      if (children == nullptr) return;
      each_section(*children, [&](const std::string& child, const vici::Message& one) {
        out.push_back({connection, child, std::string{one.text("mode")}});
      });
    });
  }
  return out;
}

bool has_connection(std::string_view name, const Messages& connections) {
  return std::ranges::any_of(connections,
                             [&](const vici::Message& event) { return event.find(name); });
}

/// An IKE_SA or a child of one.
struct Instance {
  std::string connection;
  std::string name;
  std::string id;
};

std::vector<Instance> ike_instances(const Messages& sas) {
  std::vector<Instance> out;
  for (const vici::Message& event : sas) {
    each_section(event, [&](const std::string& name, const vici::Message& sa) {
      out.push_back({name, name, std::string{sa.text("uniqueid")}});
    });
  }
  return out;
}

std::vector<Instance> child_instances(const Messages& sas) {
  std::vector<Instance> out;
  for (const vici::Message& event : sas) {
    each_section(event, [&](const std::string& name, const vici::Message& sa) {
      const vici::Message* children = sa.find("child-sas");
      if (children == nullptr) return;
      each_section(*children, [&](const std::string&, const vici::Message& child) {
        out.push_back({name, std::string{child.text("name")}, std::string{child.text("uniqueid")}});
      });
    });
  }
  return out;
}

/// What is common to IKE_SAs and children.
struct Kind {
  bool child = false;
  [[nodiscard]] std::string text(const std::string& id) const {
    return child ? fmt::format("CHILD_SA {{{}}}", id) : fmt::format("IKE_SA [{}]", id);
  }
  [[nodiscard]] std::vector<Instance> list(const Messages& sas) const {
    return child ? child_instances(sas) : ike_instances(sas);
  }
  /// The connection is named too: what it logs is then shown.
  [[nodiscard]] Closing by_id(const Instance& one) const {
    Closing out{.what = text(one.id)};
    if (!one.connection.empty()) out.request.add("ike", one.connection);
    out.request.add(child ? "child-id" : "ike-id", one.id);
    return out;
  }
  /// By name it is also not wanted any more.
  [[nodiscard]] Closing by_name(const Instance& one) const {
    Closing out{.request = Conn{one.connection, child ? one.name : "", {}}.request()};
    if (!one.id.empty()) out.what = text(one.id);
    return out;
  }
};
constexpr Kind kIke{false};
constexpr Kind kChild{true};

std::vector<Instance> called(std::string_view name, std::vector<Instance> among) {
  std::erase_if(among, [&](const Instance& one) { return one.name != name; });
  return among;
}

std::vector<Closing> plain(std::string_view name, const Messages& sas) {
  for (const Kind kind : {kIke, kChild}) {
    const std::vector<Instance> found = called(name, kind.list(sas));
    if (found.size() == 1) return {kind.by_name(found.front())};
    if (found.size() > 1) return {kind.by_id(found.front())};
  }
  const std::string text{name};
  Closing child;
  child.request.add("child", text);
  return {kIke.by_name({text, text, {}}), std::move(child)};
}

}  // namespace

vici::Message Conn::request() const {
  vici::Message out;
  out.add("ike", connection);
  if (!child.empty()) out.add("child", child);
  return out;
}

std::optional<Conn> find_conn(std::string_view name, const Messages& connections) {
  const std::vector<Conn> children = all_children(connections);
  const auto same = std::ranges::find_if(
      children, [&](const Conn& one) { return one.child == name && one.connection == name; });
  if (same != children.end()) return *same;
  if (has_connection(name, connections)) return Conn{std::string{name}, {}, {}};
  const auto any = std::ranges::find(children, name, &Conn::child);
  if (any != children.end()) return *any;
  return std::nullopt;
}

std::vector<Conn> find_children(std::string_view name, const Messages& connections) {
  const auto found = find_conn(name, connections);
  if (!found) return {};
  if (!found->child.empty()) return {*found};
  std::vector<Conn> out = all_children(connections);
  std::erase_if(out, [&](const Conn& one) { return one.connection != name; });
  return out;
}

std::optional<Conn> find_policy(std::string_view name, const Messages& policies) {
  std::optional<Conn> out;
  for (const vici::Message& event : policies) {
    each_section(event, [&](const std::string&, const vici::Message& policy) {
      if (out || policy.text("child") != name) return;
      out = Conn{std::string{policy.text("ike")}, std::string{name},
                 std::string{policy.text("mode")}};
    });
  }
  return out;
}

std::vector<Closing> find_closings(std::string_view name, const Messages& sas) {
  const bool child = name.ends_with('}');
  const std::size_t open = name.rfind(child ? '{' : '[');
  if ((!child && !name.ends_with(']')) || open == std::string_view::npos) return plain(name, sas);
  const Kind kind{child};
  const std::string id{name.substr(open + 1, name.size() - open - 2)};
  std::vector<Instance> among = kind.list(sas);
  std::vector<Closing> out;
  if (id == "*" || id.empty()) {
    for (const Instance& one : called(name.substr(0, open), std::move(among))) {
      out.push_back(kind.by_id(one));
    }
    return out;
  }
  // The number counts, whatever the name.
  const auto found = std::ranges::find(among, id, &Instance::id);
  out.push_back(kind.by_id(found == among.end() ? Instance{{}, {}, id} : *found));
  return out;
}

std::vector<Closing> find_clients(const IpRange& range, const Messages& sas) {
  std::vector<Closing> out;
  for (const vici::Message& event : sas) {
    each_section(event, [&](const std::string& name, const vici::Message& sa) {
      const vici::List* addresses = sa.list("remote-vips");
      if (addresses == nullptr) return;
      const bool inside = std::ranges::any_of(*addresses, [&](const std::string& text) {
        const auto address = IpAddress::parse(text);
        return address && range.first <= *address && *address <= range.last;
      });
      if (inside) out.push_back(kIke.by_id({name, name, std::string{sa.text("uniqueid")}}));
    });
  }
  return out;
}

std::vector<Closing> find_idle(const Messages& sas) {
  std::vector<Closing> out;
  for (const vici::Message& event : sas) {
    each_section(event, [&](const std::string& name, const vici::Message& sa) {
      const vici::Message* children = sa.find("child-sas");
      const bool idle = children == nullptr || children->empty();
      if (idle && sa.text("state") == "ESTABLISHED") {
        out.push_back(kIke.by_id({name, name, std::string{sa.text("uniqueid")}}));
      }
    });
  }
  return out;
}

}  // namespace cygnet::cli
