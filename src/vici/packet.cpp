// vici packets and the frames that carry them on a stream socket.
//
//    |            u32 length            | u8 type |[ u8 length, name ]|[ message ]|
#include "vici/packet.hpp"

#include <fmt/format.h>

#include "base/writer.hpp"

namespace cygnet::vici {
namespace {

bool has_name(PacketType type) {
  return type == PacketType::command_request || type == PacketType::event_register ||
         type == PacketType::event_unregister || type == PacketType::event;
}

bool has_message(PacketType type) {
  return type == PacketType::command_request || type == PacketType::command_response ||
         type == PacketType::event;
}

}  // namespace

Result<Packet, ParseError> parse_packet(ByteView bytes) {
  Reader in{bytes, "vici packet"};
  Packet packet;
  packet.type = in.be<PacketType>();
  in.require(packet.type <= PacketType::event, ParseFault::unsupported);
  if (has_name(packet.type)) packet.name = to_string(in.take(in.be<std::uint8_t>()));
  if (in.ok() && has_message(packet.type)) {
    auto message = parse_message(in.rest());
    if (!message) return std::unexpected(message.error());
    packet.message = *std::move(message);
  }
  return in.finish(std::move(packet));
}

Result<Bytes> write_frame(const Packet& packet) {
  if (packet.name.size() > kNameMax) {
    return fail("write vici packet", fmt::format("a name of {} octets", packet.name.size()));
  }
  Writer out;
  out.zeros(4);
  out.be(packet.type);
  if (has_name(packet.type)) {
    out.be(static_cast<std::uint8_t>(packet.name.size()));
    out.put(as_bytes(packet.name));
  }
  if (has_message(packet.type)) {
    CYG_TRY(const Bytes message, write_message(packet.message));
    out.put(message);
  }
  const std::size_t length = out.size() - 4;
  if (length > kPacketMax) {
    return fail("write vici packet",
                fmt::format("{} octets exceed the limit of {}", length, kPacketMax));
  }
  out.patch32(0, static_cast<std::uint32_t>(length));
  return out.take();
}

void FrameBuffer::feed(ByteView bytes) {
  if (at_ > 0) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
  }
  append(bytes_, bytes);
}

Result<std::optional<ByteView>, ParseError> FrameBuffer::next() {
  const ByteView waiting = ByteView{bytes_}.subspan(at_);
  if (waiting.size() < 4) return std::optional<ByteView>{};
  const std::size_t length = Reader{waiting}.be<std::uint32_t>();
  // Judged by the header alone: what cannot be a packet is not waited for.
  if (length == 0) return std::unexpected(ParseError{ParseFault::bad_length, 0, "vici frame"});
  if (length > kPacketMax) {
    return std::unexpected(ParseError{ParseFault::too_many, 0, "vici frame"});
  }
  if (waiting.size() - 4 < length) return std::optional<ByteView>{};
  at_ += 4 + length;
  return std::optional{waiting.subspan(4, length)};
}

}  // namespace cygnet::vici
