// The other end of a vici connection: requests out, answers and events in; no socket.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "vici/message.hpp"
#include "vici/packet.hpp"

namespace cygnet::vici {

/// Encodes what a client sends. Each returns one frame.
[[nodiscard]] Result<Bytes> request_frame(std::string_view command, const Message& message = {});
[[nodiscard]] Result<Bytes> register_frame(std::string_view event);
[[nodiscard]] Result<Bytes> unregister_frame(std::string_view event);

/// Cuts a server's octets into packets. A packet that only a client may send is an error; after
/// an error the connection is of no more use.
class ClientDecoder {
 public:
  void feed(ByteView bytes) { input_.feed(bytes); }
  /// Nothing when more input is needed.
  [[nodiscard]] Result<std::optional<Packet>> next();

 private:
  FrameBuffer input_;
};

/// One command from its first to its last packet: registers the streaming event if there is one,
/// sends the request, collects events until the response, unregisters. Usage: write `start()`;
/// hand every packet to `handle()` and write what it returns until `done()`.
class Call {
 public:
  /// `event` may be empty: a command without a stream.
  Call(std::string_view command, Message request, std::string_view event = {})
      : command_(command), request_(std::move(request)), event_(event) {}

  [[nodiscard]] Result<Bytes> start();
  /// Frames to send next (may be empty). Errors: the server does not know the command or event,
  /// or answers out of order.
  [[nodiscard]] Result<Bytes> handle(Packet packet);
  [[nodiscard]] bool done() const { return step_ == Step::done; }
  /// Events of the stream so far; they are forgotten here.
  [[nodiscard]] std::vector<Message> take_events();
  /// The response; empty before done().
  [[nodiscard]] const Message& response() const { return response_; }

 private:
  enum class Step : std::uint8_t { idle, registering, running, unregistering, done };

  std::string command_;
  Message request_;
  std::string event_;
  Step step_ = Step::idle;
  std::vector<Message> events_;
  Message response_;
};

/// A connected, blocking byte stream; a socket in the command line tool, a script in tests.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Writes all of `bytes`.
  [[nodiscard]] virtual Result<void> send(ByteView bytes) = 0;
  /// Blocks until there is something to read; empty when the server has closed.
  [[nodiscard]] virtual Result<Bytes> receive() = 0;
};

/// A client for programs that may block: one command at a time over a Stream it borrows.
class Client {
 public:
  using OnEvent = std::function<void(const Message&)>;

  explicit Client(Stream& stream) : stream_(stream) {}

  /// Runs a command and returns its response, whatever `success` in it says.
  [[nodiscard]] Result<Message> call(std::string_view command, const Message& request = {});
  /// The same for streaming commands (list-sas with event list-sa, initiate with control-log...).
  [[nodiscard]] Result<Message> call(std::string_view command, const Message& request,
                                     std::string_view event, const OnEvent& on_event);
  /// call(), and an error with the daemon's errmsg when the response says success = no.
  [[nodiscard]] Result<Message> demand(std::string_view command, const Message& request = {});
  /// Registers `event` for good; it then comes from wait_event().
  [[nodiscard]] Result<void> subscribe(std::string_view event);
  /// Blocks for the next subscribed event: a packet with name and message.
  [[nodiscard]] Result<Packet> wait_event();

 private:
  /// Subscribed events that came while a command ran; beyond kHeldMax they are refused.
  static constexpr std::size_t kHeldMax = 4096;
  [[nodiscard]] Result<Packet> next_packet();
  [[nodiscard]] Result<void> hold(Packet packet);

  Stream& stream_;
  ClientDecoder decoder_;
  std::deque<Packet> held_;
};

/// The error in a response: nothing when `success` is absent or yes.
[[nodiscard]] std::optional<std::string> refusal(const Message& response);

}  // namespace cygnet::vici
