// What the service manager is told.
#include "daemon/service.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "io/unique_fd.hpp"

namespace cygnet::daemon {
namespace {

TEST(ServiceManager, IsTold) {
  const std::string path = testing::TempDir() + "notify." + std::to_string(::getpid());
  const io::UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  EXPECT_TRUE(tell_service_manager("READY=1").has_value());
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(tell_service_manager("STOPPING=1").has_value());  // nobody is there to hear it
  std::array<char, 64> text{};
  const ssize_t size = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
  EXPECT_EQ(std::string(text.data(), size < 0 ? 0 : static_cast<std::size_t>(size)), "READY=1");
  EXPECT_LT(::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT), 0);
  ::unlink(path.c_str());
}

TEST(ServiceManager, ThatIsGone_IsAnError) {
  ::setenv("NOTIFY_SOCKET", (testing::TempDir() + "nobody").c_str(), 1);
  EXPECT_FALSE(tell_service_manager("READY=1").has_value());
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace cygnet::daemon
