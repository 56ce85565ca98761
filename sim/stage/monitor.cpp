#include "sim/stage/monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string_view>

#include "wire/message.hpp"

namespace cygnet::sim {
namespace {

std::size_t hash_of(ByteView bytes) {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::uint64_t number_at(ByteView bytes, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < size; ++i) out = (out << 8) | bytes[at + i];
  return out;
}

constexpr std::size_t kIvSize = 8;  // AES-GCM's (RFC 5282 §3.1)

/// What stands in the clear in a protected message; nothing for others.
struct Protected {
  wire::Header header;
  std::uint32_t fragment = 0;
  std::uint32_t total = 1;
  std::uint64_t iv = 0;
};
std::optional<Protected> read(ByteView message) {
  const auto header = wire::parse_header(message);
  if (!header) return std::nullopt;
  const auto first = static_cast<PayloadType>(message[16]);
  if (first != PayloadType::sk && first != PayloadType::skf) return std::nullopt;
  // The generic header, and for a fragment its number and how many there are (RFC 7383 §2.5).
  const std::size_t iv_at = wire::kHeaderSize + (first == PayloadType::sk ? 4 : 8);
  if (message.size() < iv_at + kIvSize) return std::nullopt;
  Protected out{.header = *header, .iv = number_at(message, iv_at, kIvSize)};
  if (first == PayloadType::skf) {
    out.fragment = static_cast<std::uint32_t>(number_at(message, wire::kHeaderSize + 4, 2));
    out.total = static_cast<std::uint32_t>(number_at(message, wire::kHeaderSize + 6, 2));
  }
  return out;
}

/// Puts an entry in, unless there is one with its key. False when that is another one.
bool agrees(std::vector<std::pair<std::uint64_t, std::size_t>>& entries, std::uint64_t key,
            std::size_t hash) {
  // Keys mostly grow.
  if (entries.empty() || entries.back().first < key) {
    entries.emplace_back(key, hash);
    return true;
  }
  const auto at =
      std::ranges::lower_bound(entries, key, {}, [](const auto& one) { return one.first; });
  if (at->first == key) return at->second == hash;
  entries.emplace(at, key, hash);
  return true;
}

}  // namespace

void Monitor::ike_sent(std::size_t node, ByteView message) {
  const auto one = read(message);
  if (!one) return;
  const std::size_t hash = hash_of(message);
  Sa& sa = sas_[{one->header.spi_i.value(), one->header.spi_r.value(), node}];
  if (!agrees(sa.sealed, one->iv, hash)) {
    return fault_(fmt::format("node {} sealed two messages with one IV, {}", node, one->iv));
  }
  Direction& direction = one->header.response ? sa.responses : sa.requests;
  const std::uint32_t id = one->header.id.value();
  if (direction.any && id < direction.id) {
    return fault_(fmt::format("node {} went back to message {}", node, id));
  }
  if (!direction.any || id > direction.id) {
    if (!one->header.response) {
      if (direction.any && !sa.answered) {
        fault_(
            fmt::format("node {} sent request {} before {} was answered", node, id, direction.id));
      }
      sa.answers = 0;
      sa.answered = false;
    }
    direction = {.id = id, .parts = {}, .any = true};
  }
  if (!agrees(direction.parts, one->fragment, hash)) {
    fault_(fmt::format("node {} repeated message {} with other octets", node, id));
  }
}

void Monitor::ike_received(std::size_t node, ByteView message) {
  const auto one = read(message);
  if (!one || !one->header.response) return;
  const std::uint64_t spi_i = one->header.spi_i.value();
  const std::uint64_t spi_r = one->header.spi_r.value();
  const auto own = sas_.find({spi_i, spi_r, node});
  const std::uint32_t id = one->header.id.value();
  if (own == sas_.end() || own->second.answered || own->second.requests.id != id) return;
  for (auto at = sas_.lower_bound({spi_i, spi_r, 0}); at != sas_.end(); ++at) {
    const auto& [other_i, other_r, other] = at->first;
    if (other_i != spi_i || other_r != spi_r) return;
    const Direction& said = at->second.responses;
    if (other == node || !said.any || said.id != id) continue;
    const Entry part{one->fragment, hash_of(message)};
    if (std::ranges::find(said.parts, part) == said.parts.end()) continue;
    own->second.answers |= std::uint64_t{1} << (one->fragment % 64);
    own->second.answered = std::popcount(own->second.answers) == static_cast<int>(one->total);
    return;
  }
}

void Monitor::sealed(std::uint64_t key, std::uint64_t sequence) {
  std::uint64_t& highest = sequences_[key];
  if (sequence <= highest) {
    return fault_(fmt::format("sequence number {} used twice with one key", sequence));
  }
  highest = sequence;
}

void Monitor::inner_sent(std::uint64_t number, const std::string& receiver) {
  inner_.emplace(number, receiver);
}

void Monitor::inner_delivered(std::uint64_t number, const std::string& receiver) {
  const auto at = inner_.find(number);
  if (at == inner_.end()) return fault_("a packet was delivered that nobody sent");
  if (at->second != receiver) {
    return fault_(fmt::format("a packet for {} reached {}", at->second, receiver));
  }
  if (!delivered_.insert(number).second) fault_("a packet was delivered twice");
}

std::optional<std::uint64_t> Monitor::first_lost(std::uint64_t after) const {
  for (auto at = inner_.upper_bound(after); at != inner_.end(); ++at) {
    if (!delivered_.contains(at->first)) return at->first;
  }
  return std::nullopt;
}

}  // namespace cygnet::sim
