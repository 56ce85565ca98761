// The anti-replay window and extended sequence numbers.        RFC 4303 §3.4.3, App. A; RFC 6479
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cygnet::esp {

/// Packets the largest window covers.
inline constexpr std::uint32_t kReplayWindowMax = 4096;

/// Which sequence numbers of one inbound SA were seen. Not thread-safe. Ask `fresh` before the
/// ICV is checked (cheap refusal), `accept` after it (only authentic packets move the window).
class ReplayWindow {
 public:
  enum class Verdict : std::uint8_t {
    replayed,  ///< seen already, or left of the window
    accepted,  ///< new, but not the highest so far
    newest,    ///< the highest so far
  };

  /// `size` is 0 (check switched off) to kReplayWindowMax packets.
  ReplayWindow(std::uint32_t size, bool esn);

  /// The 64-bit sequence number that 32 bits on the wire stand for (RFC 4303 §A2.2); nothing
  /// when there is none. Without ESN it is the wire's number.
  [[nodiscard]] std::optional<std::uint64_t> expand(std::uint32_t low) const;
  /// False for what accept() would call replayed.
  [[nodiscard]] bool fresh(std::uint64_t sequence) const;
  /// Marks an authenticated number as seen.
  [[nodiscard]] Verdict accept(std::uint64_t sequence);
  /// The highest number accepted; 0 before the first.
  [[nodiscard]] std::uint64_t top() const { return top_; }

 private:
  std::uint32_t size_;
  bool esn_;
  std::uint64_t top_ = 0;
  std::vector<std::uint64_t> ring_;  // 2^n words, at least one more than the window needs
};

}  // namespace cygnet::esp
