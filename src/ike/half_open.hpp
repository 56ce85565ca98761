// Who has begun IKE_SA_INIT and has not authenticated yet.         RFC 7296 §2.6, RFC 8019 §4
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "ike/engine.hpp"

namespace cygnet::ike {

/// Half-open IKE_SAs, counted in all, per host (an IPv4 address or an IPv6 /64) and per network (an
/// IPv4 /24 or an IPv6 /48). What one network may hold shrinks with the places that are left, so
/// that whoever fills the table leaves room for others. Established IKE_SAs need no place in it.
class HalfOpenTable {
 public:
  enum class Verdict : std::uint8_t {
    admit,
    cookie,  ///< only with a cookie that proves the address
    refuse,
  };
  /// Whether a new initiator at `source` is let in; `proven`: it has brought its cookie back.
  [[nodiscard]] Verdict judge(const IpAddress& source, bool proven,
                              const EngineConfig& config) const;
  /// How long the next one may take to authenticate: the fuller the table, the less.
  [[nodiscard]] Duration patience(const EngineConfig& config) const;

  /// There must be none from that endpoint with that SPI: find() tells.
  void add(const Endpoint& initiator, IkeSpi spi_i, SaId sa);
  /// Once for each add().
  void remove(const Endpoint& initiator, IkeSpi spi_i);
  /// The IKE_SA that a repeated IKE_SA_INIT request belongs to.
  [[nodiscard]] std::optional<SaId> find(const Endpoint& initiator, IkeSpi spi_i) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  using Counts = std::map<Prefix, std::size_t>;
  static void count_down(Counts& counts, const Prefix& prefix);

  std::map<std::pair<Endpoint, IkeSpi>, SaId> entries_;
  Counts hosts_;
  Counts networks_;
};

}  // namespace cygnet::ike
