#include "support/figures.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

namespace cygnet::test {

void tell_figure(const std::string& line) {
  fmt::print("{}\n", line);
  const char* path = std::getenv("CYGNET_FIGURES");
  if (path == nullptr) return;
  // One write at the file's end: tests run side by side.
  std::ofstream{path, std::ios::app} << line + "\n";
}

}  // namespace cygnet::test
