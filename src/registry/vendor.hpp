// Products that show themselves by a vendor ID.                     RFC 7296 §3.12
#pragma once

#include <string_view>

#include "base/bytes.hpp"

namespace cygnet {

/// The product that sends this vendor ID; empty when it is not known. A hint for people: anybody
/// can send it.
[[nodiscard]] std::string_view product_of(ByteView vendor_id);

}  // namespace cygnet
