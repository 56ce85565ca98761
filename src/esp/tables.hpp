// The SAD and SPD as workers look them up.                          RFC 4301 §4.4
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/ip.hpp"
#include "esp/child.hpp"
#include "esp/inner.hpp"

namespace cygnet::esp {

/// Entries one child's selectors may make in the policy index (local selectors times prefixes
/// of the remote ranges).
inline constexpr std::size_t kPolicyEntriesMax = 4096;

/// One step from one state of the tables to the next.
struct Change {
  enum class Kind : std::uint8_t { add_inbound, remove_inbound, add_policy, remove_policy };
  Kind kind = Kind::add_inbound;
  Child* child = nullptr;    ///< alive as long as any table holds it
  std::uint64_t serial = 0;  ///< add_policy: of equal policies the highest wins
};

/// SAD and SPD. Look-ups are const and safe from many threads while nothing applies a change.
/// An inbound SA is found by its SPI's slot; a policy by the longest remote prefix, then the
/// narrowest local range, protocol and ports, then protect before trap, drop and pass, then
/// the newest. So a /32 client costs one hash look-up however many there are.
class Tables {
 public:
  /// The policy that takes a packet.
  struct Found {
    Child* child = nullptr;       ///< none: no policy takes it
    bool opaque_skipped = false;  ///< a narrower one might have, were the ports visible
  };

  void apply(const Change& change);
  /// The child whose inbound SA has exactly this SPI.
  [[nodiscard]] Child* find_inbound(EspSpi spi) const;
  /// True when some inbound SA has the slot of this SPI.
  [[nodiscard]] bool slot_taken(EspSpi spi) const;
  [[nodiscard]] Found find_policy(const Inner& inner) const;

  /// How many entries add_policy would make; stops counting above kPolicyEntriesMax.
  [[nodiscard]] static std::size_t policy_entries(const Child& child);

 private:
  static constexpr unsigned kPageBits = 10;
  static constexpr std::size_t kPageSize = std::size_t{1} << kPageBits;
  static constexpr std::size_t kPages = std::size_t{1} << (model::kSpiSlotBits - kPageBits);
  using Page = std::array<Child*, kPageSize>;

  struct Entry {
    Child* child;
    std::uint32_t local;    // index into child->local_ts
    std::uint32_t remote;   // index into child->remote_ts
    std::uint64_t breadth;  // narrower first: local bits, protocol, ports
    unsigned rank;          // by action
    std::uint64_t serial;
  };
  // The leading bits of an address as two numbers: masking them needs no allocation.
  struct Key {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    [[nodiscard]] Key masked(unsigned length) const;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  using Buckets = std::unordered_map<Key, std::vector<Entry>, KeyHash>;
  [[nodiscard]] static Key key_of(const IpAddress& address);

  struct Family {
    std::array<Buckets, 129> by_length;  // remote prefixes of that many bits
    std::vector<unsigned> lengths;       // those in use, longest first
  };

  void add_policy(Child& child, std::uint64_t serial);
  void remove_policy(const Child& child);
  void insert(const Prefix& remote, const Entry& entry);
  void erase(const Prefix& remote, const Child& child);
  [[nodiscard]] Family& family(IpFamily which) { return which == IpFamily::v4 ? v4_ : v6_; }

  std::vector<std::unique_ptr<Page>> pages_ = std::vector<std::unique_ptr<Page>>(kPages);
  Family v4_;
  Family v6_;
};

}  // namespace cygnet::esp
