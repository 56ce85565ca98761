#include "registry/vendor.hpp"

#include <algorithm>
#include <string>

namespace cygnet {
namespace {

struct Vendor {
  std::string_view octets;  ///< hexadecimal
  std::string_view product;
};
/// No row is longer.
constexpr std::size_t kVendorOctetsMax = 32;

constexpr Vendor kVendors[] = {
#define CYG_VENDOR(octets, product, about) {octets, product},
#include "registry/vendor.def"
#undef CYG_VENDOR
};

}  // namespace

std::string_view product_of(ByteView vendor_id) {
  const std::string sent = to_hex(vendor_id.first(std::min(vendor_id.size(), kVendorOctetsMax)));
  for (const Vendor& vendor : kVendors) {
    if (sent.starts_with(vendor.octets)) return vendor.product;
  }
  return {};
}

}  // namespace cygnet
