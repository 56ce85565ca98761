// What can be written into a configuration: the reference that is made from the readers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cygnet::config {

enum class OptionSupport : std::uint8_t {
  used,
  not_yet,     ///< recognised; other values than the default are reported
  ikev1_only,  ///< recognised and without effect
};

struct OptionInfo {
  std::string path;      ///< "connections.<conn>.rekey_time"
  std::string type;      ///< "time", "list of addresses", "yes | accept | no"
  std::string fallback;  ///< the default as text; empty when there is none
  OptionSupport support = OptionSupport::used;
  std::string note;  ///< for not_yet: what is missing
};

/// Every option of swanctl.conf in the order in which it is read.
[[nodiscard]] std::vector<OptionInfo> all_options();

}  // namespace cygnet::config
