// A configuration's files in memory.
#pragma once

#include <fnmatch.h>

#include <map>

#include "config/files.hpp"

namespace cygnet::test {

class MemoryFiles final : public config::Files {
 public:
  explicit MemoryFiles(std::map<std::string, std::string> files = {}) : files_(std::move(files)) {}
  Result<std::string> read(const std::string& path) override {
    const auto at = files_.find(path);
    if (at == files_.end()) return fail("open " + path, "no such file");
    return at->second;
  }
  std::vector<std::string> glob(const std::string& pattern) override {
    std::vector<std::string> out;
    for (const auto& [path, text] : files_) {
      if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) out.push_back(path);
    }
    return out;
  }
  std::map<std::string, std::string> files_;
};

}  // namespace cygnet::test
