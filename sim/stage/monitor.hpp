// What must hold of everything a virtual world sends and delivers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/strong.hpp"

namespace cygnet::sim {

/// Tells of each violation. Nodes are numbers of the world's choice, which a node keeps wherever it
/// moves.
class Monitor {
 public:
  explicit Monitor(std::function<void(const std::string&)> fault) : fault_(std::move(fault)) {}

  /// A node has sent an IKE message: repeats must be the same bit by bit, a new request needs the
  /// answer to the one before (RFC 7296 §2.1, §2.3), and no two messages share an IV (RFC 5282 §3).
  void ike_sent(std::size_t node, ByteView message);
  /// Only what the peer has really said counts as an answer.
  void ike_received(std::size_t node, ByteView message);
  /// Whether `node` has sent anything protected in this IKE_SA.
  [[nodiscard]] bool takes_part(std::size_t node, IkeSpi spi_i, IkeSpi spi_r) const {
    return sas_.contains({spi_i.value(), spi_r.value(), node});
  }
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
  /// A fragment's number, or an IV, and a hash of the message.
  using Entry = std::pair<std::uint64_t, std::size_t>;
  struct Direction {
    std::uint32_t id = 0;
    std::vector<Entry> parts;  ///< of the newest message
    bool any = false;
  };
  /// One IKE_SA as one node uses it.
  struct Sa {
    Direction requests;
    Direction responses;
    std::uint64_t answers = 0;  ///< fragments that came of the answer awaited, a bit each
    bool answered = false;      ///< all of them
    std::vector<Entry> sealed;  ///< by IV
  };
  /// SPIs first: both ends of an IKE_SA are neighbours.
  using Key = std::tuple<std::uint64_t, std::uint64_t, std::size_t>;

  std::function<void(const std::string&)> fault_;
  std::map<Key, Sa> sas_;
  std::map<std::uint64_t, std::uint64_t> sequences_;  ///< by key, the highest
  std::map<std::uint64_t, std::string> inner_;
  std::set<std::uint64_t> delivered_;
};

}  // namespace cygnet::sim
