#include "cli/names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/tree.hpp"

namespace cygnet::cli {
namespace {

struct Entry {
  Name name;
  [[nodiscard]] std::string full() const { return name.connection + "/" + name.child; }
};

}  // namespace

Result<Name> find_name(std::string_view text, const std::vector<vici::Message>& connections) {
  std::vector<Entry> children;
  std::vector<std::string> known;
  for (const vici::Message& event : connections) {
    for (const vici::Item& item : event.items()) {
      if (item.name == text) return Name{item.name, {}};
      known.push_back(item.name);
      const auto* body = std::get_if<vici::Message>(&item.content);
      const vici::Message* section = body == nullptr ? nullptr : body->find("children");
      if (section == nullptr) continue;
      for (const vici::Item& child : section->items())
        children.push_back({{item.name, child.name}});
    }
  }
  std::vector<Entry> fitting;
  for (const Entry& entry : children) {
    if (entry.full() == text) return entry.name;
    if (entry.name.child == text) fitting.push_back(entry);
  }
  if (fitting.size() == 1) return fitting.front().name;
  if (fitting.empty()) {
    return fail(fmt::format("nothing is called '{}'", text),
                known.empty() ? "no connection is configured"
                              : fmt::format("connections are: {}", fmt::join(known, ", ")));
  }
  std::vector<std::string> choices;
  for (const Entry& entry : fitting) choices.push_back(entry.full());
  return fail(fmt::format("'{}' is the name of several children", text),
              fmt::format("say one of: {}", fmt::join(choices, ", ")));
}

std::vector<std::string> all_names(const std::vector<vici::Message>& connections) {
  std::vector<std::string> out;
  for (const vici::Message& event : connections) {
    each_section(event, [&out](const std::string& connection, const vici::Message& body) {
      out.push_back(connection);
      const vici::Message* children = body.find("children");
      if (children == nullptr) return;
      each_section(*children, [&](const std::string& child, const vici::Message&) {
        out.push_back(Entry{{connection, child}}.full());
      });
    });
  }
  return out;
}

}  // namespace cygnet::cli
