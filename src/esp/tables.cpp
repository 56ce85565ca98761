// The SAD and SPD as workers look them up.                          RFC 4301 §4.4
#include "esp/tables.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace cygnet::esp {
namespace {

// The leading bits that all addresses of a range share: its breadth as a prefix would have it.
unsigned shared_bits(const IpRange& range) {
  unsigned count = 0;
  for (std::size_t i = 0; i < range.first.bytes().size(); ++i) {
    const auto differ = static_cast<std::uint8_t>(range.first.bytes()[i] ^ range.last.bytes()[i]);
    if (differ != 0) return count + static_cast<unsigned>(std::countl_zero(differ));
    count += 8;
  }
  return count;
}

std::uint64_t port_breadth(const model::TrafficSelector& ts) {
  return ts.end_port >= ts.start_port ? static_cast<std::uint64_t>(ts.end_port - ts.start_port) : 0;
}

// Smaller is narrower: local address bits first, then protocol, then ports of both sides.
std::uint64_t breadth_of(const model::TrafficSelector& local,
                         const model::TrafficSelector& remote) {
  const std::uint64_t address = local.range.first.bits() - shared_bits(local.range);
  const std::uint64_t protocol = local.protocol == 0 && remote.protocol == 0 ? 1 : 0;
  return (address << 40) | (protocol << 39) | (port_breadth(local) + port_breadth(remote));
}

// Among equal selectors: what protects wins, what sends clear text comes last.
unsigned rank_of(model::PolicyAction action) {
  switch (action) {
    case model::PolicyAction::protect:
      return 0;
    case model::PolicyAction::trap:
      return 1;
    case model::PolicyAction::drop:
      return 2;
    case model::PolicyAction::pass:
      return 3;
  }
  return 4;
}

bool compatible(const model::TrafficSelector& local, const model::TrafficSelector& remote) {
  return local.family() == remote.family() &&
         (local.protocol == 0 || remote.protocol == 0 || local.protocol == remote.protocol);
}

// The SPI's slot has bits for one page and the place in it.
std::size_t slot_of(EspSpi spi) { return model::spi_slot(spi); }

}  // namespace

Tables::Key Tables::key_of(const IpAddress& address) {
  std::array<std::uint8_t, 16> raw{};
  std::ranges::copy(address.bytes(), raw.begin());
  const auto word = [&](std::size_t at) {
    std::uint64_t value = 0;
    for (std::size_t i = at; i < at + 8; ++i) value = (value << 8) | raw[i];
    return value;
  };
  return {word(0), word(8)};
}

Tables::Key Tables::Key::masked(unsigned length) const {
  const auto mask = [](unsigned bits) {
    return bits == 0 ? 0 : bits >= 64 ? ~std::uint64_t{0} : ~std::uint64_t{0} << (64 - bits);
  };
  return {high & mask(length), low & mask(length > 64 ? length - 64 : 0)};
}

std::size_t Tables::KeyHash::operator()(const Key& key) const {
  std::uint64_t hash = (key.high ^ 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 29) ^ key.low) * 0x94d049bb133111eb;
  return static_cast<std::size_t>(hash ^ (hash >> 32));
}

void Tables::apply(const Change& change) {
  switch (change.kind) {
    case Change::Kind::add_inbound: {
      const std::size_t slot = slot_of(change.child->inbound->keys.spi);
      auto& page = pages_[slot / kPageSize];
      if (!page) page = std::make_unique<Page>();
      (*page)[slot % kPageSize] = change.child;
      return;
    }
    case Change::Kind::remove_inbound: {
      const std::size_t slot = slot_of(change.child->inbound->keys.spi);
      auto& page = pages_[slot / kPageSize];
      if (page && (*page)[slot % kPageSize] == change.child) (*page)[slot % kPageSize] = nullptr;
      return;
    }
    case Change::Kind::add_policy:
      return add_policy(*change.child, change.serial);
    case Change::Kind::remove_policy:
      return remove_policy(*change.child);
  }
}

Child* Tables::find_inbound(EspSpi spi) const {
  const std::size_t slot = slot_of(spi);
  const auto& page = pages_[slot / kPageSize];
  if (!page) return nullptr;
  Child* child = (*page)[slot % kPageSize];
  return child != nullptr && child->inbound->keys.spi == spi ? child : nullptr;
}

bool Tables::slot_taken(EspSpi spi) const {
  const std::size_t slot = slot_of(spi);
  const auto& page = pages_[slot / kPageSize];
  return page && (*page)[slot % kPageSize] != nullptr;
}

Tables::Found Tables::find_policy(const Inner& inner) const {
  Found found;
  const Family& index = inner.is_v4() ? v4_ : v6_;
  const Key destination = key_of(inner.flow.destination);
  for (const unsigned length : index.lengths) {
    const Buckets& buckets = index.by_length[length];
    const auto bucket = buckets.find(destination.masked(length));
    if (bucket == buckets.end()) continue;
    for (const Entry& entry : bucket->second) {
      const Child& child = *entry.child;
      switch (match(child.local_ts[entry.local], child.remote_ts[entry.remote], inner)) {
        case Match::yes:
          found.child = entry.child;
          return found;
        case Match::opaque:
          found.opaque_skipped = true;
          break;
        case Match::no:
          break;
      }
    }
  }
  return found;
}

std::size_t Tables::policy_entries(const Child& child) {
  std::size_t count = 0;
  for (const auto& remote : child.remote_ts) {
    const std::size_t prefixes = remote.range.prefixes().size();
    for (const auto& local : child.local_ts) {
      if (compatible(local, remote)) count += prefixes;
      if (count > kPolicyEntriesMax) return count;
    }
  }
  return count;
}

void Tables::add_policy(Child& child, std::uint64_t serial) {
  for (std::uint32_t r = 0; r < child.remote_ts.size(); ++r) {
    const auto& remote = child.remote_ts[r];
    const std::vector<Prefix> prefixes = remote.range.prefixes();
    for (std::uint32_t l = 0; l < child.local_ts.size(); ++l) {
      const auto& local = child.local_ts[l];
      if (!compatible(local, remote)) continue;
      const Entry entry{&child, l, r, breadth_of(local, remote), rank_of(child.action), serial};
      for (const Prefix& prefix : prefixes) insert(prefix, entry);
    }
  }
}

void Tables::remove_policy(const Child& child) {
  for (const auto& remote : child.remote_ts) {
    for (const Prefix& prefix : remote.range.prefixes()) erase(prefix, child);
  }
}

void Tables::insert(const Prefix& remote, const Entry& entry) {
  Family& index = family(remote.address().family());
  Buckets& buckets = index.by_length[remote.length()];
  if (buckets.empty()) {
    const auto at = std::ranges::lower_bound(index.lengths, remote.length(), std::greater{});
    index.lengths.insert(at, remote.length());
  }
  std::vector<Entry>& bucket = buckets[key_of(remote.address())];
  const auto before = [](const Entry& a, const Entry& b) {
    return std::tuple{a.breadth, a.rank, ~a.serial} < std::tuple{b.breadth, b.rank, ~b.serial};
  };
  bucket.insert(std::ranges::upper_bound(bucket, entry, before), entry);
}

void Tables::erase(const Prefix& remote, const Child& child) {
  Family& index = family(remote.address().family());
  Buckets& buckets = index.by_length[remote.length()];
  const auto bucket = buckets.find(key_of(remote.address()));
  if (bucket == buckets.end()) return;
  std::erase_if(bucket->second, [&](const Entry& entry) { return entry.child == &child; });
  if (!bucket->second.empty()) return;
  buckets.erase(bucket);
  if (buckets.empty()) std::erase(index.lengths, remote.length());
}

}  // namespace cygnet::esp
