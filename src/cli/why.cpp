#include "cli/why.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "cli/tree.hpp"

namespace cygnet::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string record_text(const vici::Message& record) {
  const std::string_view remote = record.text("remote");
  const std::string_view times = record.text("times");
  std::string out =
      fmt::format("{} s ago, {}{}{}: {}{}\n", record.text("age"),
                  record.text("role") == "initiator" ? "calling" : "refused",
                  remote.empty() ? "" : " ", remote, record.text("reason"),
                  times.empty() || times == "1" ? std::string{} : fmt::format(", {} times", times));
  const auto row = [&](std::string_view key, std::string_view label) {
    if (!record.text(key).empty()) out += fmt::format("  {:<11} {}\n", label, record.text(key));
  };
  row("phase", "during");
  row("connection", "connection");
  row("remote-id", "peer");
  row("product", "product");
  row("field", "field");
  row("ours", "ours");
  row("theirs", "theirs");
  if (const vici::Message* candidates = record.find("candidates")) {
    each_section(*candidates, [&](const auto&, const vici::Message& one) {
      // The nearest one was told already.
      if (one.text("connection") == record.text("connection") &&
          one.text("field") == record.text("field")) {
        return;
      }
      out += fmt::format("  not '{}', its {} does not fit: ours {}, theirs {}\n",
                         one.text("connection"), one.text("field"), one.text("ours"),
                         one.text("theirs"));
    });
  }
  row("advice", "what to do");
  return out;
}

/// Text, or null where the record has none.
Json text_json(const vici::Message& record, std::string_view key) {
  const std::string* value = record.value(key);
  return value == nullptr ? Json(nullptr) : Json(*value);
}

Json record_json(const vici::Message& record) {
  Json candidates = Json::array();
  if (const vici::Message* section = record.find("candidates")) {
    each_section(*section, [&candidates](const auto&, const vici::Message& one) {
      candidates.push_back({{"connection", one.text("connection")},
                            {"field", one.text("field")},
                            {"ours", one.text("ours")},
                            {"theirs", one.text("theirs")}});
    });
  }
  return {{"id", record.number("id").value_or(0)},
          {"times", record.number("times").value_or(1)},
          {"age_s", record.number("age").value_or(0)},
          {"initiator", record.text("role") == "initiator"},
          {"phase", text_json(record, "phase")},
          {"reason", text_json(record, "reason")},
          {"local", text_json(record, "local")},
          {"remote", text_json(record, "remote")},
          {"connection", text_json(record, "connection")},
          {"remote_id", text_json(record, "remote-id")},
          {"product", text_json(record, "product")},
          {"field", text_json(record, "field")},
          {"ours", text_json(record, "ours")},
          {"theirs", text_json(record, "theirs")},
          {"advice", text_json(record, "advice")},
          {"candidates", std::move(candidates)}};
}

}  // namespace

std::vector<vici::Message> records_about(const std::vector<vici::Message>& records,
                                         std::string_view peer) {
  std::vector<vici::Message> out;
  std::set<std::uint64_t> seen;
  for (const vici::Message& record : records) {
    const auto names = [&](std::string_view key) {
      return record.text(key).find(peer) != std::string_view::npos;
    };
    if (!names("connection") && !names("remote-id") && !names("remote")) continue;
    const auto id = record.number("id");
    if (!id || seen.insert(*id).second) out.push_back(record);
  }
  return out;
}

std::string why_text(const std::vector<vici::Message>& records) {
  std::string out;
  for (const vici::Message& record : records) out += record_text(record);
  return out;
}

std::string why_json(const std::vector<vici::Message>& records) {
  Json failures = Json::array();
  for (const vici::Message& record : records) failures.push_back(record_json(record));
  const Json out{{"version", 1}, {"failures", std::move(failures)}};
  // Identities come from peers and may hold octets that are no UTF-8.
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cygnet::cli
