// One client's connection to the daemon's vici socket, as a state machine without a socket.
#include "vici/server_session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"

namespace cygnet::vici {

std::string_view to_string(SessionFault fault) {
  switch (fault) {
    case SessionFault::none:
      return "none";
    case SessionFault::malformed:
      return "malformed packet";
    case SessionFault::unexpected:
      return "packet that only a server may send";
    case SessionFault::input_flood:
      return "too much input ahead of an answer";
    case SessionFault::too_large:
      return "an event does not fit into one packet";
    case SessionFault::slow_reader:
      return "client does not read its answers";
  }
  return "unknown";
}

void ServerSession::receive(ByteView bytes) {
  if (fault_ != SessionFault::none) return;
  if (input_.buffered() + bytes.size() > kInputMax) {
    return fail(SessionFault::input_flood,
                fmt::format("{} octets are waiting", input_.buffered() + bytes.size()));
  }
  input_.feed(bytes);
}

std::optional<Request> ServerSession::next_request() {
  while (fault_ == SessionFault::none && !busy_) {
    const auto raw = input_.next();
    if (!raw) {
      fail(SessionFault::malformed, raw.error().text());
      break;
    }
    if (!*raw) break;
    auto packet = parse_packet(**raw);
    if (!packet) {
      fail(SessionFault::malformed, packet.error().text());
      break;
    }
    switch (packet->type) {
      case PacketType::command_request:
        if (catalogue_.commands.contains(packet->name)) {
          busy_ = true;
          return Request{std::move(packet->name), std::move(packet->message)};
        }
        answer(Packet{.type = PacketType::command_unknown, .name = {}, .message = {}});
        break;
      case PacketType::event_register:
      case PacketType::event_unregister:
        handle_registration(*packet);
        break;
      default:
        fail(SessionFault::unexpected,
             fmt::format("packet type {}", static_cast<unsigned>(packet->type)));
    }
  }
  return std::nullopt;
}

// Registering twice is confirmed and delivers once: the set of a client's events is bounded by
// the catalogue, however many registrations it sends.
void ServerSession::handle_registration(const Packet& packet) {
  const bool known = catalogue_.events.contains(packet.name);
  if (known && packet.type == PacketType::event_register) registered_.insert(packet.name);
  if (known && packet.type == PacketType::event_unregister) registered_.erase(packet.name);
  answer(Packet{.type = known ? PacketType::event_confirm : PacketType::event_unknown,
                .name = {},
                .message = {}});
}

void ServerSession::respond(const Message& message) {
  if (CYG_BUG(!busy_)) return;
  busy_ = false;
  auto frame =
      write_frame(Packet{.type = PacketType::command_response, .name = {}, .message = message});
  if (!frame) {
    // The client waits for an answer; it learns why it does not get the one it asked for.
    Message refusal;
    refusal.add("success", "no").add("errmsg", std::string_view{frame.error().text()});
    return answer(
        Packet{.type = PacketType::command_response, .name = {}, .message = std::move(refusal)});
  }
  queue(*frame);
}

void ServerSession::stream(std::string_view event, const Message& message) {
  if (!registered(event)) return;
  answer(Packet{.type = PacketType::event, .name = std::string{event}, .message = message});
}

void ServerSession::send_event(std::string_view event, const Message& message) {
  if (fault_ != SessionFault::none || !registered(event)) return;
  const auto frame = write_frame(
      Packet{.type = PacketType::event, .name = std::string{event}, .message = message});
  // An event too large to encode is counted like one there was no room for.
  if (!frame || backlog() + frame->size() > kEventQueueMax) {
    ++events_dropped_;
    return;
  }
  queue(*frame);
}

void ServerSession::sent(std::size_t count) {
  sent_ += std::min(count, backlog());
  if (sent_ == output_.size()) {
    output_.clear();
    // A long list once sent must not hold its memory for the rest of a long connection.
    if (output_.capacity() > kEventQueueMax) output_.shrink_to_fit();
    sent_ = 0;
  } else if (sent_ > kEventQueueMax) {
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(sent_));
    sent_ = 0;
  }
}

void ServerSession::answer(const Packet& packet) {
  const auto frame = write_frame(packet);
  if (!frame) {
    // Only a streamed event can be too large; an incomplete list must not look complete.
    return fail(SessionFault::too_large, frame.error().text());
  }
  queue(*frame);
}

void ServerSession::queue(ByteView frame) {
  if (fault_ != SessionFault::none) return;
  if (backlog() + frame.size() > kAnswerQueueMax) {
    return fail(SessionFault::slow_reader, fmt::format("{} octets are unread", backlog()));
  }
  append(output_, frame);
}

void ServerSession::fail(SessionFault why, std::string detail) {
  if (fault_ != SessionFault::none) return;
  fault_ = why;
  fault_detail_ = std::move(detail);
}

}  // namespace cygnet::vici
