// The command line of `cygnet`.
#pragma once

#include <string>

namespace cygnet::cli {

/// Parses and runs; the exit code of the process.
[[nodiscard]] int run(int argc, char** argv, const std::string& version);

}  // namespace cygnet::cli
