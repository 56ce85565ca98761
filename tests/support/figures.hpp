// Figures that a test has to tell beside its verdict.
#pragma once

#include <string>

namespace cygnet::test {

/// Prints the line, and appends it to the file that CYGNET_FIGURES names, if any: CTest shows the
/// output of failed tests only, scripts/test ends with that file.
void tell_figure(const std::string& line);

}  // namespace cygnet::test
