#include "sim/monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "wire/message.hpp"

namespace cygnet::sim {
namespace {

std::size_t hash_of(ByteView bytes) {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// Header and fragment number of a protected message; nothing for others.
struct Protected {
  wire::Header header;
  std::uint32_t fragment = 0;
};
std::optional<Protected> read(ByteView message) {
  const auto header = wire::parse_header(message);
  if (!header || message.size() < 36) return std::nullopt;
  const std::uint8_t first = message[16];
  if (first != 46 && first != 53) return std::nullopt;
  Protected out{.header = *header};
  if (first == 53) out.fragment = static_cast<std::uint32_t>(message[32] * 256 + message[33]);
  return out;
}

}  // namespace

void Monitor::ike_sent(const IpAddress& node, ByteView message) {
  const auto one = read(message);
  if (!one) return;
  Sa& sa = sas_[{node, one->header.spi_i.value(), one->header.spi_r.value()}];
  Direction& direction = one->header.response ? sa.responses : sa.requests;
  const std::uint32_t id = one->header.id.value();
  if (direction.any && id < direction.id) {
    return fault_(fmt::format("{} went back to message {}", node.text(), id));
  }
  if (!direction.any || id > direction.id) {
    const bool unanswered =
        direction.any && !one->header.response && sa.answered.value_or(0) < direction.id;
    if (unanswered) {
      fault_(
          fmt::format("{} sent request {} before {} was answered", node.text(), id, direction.id));
    }
    direction = {.id = id, .parts = {}, .any = true};
  }
  const auto [part, fresh] = direction.parts.emplace(one->fragment, hash_of(message));
  if (!fresh && part->second != hash_of(message)) {
    fault_(fmt::format("{} repeated message {} with other octets", node.text(), id));
  }
}

void Monitor::ike_received(const IpAddress& node, ByteView message) {
  const auto one = read(message);
  if (!one || !one->header.response) return;
  const auto at = sas_.find({node, one->header.spi_i.value(), one->header.spi_r.value()});
  if (at == sas_.end()) return;
  // An older answer may come late, or twice.
  const std::uint32_t id = one->header.id.value();
  at->second.answered = std::max(at->second.answered.value_or(id), id);
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
