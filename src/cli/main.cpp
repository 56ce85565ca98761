#include "cli/main.hpp"

#include <filesystem>

#include "cli/command_line.hpp"
#include "cli/ipsec.hpp"

namespace cygnet::cli {

int run(int argc, char** argv, const std::string& version) {
  const std::string program = argc > 0 ? argv[0] : "cygnet";
  if (std::filesystem::path{program}.filename() == "ipsec") {
    return ipsec({program, Arguments{}.uri, version}, {argv + 1, argv + argc});
  }
  return CommandLine{version}.run(argc, argv);
}

}  // namespace cygnet::cli
