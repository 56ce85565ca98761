// What must hold of everything a virtual world sends and delivers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "sim/plane.hpp"

namespace cygnet::sim {

/// Notes the first violation. Endpoints are named by the sender's own address.
class Monitor {
 public:
  explicit Monitor(std::function<void(const std::string&)> fault) : fault_(std::move(fault)) {}

  /// A node has sent an IKE message: repeats must be the same bit by bit, and a new request needs
  /// the answer to the one before (RFC 7296 §2.1, §2.3).
  void ike_sent(const IpAddress& node, ByteView message);
  void ike_received(const IpAddress& node, ByteView message);
  /// An ESP SA's key and sequence number, which make its nonce: never twice (RFC 4303 §2.2).
  void sealed(std::uint64_t key, std::uint64_t sequence);
  /// `number` was sent for `receiver`; it may arrive there, once.
  void inner_sent(std::uint64_t number, const std::string& receiver);
  /// Nobody took it: it was never under way.
  void inner_refused(std::uint64_t number) { inner_.erase(number); }
  void inner_delivered(std::uint64_t number, const std::string& receiver);
  /// The first packet beyond number `after` that was sent and has not been delivered.
  [[nodiscard]] std::optional<std::uint64_t> first_lost(std::uint64_t after = 0) const;

  [[nodiscard]] std::size_t sent() const { return inner_.size(); }
  [[nodiscard]] std::size_t delivered() const { return delivered_.size(); }

 private:
  struct Direction {
    std::uint32_t id = 0;
    std::map<std::uint32_t, std::size_t> parts;  ///< fragment number to a hash of its octets
    bool any = false;
  };
  struct Sa {
    Direction requests;
    Direction responses;
    std::optional<std::uint32_t> answered;  ///< the newest of our requests with an answer
  };
  using Key = std::tuple<IpAddress, std::uint64_t, std::uint64_t>;

  std::function<void(const std::string&)> fault_;
  std::map<Key, Sa> sas_;
  std::map<std::uint64_t, std::uint64_t> sequences_;  ///< by key, the highest
  std::map<std::uint64_t, std::string> inner_;
  std::set<std::uint64_t> delivered_;
};

}  // namespace cygnet::sim
