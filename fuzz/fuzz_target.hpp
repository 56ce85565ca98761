// The fuzz targets by name; fuzz/CMakeLists.txt says how to add one.
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace cygnet {

/// One function that takes any octets, and aborts (CYG_CHECK) when what must hold does not.
struct FuzzTarget {
  std::string_view name;  ///< of the file in fuzz/targets/ and of the folder in fuzz/corpus/
  void (*run)(ByteView input);
};
/// Sorted by name.
[[nodiscard]] std::span<const FuzzTarget> fuzz_targets();

}  // namespace cygnet
