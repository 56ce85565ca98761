// The configuration's files on disk.
#pragma once

#include "config/files.hpp"

namespace cygnet::disk {

/// Regular files only, at most config::kFileOctetsMax octets each.
class DiskFiles final : public config::Files {
 public:
  [[nodiscard]] Result<std::string> read(const std::string& path) override;
  [[nodiscard]] std::vector<std::string> glob(const std::string& pattern) override;
  [[nodiscard]] bool is_public(const std::string& path) override;
};

}  // namespace cygnet::disk
