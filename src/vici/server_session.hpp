// One client's connection to the daemon's vici socket, as a state machine without a socket.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "vici/message.hpp"
#include "vici/packet.hpp"

namespace cygnet::vici {

/// What a daemon offers. A request or registration for anything else is answered as unknown by
/// the session itself.
struct Catalogue {
  std::set<std::string, std::less<>> commands;
  std::set<std::string, std::less<>> events;
};

struct Request {
  std::string command;
  Message message;
};

/// Why a session must be closed.
enum class SessionFault : std::uint8_t {
  none,
  malformed,    ///< bytes that are no vici packet
  unexpected,   ///< a packet type only a server may send
  input_flood,  ///< more pipelined input than kInputMax while a command was being answered
  slow_reader,  ///< an answer did not fit into kAnswerQueueMax
  too_large,    ///< a streamed event does not fit into one packet
};
[[nodiscard]] std::string_view to_string(SessionFault fault);

/// Usage: `receive()` what was read; `next_request()` until empty, and after each answer again;
/// answer with `respond()`; write `output()` and report with `sent()`; close when `fault()` says
/// so (what is still in `output()` may be dropped).
///
/// Order is strict: while a request is being answered later packets wait, so answers leave in the
/// order of their requests. Events may be sent at any time.
class ServerSession {
 public:
  /// Unsent octets beyond which events are dropped and counted: a slow reader loses log lines.
  static constexpr std::size_t kEventQueueMax = 1024 * 1024;
  /// Unsent octets beyond which an answer (response, confirmation or streamed event) closes the
  /// connection: an answer must never be incomplete. Enough for a list of 10 000 IKE_SAs.
  static constexpr std::size_t kAnswerQueueMax = 16 * 1024 * 1024;
  /// Octets a client may send ahead of the answer it waits for.
  static constexpr std::size_t kInputMax = 2 * (kPacketMax + 4);

  /// `catalogue` is borrowed and must outlive the session.
  explicit ServerSession(const Catalogue& catalogue) : catalogue_(catalogue) {}

  /// Octets read from the client. After a fault they are ignored.
  void receive(ByteView bytes);
  /// The next command, in order; nothing while one is unanswered. Registrations and unknown
  /// names that come before it are answered on the way.
  [[nodiscard]] std::optional<Request> next_request();
  [[nodiscard]] bool busy() const { return busy_; }

  /// Answers the request that next_request() handed out last. An answer that cannot be encoded
  /// is replaced by `success = no, errmsg = ...`. Without a request outstanding it is a bug of
  /// ours, and ignored.
  void respond(const Message& message);
  /// An event that is part of the answer to the outstanding request (list-sa during list-sas).
  /// Sent only if the client registered for it. Never dropped for want of room: past
  /// kAnswerQueueMax the session fails. Pace long lists by `backlog()`.
  void stream(std::string_view event, const Message& message);
  /// An event for everybody who registered. Dropped and counted past kEventQueueMax.
  void send_event(std::string_view event, const Message& message);
  [[nodiscard]] bool registered(std::string_view event) const {
    return registered_.contains(event);
  }

  /// What to write to the socket next; lives until any other call on this session.
  [[nodiscard]] ByteView output() const { return ByteView{output_}.subspan(sent_); }
  /// The socket took `count` octets of output().
  void sent(std::size_t count);
  /// Octets waiting to be sent.
  [[nodiscard]] std::size_t backlog() const { return output_.size() - sent_; }

  [[nodiscard]] SessionFault fault() const { return fault_; }
  /// What exactly was wrong with a malformed packet, for the log.
  [[nodiscard]] const std::string& fault_detail() const { return fault_detail_; }
  [[nodiscard]] std::uint64_t events_dropped() const { return events_dropped_; }

 private:
  void answer(const Packet& packet);
  void handle_registration(const Packet& packet);
  void queue(ByteView frame);
  void fail(SessionFault why, std::string detail);

  const Catalogue& catalogue_;
  FrameBuffer input_;
  Bytes output_;
  std::size_t sent_ = 0;
  std::set<std::string, std::less<>> registered_;
  bool busy_ = false;
  SessionFault fault_ = SessionFault::none;
  std::string fault_detail_;
  std::uint64_t events_dropped_ = 0;
};

}  // namespace cygnet::vici
