// One child at run time: its SAs, counters and traps, shared by the workers.    RFC 4301 §4.4.2
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "crypto/provider.hpp"
#include "esp/replay.hpp"
#include "model/data_plane.hpp"

namespace cygnet::esp {

/// Packets a trap holds until its child is up, and how long they are worth sending.
inline constexpr std::size_t kHeldPacketsMax = 8;
inline constexpr Duration kHeldTimeMax = std::chrono::seconds{30};
/// A trap asks again only after this long (or as soon as a child has served it).
inline constexpr Duration kAcquireInterval = std::chrono::seconds{10};
/// A child reports at most one change of its peer's address in this time.
inline constexpr Duration kMappingInterval = std::chrono::milliseconds{500};
/// How many numbers before the end of the sequence space a rekey is asked for.
inline constexpr std::uint64_t kSequenceSoftMargin = std::uint64_t{1} << 28;

/// A lock for a few instructions. Waiting sleeps, so a preempted holder costs no spinning.
class TinyLock {
 public:
  void lock() {
    while (flag_.test_and_set(std::memory_order_acquire)) {
      flag_.wait(true, std::memory_order_relaxed);
    }
  }
  void unlock() {
    flag_.clear(std::memory_order_release);
    flag_.notify_one();
  }

 private:
  std::atomic_flag flag_;
};

/// Scope of a TinyLock.
class TinyGuard {
 public:
  explicit TinyGuard(TinyLock& lock) : lock_(lock) { lock_.lock(); }
  ~TinyGuard() { lock_.unlock(); }
  TinyGuard(const TinyGuard&) = delete;
  TinyGuard& operator=(const TinyGuard&) = delete;

 private:
  TinyLock& lock_;
};

/// The worker that an inbound SPI belongs to; io::open_natt()'s selector computes the same.
[[nodiscard]] constexpr std::size_t owner_of(EspSpi inbound, std::size_t workers) {
  return inbound.value() % workers;
}

/// How an SA's cipher shapes its packets.
struct SaShape {
  std::size_t iv = 0;
  std::size_t icv = 0;
  std::size_t align = 4;  ///< plaintext is padded to a multiple of this (RFC 4303 §2.4)
  std::size_t block = 1;
  bool random_iv = false;
  bool aead = false;

  /// Octets of ESP packet (SPI to ICV) around `inner` octets.
  [[nodiscard]] std::size_t esp_size(std::size_t inner) const;
  /// Octets of outer IP packet around `inner` octets, in UDP encapsulation or not.
  [[nodiscard]] std::size_t outer_size(std::size_t inner, IpFamily outer, bool udp) const;
  /// The largest inner packet whose outer packet fits `mtu`; 0 when none does.
  [[nodiscard]] std::size_t inner_max(std::size_t mtu, IpFamily outer, bool udp) const;
};

/// One direction's keys: a sealer for each worker, because sealers are not thread-safe.
struct SaKeys {
  EspSpi spi;
  bool esn = false;
  SaShape shape;
  std::vector<std::unique_ptr<crypto::Sealer>> sealers;  ///< by worker

  /// Fails for a cipher without integrity (RFC 4303 §1) and for what the provider refuses.
  [[nodiscard]] static Result<SaKeys> make(const crypto::Provider& provider,
                                           const model::SaSpec& spec, std::size_t workers);
};

struct InboundSa {
  InboundSa(SaKeys sa_keys, std::uint32_t window_size)
      : keys(std::move(sa_keys)), window(window_size, keys.esn) {}
  SaKeys keys;
  TinyLock lock;  ///< guards `window`
  ReplayWindow window;
};

struct OutboundSa {
  OutboundSa(SaKeys sa_keys, std::uint64_t first) : keys(std::move(sa_keys)), next(first) {}
  SaKeys keys;
  std::atomic<std::uint64_t> next;  ///< sequence number of the next packet

  /// The last number this SA may use; it never wraps (RFC 4303 §3.3.3).
  [[nodiscard]] std::uint64_t last() const {
    return keys.esn ? std::numeric_limits<std::uint64_t>::max() - 1
                    : std::numeric_limits<std::uint32_t>::max();
  }
};

/// Where a child's packets go. Immutable: a change makes a new one.
struct Path {
  Endpoint local;
  Endpoint remote;
};

/// A packet waiting in a trap.
struct Held {
  Bytes packet;
  Instant since;
};

/// A child as the workers see it. What is not atomic or locked is constant once the child, or
/// its outbound SA, is in a table that workers read.
struct Child {
  explicit Child(const model::ChildSpec& spec);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  model::ChildId id;
  std::string name;
  model::PolicyAction action;
  std::vector<model::TrafficSelector> local_ts;
  std::vector<model::TrafficSelector> remote_ts;
  model::Lifetime lifetime;
  bool udp_encap;
  bool copy_df;
  bool copy_ecn;
  model::CopyDscp copy_dscp;
  std::unique_ptr<InboundSa> inbound;
  std::unique_ptr<OutboundSa> outbound;
  /// The one worker that seals for this child, so that packets leave in sequence order: peers'
  /// windows may be as small as 32. It is also the one whose socket gets the child's packets,
  /// so the kernel steers both directions of a flow to it.
  std::size_t owner = 0;

  std::atomic<const Path*> path{nullptr};     ///< owned by Master
  std::atomic<std::uint32_t> path_mtu{1500};  ///< octets of outer packet

  std::atomic<bool> stopped{false};  ///< a hard limit was reached
  std::atomic<bool> soft_told{false};
  std::atomic<bool> first_told{false};
  std::atomic<std::int64_t> mapping_at{std::numeric_limits<std::int64_t>::min()};
  std::atomic<std::int64_t> acquire_at{std::numeric_limits<std::int64_t>::min()};

  std::atomic<std::uint64_t> bytes_in{0}, packets_in{0}, bytes_out{0}, packets_out{0};
  std::atomic<std::uint64_t> replayed{0}, bad_icv{0}, policy_drops{0};
  std::atomic<std::int64_t> last_in{kNever}, last_out{kNever};
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

  TinyLock held_lock;      ///< guards `held`
  std::vector<Held> held;  ///< at most kHeldPacketsMax
};

}  // namespace cygnet::esp
