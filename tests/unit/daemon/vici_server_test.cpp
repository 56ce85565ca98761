// The control socket with real clients, in one thread.
#include "daemon/vici_server.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

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
    catalogue = {.commands = {"echo", "never"}, .events = {"tick"}};
    auto made = Loop::make();
    EXPECT_TRUE(made.has_value());
    loop = *std::move(made);
    auto opened =
        ViciServer::open(path, *loop, catalogue,
                         {.request =
                              [this](control::ClientId client, const vici::Request& request) {
                                if (request.command == "echo")
                                  server->respond(client, request.message);
                              },
                          .gone =
                              [this](control::ClientId) {
                                if (++gone == 1) loop->stop();
                              }});
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
