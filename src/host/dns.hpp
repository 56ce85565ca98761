// Name servers that gateways gave us (RFC 7296 §3.15.1, RFC 8598): recorded and reported.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "host/table.hpp"

namespace cygnet::host {

struct DnsSettings {
  std::vector<IpAddress> servers;
  std::vector<std::string> domains;  ///< that these servers answer for; empty: all

  friend bool operator==(const DnsSettings&, const DnsSettings&) = default;
};

/// Records only: nothing on the host is changed by it, the daemon shows the list in its status.
class DnsRecords {
 public:
  /// What one peer may make us remember; more is cut off and counted.
  static constexpr std::size_t kServersPerOwnerMax = 8;
  static constexpr std::size_t kDomainsPerOwnerMax = 64;
  /// RFC 1035 §2.3.4; longer names are not remembered.
  static constexpr std::size_t kDomainLengthMax = 255;

  struct Entry {
    Owner owner = 0;
    DnsSettings settings;
    bool applied = false;  ///< always false for now: the host's resolver is not touched
  };

  /// Replaces what `owner` had. Settings without servers are forgotten.
  void learned(Owner owner, DnsSettings settings);
  void forget(Owner owner) { owners_.erase(owner); }
  /// In the order of owners.
  [[nodiscard]] std::vector<Entry> all() const;
  /// Servers and domains that were cut off or malformed since the start.
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  std::map<Owner, DnsSettings> owners_;
  std::uint64_t refused_ = 0;
};

}  // namespace cygnet::host
