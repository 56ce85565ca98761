// How the nodes of a virtual world are configured.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "sim/node.hpp"

namespace cygnet::sim {

inline constexpr std::string_view kGatewayName = "gw.example";
inline constexpr std::string_view kMediaServer = "t520.example";

/// What all ends of one world share.
struct Terms {
  Duration child_rekey{0};
  Duration ike_rekey{0};
  Duration dpd{0};
  Duration reauth{0};
  std::uint64_t rekey_packets = 0;  ///< 0: no limit
  std::vector<IpAddress> gateway;   ///< its addresses
  bool by_name = false;             ///< it is called by its name
  // Of sites only:
  bool traps = false;  ///< traffic asks for the children; else they are kept up
  Duration inactivity{0};
  std::size_t networks = 1;  ///< of each end, and so children
};

/// An address of the Internet, 203.0.113.NUMBER or 2001:db8:0:NUMBER::1.
[[nodiscard]] IpAddress outer_address(IpFamily family, std::uint32_t number);
/// The addresses of the gateway: 198.51.100.1, 198.51.100.2 and 2001:db8:1:1::1.
[[nodiscard]] IpAddress gateway_address(IpFamily family, std::uint32_t number = 1);

// Editions differ a little, as when an operator has changed something.

/// A client of the gateway that keeps its tunnel up; the gateway's key for it is `key`.
[[nodiscard]] config::Loaded client_configuration(const Terms& terms, const std::string& name,
                                                  std::string_view key, unsigned edition = 0);
[[nodiscard]] config::Loaded gateway_configuration(const Terms& terms,
                                                   const std::vector<std::string>& clients,
                                                   unsigned edition = 0);
/// The key that the gateway has for a client.
[[nodiscard]] std::string password_of(std::string_view client);

[[nodiscard]] std::string site_name(std::size_t number);
[[nodiscard]] IpAddress site_address(const Terms& terms, std::size_t number);
/// The host in one network of an end: 10.END.NETWORK.1; the head office is end 0.
[[nodiscard]] IpAddress host_of(std::size_t end, std::size_t network);
[[nodiscard]] config::Loaded site_configuration(const Terms& terms, std::size_t site,
                                                unsigned edition = 0);
[[nodiscard]] config::Loaded head_office_configuration(const Terms& terms, std::size_t sites,
                                                       unsigned edition = 0);

/// The same, but every key is a guess, and nobody is called.
[[nodiscard]] config::Loaded as_impostor(config::Loaded gateway);

}  // namespace cygnet::sim
