// `cygnet status`: what is connected, for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vici/message.hpp"

namespace cygnet::cli {

/// What the daemon's answers tell.
struct StatusInput {
  std::vector<vici::Message> sas;       ///< list-sa events
  std::vector<vici::Message> policies;  ///< list-policy events
  vici::Message pools;                  ///< answer of get-pools
  std::size_t failures = 0;             ///< records that `cygnet why` would show
};

/// How a JSON document is laid out.
enum class Json : std::uint8_t { indented, one_line };

[[nodiscard]] std::string status_text(const StatusInput& input);
/// One JSON document; docs/status-json.md is its contract.
[[nodiscard]] std::string status_json(const StatusInput& input, Json layout = Json::indented);

}  // namespace cygnet::cli
