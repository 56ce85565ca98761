// The server's side of a vici connection, and the client against it.
#include <gtest/gtest.h>

#include "toys/rng.hpp"
#include "vici/client.hpp"
#include "vici/server_session.hpp"

namespace cygnet::vici {
namespace {

const Catalogue kCatalogue{.commands = {"version", "list-sas", "initiate"},
                           .events = {"list-sa", "log", "control-log"}};

/// All packets in a server's output, which is thereby sent.
std::vector<Packet> drain(ServerSession& session) {
  ClientDecoder decoder;
  decoder.feed(session.output());
  session.sent(session.backlog());
  std::vector<Packet> out;
  while (true) {
    auto next = decoder.next();
    EXPECT_TRUE(next);
    if (!next || !*next) return out;
    out.push_back(**next);
  }
}

std::vector<PacketType> types(const std::vector<Packet>& packets) {
  std::vector<PacketType> out;
  for (const Packet& packet : packets) out.push_back(packet.type);
  return out;
}

Message marked(std::string_view text) { return Message{}.add("mark", text); }

Bytes frame(Packet packet) { return write_frame(packet).value(); }

TEST(ServerSession, Request_IsHandedOutAndAnswered) {
  ServerSession session{kCatalogue};
  session.receive(request_frame("version", marked("q")).value());
  const auto request = session.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->command, "version");
  EXPECT_EQ(request->message.text("mark"), "q");
  EXPECT_TRUE(session.busy());

  session.respond(marked("a"));
  const auto packets = drain(session);
  ASSERT_EQ(types(packets), std::vector{PacketType::command_response});
  EXPECT_EQ(packets[0].message.text("mark"), "a");
  EXPECT_FALSE(session.busy());
}

TEST(ServerSession, OctetByOctet_IsTheSame) {
  ServerSession session{kCatalogue};
  const Bytes bytes = request_frame("version", marked("q")).value();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(session.next_request());
    session.receive(ByteView{bytes}.subspan(i, 1));
  }
  ASSERT_TRUE(session.next_request());
}

TEST(ServerSession, UnknownNames_AreAnsweredAtOnce) {
  ServerSession session{kCatalogue};
  session.receive(concat({request_frame("no-such").value(), register_frame("no-such").value(),
                          unregister_frame("no-such").value()}));
  EXPECT_FALSE(session.next_request());
  EXPECT_EQ(types(drain(session)),
            (std::vector{PacketType::command_unknown, PacketType::event_unknown,
                         PacketType::event_unknown}));
  EXPECT_EQ(session.fault(), SessionFault::none);
}

// Strict order: a later request or registration waits for the answer before it.
TEST(ServerSession, PipelinedPackets_WaitForTheAnswer) {
  ServerSession session{kCatalogue};
  session.receive(
      concat({request_frame("version", marked("1")).value(), register_frame("log").value(),
              request_frame("version", marked("2")).value()}));
  ASSERT_EQ(session.next_request()->message.text("mark"), "1");
  EXPECT_FALSE(session.next_request());
  EXPECT_FALSE(session.registered("log"));

  session.respond(marked("one"));
  ASSERT_EQ(session.next_request()->message.text("mark"), "2");
  session.respond(marked("two"));
  EXPECT_EQ(types(drain(session)),
            (std::vector{PacketType::command_response, PacketType::event_confirm,
                         PacketType::command_response}));
}

TEST(ServerSession, Events_GoOnlyToWhoRegistered) {
  ServerSession session{kCatalogue};
  session.send_event("log", marked("before"));
  session.receive(register_frame("log").value());
  EXPECT_FALSE(session.next_request());
  session.send_event("log", marked("during"));
  session.send_event("list-sa", marked("other"));
  session.receive(unregister_frame("log").value());
  EXPECT_FALSE(session.next_request());
  session.send_event("log", marked("after"));

  const auto packets = drain(session);
  ASSERT_EQ(types(packets),
            (std::vector{PacketType::event_confirm, PacketType::event, PacketType::event_confirm}));
  EXPECT_EQ(packets[1].name, "log");
  EXPECT_EQ(packets[1].message.text("mark"), "during");
}

TEST(ServerSession, RegisteredTwice_DeliversOnce) {
  ServerSession session{kCatalogue};
  session.receive(concat({register_frame("log").value(), register_frame("log").value()}));
  EXPECT_FALSE(session.next_request());
  session.send_event("log", {});
  EXPECT_EQ(types(drain(session)),
            (std::vector{PacketType::event_confirm, PacketType::event_confirm, PacketType::event}));
}

TEST(ServerSession, SlowReader_LosesEventsThatAreCounted) {
  ServerSession session{kCatalogue};
  session.receive(register_frame("log").value());
  EXPECT_FALSE(session.next_request());
  const Message line = marked(std::string(50000, 'x'));
  for (int i = 0; i < 1000; ++i) session.send_event("log", line);
  EXPECT_LE(session.backlog(), ServerSession::kEventQueueMax);
  EXPECT_GT(session.events_dropped(), 900U);
  EXPECT_EQ(session.fault(), SessionFault::none);

  // Once it reads again it hears again, and is answered.
  EXPECT_GT(drain(session).size(), 10U);
  session.send_event("log", line);
  session.receive(request_frame("version").value());
  ASSERT_TRUE(session.next_request());
  session.respond(marked("a"));
  EXPECT_EQ(types(drain(session)), (std::vector{PacketType::event, PacketType::command_response}));
}

// An answer is sent even when the queue has no room for events any more.
TEST(ServerSession, AnswerBehindFullEventQueue_IsSent) {
  ServerSession session{kCatalogue};
  session.receive(concat({register_frame("log").value(), request_frame("version").value()}));
  ASSERT_TRUE(session.next_request());
  while (session.events_dropped() == 0) session.send_event("log", marked(std::string(9000, 'x')));
  session.respond(marked("a"));
  EXPECT_EQ(session.fault(), SessionFault::none);
  EXPECT_EQ(drain(session).back().type, PacketType::command_response);
}

// A list that is not read does not lose entries silently: the client is disconnected.
TEST(ServerSession, StreamNeverRead_ClosesAtTheLimit) {
  ServerSession session{kCatalogue};
  session.receive(concat({register_frame("list-sa").value(), request_frame("list-sas").value()}));
  ASSERT_TRUE(session.next_request());
  const Message entry = marked(std::string(60000, 'x'));
  int streamed = 0;
  while (session.fault() == SessionFault::none && streamed < 100000) {
    session.stream("list-sa", entry);
    ++streamed;
  }
  EXPECT_EQ(session.fault(), SessionFault::slow_reader);
  EXPECT_GT(streamed, 250);
  EXPECT_LE(session.backlog(), ServerSession::kAnswerQueueMax);
  session.respond({});
  EXPECT_LE(session.backlog(), ServerSession::kAnswerQueueMax);
}

TEST(ServerSession, RegisterStorm_IsBounded) {
  ServerSession session{kCatalogue};
  session.receive(concat({register_frame("list-sa").value(), request_frame("list-sas").value()}));
  ASSERT_TRUE(session.next_request());
  const Message entry = marked(std::string(60000, 'x'));
  while (session.backlog() + 61000 < ServerSession::kAnswerQueueMax) {
    session.stream("list-sa", entry);
  }
  session.respond({});
  const Bytes one = register_frame("log").value();
  Bytes storm;
  for (int i = 0; i < 1000; ++i) append(storm, one);
  for (int i = 0; i < 20 && session.fault() == SessionFault::none; ++i) {
    session.receive(storm);
    EXPECT_FALSE(session.next_request());
  }
  EXPECT_EQ(session.fault(), SessionFault::slow_reader);
  EXPECT_LE(session.backlog(), ServerSession::kAnswerQueueMax);
}

TEST(ServerSession, InputAheadOfAnAnswer_IsBounded) {
  ServerSession session{kCatalogue};
  session.receive(request_frame("version").value());
  ASSERT_TRUE(session.next_request());
  const Bytes chunk(64 * 1024);
  for (int i = 0; i < 100; ++i) session.receive(chunk);
  EXPECT_EQ(session.fault(), SessionFault::input_flood);
}

TEST(ServerSession, ResponseTooLargeToEncode_SaysSo) {
  ServerSession session{kCatalogue};
  session.receive(request_frame("version").value());
  ASSERT_TRUE(session.next_request());
  session.respond(marked(std::string(70000, 'x')));
  const auto packets = drain(session);
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_TRUE(refusal(packets[0].message));
}

TEST(ServerSession, FrameLengths_AtAndBeyondTheLimit) {
  {
    ServerSession session{kCatalogue};
    session.receive(from_hex("00080001").value());  // one above 512 KiB: refused by its header
    EXPECT_FALSE(session.next_request());
    EXPECT_EQ(session.fault(), SessionFault::malformed);
  }
  {
    ServerSession session{kCatalogue};
    session.receive(from_hex("00000000").value());
    EXPECT_FALSE(session.next_request());
    EXPECT_EQ(session.fault(), SessionFault::malformed);
  }
  {
    ServerSession session{kCatalogue};
    session.receive(from_hex("00080000").value());
    EXPECT_FALSE(session.next_request());
    EXPECT_EQ(session.fault(), SessionFault::none);
    session.receive(Bytes(kPacketMax));  // a request with an empty name and a message of zeros
    EXPECT_FALSE(session.next_request());
    EXPECT_EQ(session.fault(), SessionFault::malformed);
  }
}

TEST(ServerSession, PacketsOfAServer_AreRefused) {
  for (const PacketType type :
       {PacketType::command_response, PacketType::command_unknown, PacketType::event_confirm,
        PacketType::event_unknown, PacketType::event}) {
    ServerSession session{kCatalogue};
    session.receive(frame({.type = type, .name = "log", .message = {}}));
    EXPECT_FALSE(session.next_request());
    EXPECT_EQ(session.fault(), SessionFault::unexpected);
  }
  ServerSession session{kCatalogue};
  session.receive(from_hex("00000001 08").value());
  EXPECT_FALSE(session.next_request());
  EXPECT_EQ(session.fault(), SessionFault::malformed);
  EXPECT_FALSE(session.fault_detail().empty());
}

TEST(ServerSession, AfterAFault_NothingMoreHappens) {
  ServerSession session{kCatalogue};
  session.receive(from_hex("00000000").value());
  EXPECT_FALSE(session.next_request());
  session.receive(request_frame("version").value());
  EXPECT_FALSE(session.next_request());
  session.send_event("log", {});
  EXPECT_TRUE(session.output().empty());
}

// Property: any octets at all end in a fault or in waiting, never in unbounded output.
TEST(ServerSession, RandomInput_IsSurvived) {
  test::SeededRng rng{17};
  for (int run = 0; run < 2000; ++run) {
    ServerSession session{kCatalogue};
    for (int i = 0; i < 20 && session.fault() == SessionFault::none; ++i) {
      Bytes packet = rng.bytes(1 + rng.below(30));
      packet[0] = static_cast<std::uint8_t>(rng.below(9));
      Bytes bytes{0, 0, 0, static_cast<std::uint8_t>(packet.size())};
      append(bytes, packet);
      session.receive(bytes);
      if (session.next_request()) session.respond({});
    }
    EXPECT_LE(session.backlog(), 1000U);
  }
}

// --- The client. ---------------------------------------------------------------------------

/// Serves a ServerSession in place of a socket; `serve` answers requests.
class Loop : public Stream {
 public:
  using Serve = std::function<void(ServerSession&, const Request&)>;
  explicit Loop(Serve serve) : serve_(std::move(serve)) {}

  Result<void> send(ByteView bytes) override {
    session.receive(bytes);
    while (auto request = session.next_request()) serve_(session, *request);
    return {};
  }
  Result<Bytes> receive() override {
    // A few octets at a time, as a socket may.
    const Bytes out = to_bytes(session.output().first(std::min<std::size_t>(3, session.backlog())));
    session.sent(out.size());
    return out;
  }
  ServerSession session{kCatalogue};

 private:
  Serve serve_;
};

TEST(Client, Call_ReturnsTheResponse) {
  Loop loop{[](ServerSession& session, const Request& request) {
    session.respond(Message{}.add("echo", std::string_view{request.command}));
  }};
  Client client{loop};
  EXPECT_EQ(client.call("version").value().text("echo"), "version");
  EXPECT_EQ(client.call("initiate").value().text("echo"), "initiate");
}

TEST(Client, StreamingCommand_CollectsEventsUntilTheResponse) {
  Loop loop{[](ServerSession& session, const Request&) {
    session.stream("list-sa", marked("1"));
    session.stream("list-sa", marked("2"));
    session.respond({});
  }};
  Client client{loop};
  std::vector<std::string> seen;
  const auto response = client.call("list-sas", {}, "list-sa", [&](const Message& event) {
    seen.emplace_back(event.text("mark"));
  });
  ASSERT_TRUE(response) << response.error().text();
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "2"}));
  EXPECT_FALSE(loop.session.registered("list-sa"));
}

TEST(Client, UnknownCommandOrEvent_IsAnError) {
  Loop loop{[](ServerSession& session, const Request&) { session.respond({}); }};
  Client client{loop};
  EXPECT_FALSE(client.call("no-such"));
  EXPECT_FALSE(client.call("list-sas", {}, "no-such", [](const Message&) {}));
  EXPECT_FALSE(client.subscribe("no-such"));
}

TEST(Client, RefusedDemand_CarriesTheReason) {
  Loop loop{[](ServerSession& session, const Request&) {
    session.respond(Message{}.add("success", "no").add("errmsg", "no such connection"));
  }};
  Client client{loop};
  const auto result = client.demand("initiate");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().detail, "no such connection");
}

TEST(Client, EventsDuringACall_AreKeptForWhoSubscribed) {
  Loop loop{[](ServerSession& session, const Request&) {
    session.send_event("log", marked("line"));
    session.respond({});
  }};
  Client client{loop};
  ASSERT_TRUE(client.subscribe("log"));
  ASSERT_TRUE(client.call("version"));
  EXPECT_EQ(client.wait_event().value().message.text("mark"), "line");
}

TEST(Client, ServerGone_IsAnError) {
  Loop loop{[](ServerSession&, const Request&) {}};
  Client client{loop};
  EXPECT_FALSE(client.call("version"));
}

TEST(Call, AnswerOutOfOrder_IsAnError) {
  Call call{"list-sas", {}, "list-sa"};
  ASSERT_TRUE(call.start());
  EXPECT_FALSE(call.handle({.type = PacketType::command_response, .name = {}, .message = {}}));
}

TEST(ClientDecoder, PacketsOfAClient_AreRefused) {
  ClientDecoder decoder;
  decoder.feed(request_frame("version").value());
  EXPECT_FALSE(decoder.next());
}

}  // namespace
}  // namespace cygnet::vici
