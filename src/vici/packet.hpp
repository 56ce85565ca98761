// vici packets and the frames that carry them on a stream socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/reader.hpp"
#include "vici/message.hpp"

namespace cygnet::vici {

/// The first octet of a packet.
enum class PacketType : std::uint8_t {
  command_request = 0,   ///< name, message
  command_response = 1,  ///< message
  command_unknown = 2,
  event_register = 3,    ///< name
  event_unregister = 4,  ///< name
  event_confirm = 5,
  event_unknown = 6,
  event = 7,  ///< name, message
};

/// Has a name and/or a message only when its type has.
struct Packet {
  PacketType type = PacketType::command_request;
  std::string name;
  Message message;

  friend bool operator==(const Packet&, const Packet&) = default;
};

/// Reads what is inside one frame.
[[nodiscard]] Result<Packet, ParseError> parse_packet(ByteView bytes);
/// A whole frame: u32 length and packet. Fails like write_message(), or when the name is too long.
[[nodiscard]] Result<Bytes> write_frame(const Packet& packet);

/// Collects octets of a stream and cuts them into frames. Holds at most what it was fed since the
/// last next(); a frame that announces more than kPacketMax octets is refused at its header.
class FrameBuffer {
 public:
  void feed(ByteView bytes);
  /// The octets of the next complete packet; nothing when more input is needed; an error when the
  /// stream cannot be followed any more. The view lives until the next call of feed() or next().
  [[nodiscard]] Result<std::optional<ByteView>, ParseError> next();
  /// Octets that were fed and not yet handed out.
  [[nodiscard]] std::size_t buffered() const { return bytes_.size() - at_; }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

}  // namespace cygnet::vici
