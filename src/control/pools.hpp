// Virtual-IP pools and who holds which address.                    RFC 7296 §2.19
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "ike/actions.hpp"
#include "model/connection.hpp"

namespace cygnet::control {

/// Leases that one pool remembers for identities that are offline; beyond it the one unused
/// longest is forgotten, so that strangers cannot grow the table.
inline constexpr std::size_t kOfflineLeasesMax = 65536;

/// Addresses of one family that one identity holds at once, so that whoever has one key cannot
/// empty a pool.
inline constexpr std::uint32_t kLeasesOfIdentityMax = 100;

/// One address and its holder. Offline leases are kept for their identity until they are needed.
struct Lease {
  IpAddress address;
  model::Identity identity;
  std::uint32_t sa = 0;         ///< the IKE_SA that holds it; 0 when offline
  std::uint64_t last_used = 0;  ///< order of use
};

/// One pool's addresses, and who has or had which.
class Pool {
 public:
  /// Whether nobody else has an address, through this pool or another.
  using IsFree = std::function<bool(const IpAddress&)>;

  explicit Pool(model::Pool config) : config_(std::move(config)) {}

  [[nodiscard]] const model::Pool& config() const { return config_; }
  /// An address of this pool for `identity`: the one it asks for if that is free or its own, the
  /// one it had before, a fresh one, or the offline lease unused longest. Empty: exhausted.
  [[nodiscard]] std::optional<IpAddress> take(const model::Identity& identity, std::uint32_t sa,
                                              const IpAddress& wish, const IsFree& is_free);
  void release(std::uint32_t sa);
  /// The IKE_SA was rekeyed: its leases go to the new one.
  void transfer(std::uint32_t old, std::uint32_t fresh);

  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] std::size_t online() const;
  [[nodiscard]] std::size_t offline() const { return leases_.size() - online(); }
  [[nodiscard]] const std::map<IpAddress, Lease>& leases() const { return leases_; }
  /// Takes over what is still inside the new range after a reload.
  void adopt(const Pool& old);

 private:
  IpAddress give(const IpAddress& address, const model::Identity& identity, std::uint32_t sa);
  [[nodiscard]] std::optional<IpAddress> fresh_address(const IsFree& is_free);

  model::Pool config_;
  std::map<IpAddress, Lease> leases_;
  std::uint64_t next_offset_ = 0;
  std::uint64_t clock_ = 0;
};

/// One pool that is new, other than before, or gone.
struct PoolChange {
  std::optional<model::Pool> before;
  std::optional<model::Pool> after;
};

/// Those of the configuration files.
struct FilePools {
  std::vector<model::Pool> all;
  std::set<std::string> of_ipsec_conf;  ///< names
};

/// All pools of a configuration. An address is never given to two holders at once, whatever becomes
/// of the pool that it came from.
class Pools {
 public:
  /// Replaces those of the file; leases of a pool that keeps its name live on as far as its range
  /// allows.
  void configure(const FilePools& pools);
  /// What configure() would change.
  [[nodiscard]] std::vector<PoolChange> changes_to(const std::vector<model::Pool>& pools) const;
  /// From a client; takes the place of the one of that name, likewise.
  void put(model::Pool pool);
  /// An error while somebody holds an address of it, or when there is none of that name or it is
  /// ipsec.conf's.
  [[nodiscard]] Result<void> drop(std::string_view name);
  /// Answers ask::Lease for a connection with these pools: one address per family it asks for.
  /// Refused when no family can be served; partial success gives what there is. With unique = never
  /// an address that an IKE_SA holds is nobody else's, else its identity can take it over.
  [[nodiscard]] std::variant<ike::answer::Leased, ike::answer::Refused> lease(
      const ike::ask::Lease& ask, const std::vector<std::string>& pools);
  void release(ike::SaId sa);
  void transfer(ike::SaId old, ike::SaId fresh);
  /// What every lease has, after what its pool says.
  void set_servers(std::vector<IpAddress> dns, std::vector<IpAddress> nbns) {
    dns_ = std::move(dns);
    nbns_ = std::move(nbns);
  }
  [[nodiscard]] const std::map<std::string, Pool, std::less<>>& all() const { return pools_; }
  /// Whether swanctl manages it: it does not come from ipsec.conf.
  [[nodiscard]] bool is_managed(const std::string& name) const {
    return !of_ipsec_conf_.contains(name);
  }

 private:
  struct Holder {
    model::Identity identity;
    std::uint32_t sa = 0;
  };
  void put(model::Pool pool, bool from_file);
  /// Whether `address` can be given to whoever asks.
  [[nodiscard]] bool is_free(const IpAddress& address, const ike::ask::Lease& ask) const;
  /// Whether its identity holds all it may of a family, without this IKE_SA.
  [[nodiscard]] bool is_greedy(IpFamily family, const ike::ask::Lease& ask) const;

  std::vector<IpAddress> dns_;
  std::vector<IpAddress> nbns_;
  std::map<std::string, Pool, std::less<>> pools_;
  std::set<std::string, std::less<>> of_file_;  ///< names
  std::set<std::string> of_ipsec_conf_;         ///< of these
  std::map<IpAddress, Holder> held_;            ///< by an IKE_SA that is up
};

}  // namespace cygnet::control
