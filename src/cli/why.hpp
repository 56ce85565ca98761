// `cygnet why`: the last refusals and failed attempts, for people and for programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vici/message.hpp"

namespace cygnet::cli {

/// The records (cygnet-failure events) that `peer` is a part of: of their connection, identity or
/// address. Each once: one that has just happened may have come twice.
[[nodiscard]] std::vector<vici::Message> records_about(const std::vector<vici::Message>& records,
                                                       std::string_view peer);

/// Oldest first.
[[nodiscard]] std::string why_text(const std::vector<vici::Message>& records);
/// One JSON document; docs/why-json.md is its contract.
[[nodiscard]] std::string why_json(const std::vector<vici::Message>& records);

}  // namespace cygnet::cli
