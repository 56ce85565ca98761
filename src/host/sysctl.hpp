// The kernel's switches under /proc/sys that concern a tunnel.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"

namespace cygnet::host {

/// Reads a switch such as "net/ipv4/ip_forward", without its line end.
[[nodiscard]] Result<std::string> read_sysctl(std::string_view name);
[[nodiscard]] Result<void> write_sysctl(std::string_view name, std::string_view value);

/// Does the kernel forward between interfaces? An error when the switch does not exist (a kernel
/// without that family).
[[nodiscard]] Result<bool> forwarding(IpFamily family);

/// Sets what our own TUN device needs and nothing else; returns a sentence for everything that
/// could not be set. `device` must be an interface name.
///  - disable_policy=1: decrypted packets are not checked again against kernel IPsec policies
///    that belong to somebody else.
///  - rp_filter=2, only where it would be strict (1): a flow's reverse path is not found by
///    kernels that look rules with ports up without swapping the ports. Routes of whole prefixes
///    pass even the strict check.
///  - addr_gen_mode=1 (none): no link-local address and no router solicitations into the tunnel.
[[nodiscard]] std::vector<std::string> prepare_device(std::string_view device);

/// Interfaces other than `device` whose strict rp_filter would discard the ESP packets of a full
/// tunnel: the check looks up without our fwmark, and so finds the tunnel instead of them.
[[nodiscard]] Result<std::vector<std::string>> strict_interfaces(std::string_view device);

}  // namespace cygnet::host
