// A program's manual page.                                     man(7)
#pragma once

#include <string>
#include <vector>

#include "usage/command.hpp"

namespace cygnet::usage {

/// One exit code of a program.
struct ExitCode {
  int code = 0;
  std::string text;
};

/// What the parser does not know.
struct ManualFrame {
  unsigned section = 1;
  std::string version;
  std::string description;  ///< paragraphs, separated by empty lines
  std::vector<ExitCode> exits;
  struct File {
    std::string path;
    std::string text;
  };
  std::vector<File> files;
  std::vector<std::string> see_also;  ///< "cygnetd(8)"
};

/// In roff, with the macros of man.
[[nodiscard]] std::string manual_page(const Command& program, const ManualFrame& frame);

}  // namespace cygnet::usage
