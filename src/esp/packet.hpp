// A packet in a caller's buffer, sealed and opened where it lies.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "esp/drop.hpp"
#include "model/data_plane.hpp"

namespace cygnet::esp {

/// Room in front of and behind an inner packet that every suite can be sealed in: ESP header
/// and IV, or the headers of an ICMP error; padding, trailer and ICV.
inline constexpr std::size_t kHeadroom = 64;
inline constexpr std::size_t kTailroom = 64;

/// What to do with a packet now.
enum class Verdict : std::uint8_t {
  drop,       ///< nothing; `reason` says why, and it was counted
  send,       ///< data is an ESP packet: send it from `local` to `remote` with `tos`
  deliver,    ///< data is an inner packet (or our ICMP error) for the host
  held,       ///< a trap keeps a copy until its child is up
  elsewhere,  ///< data is unchanged: give it to the worker `owner`, who seals for this child
};

/// A view of one packet in a buffer of the caller's. Before outbound(): data is what the host
/// sent. Before inbound(): data is an ESP packet (SPI first), `local`, `remote` and `tos` are
/// what the outer headers said. Afterwards `verdict` says what the other fields mean.
struct Packet {
  MutableBytes buffer;         ///< the whole room
  std::size_t offset = 0;      ///< where the data starts in it
  std::size_t size = 0;        ///< octets of data
  Endpoint local;              ///< outer
  Endpoint remote;             ///< outer
  std::uint8_t tos = 0;        ///< outer TOS or traffic class
  bool dont_fragment = false;  ///< outer DF, for IPv4
  bool udp_encap = true;       ///< send in UDP
  model::ChildId child;        ///< that sealed or opened it
  std::size_t owner = 0;       ///< with Verdict::elsewhere
  Verdict verdict = Verdict::drop;
  Drop reason = Drop::none;

  [[nodiscard]] MutableBytes data() const { return buffer.subspan(offset, size); }
  [[nodiscard]] std::size_t tailroom() const { return buffer.size() - offset - size; }
};

}  // namespace cygnet::esp
