// `cygnet plan` and `cygnet apply`: what reading the configuration again changes.
#pragma once

#include <string>
#include <vector>

#include "vici/message.hpp"

namespace cygnet::cli {

/// What the daemon has answered to cygnet-plan or cygnet-reload.
struct PlanInput {
  std::vector<vici::Message> changes;  ///< cygnet-change events
  std::vector<std::string> warnings;   ///< "file:line:column: warning: ..."
  bool applied = false;
};

/// One paragraph for each change: "+" new, "~" other than before, "-" gone.
[[nodiscard]] std::string plan_text(const PlanInput& input);
/// One JSON document; docs/plan-json.md is its contract.
[[nodiscard]] std::string plan_json(const PlanInput& input);

}  // namespace cygnet::cli
