// The files a configuration is made of, as an argument.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace cygnet::config {

/// Implemented by the daemon over the file system and by tests in memory.
class Files {
 public:
  virtual ~Files() = default;
  /// The whole content; an implementation should refuse what is far above kFileOctetsMax.
  [[nodiscard]] virtual Result<std::string> read(const std::string& path) = 0;
  /// The files that match a shell pattern, sorted by name; none is no error.
  [[nodiscard]] virtual std::vector<std::string> glob(const std::string& pattern) = 0;
  /// Every user of the machine may read it; false where there are no users.
  [[nodiscard]] virtual bool is_public(const std::string& /*path*/) { return false; }
};

}  // namespace cygnet::config
