#include "base/reader.hpp"

#include <fmt/format.h>

namespace cygnet {

std::string_view to_string(ParseFault fault) {
  switch (fault) {
    case ParseFault::none:
      return "no fault";
    case ParseFault::truncated:
      return "truncated";
    case ParseFault::trailing_bytes:
      return "trailing octets";
    case ParseFault::bad_length:
      return "bad length";
    case ParseFault::bad_value:
      return "bad value";
    case ParseFault::too_many:
      return "too many elements";
    case ParseFault::unsupported:
      return "not supported";
  }
  return "unknown fault";
}

std::string ParseError::text() const {
  return fmt::format("{}: {} at offset {}", what, to_string(fault), offset);
}

}  // namespace cygnet
