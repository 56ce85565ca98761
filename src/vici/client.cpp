// The other end of a vici connection: requests out, answers and events in; no socket.
#include "vici/client.hpp"

#include <fmt/format.h>

namespace cygnet::vici {
namespace {

Packet named(PacketType type, std::string_view name, const Message& message = {}) {
  return Packet{.type = type, .name = std::string{name}, .message = message};
}

std::unexpected<Error> broken(const ParseError& error) {
  return fail("read from the daemon", error.text());
}

}  // namespace

Result<Bytes> request_frame(std::string_view command, const Message& message) {
  return write_frame(named(PacketType::command_request, command, message));
}

Result<Bytes> register_frame(std::string_view event) {
  return write_frame(named(PacketType::event_register, event));
}

Result<Bytes> unregister_frame(std::string_view event) {
  return write_frame(named(PacketType::event_unregister, event));
}

Result<std::optional<Packet>> ClientDecoder::next() {
  const auto raw = input_.next();
  if (!raw) return broken(raw.error());
  if (!*raw) return std::optional<Packet>{};
  auto packet = parse_packet(**raw);
  if (!packet) return broken(packet.error());
  switch (packet->type) {
    case PacketType::command_response:
    case PacketType::command_unknown:
    case PacketType::event_confirm:
    case PacketType::event_unknown:
    case PacketType::event:
      return std::optional{*std::move(packet)};
    default:
      return fail("read from the daemon", "a packet only a client may send");
  }
}

Result<Bytes> Call::start() {
  if (step_ != Step::idle) return fail("call " + command_, "was started before");
  step_ = event_.empty() ? Step::running : Step::registering;
  return event_.empty() ? request_frame(command_, request_) : register_frame(event_);
}

Result<Bytes> Call::handle(Packet packet) {
  // An event may overtake the confirmation that it is registered, and follow the last answer.
  if (packet.type == PacketType::event && !event_.empty() && packet.name == event_) {
    if (step_ == Step::running) events_.push_back(std::move(packet.message));
    return Bytes{};
  }
  if (step_ == Step::registering && packet.type == PacketType::event_confirm) {
    step_ = Step::running;
    return request_frame(command_, request_);
  }
  if (step_ == Step::registering && packet.type == PacketType::event_unknown) {
    return fail("call " + command_, fmt::format("the daemon has no event '{}'", event_));
  }
  if (step_ == Step::running && packet.type == PacketType::command_response) {
    response_ = std::move(packet.message);
    step_ = event_.empty() ? Step::done : Step::unregistering;
    return event_.empty() ? Result<Bytes>{Bytes{}} : unregister_frame(event_);
  }
  if (step_ == Step::running && packet.type == PacketType::command_unknown) {
    return fail("call " + command_, "the daemon does not know this command");
  }
  if (step_ == Step::unregistering &&
      (packet.type == PacketType::event_confirm || packet.type == PacketType::event_unknown)) {
    step_ = Step::done;
    return Bytes{};
  }
  return fail("call " + command_, fmt::format("the daemon answered out of order (packet type {})",
                                              static_cast<unsigned>(packet.type)));
}

std::vector<Message> Call::take_events() { return std::exchange(events_, {}); }

Result<Message> Client::call(std::string_view command, const Message& request) {
  return call(command, request, {}, [](const Message&) {});
}

Result<Message> Client::call(std::string_view command, const Message& request,
                             std::string_view event, const OnEvent& on_event) {
  Call run{command, request, event};
  CYG_TRY(const Bytes first, run.start());
  CYG_TRY_DO(stream_.send(first));
  while (!run.done()) {
    CYG_TRY(Packet packet, next_packet());
    if (packet.type == PacketType::event && packet.name != event) {
      CYG_TRY_DO(hold(std::move(packet)));
      continue;
    }
    CYG_TRY(const Bytes more, run.handle(std::move(packet)));
    for (const Message& message : run.take_events()) on_event(message);
    if (!more.empty()) CYG_TRY_DO(stream_.send(more));
  }
  return run.response();
}

Result<Message> Client::demand(std::string_view command, const Message& request) {
  CYG_TRY(Message response, call(command, request));
  if (const auto why = refusal(response)) return fail(std::string{command}, *why);
  return response;
}

Result<void> Client::subscribe(std::string_view event) {
  CYG_TRY(const Bytes frame, register_frame(event));
  CYG_TRY_DO(stream_.send(frame));
  while (true) {
    CYG_TRY(Packet packet, next_packet());
    if (packet.type == PacketType::event_confirm) return {};
    if (packet.type != PacketType::event) {
      return fail("subscribe", fmt::format("the daemon has no event '{}'", event));
    }
    CYG_TRY_DO(hold(std::move(packet)));
  }
}

Result<Packet> Client::wait_event() {
  if (!held_.empty()) {
    Packet first = std::move(held_.front());
    held_.pop_front();
    return first;
  }
  CYG_TRY(Packet packet, next_packet());
  if (packet.type != PacketType::event) return fail("wait for events", "an unexpected answer");
  return packet;
}

Result<Packet> Client::next_packet() {
  while (true) {
    CYG_TRY(std::optional<Packet> packet, decoder_.next());
    if (packet) return *std::move(packet);
    CYG_TRY(const Bytes bytes, stream_.receive());
    if (bytes.empty()) return fail("read from the daemon", "it closed the connection");
    decoder_.feed(bytes);
  }
}

Result<void> Client::hold(Packet packet) {
  if (held_.size() == kHeldMax) {
    return fail("read from the daemon", fmt::format("{} events were not waited for", kHeldMax));
  }
  held_.push_back(std::move(packet));
  return {};
}

std::optional<std::string> refusal(const Message& response) {
  if (response.flag("success", true)) return std::nullopt;
  return std::string{response.text("errmsg", "the daemon gave no reason")};
}

}  // namespace cygnet::vici
