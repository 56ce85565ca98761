// What `ipsec` prints: strongSwan's listings, made of the daemon's answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vici/message.hpp"

namespace cygnet::cli {

/// What `ipsec status` and `ipsec statusall` tell of.
struct IpsecStatus {
  std::vector<vici::Message> sas;       ///< list-sa events
  std::vector<vici::Message> policies;  ///< list-policy events
  // The rest is for statusall only.
  vici::Message version;                   ///< answer of version
  vici::Message stats;                     ///< answer of stats
  vici::Message pools;                     ///< answer of get-pools
  std::vector<std::string> addresses;      ///< of this host
  std::vector<vici::Message> connections;  ///< list-conn events
};

/// `only`: the connection to tell of; empty: all.
[[nodiscard]] std::string ipsec_status(const IpsecStatus& input, std::string_view only);
[[nodiscard]] std::string ipsec_statusall(const IpsecStatus& input, std::string_view only);

/// `pools`: the answer of get-pools with leases. `pool` and `address` may be empty: all.
[[nodiscard]] std::string ipsec_leases(const vici::Message& pools, std::string_view pool,
                                       std::string_view address);

/// `answer` of get-counters for the connection `name`; empty: of all together.
[[nodiscard]] std::string ipsec_counters(const vici::Message& answer, std::string_view name);

/// `answer` of get-algorithms.
[[nodiscard]] std::string ipsec_algorithms(const vici::Message& answer);

/// `answer` of stats.
[[nodiscard]] std::string ipsec_plugins(const vici::Message& answer);

/// How to show dates.
struct Clock {
  std::int64_t now = 0;  ///< seconds since 1970
  bool utc = false;      ///< otherwise in the local time zone
};
/// list-cert events under a heading; empty when there are none. docs/ipsec-command.md lists the
/// keys that it shows.
[[nodiscard]] std::string ipsec_certificates(std::string_view heading,
                                             const std::vector<vici::Message>& events,
                                             const Clock& clock);

/// list-authority events; those without a URI are left out, as the original knows none of them.
[[nodiscard]] std::string ipsec_authorities(const std::vector<vici::Message>& events);

/// "52 minutes": in the largest unit of which there are more than two.
[[nodiscard]] std::string ipsec_span(std::uint64_t seconds);

}  // namespace cygnet::cli
