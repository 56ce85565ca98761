#include "cli/plan.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/tree.hpp"

namespace cygnet::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string or_nothing(std::string_view value) {
  return value.empty() ? "(none)" : std::string{value};
}

std::string change_text(const vici::Message& change) {
  const std::string_view kind = change.text("change");
  const char* sign = kind == "added" ? "+" : kind == "removed" ? "-" : "~";
  const std::string_view name = change.text("name");
  std::string out =
      fmt::format("{} {}{}{}\n", sign, change.text("what"), name.empty() ? "" : " ", name);
  if (const vici::Message* options = change.find("options")) {
    each_section(*options, [&out](const auto&, const vici::Message& one) {
      out += fmt::format("    {}: {} -> {}\n", one.text("option"), or_nothing(one.text("before")),
                         or_nothing(one.text("after")));
    });
  }
  if (change.list("goes-down") != nullptr) {
    out += fmt::format("    goes down: {}\n", joined(change, "goes-down"));
  }
  if (change.list("unrouted") != nullptr) {
    out += fmt::format("    no longer waits for traffic: {}\n", joined(change, "unrouted"));
  }
  return out;
}

std::size_t count(const PlanInput& input, std::string_view kind) {
  std::size_t out = 0;
  for (const vici::Message& one : input.changes) out += one.text("change") == kind ? 1U : 0U;
  return out;
}

std::size_t count_down(const PlanInput& input) {
  std::size_t out = 0;
  for (const vici::Message& one : input.changes) {
    if (const vici::List* names = one.list("goes-down")) out += names->size();
  }
  return out;
}

Json list_json(const vici::Message& from, std::string_view name) {
  Json out = Json::array();
  if (const vici::List* list = from.list(name)) {
    for (const std::string& item : *list) out.push_back(item);
  }
  return out;
}

}  // namespace

std::string plan_text(const PlanInput& input) {
  std::string out;
  for (const std::string& one : input.warnings) out += one + "\n";
  for (const vici::Message& one : input.changes) out += change_text(one);
  if (input.changes.empty()) {
    return out + (input.applied ? "nothing has changed\n" : "nothing would change\n");
  }
  const std::size_t down = count_down(input);
  return out + fmt::format("{}: {} added, {} changed, {} removed; {} tunnel{} {} down\n",
                           input.applied ? "done" : "plan", count(input, "added"),
                           count(input, "changed"), count(input, "removed"), down,
                           down == 1 ? "" : "s",
                           input.applied ? "taken" : (down == 1 ? "goes" : "go"));
}

std::string plan_json(const PlanInput& input) {
  Json changes = Json::array();
  for (const vici::Message& one : input.changes) {
    Json options = Json::array();
    if (const vici::Message* section = one.find("options")) {
      each_section(*section, [&options](const auto&, const vici::Message& option) {
        options.push_back({{"option", option.text("option")},
                           {"before", option.text("before")},
                           {"after", option.text("after")}});
      });
    }
    changes.push_back({{"change", one.text("change")},
                       {"what", one.text("what")},
                       {"name", one.text("name")},
                       {"options", std::move(options)},
                       {"goes_down", list_json(one, "goes-down")},
                       {"unrouted", list_json(one, "unrouted")}});
  }
  const Json out{{"version", 1},
                 {"applied", input.applied},
                 {"changes", std::move(changes)},
                 {"warnings", input.warnings}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cygnet::cli
