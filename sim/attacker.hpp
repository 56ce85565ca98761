// Somebody on the wire without any key.                                threats.md, RFC 7296 §2.21
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "sim/stage/plane.hpp"
#include "toys/rng.hpp"

namespace cygnet::sim {

/// Sees every datagram as it is on the wire, holds none back, and sends what it likes from wherever
/// it likes.
class Attacker {
 public:
  explicit Attacker(std::uint64_t seed) : rng_(seed) {}

  /// It remembers some of them for a while.
  void see(const Packet& packet);
  /// Something that was seen: as it was, from somewhere else, damaged, or with a true header and
  /// made-up contents.
  [[nodiscard]] std::optional<Packet> replay();
  /// A well-formed message without protection about an IKE_SA that there is, to one of its ends:
  /// what somebody who believed it would end the IKE_SA for.
  [[nodiscard]] std::optional<Packet> lie();
  /// An answer to this IKE_SA_INIT request, for one who is faster than the responder; nothing for
  /// other packets.
  [[nodiscard]] std::optional<Packet> forestall(const Packet& request);
  /// IKE_SA_INIT requests of so many initiators who do not exist, to somebody who was called.
  [[nodiscard]] std::vector<Packet> flood(std::size_t count);

 private:
  [[nodiscard]] Endpoint somewhere(IpFamily family);
  [[nodiscard]] const Packet* any_seen(bool ike);

  test::SeededRng rng_;
  std::deque<Packet> seen_;
  std::uint64_t count_ = 0;
  std::optional<Packet> init_request_;  ///< the newest
};

}  // namespace cygnet::sim
