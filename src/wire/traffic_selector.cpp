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

void read_selector(Reader& in, TsPayload& out) {
  const auto type = in.be<TsType>();
  const auto protocol = in.be<std::uint8_t>();
  const auto length = in.be<std::uint16_t>();
  in.require(length >= 4);
  Reader body = in.sub(in.ok() ? length - std::size_t{4} : 0, "traffic selector");
  const std::size_t size = type == TsType::ipv4_addr_range   ? 4
                           : type == TsType::ipv6_addr_range ? 16
                                                             : 0;
  if (size == 0) {
    ++out.unknown_count;
    return;
  }
  model::TrafficSelector selector{.protocol = protocol};
  selector.start_port = body.be<std::uint16_t>();
  selector.end_port = body.be<std::uint16_t>();
  const auto first = IpAddress::from_bytes(body.take(size));
  const auto last = IpAddress::from_bytes(body.take(size));
  if (body.ok() && !body.empty()) body.fail(ParseFault::bad_length);
  if (body.ok() && first && last) {
    selector.range = {.first = *first, .last = *last};
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
