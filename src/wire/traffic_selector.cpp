// Traffic Selector payloads.                                      RFC 7296 §3.13
//
//    | Number of TSs |                 RESERVED                      |
//      |   TS Type     |IP Protocol ID*|       Selector Length         |
//      |           Start Port*         |           End Port*           |
//      ~                         Starting Address*                     ~
//      ~                         Ending Address*                       ~
#include "wire/codec.hpp"

namespace cygnet::wire {
namespace {

constexpr std::size_t kSelectorHeader = 4;
constexpr std::size_t kPortsSize = 4;

/// 0 for a type whose data we cannot read.
std::size_t address_size(TsType type) {
  switch (type) {
    case TsType::ipv4_addr_range:
      return 4;
    case TsType::ipv6_addr_range:
      return 16;
  }
  return 0;
}

void read_selector(Reader& in, TsPayload& out) {
  const auto type = in.be<TsType>();
  model::TrafficSelector selector{.protocol = in.be<std::uint8_t>()};
  const auto length = in.be<std::uint16_t>();
  in.require(length >= kSelectorHeader);
  Reader body = in.sub(in.ok() ? length - kSelectorHeader : 0, "traffic selector");
  if (!in.ok()) return;
  const std::size_t size = address_size(type);
  if (size == 0) {
    ++out.unknown_count;  // cannot pass 255: the count of selectors is one octet
    return;
  }
  body.require(body.remaining() == kPortsSize + 2 * size);
  selector.start_port = body.be<std::uint16_t>();
  selector.end_port = body.be<std::uint16_t>();
  const auto first = IpAddress::from_bytes(body.take(size));
  const auto last = IpAddress::from_bytes(body.take(size));
  if (body.ok() && first && last) {
    selector.range = {.first = *first, .last = *last};
    //= RFC7296#3.13.1 "Systems ... that wish to indicate "OPAQUE" ports, but not "ANY" ports, MUST
    //=                 set the start port to 65535 and the end port to 0."
    const bool opaque = selector.start_port == 65535 && selector.end_port == 0;
    body.require(*first <= *last && (opaque || selector.start_port <= selector.end_port),
                 ParseFault::bad_value);
  }
  if (!body.ok()) return in.absorb(body.error());
  out.selectors.push_back(selector);
}

}  // namespace

Result<TsPayload, ParseError> parse_ts(Reader body, bool initiator) {
  TsPayload out{.initiator = initiator};
  const auto count = body.be<std::uint8_t>();
  body.skip(3);
  body.require(count > 0, ParseFault::bad_value);
  for (std::size_t i = 0; body.ok() && i < count; ++i) read_selector(body, out);
  return body.finish(std::move(out));
}

void write_body(Writer& out, const TsPayload& payload) {
  CYG_CHECK(payload.selectors.size() <= kSelectorsMax);
  out.be(static_cast<std::uint8_t>(payload.selectors.size()));
  out.zeros(3);
  for (const model::TrafficSelector& selector : payload.selectors) {
    const std::size_t start = out.size();
    out.be(selector.family() == IpFamily::v4 ? TsType::ipv4_addr_range : TsType::ipv6_addr_range);
    out.be(selector.protocol);
    out.zeros(2);
    out.sized16(start, start + 2, [&] {
      out.be(selector.start_port);
      out.be(selector.end_port);
      out.put(selector.range.first.bytes());
      out.put(selector.range.last.bytes());
    });
  }
}

}  // namespace cygnet::wire
