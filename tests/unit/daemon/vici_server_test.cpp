// The control socket with real clients, in one thread.
#include "daemon/vici_server.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "cli/socket_stream.hpp"

namespace cygnet::daemon {
namespace {

namespace fs = std::filesystem;

struct Bench {
  Bench() {
    char name[] = "/tmp/cygnet-vici-XXXXXX";
    folder = ::mkdtemp(name);
    path = folder + "/deep/er/vici";
    catalogue = {.commands = {"echo", "never", "pages"}, .events = {"tick"}};
    auto made = Loop::make();
    EXPECT_TRUE(made.has_value());
    loop = *std::move(made);
    auto opened =
        ViciServer::open(path, *loop, catalogue,
                         {.request =
                              [this](control::ClientId client, const vici::Request& request) {
                                if (request.command == "echo") {
                                  server->respond(client, request.message);
                                } else if (request.command == "pages") {
                                  server->resume(client);
                                }
                              },
                          .gone =
                              [this](control::ClientId) {
                                if (++gone == 1) loop->stop();
                              },
                          .resume = [this](control::ClientId client) { next_page(client); }});
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().text());
    server = *std::move(opened);
  }
  ~Bench() {
    server.reset();
    EXPECT_FALSE(fs::exists(path)) << "the socket goes with the server";
    fs::remove_all(folder);
  }
  /// Runs the loop until the first client has gone; `client` runs beside it.
  void with_client(const std::function<void(vici::Client&)>& client) {
    std::thread other{[&] {
      auto socket = io::UnixStream::connect(path);
      ASSERT_TRUE(socket.has_value());
      cli::SocketStream stream{std::move(*socket)};
      vici::Client one{stream};
      client(one);
    }};
    EXPECT_TRUE(loop->run().has_value());
    other.join();
  }

  void next_page(control::ClientId client) {
    if (pages++ == kPages) return server->respond(client, {});
    vici::Message page;
    page.add("page", std::string(60'000, 'x'));
    server->stream(client, "tick", page);
    server->resume(client);
  }

  static constexpr int kPages = 500;
  std::atomic<int> pages{0};  ///< that were asked for
  std::string folder;
  std::string path;
  vici::Catalogue catalogue;
  std::unique_ptr<Loop> loop;
  std::unique_ptr<ViciServer> server;
  int gone = 0;
};

TEST(ViciServer, Client_IsAnswered) {
  Bench bench;
  vici::Message answer;
  bench.with_client([&](vici::Client& client) {
    vici::Message request;
    request.add("key", "value");
    const auto got = client.call("echo", request);
    if (got) answer = *got;
    EXPECT_FALSE(client.call("unknown").has_value());
  });
  EXPECT_EQ(answer.text("key"), "value");
}

// An answer of several megabytes does not fit a socket buffer: the rest follows when it can.
TEST(ViciServer, LargeAnswers_ArriveWhole) {
  Bench bench;
  std::size_t whole = 0;
  bench.with_client([&](vici::Client& client) {
    vici::Message request;
    for (int i = 0; i < 7; ++i) request.add("k" + std::to_string(i), std::string(60'000, 'x'));
    for (int i = 0; i < 20; ++i) {
      const auto got = client.call("echo", request);
      whole += got && *got == request;
    }
  });
  EXPECT_EQ(whole, 20u);
}

// Whoever does not read what it has asked for holds up nobody, and nothing piles up for it; when it
// reads, nothing is missing.
TEST(ViciServer, LongAnswers_WaitForTheirReader) {
  Bench bench;
  int before = 0;
  int heard = 0;
  bench.with_client([&](vici::Client& other) {
    auto socket = io::UnixStream::connect(bench.path);
    ASSERT_TRUE(socket.has_value());
    cli::SocketStream slow{std::move(*socket)};
    ASSERT_TRUE(slow.send(*vici::register_frame("tick")).has_value());
    ASSERT_TRUE(slow.send(*vici::request_frame("pages")).has_value());
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(other.call("echo").has_value());
    before = bench.pages;
    vici::ClientDecoder decoder;
    for (bool answered = false; !answered;) {
      auto packet = decoder.next();
      ASSERT_TRUE(packet.has_value());
      if (!*packet) {
        const auto bytes = slow.receive();
        ASSERT_TRUE(bytes.has_value() && !bytes->empty());
        decoder.feed(*bytes);
        continue;
      }
      heard += (*packet)->type == vici::PacketType::event;
      answered = (*packet)->type == vici::PacketType::command_response;
    }
  });
  EXPECT_EQ(heard, Bench::kPages);
  EXPECT_LT(before, 50) << "a socket's buffer full";
}

TEST(ViciServer, SecondDaemon_IsRefusedAndAStaleSocketReplaced) {
  Bench bench;
  const auto other = io::UnixListener::open(bench.path);
  ASSERT_FALSE(other.has_value());
  EXPECT_NE(other.error().text().find("another daemon"), std::string::npos);
  const std::string stale = bench.folder + "/stale";
  {
    auto one = io::UnixListener::open(stale);
    ASSERT_TRUE(one.has_value());
    fs::rename(stale, stale + ".kept");  // what a crash leaves: a file that nobody listens at
  }
  fs::rename(stale + ".kept", stale);
  EXPECT_TRUE(io::UnixListener::open(stale).has_value());
}

TEST(UnixPath, SchemesAndLengths) {
  EXPECT_EQ(*io::unix_path("unix:///run/x"), "/run/x");
  EXPECT_EQ(*io::unix_path("/run/x"), "/run/x");
  EXPECT_FALSE(io::unix_path("tcp://127.0.0.1:1").has_value());
  EXPECT_FALSE(io::unix_path("relative").has_value());
  EXPECT_FALSE(io::UnixStream::connect("/" + std::string(200, 'x')).has_value());
}

}  // namespace
}  // namespace cygnet::daemon
