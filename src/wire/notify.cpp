// Notify and Delete payloads.                                     RFC 7296 §3.10, §3.11
//
//    |  Protocol ID  |   SPI Size    |      Notify Message Type      |
//    ~                Security Parameter Index (SPI)                 ~
//    ~                       Notification Data                       ~
//
//    |  Protocol ID  |   SPI Size    |          Num of SPIs          |
//    ~               Security Parameter Index(es) (SPI)              ~
#include "wire/codec.hpp"

namespace cygnet::wire {
namespace {

constexpr std::uint8_t kEspSpiSize = 4;

bool fits(NotifyData shape, std::size_t size) {
  switch (shape) {
    case NotifyData::u8:
      return size == 1;
    case NotifyData::u16:
      return size == 2;
    case NotifyData::u32:
      return size == 4;
    case NotifyData::u16s:
      return size % 2 == 0;
    case NotifyData::hash:
      return size == 20;
    case NotifyData::none:  // stray data is ignored
    case NotifyData::any:
      return true;
  }
  return false;
}

}  // namespace

Result<NotifyPayload, ParseError> parse_notify(Reader body) {
  NotifyPayload out{.protocol = body.be<ProtocolId>()};
  const auto spi_size = body.be<std::uint8_t>();
  body.require(spi_size == 0 || spi_size == 4 || spi_size == 8);
  out.type = body.be<NotifyType>();
  out.spi = to_bytes(body.take(spi_size));
  out.data = to_bytes(body.rest());
  // A shape is enforced only for data that will be read.
  if (const NotifyInfo* info = cygnet::find_notify(out.type)) {
    body.require(fits(info->data, out.data.size()));
  }
  return body.finish(std::move(out));
}

void write_body(Writer& out, const NotifyPayload& payload) {
  CYG_CHECK(payload.spi.size() <= 255);
  out.be(payload.protocol);
  out.be(static_cast<std::uint8_t>(payload.spi.size()));
  out.be(payload.type);
  out.put(payload.spi);
  out.put(payload.data);
}

Result<DeletePayload, ParseError> parse_delete(Reader body) {
  DeletePayload out{.protocol = body.be<ProtocolId>()};
  const auto spi_size = body.be<std::uint8_t>();
  const auto count = body.be<std::uint16_t>();
  switch (out.protocol) {
    case ProtocolId::ike:
      body.require(spi_size == 0 && count == 0);
      break;
    case ProtocolId::ah:
    case ProtocolId::esp:
      body.require(spi_size == kEspSpiSize);
      body.require(body.remaining() == std::size_t{count} * kEspSpiSize);
      for (std::size_t i = 0; body.ok() && i < count; ++i) out.spis.push_back(body.be<EspSpi>());
      break;
    default:
      //= RFC7296#3.11 "Protocol ID (1 octet) - Must be 1 for an IKE SA, 2 for AH, or 3 for ESP."
      body.fail(ParseFault::bad_value);
  }
  return body.finish(std::move(out));
}

void write_body(Writer& out, const DeletePayload& payload) {
  const bool ike = payload.protocol == ProtocolId::ike;
  CYG_CHECK(payload.spis.size() <= 0xffff && (!ike || payload.spis.empty()));
  out.be(payload.protocol);
  out.be(ike ? std::uint8_t{0} : kEspSpiSize);
  out.be(static_cast<std::uint16_t>(payload.spis.size()));
  for (const EspSpi spi : payload.spis) out.be(spi);
}

}  // namespace cygnet::wire
